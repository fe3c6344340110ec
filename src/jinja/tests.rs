//! The language as a whole: templates and what they give.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use minijinja::value::Value;

use super::values::{Dict, from_json, function, list, native_literal, python_repr, to_json};
use super::*;
use crate::error::{Error, ErrorKind, Result};

/// A scope with the macros of one file and a few values.
#[derive(Debug, Default)]
struct Project {
    macros: Vec<Arc<MacroTemplate>>,
    values: HashMap<&'static str, Value>,
    lenient: bool,
    calls: Mutex<Vec<String>>,
    own: OnceLock<Weak<Project>>,
}

impl Scope for Project {
    fn lookup(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        let found = self.macros.iter().find(|found| found.name == name)?;
        let scope: Arc<dyn Scope> = self.own.get()?.upgrade()?;
        Some(Engine::new().macro_value(found, &scope))
    }

    fn macro_entered(&self, unique_id: &str) {
        self.calls.lock().unwrap().push(format!("+{unique_id}"));
    }

    fn macro_left(&self, unique_id: &str) {
        self.calls.lock().unwrap().push(format!("-{unique_id}"));
    }

    fn lenient_undefined(&self) -> bool {
        self.lenient
    }

    fn names(&self) -> Vec<String> {
        self.macros.iter().map(|found| found.name.clone()).collect()
    }
}

fn project(macros: &str, lenient: bool) -> Arc<Project> {
    let blocks = blocks::split(macros, Path::new("macros/all.sql")).unwrap();
    let macros = blocks.iter().map(|block| {
        let id = format!("macro.test.{}", block.macro_name());
        Arc::new(MacroTemplate::from_block(id, block))
    });
    let raises = function("fail", |_, args| {
        let [message] = args.bind(["message"], 0)?;
        let message = message.map_or_else(|| "failed".to_owned(), |message| message.to_string());
        Err(raise(Error::database(message)))
    });
    let calls = function("run_block", |state, args| {
        let caller: Value = args.named.get("caller")?;
        Ok(Value::from(format!("<{}>", caller.call(state, &[])?)))
    });
    let values = HashMap::from([("fail", raises), ("run_block", calls), ("modules", python_modules())]);
    let project = Arc::new(Project { macros: macros.collect(), values, lenient, ..Project::default() });
    project.own.set(Arc::downgrade(&project)).unwrap();
    project
}

fn render_with(macros: &str, text: &str) -> Result<String> {
    let scope: Arc<dyn Scope> = project(macros, false);
    Engine::new().render(text, &Origin::file("models/a.sql"), &scope)
}

fn render(text: &str) -> Result<String> {
    render_with("", text)
}

/// Renders every template and compares, telling all that differ.
fn check(table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .filter_map(|(template, expected)| {
            let given = render(template).unwrap_or_else(|error| format!("error: {}", error.message()));
            (given != *expected).then(|| format!("{template}\n  expected {expected}\n  given    {given}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_print_as_in_python() {
    check(&[
        ("{{ [1, 'a', none, true, 1.0] }}", "[1, 'a', None, True, 1.0]"),
        ("{{ {'a': 1, 2: [()]} }} {{ (1,) }} {{ () }}", "{'a': 1, 2: [()]} (1,) ()"),
        ("{{ [\"it's\", 'a\"b', '\\n', 'é'] }}", "[\"it's\", 'a\"b', '\\n', 'é']"),
        (
            "{{ 1e16 }} {{ 1e15 }} {{ 1.5e-5 }} {{ 0.1 + 0.2 }}",
            "1e+16 1000000000000000.0 1.5e-05 0.30000000000000004",
        ),
        ("{{ 'a' ~ 1 ~ none ~ [true] }}", "a1None[True]"),
        ("{{ none }}|{{ missing }}|{{ true }}", "None||True"),
        ("{{ 2 ** 100 }}", "1267650600228229401496703205376"),
    ]);
}

#[test]
fn operators_behave_as_in_python() {
    check(&[
        ("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** -1 }}", "3 -4 2 3.5 0.5"),
        ("{{ 1 + 2 * 3 - 4 }} {{ 5 - 3 - 1 }} {{ 'a' * 3 }} {{ [1] + [2] }}", "3 1 aaa [1, 2]"),
        ("{{ '%s has %05.1f' % ('x', 2.25) }} {{ '%(a)d%%' % {'a': 3} }}", "x has 002.2 3%"),
        ("{{ '{} {:>4} {!r}'.format(1, 'a', 'b') }}", "1    a 'b'"),
        ("{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ [1] == (1,) }} {{ 'a' in {'a': 1} }}", "True True False True"),
        ("{{ 'yes' if 1 else 'no' }}{{ 'x' if 0 }} {{ 0 or 'x' }} {{ 3 and 0 }}", "yes x 0"),
        ("{{ [1,2,3][::-1] }} {{ 'abc'[1:] }} {{ (1,2)[:1] }}", "[3, 2, 1] bc (1,)"),
        ("{{ 1 + 'a' }}", "error: unsupported operand type(s) for +: 'int' and 'str'"),
        ("{{ 1 < 'a' }}", "error: '<' not supported between instances of 'int' and 'str'"),
        ("{{ missing + 1 }}", "error: 'missing' is undefined"),
        ("{{ 1 / 0 }}", "error: division by zero"),
    ]);
}

#[test]
fn lists_and_dicts_are_shared_and_mutable() {
    check(&[
        ("{% set l = [] %}{% do l.append(1) %}{% set m = l %}{% do m.extend([2, 3]) %}{{ l }}", "[1, 2, 3]"),
        ("{% set l = [3,1,2] %}{% do l.sort() %}{{ l.pop() }}{{ l }}{{ l.index(2) }}", "3[1, 2]1"),
        (
            "{% set d = {'a': 1} %}{% do d.update(b=2) %}{{ d }}{{ d.get('z', 5) }}{{ d.pop('a') }}",
            "{'a': 1, 'b': 2}51",
        ),
        ("{% set l = 'a,b'.split(',') %}{% do l.append('c') %}{{ l }}", "['a', 'b', 'c']"),
        ("{% set l = [1]|map('string')|list %}{% do l.append(2) %}{{ l }}", "['1', 2]"),
        ("{% set d = {'items': 1} %}{{ d['items'] }}{{ d.items()|list }}", "1[('items', 1)]"),
        (
            "{% set n = namespace(l=[]) %}{% for i in [1,2] %}{% set n.l = n.l + [i] %}{% endfor %}{{ n.l }}",
            "[1, 2]",
        ),
        (
            "{{ {'a': 1}.b is defined }}|{{ {'a': 1}.b }}|{{ {}.x.y }}",
            "error: 'dict object' has no attribute 'x'",
        ),
        ("{{ {[1]: 2} }}", "error: unhashable type: 'list'"),
        ("{% set l = [] %}{% do l.append(l) %}{{ l == [l] }}{{ l|length }}", "False1"),
    ]);
}

#[test]
fn whitespace_is_kept_and_stripped_as_in_jinja2() {
    check(&[
        ("a\n", "a\n"),
        ("a {{ 1 }}\n", "a 1"),
        ("a {{ 1 }}\n\n", "a 1\n"),
        ("a\r\nb{{ 1 }}\r\n", "a\nb1"),
        ("  {{- 1 -}}  x  {%- if true -%}  y  {%- endif %} z", "1xy z"),
        ("a {#- c -#} b{# d #}c", "abc"),
        ("{% raw %}{{ x }} {% y %}{% endraw %}|{%- raw -%} x {%- endraw -%} y", "{{ x }} {% y %}|xy"),
        ("{ {{- 1 }}{{ '{{' }}", "{1{{"),
        ("{{ 'a' \"b\" }} {{ '\\x41\\u00e9\\d' }}", "ab Aé\\d"),
    ]);
}

#[test]
fn statements_of_jinja2() {
    check(&[
        (
            "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ loop.index }}{{ k }}{{ v }}{{ loop.last }} {% endfor %}",
            "1a1False 2b2True ",
        ),
        ("{% for i in range(6) if i is odd %}{{ i }}{% else %}none{% endfor %}", "135"),
        (
            "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
            "02",
        ),
        ("{% for x in [1, [2]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}", "12"),
        ("{% set a, b = 1, 2 %}{% set c %}x{{ a }}{% endset %}{{ b }}{{ c|upper }}", "2X1"),
        ("{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}", "3False"),
        ("{% filter upper %}a{{ 'b' }}{% endfilter %}{% do [].append(1) %}", "AB"),
        ("{% set x = 1 %}{% for i in [1] %}{% set x = 5 %}{% endfor %}{{ x }}", "1"),
        ("{% if true: %}y{% endif %}", "y"),
        ("{% set größe = 4 %}{{ größe }}{{ dict(ä=1) }}", "4{'ä': 1}"),
        ("{% for a, b in [(1,)] %}{% endfor %}", "error: not enough values to unpack (expected 2, got 1)"),
        ("{% for x in none %}{% endfor %}", "error: 'NoneType' object is not iterable"),
    ]);
}

#[test]
fn filters_and_tests() {
    check(&[
        (
            "{{ [3,1]|sort }}{{ ['b','A']|sort }}{{ [1,1,2]|unique|list }}{{ [1,2]|sum }}",
            "[1, 3]['A', 'b'][1, 2]3",
        ),
        ("{{ [{'a': 1}, {'a': 2}]|map(attribute='a')|join('-') }}", "1-2"),
        (
            "{{ [{'a': 1}, {'b': 2}]|selectattr('a', 'defined')|list }}{{ [1,2]|reject('odd')|list }}",
            "[{'a': 1}][2]",
        ),
        ("{{ [1,2,3]|batch(2)|list }} {{ {'b': 1, 'a': 2}|dictsort }}", "[[1, 2], [3]] [('a', 2), ('b', 1)]"),
        ("{% for k, l in [{'a': 1}, {'a': 1}]|groupby('a') %}{{ k }}{{ l|length }}{% endfor %}", "12"),
        ("{{ 2.5|round }} {{ 2.675|round(2) }} {{ '3.7'|int }} {{ 'x'|float }}", "2.0 2.67 3 0.0"),
        ("{{ missing|default('a') }}{{ ''|default('b', true) }}{{ none|default('c') }}", "abNone"),
        ("{{ {'b': 1, 'a': '<'}|tojson }}", "{\"a\": \"\\u003c\", \"b\": 1}"),
        ("{{ 'a\\nb'|indent }} {{ 'hello world'|title }} {{ ' x '|trim }}", "a\n    b Hello World x"),
        (
            "{{ 1 is number }}{{ 'a' is string }}{{ [] is sequence }}{{ {} is mapping }}{{ 6 is divisibleby 3 }}",
            "TrueTrueTrueTrueTrue",
        ),
        (
            "{{ 'Ab'.upper() }}{{ 'a.b'.partition('.') }}{{ '7'.zfill(3) }}{{ 'ab'.startswith(('x', 'a')) }}",
            "AB('a', '.', 'b')007True",
        ),
        ("{{ 1|foo }}", "error: No filter named 'foo'."),
        ("{{ [1, 'a']|sort }}", "error: '<' not supported between instances of 'str' and 'int'"),
    ]);
}

fn python_modules() -> Value {
    let silent: Deprecated = Arc::new(|| Ok(()));
    modules(&silent)
}

#[test]
fn pythons_modules() {
    check(&[
        (
            "{{ modules.datetime.datetime(2024, 1, 31) + modules.datetime.timedelta(days=1, hours=2) }}",
            "2024-02-01 02:00:00",
        ),
        ("{{ modules.datetime.date(2024, 3, 1) - modules.datetime.date(2024, 1, 1) }}", "60 days, 0:00:00"),
        (
            "{{ modules.datetime.datetime.strptime('31/Jan/24 3PM', '%d/%b/%y %I%p').isoformat() }}",
            "2024-01-31T15:00:00",
        ),
        ("{{ [modules.datetime.date(2024, 1, 2)] }}", "[datetime.date(2024, 1, 2)]"),
        (
            "{{ modules.pytz.timezone('America/New_York').localize(modules.datetime.datetime(2024, 7, 1)) }}",
            "2024-07-01 00:00:00-04:00",
        ),
        ("{{ modules.re.sub('(a)(b)', '\\\\2\\\\1', 'xab') }}{{ modules.re.match('z', 'a') }}", "xbaNone"),
        ("{{ modules.re.findall('([a-z])([0-9])', 'a1b2') }}", "[('a', '1'), ('b', '2')]"),
        ("{{ modules.itertools.product([1, 2], 'a')|list }}", "[(1, 'a'), (2, 'a')]"),
    ]);
}

#[test]
fn macros_bind_their_arguments_as_in_jinja2() {
    let macros = "{% macro f(a, b=a * 2) %}{{ a }},{{ b }}{% endmacro %}
        {% macro all() %}{{ varargs }}{{ kwargs }}{% endmacro %}
        {% macro wrap(x) %}<{{ caller(x) if caller else 'none' }}>{% endmacro %}";
    let table = [
        ("{{ f(1) }} {{ f(1, 5) }} {{ f(b=1, a=2) }} {{ f() }}", "error: 'parameter 'a' was not provided'"),
        ("{{ f(1) }} {{ f(1, 5) }} {{ f(b=1, a=2) }} {{ f(*[3], **{'b': 4}) }}", "1,2 1,5 2,1 3,4"),
        ("{{ all(1, 'x', y=2) }}", "(1, 'x'){'y': 2}"),
        ("{{ wrap(1) }}{% set q = 7 %}{% call(n) wrap(2) %}{{ n }}{{ q }}{% endcall %}", "<none><27>"),
        ("{{ f(1, 2, 3) }}", "error: macro 'dbt_macro__f' takes not more than 2 argument(s)"),
        ("{{ f(1, c=3) }}", "error: macro 'dbt_macro__f' takes no keyword argument 'c'"),
        ("{% macro local(x) %}[{{ x }}{{ y }}]{% endmacro %}{% set y = 1 %}{{ local(2) }}", "[21]"),
        ("{% call run_block() %}a{{ 1 }}{% endcall %}", "<a1>"),
    ];
    for (template, expected) in &table[1..] {
        let given =
            render_with(macros, template).unwrap_or_else(|error| format!("error: {}", error.message()));
        assert_eq!(given, *expected, "{template}");
    }
    let error = render_with(macros, table[0].0).unwrap_err();
    assert_eq!(error.message(), "parameter 'a' was not provided");
}

#[test]
fn return_unwinds_to_the_border_of_its_macro() {
    let macros = "{% macro pick(n) %}{% for i in range(9) %}{% set x %}{% if i == n %}{{ return([i]) }}{% endif %}{% endset %}{% endfor %}none{% endmacro %}
        {% macro through() %}{% call give() %}{{ return('inner') }}{% endcall %}after{% endmacro %}
        {% macro give() %}{{ caller() }}never{% endmacro %}
        {% macro fact(n) %}{% if n < 2 %}{% do return(1) %}{% endif %}{{ return(n * fact(n - 1)) }}{% endmacro %}
        {% macro endless(n) %}{{ endless(n + 1) }}{% endmacro %}";
    assert_eq!(render_with(macros, "{{ pick(3) + [1] }} {{ pick(20) }}").unwrap(), "[3, 1] none");
    assert_eq!(render_with(macros, "{{ through() }}").unwrap(), "innerafter");
    assert_eq!(render_with(macros, "{{ fact(20) }}").unwrap(), "2432902008176640000");
    let error = render_with(macros, "{{ endless(0) }}").unwrap_err();
    assert!(error.message().contains("levels deep"), "{error}");
}

#[test]
fn macros_are_called_from_rust_and_reported_to_the_scope() {
    let project = project(
        "{% macro f(a, b=1) %}{{ return({'a': a, 'b': g(b)}) }}{% endmacro %}{% macro g(x) %}{{ x }}{% endmacro %}",
        false,
    );
    let scope: Arc<dyn Scope> = project.clone();
    let given =
        Engine::new().call_macro(&project.macros[0], &scope, &[Value::from(5)], &[("b", list(vec![]))]);
    assert_eq!(python_repr(&given.unwrap()), "{'a': 5, 'b': '[]'}");
    let calls = project.calls.lock().unwrap();
    assert_eq!(*calls, ["+macro.test.f", "+macro.test.g", "-macro.test.g", "-macro.test.f"]);
}

#[test]
fn lenient_scopes_swallow_unknown_names() {
    let scope: Arc<dyn Scope> = project("", true);
    let text =
        "{{ a.b['c'](1).d }}{{ a() }}|{% for x in a %}x{% endfor %}{{ a is defined }}{{ a.b or 'no' }}";
    assert_eq!(Engine::new().render(text, &Origin::file("a.sql"), &scope).unwrap(), "|Falseno");
}

#[test]
fn native_rendering_keeps_types() {
    let scope: Arc<dyn Scope> = project("", false);
    let table = [
        ("1", "'1'"),
        ("{{ 1 }}", "'1'"),
        ("{{ range(2)|list }}", "[0, 1]"),
        ("a{{ 1 }}b", "'a1b'"),
        ("{{ '1'|as_number }}", "1"),
        ("{{ 'True'|as_bool }}", "True"),
        ("{{ \"{'a': (1, None)}\"|as_native }}", "{'a': (1, None)}"),
        ("{{ '5'|as_text }}", "'5'"),
        ("{% set x = [1] %}{{ x }}", "[1]"),
        ("{% if true %}{{ dict(a=1) }}{% endif %}", "{'a': 1}"),
    ];
    for (text, expected) in table {
        let value = Engine::new().render_native(text, &Origin::file("schema.yml"), &scope).unwrap();
        assert_eq!(python_repr(&value), expected, "{text}");
    }
    let error = Engine::new().render_native("{{ 'x'|as_number }}", &Origin::file("schema.yml"), &scope);
    assert_eq!(error.unwrap_err().message(), "Could not convert value 'x' into type 'number'");
    for text in ["2020-01-01", "007", "true", "a b", "[1, x]", "f()"] {
        assert!(native_literal(text).is_none(), "{text}");
    }
}

#[test]
fn errors_tell_where_and_how_they_came_about() {
    let macros = "{% macro outer() %}\n  {{ inner(1) }}\n{% endmacro %}\n\n{% macro inner(x) %}\n  {{ fail('no table') }}\n{% endmacro %}";
    let error = render_with(macros, "select 1\n{{ outer() }}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database);
    let told = error.to_string();
    assert!(told.contains("no table"), "{told}");
    assert!(told.contains("macros/all.sql:6:6"), "{told}");
    assert!(told.contains("in macro inner (macros/all.sql)\n  > in macro outer (macros/all.sql)"), "{told}");

    let place = |text: &str| {
        let error = render_with(macros, text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compilation, "{text}");
        let location = error.location().unwrap().clone();
        (error.message().to_owned(), location.line, location.column)
    };
    assert_eq!(place("a\n  {{ outr() }}"), ("'outr' is undefined".into(), 2, 6));
    assert_eq!(place("{{ none.x.y }}"), ("'none.x' is undefined".into(), 1, 4));
    assert_eq!(place("é {% if x %}"), ("this 'if' is never closed: '{% endif %}' is missing".into(), 1, 6));
    assert_eq!(place("{{ 1 +\n 'a' }}").1, 1);
    assert_eq!(place("{{ x|uper }}").2, 6);
    let told = render_with(macros, "{{ outr() }}").unwrap_err().to_string();
    assert!(told.contains("did you mean 'outer'?"), "{told}");
    assert!(render("{{ 1|uper }}").unwrap_err().to_string().contains("did you mean 'upper'?"));
    assert!(render("{{ abc() }}").unwrap_err().to_string().contains("dbt deps"));
}

#[test]
fn files_are_cut_into_blocks() {
    let text = "-- text {{ '{% macro x() %}' }} {# {% macro y() %} #}\n  {%- macro a(x, y='%}', z=none) -%}\n{% if x %}{% endif %}\n{%- endmacro -%}\n\
        {% test unique(model) %}t{% endtest %}{% data_test odd(model, n=1) %}{% enddata_test %}\n\
        {% materialization my_view, adapter='duckdb', supported_languages=['sql', 'python'] %}m{% endmaterialization %}\n\
        {% materialization t, default %}{% endmaterialization %}{% docs about %}*doc*{% enddocs %}\n\
        {% snapshot s %}select 1{% endsnapshot %}{% raw %}{% macro no() %}{% endraw %}";
    let blocks = blocks::split(text, Path::new("m.sql")).unwrap();
    let names: Vec<_> = blocks.iter().map(blocks::Block::macro_name).collect();
    let expected = [
        "a",
        "test_unique",
        "test_odd",
        "materialization_my_view_duckdb",
        "materialization_t_default",
        "about",
        "s",
    ];
    assert_eq!(names, expected);
    assert_eq!(blocks[0].contents, "{% if x %}{% endif %}");
    assert!(blocks[0].text.starts_with("\n  {%- macro a") && blocks[0].text.ends_with("-%}\n"));
    let defaults: Vec<_> = blocks[0].params.iter().map(|param| param.default.as_deref()).collect();
    assert_eq!(defaults, [None, Some("'%}'"), Some("none")]);
    let languages = vec!["sql".to_owned(), "python".to_owned()];
    let kind =
        blocks::BlockKind::Materialization { adapter: "duckdb".into(), supported_languages: languages };
    assert_eq!(blocks[3].kind, kind);
    assert_eq!((blocks[5].contents.as_str(), blocks[6].contents.as_str()), ("*doc*", "select 1"));
    assert_eq!(blocks[1].origin.line, 5);

    for (text, message) in [
        ("{% macro a() %}", "this 'macro' block is never closed: '{% endmacro %}' is missing"),
        (
            "{% macro a() %}{% macro b() %}{% endmacro %}",
            "a 'macro' block cannot be inside of a 'macro' block",
        ),
        (
            "{% if x %}{% macro a() %}{% endmacro %}{% endif %}",
            "a 'macro' block must stand at the top level of its file",
        ),
        ("{% endmacro %}", "unexpected 'endmacro': no block is open here"),
        ("{% marco a() %}{% endmarco %}", "unknown block 'marco'"),
        ("{% endif %}", "unexpected 'endif': no 'if' is open here"),
        ("{# a", "this comment is never closed: '#}' is missing"),
        ("{% macro a( %}{% endmacro %}", "unexpected the end of the template, expected a name"),
    ] {
        let error = blocks::split(text, Path::new("m.sql")).unwrap_err();
        assert_eq!(error.message(), message);
        assert!(error.location().is_some_and(|location| location.line == 1), "{error}");
    }
}

#[test]
fn macro_calls_are_found_without_running() {
    let text = "{{ a(b(1)) }}{{ ref('x') }}{% if p.c() %}{{ adapter.dispatch('d', 'ns')(e()) }}{% endif %}{{ a() }}{{ adapter.quote('x') }}";
    let calls = static_macro_calls(text, &Origin::file("a.sql")).unwrap();
    let name = |name: &str| MacroCall::Name(name.into());
    let expected = [
        name("a"),
        name("b"),
        MacroCall::InPackage { package: "p".into(), name: "c".into() },
        MacroCall::Dispatch { name: "d".into(), namespace: Some("ns".into()) },
        name("e"),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn json_goes_both_ways() {
    let json = serde_json::json!({"b": [1, 2.5, null, true, "x"], "a": {"c": -1}});
    let value = from_json(&json);
    assert_eq!(python_repr(&value), "{'b': [1, 2.5, None, True, 'x'], 'a': {'c': -1}}");
    assert_eq!(to_json(&value).unwrap(), json);
    let dict = Dict::new([(Value::from(1), Value::from("x"))]);
    assert_eq!(to_json(&Value::from_object(dict)).unwrap(), serde_json::json!({"1": "x"}));
    assert!(to_json(&python_modules()).is_err());
}

#[test]
fn decimals_keep_their_digits() {
    let mut project = Project::default();
    let decimal = |text: &str| values::decimal_value(text).unwrap();
    project.values =
        HashMap::from([("a", decimal("1.50")), ("b", decimal("-0.25")), ("three", decimal("3"))]);
    let scope: Arc<dyn Scope> = Arc::new(project);
    let text = "{{ a }} {{ [b] }} {{ a + b }} {{ a * 2 }} {{ 1 / three }} {{ -a }} {{ a == 1.5 }} {{ a > b }} {{ a|int }}";
    let expected = "1.50 [Decimal('-0.25')] 1.25 3.00 0.3333333333333333333333333333 -1.50 True True 1";
    assert_eq!(Engine::new().render(text, &Origin::file("a.sql"), &scope).unwrap(), expected);
    assert!(values::decimal_value("1e5").is_none() && values::decimal_value("x").is_none());
}

#[test]
fn hostile_templates_give_errors_or_results() {
    let repeat = |text: &str| text.repeat(50_000);
    let templates = [
        format!("{{{{ {}1{} }}}}", repeat("("), repeat(")")),
        format!("{{{{ {}1{} }}}}", repeat("["), repeat("]")),
        format!("{{{{ {}1 }}}}", repeat("1+")),
        format!("{{{{ {}1 }}}}", repeat("not ")),
        format!("{{{{ {}1 }}}}", repeat("1 and ")),
        format!("{{{{ {}1 }}}}", repeat("1 if 1 else ")),
        format!("{{{{ x{} }}}}", repeat(".a")),
        format!("{{{{ 1{} }}}}", repeat("|string")),
        format!("{}{}", repeat("{% if 1 %}"), repeat("{% endif %}")),
        format!("{{% if 1 %}}{}{{% endif %}}", repeat("{% elif 1 %}")),
        repeat("{% macro a() %}"),
        repeat("{{"),
        repeat("{%"),
        repeat("{{ '"),
        repeat("{% raw %}"),
        "{{ 'a' * 10 ** 12 }}".into(),
        "{{ range(10 ** 12) }}".into(),
        "{{ '%999999999d' % 1 }}".into(),
        "{% for x in [1] %}{{ loop.cycle() }}{% endfor %}".into(),
        "{% set l = [] %}{% do l.append(l) %}{{ l }}{{ l|tojson }}".into(),
        "{% set n = namespace(x=[]) %}{% for i in range(50000) %}{% set n.x = [(n.x, {'a': n.x})] %}{% endfor %}".into(),
        "{{ ".into(),
        "{% set x".into(),
        "{{ '\\u12' }}".into(),
    ];
    for template in &templates {
        // A panic or an overflow of the stack ends the test; any result is fine.
        let _ = render(template);
        let _ = blocks::split(template, Path::new("m.sql"));
    }
}

#[test]
fn one_engine_serves_many_threads() {
    let scope: Arc<dyn Scope> = project("{% macro f(x) %}{{ return(x + 1) }}{% endmacro %}", false);
    let engine = Engine::new();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let (engine, scope) = (&engine, &scope);
            threads.spawn(move || {
                for _ in 0..200 {
                    let text = format!("{{{{ f({thread}) }}}}");
                    let given = engine.render(&text, &Origin::file("a.sql"), scope).unwrap();
                    assert_eq!(given, (thread + 1).to_string());
                }
            });
        }
    });
}

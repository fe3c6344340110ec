use std::time::Instant;

use serde_json::json;

use super::*;

fn read(text: &str) -> Yaml {
    parse(text, Path::new("f.yml")).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn refuse(text: &str) -> String {
    match parse(text, Path::new("f.yml")) {
        Ok(tree) => panic!("{text:?} was read as {}", tree.to_json()),
        Err(error) => error.to_string(),
    }
}

fn value(text: &str) -> YamlValue {
    read(text).value
}

/// What PyYAML's safe loader makes of plain scalars.
#[test]
fn plain_scalars_have_their_types() {
    use YamlValue::{Bool, Float, Int, Null};
    let text = |text: &str| YamlValue::Str(text.to_owned());
    let time = |text: &str| YamlValue::Timestamp(text.to_owned());
    let cases = [
        ("", Null),
        ("~", Null),
        ("null", Null),
        ("nUll", text("nUll")),
        ("yes", Bool(true)),
        ("Off", Bool(false)),
        ("y", text("y")),
        ("tRue", text("tRue")),
        ("0", Int(0)),
        ("-17", Int(-17)),
        ("+1_000", Int(1000)),
        ("017", Int(15)),
        ("0o17", text("0o17")),
        ("08", text("08")),
        ("0x1F", Int(31)),
        ("0b1_01", Int(5)),
        ("0x", text("0x")),
        ("190:20:30", Int(685_230)),
        ("-1:30", Int(-90)),
        ("1:60", text("1:60")),
        ("0:30", text("0:30")),
        ("9223372036854775807", Int(i64::MAX)),
        ("9223372036854775808", text("9223372036854775808")),
        ("123456789012345678901234567890123456789012", text("123456789012345678901234567890123456789012")),
        ("1.5", Float(1.5)),
        ("1.", Float(1.0)),
        (".5", Float(0.5)),
        ("-.5", text("-.5")),
        ("1_0.5_0", Float(10.5)),
        ("1.5e+3", Float(1500.0)),
        ("1.5e3", text("1.5e3")),
        ("1e3", text("1e3")),
        ("1:30.5", Float(90.5)),
        ("-.inf", Float(f64::NEG_INFINITY)),
        (".", text(".")),
        ("1.2.3", text("1.2.3")),
        ("2024-01-31", time("2024-01-31")),
        ("2024-1-31", text("2024-1-31")),
        ("2001-12-14t21:59:43.10-05:00", time("2001-12-14T21:59:43.100000-05:00")),
        ("2001-12-14 21:59:43", time("2001-12-14T21:59:43")),
        ("2001-12-15 2:59:43.1234567 Z", time("2001-12-15T02:59:43.123456+00:00")),
        ("2001-12-14 21:59:43 ", time("2001-12-14T21:59:43")),
        ("2001-12-14 21:59", text("2001-12-14 21:59")),
        ("=", text("=")),
        ("a b", text("a b")),
        ("a:b", text("a:b")),
        ("a#b", text("a#b")),
        ("\"1\"", text("1")),
        ("'yes'", text("yes")),
        ("!!str 1", text("1")),
        ("!!int '1'", Int(1)),
        ("!!float 1", Float(1.0)),
        ("!!bool on", Bool(true)),
        ("! '1'", Int(1)),
    ];
    for (source, expected) in cases {
        assert_eq!(value(source), expected, "{source:?}");
    }
    assert!(matches!(value(".nan"), Float(number) if number.is_nan()));
}

#[test]
fn scalars_of_several_lines_are_folded() {
    let cases = [
        ("a: b\n  c\n\n  d", "b c\nd"),
        ("a: 'b\n  c\n\n\n  d'", "b c\n\nd"),
        ("a: 'it''s'", "it's"),
        ("a: \"b\\\n  c\\n\\x41\\u00e4\\U0001F600 \\\"\"", "bc\nAä😀 \""),
        ("a: \"less\nindented\"", "less indented"),
        ("a: |\n  b\n   c\n\n  d\n\n", "b\n c\n\nd\n"),
        ("a: |-\n  b\n", "b"),
        ("a: |+\n  b\n\n", "b\n\n"),
        ("a: |\n  b", "b"),
        ("a: >\n  b\n  c\n\n  d\n   e\n  f\n", "b c\nd\n e\nf\n"),
        ("a: |2\n    b\n", "  b\n"),
        ("a: | # comment\n  b # no comment\n", "b # no comment\n"),
        ("a: b # comment", "b"),
    ];
    for (source, expected) in cases {
        assert_eq!(read(source).get("a").and_then(Yaml::as_str), Some(expected), "{source:?}");
    }
}

#[test]
fn collections_nest_in_every_style() {
    let cases = [
        ("a:\n- 1\n- 2\nb: 3", json!({"a": [1, 2], "b": 3})),
        ("- - 1\n  - 2\n- a: 1\n  b: 2\n-", json!([[1, 2], {"a": 1, "b": 2}, null])),
        ("{a: [1, {b: c}, ], d, e: , 'f':g}", json!({"a": [1, {"b": "c"}], "d": null, "e": null, "f": "g"})),
        ("[a: 1, b]", json!([{"a": 1}, "b"])),
        ("[a:1, http://x/y?z]", json!(["a:1", "http://x/y?z"])),
        ("a: [\n1,\n  2\n]\nb: {\n}", json!({"a": [1, 2], "b": {}})),
        ("? a\n: b\n? c", json!({"a": "b", "c": null})),
        (
            "1: a\ntrue: b\nnull: c\n2024-01-31: d",
            json!({"1": "a", "true": "b", "null": "c", "2024-01-31": "d"}),
        ),
        ("a: &x [1]\nb: *x\nc: &y\n  z: 1\nd: *y", json!({"a": [1], "b": [1], "c": {"z": 1}, "d": {"z": 1}})),
        (
            "x: &x {a: 1, b: 1}\ny: {b: 2, <<: *x, c: 3}",
            json!({"x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 2, "c": 3}}),
        ),
        ("<<: [{a: 1}, {a: 2, b: 2}]\nc: 3", json!({"a": 1, "b": 2, "c": 3})),
        ("'<<': 1", json!({"<<": 1})),
        ("--- # start\na: 1\n...\n", json!({"a": 1})),
        ("%YAML 1.1\n---\na", json!("a")),
        ("\u{feff}a: 1\r\nb: 2\r\n", json!({"a": 1, "b": 2})),
        ("a:\tb\n\nc: d\t# x", json!({"a": "b", "c": "d"})),
        ("!!set {a, b}", json!({"a": null, "b": null})),
        ("# nothing", json!(null)),
        ("---\n...\n", json!(null)),
    ];
    for (source, expected) in cases {
        assert_eq!(read(source).to_json(), expected, "{source:?}");
    }
}

#[test]
fn nodes_know_their_places() {
    let tree = read("models:\n  - name: ä\n    columns: [x, 'y']\n");
    let columns = tree.get("models").and_then(Yaml::as_seq).and_then(|models| models[0].get("columns"));
    let items = columns.and_then(Yaml::as_seq).expect("a list");
    let places: Vec<(u32, u32)> = items.iter().map(|item| (item.line, item.column)).collect();
    assert_eq!(places, [(3, 15), (3, 18)]);
    let (key, value) = tree.as_map().and_then(|map| map.get_entry("models")).expect("an entry");
    assert_eq!((key.line, key.column, value.line, value.column), (1, 1, 2, 3));
    let error = items[0].need_bool("`x`", Path::new("f.yml")).expect_err("no boolean");
    assert!(
        error.to_string().contains("expected a boolean for `x`, found a string\n  --> f.yml:3:15"),
        "{error}"
    );
}

#[test]
fn the_last_of_equal_keys_counts_and_is_told() {
    let text = "a: 1\nb: {c: 1, c: 2}\na: 3\n1: x\n'1': y";
    let (tree, duplicates) = parse_checked(text, Path::new("f.yml")).expect("valid YAML");
    let entries: Vec<String> =
        tree.as_map().expect("a mapping").iter().map(|(key, _)| key.key_text()).collect();
    assert_eq!(entries, ["a", "b", "1", "1"]);
    assert_eq!(tree.get("a").and_then(Yaml::as_i64), Some(3));
    let duplicate = |key: &str, line, column| Duplicate { key: key.to_owned(), line, column };
    assert_eq!(duplicates, [duplicate("c", 2, 11), duplicate("a", 3, 1)]);
    let many: String = (0..100).map(|n| format!("k{}: {n}\n", n % 60)).collect();
    let (tree, duplicates) = parse_checked(&many, Path::new("f.yml")).expect("valid YAML");
    assert_eq!((tree.as_map().map(Mapping::len), duplicates.len()), (Some(60), 40));
}

#[test]
fn errors_show_the_line_and_what_to_do() {
    let cases = [
        ("a: b: c", "mapping values are not allowed in this context\n  --> f.yml:1:5", "in quotes"),
        ("a: {{ x }}", "a mapping cannot be a key\n  --> f.yml:1:5", "put Jinja in quotes"),
        ("a: {{ x }} b", "a mapping cannot be a key", "put Jinja in quotes"),
        ("a:\n\tb: 1", "a tab cannot indent\n  --> f.yml:2:1", "indent with spaces"),
        ("a: 1\n  b: 2", "mapping values", "indentation"),
        ("a: 1\n- b", "expected a key of the mapping\n  --> f.yml:2:1", "indentation"),
        ("- a\nb: 1", "expected '-'", "indentation"),
        ("a: 1\nb", "this key has no ':'\n", "write  key: value"),
        ("a: 'b", "this text in quotes has no end\n  --> f.yml:1:4", "1 | a: 'b\n    |    ^"),
        ("a: [1, 2", "there is no ']' to close this\n  --> f.yml:1:4", "a: [1"),
        ("a: [1 2: 3] x", "expected", "f.yml:1"),
        ("a: ]", "unexpected ']'", "f.yml:1:4"),
        ("a: @b", "'@' cannot start a value", "in quotes"),
        ("a: *b", "there is no anchor '&b'", "in quotes"),
        ("a: &b [*b]", "stands inside the node", "write the content out"),
        ("a: 1\n---\nb: 2", "a second YAML document", "remove the line"),
        ("a: \"\\q\"", "unknown escape", "single quotes"),
        ("a: !foo b", "unknown tag !foo", "f.yml:1:4"),
        ("a: 2024-02-30", "not in the calendar", "in quotes"),
        ("a: 2024-02-03 25:00:00", "no clock shows it", "in quotes"),
        ("a: >x\n  b", "a block of text starts", "f.yml:1:4"),
        ("<<: 1", "merges a mapping or a list of mappings, not a number", "f.yml:1:5"),
        ("a: b\u{1}", "the control character 0x01", "is this a text file?"),
        ("ä: {b", "there is no '}'", "f.yml:1:4"),
    ];
    for (source, message, more) in cases {
        let error = refuse(source);
        let is_told = error.contains(message.trim_end_matches('\n')) && error.contains(more);
        assert!(is_told, "{source:?} gives\n{error}");
    }
}

#[test]
fn hostile_texts_end_in_errors_and_soon() {
    let start = Instant::now();
    let bomb: String = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)
    });
    let ladder: String =
        (1..500).fold("a0: &a0 [x]\n".to_owned(), |text, n| format!("{text}a{n}: &a{n} [*a{}]\n", n - 1));
    let staircase: String = (0..5000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    let cases = [
        (bomb, "stand for more than"),
        (ladder, "levels deep"),
        (staircase, "levels deep"),
        ("[".repeat(1_000_000), "levels deep"),
        ("{a: ".repeat(1_000_000), "levels deep"),
        ("- ".repeat(1_000_000), "levels deep"),
        ("? ".repeat(1_000_000), "levels deep"),
        ("a: b: ".repeat(1_000_000), "mapping values"),
        ("\"".repeat(1_000_001), ""),
        ("&a ".repeat(1_000_000), ""),
        ("!".repeat(1_000_000), "unknown tag"),
        ("a\n".repeat(1_000_000) + "b: c", ""),
    ];
    for (source, message) in cases {
        let error = refuse(&source);
        assert!(error.contains(message), "{error}");
    }
    let long = "x".repeat(10_000_000);
    assert_eq!(read(&format!("a: {long}")).get("a").and_then(Yaml::as_str).map(str::len), Some(long.len()));
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn json_and_yaml_convert_into_each_other() {
    let json = json!({"a": [1, 1.5, true, null, "x"], "b": {"c": {}}});
    assert_eq!(Yaml::from_json(&json).to_json(), json);
    assert_eq!(Yaml::from_json(&json!(u64::MAX)).as_str(), Some("18446744073709551615"));
    assert_eq!(
        read("[.inf, -.inf, .nan, 2024-01-31]").to_json(),
        json!(["inf", "-inf", "nan", "2024-01-31"])
    );
}

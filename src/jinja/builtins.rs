//! The environment that all templates run in: filters, tests, operators and globals by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, State, UndefinedBehavior};

use super::error::return_signal;
use super::language::{filters, functions, internal, methods, operators, sequences, strings, tests};
use super::values::{Arguments, function, python_str};

/// A filter or test: its arguments start with the value it is applied to.
pub(super) type Builtin = fn(&mut State<'_, '_>, &Arguments<'_>) -> Result<Value, Error>;

/// The tables of filters that users can write.
fn filter_tables() -> impl Iterator<Item = &'static (&'static str, Builtin)> {
    filters::FILTERS.iter().chain(sequences::FILTERS).chain(strings::FILTERS)
}

static FILTER_NAMES: LazyLock<HashMap<&str, Builtin>> = LazyLock::new(|| filter_tables().copied().collect());

static TEST_NAMES: LazyLock<HashMap<&str, Builtin>> =
    LazyLock::new(|| tests::TESTS.iter().copied().collect());

/// Whether a filter exists.
pub(super) fn is_filter(name: &str) -> bool {
    FILTER_NAMES.contains_key(name)
}

/// The names of all filters.
pub(super) fn known_filters() -> impl Iterator<Item = &'static str> {
    FILTER_NAMES.keys().copied()
}

/// Whether a test exists.
pub(super) fn is_test(name: &str) -> bool {
    TEST_NAMES.contains_key(name)
}

/// The names of all tests.
pub(super) fn known_tests() -> impl Iterator<Item = &'static str> {
    TEST_NAMES.keys().copied()
}

/// A filter or test by name, for filters that take the name of one (`map('upper')`).
pub(super) fn filter(name: &str) -> Option<Builtin> {
    FILTER_NAMES.get(name).copied()
}

/// See [`filter`].
pub(super) fn test(name: &str) -> Option<Builtin> {
    TEST_NAMES.get(name).copied()
}

static GLOBALS: LazyLock<HashMap<&str, Value>> = LazyLock::new(|| {
    let returns = function("return", |_, args| {
        let [value] = args.bind(["data"], 0)?;
        Err(return_signal(value.unwrap_or_else(|| Value::from(()))))
    });
    let mut globals: HashMap<&str, Value> = functions::globals().into_iter().collect();
    globals.insert("return", returns);
    globals
});

/// A global of the language.
pub(super) fn global(name: &str) -> Option<Value> {
    GLOBALS.get(name).cloned()
}

/// The names of the language's globals.
pub(super) fn global_names() -> impl Iterator<Item = &'static str> {
    GLOBALS.keys().copied()
}

static STRICT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::empty();
    env.set_debug(false);
    env.set_auto_reload(false);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        env.set_syntax(syntax);
    }
    env.set_formatter(|out, _, value| {
        // Bytes are texts too, but print as bytes.
        let written = match value.as_str().filter(|_| value.kind() == ValueKind::String) {
            Some(text) => out.write_str(text),
            None => out.write_str(&python_str(value)),
        };
        written.map_err(Error::from)
    });
    env.set_unknown_method_callback(methods::call);
    for (name, call) in filter_tables().chain(internal::FILTERS) {
        register(&mut env, name, *call);
    }
    for (name, call) in operators::BINARY {
        let call = *call;
        env.add_filter(*name, move |left: &Value, right: &Value| call(left, right));
    }
    for (name, call) in tests::TESTS.iter().chain(internal::TESTS) {
        let (name, call) = (*name, *call);
        env.add_test(name, move |state: &mut State<'_, '_>, args: &[Value], named: Kwargs| {
            call(state, &Arguments::split(name, args, named))
        });
    }
    env
});

fn register(env: &mut Environment<'static>, name: &'static str, call: Builtin) {
    env.add_filter(name, move |state: &mut State<'_, '_>, args: &[Value], named: Kwargs| {
        call(state, &Arguments::split(name, args, named))
    });
}

static LENIENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = STRICT.clone();
    env.set_undefined_behavior(UndefinedBehavior::Chainable);
    env
});

/// The environment, with no templates in it: the one that swallows what is undefined, or the one that does not.
pub(super) fn environment(lenient: bool) -> &'static Environment<'static> {
    if lenient { &LENIENT } else { &STRICT }
}

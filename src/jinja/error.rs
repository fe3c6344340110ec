//! Errors on their way through minijinja, and the value of `return(…)`, which travels as one.

use minijinja::value::Value;
use minijinja::{Error as JinjaError, ErrorKind as JinjaErrorKind};

use super::origin::Source;
use crate::error::Error;
use crate::text::nearest;

/// Wraps an error of rbt so that a function called from a template can raise it. It comes back out of
/// rendering with its kind and message, and with the place in the template where it had none.
pub fn raise(error: Error) -> JinjaError {
    JinjaError::new(JinjaErrorKind::InvalidOperation, error.message().to_owned()).with_source(error)
}

/// What Python would raise as a `TypeError` or `ValueError`: a compilation error with this message.
pub fn raise_message(message: impl Into<String>) -> JinjaError {
    raise(Error::compilation(message))
}

/// The use of an undefined value; `message` is Jinja's, such as `'x' is undefined`.
pub fn raise_undefined(message: impl Into<String>) -> JinjaError {
    JinjaError::new(JinjaErrorKind::UndefinedError, message.into())
}

/// `return(value)` on its way to the border of the macro.
#[derive(Debug)]
struct Returned(Value);

impl std::fmt::Display for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("return() was called outside of a macro")
    }
}

impl std::error::Error for Returned {}

/// The signal that unwinds to the border of the macro with a value.
pub fn return_signal(value: Value) -> JinjaError {
    JinjaError::new(JinjaErrorKind::InvalidOperation, "return() was called outside of a macro")
        .with_source(Returned(value))
}

/// The returned value, if an error is the signal of `return()`.
pub fn returned_value(error: &JinjaError) -> Option<Value> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<Returned>().map(|returned| returned.0.clone())
}

/// An error that came out of minijinja, as people read it: placed in the user's file.
///
/// `known_names` are the names that an undefined one may have meant.
pub fn from_jinja(error: &JinjaError, source: &Source, known_names: &dyn Fn() -> Vec<String>) -> Error {
    let range = error.range();
    let at = range.as_ref().map(|range| source.template_offset(range.start));
    if let Some(own) = own_error(error) {
        return source.place(own.clone(), at);
    }
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        JinjaErrorKind::UndefinedError => {
            // minijinja's own undefined values know nothing of their origin; what is undefined is the value
            // that the failing attribute, item or call was taken of.
            let base = range.and_then(|range| source.base(range.end));
            let message = match (detail, base) {
                ("", Some((text, _))) => format!("'{text}' is undefined"),
                ("", None) => "an undefined value was used".to_owned(),
                (detail, _) => detail.to_owned(),
            };
            let at = base.map(|(_, at)| at).or(at);
            source.place(undefined_error(message, known_names), at)
        }
        JinjaErrorKind::CannotUnpack => source.place(Error::compilation(unpack_message(detail)), at),
        kind if detail.is_empty() => source.place(Error::compilation(kind.to_string()), at),
        _ => source.place(Error::compilation(detail), at),
    }
}

/// The error of rbt that a minijinja error carries, however deep.
fn own_error(error: &JinjaError) -> Option<&Error> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(own) = inner.downcast_ref::<Error>() {
            return Some(own);
        }
        source = inner.source();
    }
    None
}

fn undefined_error(message: String, known_names: &dyn Fn() -> Vec<String>) -> Error {
    let name = message.strip_prefix('\'').and_then(|rest| rest.strip_suffix("' is undefined"));
    let Some(name) = name.filter(|name| name.chars().all(|c| c == '_' || c.is_alphanumeric())) else {
        return Error::compilation(message);
    };
    let known = known_names();
    let help = match nearest(name, known.iter().map(String::as_str)) {
        Some(similar) => format!("did you mean '{similar}'?"),
        None => "check the spelling; if it comes from a package, install it with `dbt deps`".to_owned(),
    };
    Error::compilation(message).help(help)
}

fn unpack_message(detail: &str) -> String {
    let mut numbers =
        detail.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<usize>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(expected), Some(got)) if got < expected => {
            format!("not enough values to unpack (expected {expected}, got {got})")
        }
        (Some(expected), Some(_)) => format!("too many values to unpack (expected {expected})"),
        _ => format!("cannot unpack: {detail}"),
    }
}

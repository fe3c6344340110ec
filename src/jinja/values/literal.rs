//! Python's literals in text: what `ast.literal_eval` reads.

use minijinja::value::Value;

use super::{Dict, int, list, tuple};
use crate::jinja::syntax::ast::{Expr, ExprKind};
use crate::jinja::syntax::parse_expression;

/// The value of a text that is a literal of Python: strings, numbers, lists, tuples, dicts, `True`, `False` and
/// `None`; `None` for any other text.
pub fn native_literal(text: &str) -> Option<Value> {
    let text = text.trim_start_matches([' ', '\t']);
    let expr = parse_expression(text).ok()?;
    literal(&expr, text)
}

fn literal(expr: &Expr<'_>, text: &str) -> Option<Value> {
    let written = text.get(expr.at as usize..expr.end as usize)?;
    let all = |items: &[Expr<'_>]| items.iter().map(|item| literal(item, text)).collect::<Option<Vec<_>>>();
    Some(match &expr.kind {
        // Jinja also has these names in lower case, Python does not.
        ExprKind::None | ExprKind::Bool(_) if written.starts_with(char::is_lowercase) => return None,
        ExprKind::None => Value::from(()),
        ExprKind::Bool(value) => Value::from(*value),
        ExprKind::Int(digits) => int(int_literal(digits)?),
        ExprKind::Float(digits) => Value::from(float_literal(digits)?),
        ExprKind::Str(_) if written.contains('\n') => return None,
        ExprKind::Str(value) => Value::from(&**value),
        ExprKind::List(items) => list(all(items)?),
        ExprKind::Tuple(items) => tuple(all(items)?),
        ExprKind::Dict(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| Some((literal(key, text)?, literal(value, text)?)));
            Value::from_object(Dict::new(pairs.collect::<Option<Vec<_>>>()?))
        }
        ExprKind::Neg(value) => match &value.kind {
            ExprKind::Int(digits) => int(-int_literal(digits)?),
            ExprKind::Float(digits) => Value::from(-float_literal(digits)?),
            _ => return None,
        },
        ExprKind::Pos(value) if matches!(value.kind, ExprKind::Int(_) | ExprKind::Float(_)) => {
            literal(value, text)?
        }
        _ => return None,
    })
}

/// The number of an integer literal, in any of Python's radixes; `None` if it does not fit.
pub(crate) fn int_literal(text: &str) -> Option<i128> {
    let digits = text.replace('_', "");
    let radix = match digits.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return digits.parse().ok(),
    };
    i128::from_str_radix(&digits[2..], radix).ok()
}

fn float_literal(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok()
}

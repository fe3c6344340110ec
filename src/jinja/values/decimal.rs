//! Python's decimal numbers, as results of queries have them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{DynObject, Object, ObjectRepr, Value, ValueKind};

use crate::jinja::error::raise_message;

/// A decimal number: `digits` divided by ten to the power of `scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    digits: i128,
    scale: u32,
}

/// How many digits a quotient has, as in Python.
const PRECISION: u32 = 28;

/// The value of a decimal number written as text (`-12.50`); it keeps its trailing zeros. `None` if the text is
/// no such number or too long.
pub fn decimal_value(text: &str) -> Option<Value> {
    Decimal::parse(text).map(Value::from_object)
}

impl Decimal {
    fn parse(text: &str) -> Option<Decimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Decimal { digits, scale: fraction.len() as u32 })
    }

    /// The decimal that a value is, or the whole number that it is.
    fn of(value: &Value) -> Option<Decimal> {
        if value.kind() == ValueKind::Bool || value.is_integer() {
            let digits = i128::try_from(value.clone()).ok()?;
            return Some(Decimal { digits, scale: 0 });
        }
        value.downcast_object_ref::<Decimal>().copied()
    }

    pub(super) fn as_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn scaled(self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// Both numbers as whole multiples of the finer one's unit, and that unit's scale.
    fn aligned(self, other: Decimal) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        Some((self.scaled(scale)?, other.scaled(scale)?, scale))
    }

    fn divided(self, other: Decimal) -> Option<Decimal> {
        let (left, right, _) = self.aligned(other)?;
        let mut quotient = Decimal { digits: left.checked_div(right)?, scale: 0 };
        let mut rest = left % right;
        while rest != 0 && quotient.digits.unsigned_abs().checked_ilog10().unwrap_or(0) + 1 < PRECISION {
            let (Some(grown), Some(digits)) = (rest.checked_mul(10), quotient.digits.checked_mul(10)) else {
                break;
            };
            quotient = Decimal { digits: digits.checked_add(grown / right)?, scale: quotient.scale + 1 };
            rest = grown % right;
        }
        Some(quotient)
    }
}

/// Whether a value is a decimal number.
pub(crate) fn is_decimal(value: &Value) -> bool {
    value.downcast_object_ref::<Decimal>().is_some()
}

/// An arithmetic operation between decimals and whole numbers; `None` for other values and operators.
pub(crate) fn arithmetic(left: &Value, operator: &str, right: &Value) -> Option<Result<Value, Error>> {
    if !is_decimal(left) && !is_decimal(right) {
        return None;
    }
    let (left, right) = (Decimal::of(left)?, Decimal::of(right)?);
    if right.digits == 0 && matches!(operator, "/" | "//" | "%") {
        return Some(Err(raise_message("division by zero")));
    }
    let aligned = left.aligned(right);
    let result = match operator {
        "+" => aligned.and_then(|(a, b, scale)| Some(Decimal { digits: a.checked_add(b)?, scale })),
        "-" => aligned.and_then(|(a, b, scale)| Some(Decimal { digits: a.checked_sub(b)?, scale })),
        "*" => left
            .digits
            .checked_mul(right.digits)
            .map(|digits| Decimal { digits, scale: left.scale + right.scale }),
        "/" => left.divided(right),
        "//" => aligned.and_then(|(a, b, _)| Some(Decimal { digits: a.checked_div(b)?, scale: 0 })),
        "%" => aligned.and_then(|(a, b, scale)| Some(Decimal { digits: a.checked_rem(b)?, scale })),
        _ => return None,
    };
    Some(result.map(Value::from_object).ok_or_else(|| raise_message("the result has too many digits")))
}

/// `-number`
pub(crate) fn negate(value: &Value) -> Option<Value> {
    let decimal = value.downcast_object_ref::<Decimal>()?;
    Some(Value::from_object(Decimal { digits: decimal.digits.checked_neg()?, scale: decimal.scale }))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{sign}{whole}{}{fraction}", if scale > 0 { "." } else { "" })
    }
}

impl Object for Decimal {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.digits != 0
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Decimal>()?;
        Some(match self.aligned(*other) {
            Some((left, right, _)) => left.cmp(&right),
            None => self.as_f64().total_cmp(&other.as_f64()),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.sign_minus() { write!(f, "Decimal('{self}')") } else { write!(f, "{self}") }
    }
}

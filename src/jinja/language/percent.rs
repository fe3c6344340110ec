//! Python's `%` on strings: `'%s has %05.2f' % (name, number)`.

use minijinja::Error;
use minijinja::value::{Tuple, Value, ValueKind};

use super::format::{Spec, float_digits};
use crate::jinja::error::raise_message;
use crate::jinja::values::{Number, pairs, python_repr, python_str, type_name};

/// How wide a formatted value may be made.
const MAX_WIDTH: usize = 1_000_000;

/// `template % values`
pub fn format(template: &str, values: &Value) -> Result<String, Error> {
    let positional = match values.downcast_object_ref::<Tuple>() {
        Some(tuple) => tuple.to_vec(),
        None => vec![values.clone()],
    };
    let mapping = if values.is_tuple() { None } else { pairs(values) };
    let mut formatter = Formatter { positional, next: 0, mapping, whole: values };
    let out = formatter.run(template)?;
    if formatter.mapping.is_none() && formatter.next < formatter.positional.len() {
        return Err(raise_message("not all arguments converted during string formatting"));
    }
    Ok(out)
}

struct Formatter<'v> {
    positional: Vec<Value>,
    next: usize,
    mapping: Option<Vec<(Value, Value)>>,
    whole: &'v Value,
}

impl Formatter<'_> {
    fn run(&mut self, template: &str) -> Result<String, Error> {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(index) = rest.find('%') {
            out.push_str(&rest[..index]);
            let (text, used) = self.conversion(&rest[index + 1..])?;
            out.push_str(&text);
            rest = &rest[index + 1 + used..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn argument(&mut self) -> Result<Value, Error> {
        let value = self.positional.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| raise_message("not enough arguments for format string"))
    }

    /// Formats what a conversion (the text behind `%`) asks for; the text and how much of it was used.
    fn conversion(&mut self, text: &str) -> Result<(String, usize), Error> {
        let mut rest = text;
        let mut value = None;
        if let Some(after) = rest.strip_prefix('(') {
            let (key, after) = after.split_once(')').ok_or_else(|| raise_message("incomplete format key"))?;
            let mapping = self.mapping.as_ref().ok_or_else(|| raise_message("format requires a mapping"))?;
            let found = mapping.iter().find(|(known, _)| known.as_str() == Some(key));
            let found = found.ok_or_else(|| raise_message(format!("KeyError: '{key}'")))?;
            value = Some(found.1.clone());
            rest = after;
        }
        let mut spec = Spec::default();
        while let Some(flag) = rest.chars().next().filter(|c| matches!(c, '-' | '+' | ' ' | '#' | '0')) {
            match flag {
                '-' => spec.align = Some('<'),
                '0' => spec.zero = true,
                '#' => spec.alternate = true,
                '+' => spec.sign = Some('+'),
                _ => spec.sign = spec.sign.or(Some(' ')),
            }
            rest = &rest[1..];
        }
        spec.zero &= spec.align.is_none();
        spec.width = self.number(&mut rest)?.unwrap_or(0);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            spec.precision = Some(self.number(&mut rest)?.unwrap_or(0));
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let kind = rest.chars().next().ok_or_else(|| raise_message("incomplete format"))?;
        let used = text.len() - rest.len() + kind.len_utf8();
        if kind == '%' {
            return Ok(("%".into(), used));
        }
        let value = match value {
            Some(value) => value,
            None if self.mapping.is_some() && self.next == 0 => {
                self.next = 1;
                self.whole.clone()
            }
            None => self.argument()?,
        };
        Ok((convert(kind, &value, &spec)?, used))
    }

    /// Digits, or `*` for the next argument.
    fn number(&mut self, rest: &mut &str) -> Result<Option<usize>, Error> {
        let too_big = || raise_message("width too big");
        if let Some(after) = rest.strip_prefix('*') {
            *rest = after;
            let value = self.argument()?;
            let number = value.as_usize().ok_or_else(|| raise_message("* wants int"))?;
            return if number <= MAX_WIDTH { Ok(Some(number)) } else { Err(too_big()) };
        }
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(length);
        *rest = after;
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().ok().filter(|number| *number <= MAX_WIDTH).map(Some).ok_or_else(too_big)
    }
}

fn convert(kind: char, value: &Value, spec: &Spec) -> Result<String, Error> {
    let text = match kind {
        's' | 'r' | 'a' => {
            let text = if kind == 's' { python_str(value) } else { python_repr(value) };
            let text: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
            let spec = Spec { width: spec.width, align: spec.align, ..Spec::default() };
            return Ok(spec.pad(&text, '>'));
        }
        'c' => {
            let text = match value.kind() {
                ValueKind::String => python_str(value),
                _ => integer(kind, value)?
                    .try_into()
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from)
                    .ok_or_else(|| raise_message("%c arg not in range(0x110000)"))?,
            };
            return Ok(Spec { width: spec.width, align: spec.align, ..Spec::default() }.pad(&text, '>'));
        }
        'd' | 'i' | 'u' => signed(integer(kind, value)?, spec, |int| int.to_string()),
        'x' => signed(integer(kind, value)?, spec, |int| {
            if spec.alternate { format!("{int:#x}") } else { format!("{int:x}") }
        }),
        'X' => signed(integer(kind, value)?, spec, |int| format!("{int:X}")),
        'o' => signed(integer(kind, value)?, spec, |int| format!("{int:o}")),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let float = Number::of(value).map(Number::as_f64);
            let float = float
                .ok_or_else(|| raise_message(format!("must be real number, not {}", type_name(value))))?;
            let sign = sign(float.is_sign_negative() && !float.is_nan(), spec);
            format!("{sign}{}", float_digits(float.abs(), kind, spec))
        }
        _ => return Err(raise_message(format!("unsupported format character '{kind}'"))),
    };
    Ok(spec.pad(&text, '>'))
}

fn sign(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    }
}

fn signed(int: i128, spec: &Spec, digits: impl Fn(u128) -> String) -> String {
    let digits = digits(int.unsigned_abs());
    let zeros = spec.precision.unwrap_or(0).saturating_sub(digits.len());
    format!("{}{}{digits}", sign(int < 0, spec), "0".repeat(zeros))
}

fn integer(kind: char, value: &Value) -> Result<i128, Error> {
    match Number::of(value) {
        Some(Number::Int(int)) => Ok(int),
        Some(Number::Float(float)) if matches!(kind, 'd' | 'i' | 'u') && float.is_finite() => {
            Ok(float as i128)
        }
        _ => {
            let wanted = if matches!(kind, 'd' | 'i' | 'u') {
                "a real number is required"
            } else {
                "an integer is required"
            };
            Err(raise_message(format!("%{kind} format: {wanted}, not {}", type_name(value))))
        }
    }
}

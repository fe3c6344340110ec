//! Python's `str.format` and the format specifications (`>10`, `,.2f`) that it and `%` share.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::jinja::error::raise_message;
use crate::jinja::values::{Arguments, Number, float_repr, is_undefined, python_repr, python_str, type_name};

/// How wide a formatted value may be made, and how many digits it may have.
const MAX_WIDTH: usize = 1_000_000;

/// `template.format(*args, **kwargs)`
pub fn format(template: &str, args: &Arguments<'_>) -> Result<String, Error> {
    Formatter { args, next: 0 }.run(template, 0)
}

struct Formatter<'a> {
    args: &'a Arguments<'a>,
    /// The next argument for `{}`.
    next: usize,
}

impl Formatter<'_> {
    fn run(&mut self, template: &str, depth: usize) -> Result<String, Error> {
        if depth == 3 {
            return Err(raise_message("Max string recursion exceeded"));
        }
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(index) = rest.find(['{', '}']) {
            out.push_str(&rest[..index]);
            let brace = &rest[index..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                out.push_str(&brace[..1]);
                rest = &brace[2..];
            } else if brace.starts_with('}') {
                return Err(raise_message("Single '}' encountered in format string"));
            } else {
                let end = field_end(brace)?;
                out.push_str(&self.field(&brace[1..end], depth)?);
                rest = &brace[end + 1..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `name!r:spec`
    fn field(&mut self, field: &str, depth: usize) -> Result<String, Error> {
        let mark = field.find(['!', ':']).unwrap_or(field.len());
        let (path, rest) = field.split_at(mark);
        let value = self.lookup(path)?;
        let (value, spec) = match rest.strip_prefix('!') {
            Some(rest) => {
                let (conversion, spec) = rest.split_once(':').unwrap_or((rest, ""));
                let converted = match conversion {
                    "r" | "a" => python_repr(&value),
                    "s" => python_str(&value),
                    _ => return Err(raise_message(format!("Unknown conversion specifier '{conversion}'"))),
                };
                (Value::from(converted), spec)
            }
            None => (value, rest.strip_prefix(':').unwrap_or_default()),
        };
        let spec = if spec.contains('{') { self.run(spec, depth + 1)? } else { spec.to_owned() };
        format_value(&value, &spec)
    }

    /// `name.attribute[item]`
    fn lookup(&mut self, path: &str) -> Result<Value, Error> {
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let (name, mut rest) = path.split_at(end);
        let index = if name.is_empty() {
            self.next += 1;
            Some(self.next - 1)
        } else {
            name.parse::<usize>().ok()
        };
        let mut value = match index {
            Some(index) => self.args.positional.get(index).cloned().ok_or_else(|| {
                let message = format!("Replacement index {index} out of range for positional args tuple");
                raise_message(message)
            })?,
            None if self.args.named.has(name) => self.args.named.get(name)?,
            None => return Err(raise_message(format!("KeyError: '{name}'"))),
        };
        while !rest.is_empty() {
            if let Some(attribute) = rest.strip_prefix('.') {
                let end = attribute.find(['.', '[']).unwrap_or(attribute.len());
                value = value.get_attr(&attribute[..end])?;
                rest = &attribute[end..];
            } else if let Some((key, after)) = rest.strip_prefix('[').and_then(|item| item.split_once(']')) {
                let key = key.parse::<usize>().map_or_else(|_| Value::from(key), Value::from);
                value = value.get_item(&key)?;
                rest = after;
            } else {
                return Err(raise_message("Only '.' or '[' may follow ']' in format field specifier"));
            }
        }
        Ok(value)
    }
}

/// The place of the brace that closes the field a text starts with.
fn field_end(text: &str) -> Result<usize, Error> {
    let mut depth = 0usize;
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(index);
                }
            }
            _ => {}
        }
    }
    Err(raise_message("expected '}' before end of string"))
}

/// A format specification, in its parts.
#[derive(Debug, Default)]
pub struct Spec {
    pub fill: Option<char>,
    pub align: Option<char>,
    pub sign: Option<char>,
    pub alternate: bool,
    pub zero: bool,
    pub width: usize,
    pub grouping: Option<char>,
    pub precision: Option<usize>,
    pub kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Result<Spec, Error> {
        let mut spec = Spec::default();
        let chars: Vec<char> = text.chars().collect();
        let is_align = |c: Option<&char>| c.is_some_and(|c| matches!(c, '<' | '>' | '=' | '^'));
        let mut at = 0;
        if is_align(chars.get(1)) {
            spec.fill = Some(chars[0]);
            spec.align = Some(chars[1]);
            at = 2;
        } else if is_align(chars.first()) {
            spec.align = Some(chars[0]);
            at = 1;
        }
        let take = |at: &mut usize, accepted: &[char]| -> Option<char> {
            let found = chars.get(*at).copied().filter(|c| accepted.contains(c))?;
            *at += 1;
            Some(found)
        };
        spec.sign = take(&mut at, &['+', '-', ' ']);
        spec.alternate = take(&mut at, &['#']).is_some();
        spec.zero = take(&mut at, &['0']).is_some();
        spec.width = number(&chars, &mut at)?.unwrap_or(0);
        spec.grouping = take(&mut at, &[',', '_']);
        if take(&mut at, &['.']).is_some() {
            let precision = number(&chars, &mut at)?;
            spec.precision =
                Some(precision.ok_or_else(|| raise_message("Format specifier missing precision"))?);
        }
        spec.kind = chars.get(at).copied();
        if chars.len() > at + 1 {
            return Err(raise_message(format!("Invalid format specifier '{text}'")));
        }
        Ok(spec)
    }

    /// Fills a text up to the width.
    pub fn pad(&self, text: &str, default_align: char) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if missing == 0 {
            return text.to_owned();
        }
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' }).to_string();
        let zero_align = self.zero && default_align == '>';
        let align = self.align.unwrap_or(if zero_align { '=' } else { default_align });
        match align {
            '<' => format!("{text}{}", fill.repeat(missing)),
            '^' => format!("{}{text}{}", fill.repeat(missing / 2), fill.repeat(missing - missing / 2)),
            '=' => {
                let sign = text.len() - text.trim_start_matches(['+', '-', ' ']).len();
                format!("{}{}{}", &text[..sign], fill.repeat(missing), &text[sign..])
            }
            _ => format!("{}{text}", fill.repeat(missing)),
        }
    }
}

fn number(chars: &[char], at: &mut usize) -> Result<Option<usize>, Error> {
    let digits: String = chars[*at..].iter().take_while(|c| c.is_ascii_digit()).collect();
    *at += digits.len();
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse() {
        Ok(number) if number <= MAX_WIDTH => Ok(Some(number)),
        _ => Err(raise_message("Too many decimal digits in format string")),
    }
}

/// `format(value, spec)`
pub fn format_value(value: &Value, spec: &str) -> Result<String, Error> {
    if spec.is_empty() {
        return Ok(python_str(value));
    }
    if let Some(text) = crate::jinja::modules::dates::format(value, spec) {
        return text;
    }
    let parsed = Spec::parse(spec)?;
    if value.kind() == ValueKind::String || is_undefined(value) {
        return match parsed.kind {
            None | Some('s') => Ok(parsed.pad(&truncated(&python_str(value), parsed.precision), '<')),
            Some(kind) => Err(unknown_kind(kind, value)),
        };
    }
    match (Number::of(value), parsed.kind) {
        (Some(_), None) if value.kind() == ValueKind::Bool => Ok(parsed.pad(&python_str(value), '<')),
        (Some(number), _) => format_number(number, &parsed, value),
        (None, _) => {
            Err(raise_message(format!("unsupported format string passed to {}.__format__", type_name(value))))
        }
    }
}

fn unknown_kind(kind: char, value: &Value) -> Error {
    raise_message(format!("Unknown format code '{kind}' for object of type '{}'", type_name(value)))
}

fn truncated(text: &str, length: Option<usize>) -> String {
    length.map_or_else(|| text.to_owned(), |length| text.chars().take(length).collect())
}

fn format_number(number: Number, spec: &Spec, value: &Value) -> Result<String, Error> {
    let kind = match (spec.kind, number) {
        (None | Some('n'), Number::Int(_)) => 'd',
        (None, Number::Float(_)) if spec.precision.is_none() => 'r',
        (None | Some('n'), Number::Float(_)) => 'g',
        (Some(kind), _) => kind,
    };
    let (negative, digits) = match (kind, number) {
        ('d' | 'x' | 'X' | 'o' | 'b' | 'c', Number::Float(_)) => return Err(unknown_kind(kind, value)),
        ('d', Number::Int(int)) => (int < 0, int.unsigned_abs().to_string()),
        ('x', Number::Int(int)) => (int < 0, prefixed("0x", format!("{:x}", int.unsigned_abs()), spec)),
        ('X', Number::Int(int)) => (int < 0, prefixed("0X", format!("{:X}", int.unsigned_abs()), spec)),
        ('o', Number::Int(int)) => (int < 0, prefixed("0o", format!("{:o}", int.unsigned_abs()), spec)),
        ('b', Number::Int(int)) => (int < 0, prefixed("0b", format!("{:b}", int.unsigned_abs()), spec)),
        ('c', Number::Int(int)) => {
            let character = u32::try_from(int).ok().and_then(char::from_u32);
            let character = character.ok_or_else(|| raise_message("%c arg not in range(0x110000)"))?;
            return Ok(spec.pad(&character.to_string(), '<'));
        }
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' | 'r', _) => {
            let float = number.as_f64();
            let negative = float.is_sign_negative() && !float.is_nan();
            (negative, float_digits(float.abs(), kind, spec))
        }
        _ => return Err(unknown_kind(kind, value)),
    };
    let digits = match spec.grouping {
        Some(separator) => grouped(&digits, separator),
        None => digits,
    };
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    Ok(spec.pad(&format!("{sign}{digits}"), '>'))
}

fn prefixed(prefix: &str, digits: String, spec: &Spec) -> String {
    if spec.alternate { format!("{prefix}{digits}") } else { digits }
}

/// The digits of a float that is not negative.
pub fn float_digits(float: f64, kind: char, spec: &Spec) -> String {
    if !float.is_finite() {
        let text = if float.is_nan() { "nan" } else { "inf" };
        return if kind.is_ascii_uppercase() { text.to_uppercase() } else { text.to_owned() };
    }
    let precision = spec.precision.unwrap_or(6);
    match kind {
        'f' | 'F' => format!("{float:.precision$}"),
        '%' => format!("{:.precision$}%", float * 100.0),
        'e' | 'E' => scientific(float, precision, kind),
        'g' | 'G' => general(float, precision.max(1), kind, spec.alternate),
        _ => float_repr(float),
    }
}

fn scientific(float: f64, precision: usize, kind: char) -> String {
    let text = format!("{float:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{kind}{sign}{:02}", exponent.abs())
}

/// The shorter of the two notations, without trailing zeros.
fn general(float: f64, precision: usize, kind: char, keep_zeros: bool) -> String {
    let e = if kind == 'G' { 'E' } else { 'e' };
    let rounded = scientific(float, precision - 1, 'e');
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let trim = |digits: &str| match digits.contains('.') && !keep_zeros {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        let (digits, exponent) = rounded.split_once('e').unwrap_or((&rounded, "+00"));
        return format!("{}{e}{exponent}", trim(digits));
    }
    let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
    trim(&format!("{float:.decimals$}"))
}

/// Digits with a separator between thousands.
fn grouped(digits: &str, separator: char) -> String {
    let whole_length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(whole_length);
    let mut out = String::with_capacity(digits.len() + whole.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out.push_str(rest);
    out
}

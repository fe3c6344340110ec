//! What a scalar means: the implicit types of YAML 1.1, decided as PyYAML's safe loader decides them.

use std::borrow::Cow;

use super::YamlValue;

/// The value of an unquoted, untagged scalar. `Err` says why a text that has the form of a date is none.
pub(super) fn resolve(text: &str) -> Result<YamlValue, String> {
    // The first character rules most texts out, as in PyYAML.
    match text.as_bytes().first() {
        None => return Ok(YamlValue::Null),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            if let Some(word) = word(text) {
                return Ok(word);
            }
        }
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {
            if let Some(number) = number(text) {
                return Ok(number);
            }
            if is_timestamp(text) {
                return timestamp(text).map(YamlValue::Timestamp);
            }
        }
        Some(_) => {}
    }
    Ok(YamlValue::Str(text.to_owned()))
}

/// A boolean or null written as a word.
fn word(text: &str) -> Option<YamlValue> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(YamlValue::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(YamlValue::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(YamlValue::Null),
        _ => None,
    }
}

/// A float or an integer in any of YAML 1.1's notations.
fn number(text: &str) -> Option<YamlValue> {
    float(text).map(YamlValue::Float).or_else(|| integer(text))
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn is_digits_or_underscores(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// A digit, then digits and underscores.
fn is_number_head(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit) && is_digits_or_underscores(text)
}

/// `[0-5]?[0-9]`
fn is_base_60_digit(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
}

fn float(text: &str) -> Option<f64> {
    let (negative, rest) = split_sign(text);
    let magnitude = match rest {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        _ if matches!(text, ".nan" | ".NaN" | ".NAN") => f64::NAN,
        _ => match rest.contains(':') {
            true => base_60_float(rest)?,
            false => decimal_float(rest, rest.len() < text.len())?,
        },
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// `1_000.5e+3`, `1.`, `.5` (this one without a sign); an exponent must have a sign and follow a dot.
fn decimal_float(text: &str, signed: bool) -> Option<f64> {
    let (whole, rest) = text.split_once('.')?;
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(index) => (&rest[..index], Some(&rest[index + 1..])),
        None => (rest, None),
    };
    let whole_fits = match whole.is_empty() {
        true => !signed && is_number_head(fraction),
        false => is_number_head(whole) && is_digits_or_underscores(fraction),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        exponent.starts_with(['+', '-'])
            && exponent.len() > 1
            && exponent.bytes().skip(1).all(|b| b.is_ascii_digit())
    });
    if !(whole_fits && exponent_fits) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// `190:20:30.15`
fn base_60_float(text: &str) -> Option<f64> {
    let (digits, fraction) = text.split_once('.')?;
    let mut parts = digits.split(':');
    let fits = parts.next().is_some_and(is_number_head)
        && parts.all(is_base_60_digit)
        && is_digits_or_underscores(fraction);
    if !fits {
        return None;
    }
    text.replace('_', "").split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

fn integer(text: &str) -> Option<YamlValue> {
    let (negative, digits) = split_sign(text);
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'b', ..] => (&digits[2..], 2),
        [b'0', b'x', ..] => (&digits[2..], 16),
        [b'0', _, ..] => (&digits[1..], 8),
        [b'1'..=b'9', ..] if digits.contains(':') => return base_60_integer(negative, digits),
        [b'0'..=b'9', ..] => (digits, 10),
        _ => return None,
    };
    let plain = digits.replace('_', "");
    if radix == 8 && plain.is_empty() {
        return Some(YamlValue::Int(0));
    }
    if plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    Some(match i128::from_str_radix(&format!("{sign}{plain}"), radix) {
        Ok(value) => int_or_digits(value),
        Err(_) if radix == 10 => YamlValue::Str(format!("{sign}{plain}")),
        Err(_) => return None,
    })
}

/// `190:20:30`
fn base_60_integer(negative: bool, text: &str) -> Option<YamlValue> {
    let mut parts = text.split(':');
    if !(parts.next().is_some_and(is_number_head) && parts.all(is_base_60_digit)) {
        return None;
    }
    let magnitude = text
        .replace('_', "")
        .split(':')
        .try_fold(0_i128, |sum, part| sum.checked_mul(60)?.checked_add(part.parse().ok()?))?;
    Some(int_or_digits(if negative { -magnitude } else { magnitude }))
}

fn int_or_digits(value: i128) -> YamlValue {
    i64::try_from(value).map_or_else(|_| YamlValue::Str(value.to_string()), YamlValue::Int)
}

/// The parts of a timestamp as they are written.
struct Timestamp<'a> {
    date: [&'a str; 3],
    time: Option<Time<'a>>,
}

struct Time<'a> {
    clock: [&'a str; 3],
    fraction: &'a str,
    zone: &'a str,
}

fn is_timestamp(text: &str) -> bool {
    split_timestamp(text).is_some()
}

fn digits(text: &str, least: usize, most: usize) -> Option<(&str, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (count >= least).then(|| text.split_at(count))
}

/// `YYYY-MM-DD`, or with a time: `YYYY-M-D`, `T` or blanks, `h:mm:ss`, a fraction and a zone.
fn split_timestamp(text: &str) -> Option<Timestamp<'_>> {
    let (year, rest) = digits(text, 4, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    if rest.is_empty() {
        return (month.len() == 2 && day.len() == 2)
            .then_some(Timestamp { date: [year, month, day], time: None });
    }
    let blanks = rest.trim_start_matches([' ', '\t']);
    let rest = match rest.strip_prefix(['T', 't']) {
        Some(rest) => rest,
        None if blanks.len() < rest.len() => blanks,
        None => return None,
    };
    let (hour, rest) = digits(rest, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest, 0, rest.len())?,
        None => ("", rest),
    };
    let zone = rest.trim_start_matches([' ', '\t']);
    // Blanks before a zone that is not there do not fit the form.
    let zone_fits = if zone.is_empty() { rest.is_empty() } else { zone == "Z" || split_zone(zone).is_some() };
    zone_fits.then_some(Timestamp {
        date: [year, month, day],
        time: Some(Time { clock: [hour, minute, second], fraction, zone }),
    })
}

/// The hours and minutes of `+h`, `-hh` or `+hh:mm`.
fn split_zone(zone: &str) -> Option<(&str, &str)> {
    let (hours, rest) = digits(zone.strip_prefix(['+', '-'])?, 1, 2)?;
    if rest.is_empty() {
        return Some((hours, "0"));
    }
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    rest.is_empty().then_some((hours, minutes))
}

/// A timestamp in Python's `isoformat`, or why there is no such moment.
fn timestamp(text: &str) -> Result<String, String> {
    let parts = split_timestamp(text).ok_or_else(|| format!("'{text}' is not a date"))?;
    // The parts are a few digits each.
    let [year, month, day] = parts.date.map(|part| part.parse::<u32>().unwrap_or(0));
    let date = chrono::NaiveDate::from_ymd_opt(year as i32, month, day)
        .filter(|_| year > 0)
        .ok_or_else(|| format!("'{text}' looks like a date but is not in the calendar"))?;
    let Some(time) = parts.time else { return Ok(date.to_string()) };

    let [hour, minute, second] = time.clock.map(|part| part.parse::<u32>().unwrap_or(99));
    let zone = match time.zone {
        "" => Some(String::new()),
        "Z" => Some("+00:00".to_owned()),
        zone => split_zone(zone).and_then(|(hours, minutes)| {
            let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
            // Python adds minutes beyond an hour up, and refuses a day and more.
            let total = hours * 60 + minutes;
            let sign = if zone.starts_with('-') && total > 0 { '-' } else { '+' };
            (total < 24 * 60).then(|| format!("{sign}{:02}:{:02}", total / 60, total % 60))
        }),
    };
    let fraction = format!("{:0<6.6}", time.fraction);
    match zone {
        Some(zone) if hour < 24 && minute < 60 && second < 60 => {
            let fraction = if fraction == "000000" { String::new() } else { format!(".{fraction}") };
            Ok(format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
        }
        _ => Err(format!("'{text}' looks like a date and time but no clock shows it")),
    }
}

/// A tag in its short form: `!!str` for `!<tag:yaml.org,2002:str>`.
pub(super) fn short_tag(tag: &str) -> Cow<'_, str> {
    match tag.strip_prefix("!<tag:yaml.org,2002:").and_then(|rest| rest.strip_suffix('>')) {
        Some(name) => Cow::Owned(format!("!!{name}")),
        None => Cow::Borrowed(tag),
    }
}

/// The value of a scalar with a tag. `Err` says why the text does not fit.
pub(super) fn tagged(text: &str, tag: &str) -> Result<YamlValue, String> {
    let misfit = || format!("'{text}' does not fit its tag {tag}");
    match short_tag(tag).as_ref() {
        // What PyYAML makes of it, whatever the specification says.
        "!" => resolve(text),
        "!!str" => Ok(YamlValue::Str(text.to_owned())),
        "!!null" => Ok(YamlValue::Null),
        "!!timestamp" => timestamp(text).map(YamlValue::Timestamp),
        "!!bool" => word(text).filter(|value| matches!(value, YamlValue::Bool(_))).ok_or_else(misfit),
        "!!int" => number(text).filter(|value| !matches!(value, YamlValue::Float(_))).ok_or_else(misfit),
        "!!float" => match number(text) {
            Some(YamlValue::Int(value)) => Ok(YamlValue::Float(value as f64)),
            Some(value @ YamlValue::Float(_)) => Ok(value),
            _ => text.parse().map(YamlValue::Float).map_err(|_| misfit()),
        },
        _ => Err(format!("unknown tag {tag}")),
    }
}

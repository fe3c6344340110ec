//! What the text of a single value can be, by dbt's rules, which are those of the Python libraries it uses.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::SeedType;
use crate::warehouse::Cell;

/// Symbols that may stand around a number.
const CURRENCY_SYMBOLS: [char; 19] =
    ['؋', '$', 'ƒ', '៛', '¥', '₡', '₱', '£', '€', '¢', '﷼', '₪', '₩', '₭', '₮', '₦', '฿', '₤', '₫'];

/// Numbers are computed with this many significant digits.
const PRECISION: usize = 28;

/// Python's idea of white space around a value.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// Whether a value counts as missing.
pub fn is_null(value: &str) -> bool {
    let value = strip(value);
    value.is_empty() || value.eq_ignore_ascii_case("null")
}

/// The value of a column of a type.
pub fn cell(value: &str, kind: SeedType) -> Cell {
    if is_null(value) {
        return Cell::Null;
    }
    let cell = match kind {
        SeedType::Integer | SeedType::Number => number(value).map(|number| Cell::Decimal(number.to_string())),
        SeedType::Date => date(value).map(Cell::Date),
        SeedType::DateTime => date_time(value).or_else(|| iso_date_time(value)).map(Cell::Timestamp),
        SeedType::Boolean => boolean(value).map(Cell::Bool),
        SeedType::Text => None,
    };
    // Line breaks inside quotes are read as one character, whatever the file has.
    cell.unwrap_or_else(|| Cell::Text(value.replace("\r\n", "\n").replace('\r', "\n")))
}

/// `true` or `false`, in any case; thousands separators are overlooked.
pub fn boolean(value: &str) -> Option<bool> {
    let value = value.replace(',', "");
    match strip(&value).to_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

// Numbers.

/// How many digits the numbers of a column have at most, before and after the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    whole: i64,
    decimal: i64,
}

impl Places {
    pub fn max(self, other: Places) -> Places {
        Places { whole: self.whole.max(other.whole), decimal: self.decimal.max(other.decimal) }
    }

    /// Whether a column with these places has digits after the point, as far as the precision reaches.
    pub fn decimals(self) -> bool {
        let whole = self.whole.max(1);
        match whole + self.decimal > PRECISION as i64 {
            true => whole != PRECISION as i64,
            false => self.decimal > 0,
        }
    }
}

/// The places of a number; `None` if the value is none.
pub fn number_places(value: &str) -> Option<Places> {
    plain_places(value.as_bytes()).or_else(|| number(value).map(|number| number.places()))
}

/// The places of a number that is written with digits and a point only, the quick case.
pub fn plain_places(value: &[u8]) -> Option<Places> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || digits.len() > PRECISION {
        return None;
    }
    let point = digits.iter().position(|byte| !byte.is_ascii_digit());
    let Some(point) = point else {
        return Some(Places { whole: digits.len() as i64, decimal: 0 });
    };
    let fraction = digits[point..].strip_prefix(b".").filter(|_| point > 0)?;
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = fraction.iter().rev().take_while(|byte| **byte == b'0').count();
    Some(Places { whole: point as i64, decimal: (fraction.len() - zeros) as i64 })
}

/// A number with all its digits, or none for infinity and what is not a number.
#[derive(Debug, PartialEq, Eq)]
enum Number {
    Finite { negative: bool, digits: Vec<u8>, exponent: i64 },
    Special { negative: bool, name: &'static str },
}

/// The number in a value, with the signs around it that dbt overlooks: `$1,000`, `5%`.
fn number(value: &str) -> Option<Number> {
    let value = strip(value).trim_matches('%');
    let (value, negative) = match value.strip_prefix('-') {
        Some(value) => (value, true),
        None => (value, false),
    };
    let value = CURRENCY_SYMBOLS.iter().fold(value, |value, symbol| value.trim_matches(*symbol));
    let value: String = strip(value).chars().filter(|c| !matches!(c, ',' | '_')).map(ascii_digit).collect();
    let (value, negative) = match value.as_bytes().first()? {
        b'-' => (&value[1..], !negative),
        b'+' => (&value[1..], negative),
        _ => (value.as_str(), negative),
    };
    special(value, negative).or_else(|| finite(value, negative))
}

/// The digits of other scripts count as digits.
fn ascii_digit(c: char) -> char {
    // The first digits of the scripts in use; each is followed by the other nine.
    const ZEROS: [char; 12] = ['٠', '۰', '߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '０', '๐'];
    if c.is_ascii() {
        return c;
    }
    let digit =
        ZEROS.iter().filter_map(|zero| u32::from(c).checked_sub(u32::from(*zero))).find(|digit| *digit < 10);
    digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)
}

fn special(value: &str, negative: bool) -> Option<Number> {
    let value = value.to_ascii_lowercase();
    let name = match value.as_str() {
        "inf" | "infinity" => "Infinity",
        value if value.strip_prefix("nan")?.bytes().all(|byte| byte.is_ascii_digit()) => "NaN",
        _ => return None,
    };
    Some(Number::Special { negative, name })
}

fn finite(value: &str, negative: bool) -> Option<Number> {
    let (mantissa, exponent) = match value.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (value, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let exponent = i64::from(exponent) - fraction.len() as i64;
    Some(rounded(negative, digits, exponent))
}

/// Drops leading zeros, and rounds to the precision, half to even.
fn rounded(negative: bool, mut digits: Vec<u8>, mut exponent: i64) -> Number {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count().min(digits.len() - 1);
    digits.drain(..zeros);
    if digits.len() > PRECISION {
        let rest = digits.split_off(PRECISION);
        exponent += rest.len() as i64;
        let half = rest[0] == b'5' && rest[1..].iter().all(|digit| *digit == b'0');
        let odd = digits[PRECISION - 1] % 2 == 1;
        if if half { odd } else { rest[0] >= b'5' } {
            let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
            let kept = PRECISION - nines;
            digits[kept..].fill(b'0');
            match kept.checked_sub(1) {
                Some(last) => digits[last] += 1,
                None => {
                    digits.insert(0, b'1');
                    digits.pop();
                    exponent += 1;
                }
            }
        }
    }
    Number::Finite { negative, digits, exponent }
}

impl Number {
    fn places(&self) -> Places {
        let Number::Finite { digits, exponent, .. } = self else { return Places::default() };
        // dbt leaves out what does not fit into a float.
        let float: f64 = self.to_string().parse().unwrap_or(f64::INFINITY);
        if digits == b"0" || float.is_infinite() {
            return Places { whole: 1, decimal: 0 };
        }
        let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
        let decimal = -(exponent + zeros as i64);
        Places { whole: (digits.len() - zeros) as i64 - decimal, decimal: decimal.max(0) }
    }
}

/// A number as Python's decimals write it.
impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (negative, digits, exponent) = match self {
            Number::Special { negative, name } => {
                return write!(f, "{}{name}", if *negative { "-" } else { "" });
            }
            Number::Finite { negative, digits, exponent } => (negative, digits, *exponent),
        };
        let digits = String::from_utf8_lossy(digits);
        f.write_str(if *negative { "-" } else { "" })?;
        let point = digits.len() as i64 + exponent;
        if exponent <= 0 && point > -6 {
            return match usize::try_from(point) {
                Ok(point) if point > 0 => {
                    let (whole, fraction) = digits.split_at(point);
                    write!(f, "{whole}{}{fraction}", if fraction.is_empty() { "" } else { "." })
                }
                _ => write!(f, "0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
            };
        }
        let (first, rest) = digits.split_at(1);
        write!(f, "{first}{}{rest}E{:+}", if rest.is_empty() { "" } else { "." }, point - 1)
    }
}

// Dates.

/// A reader of text that takes what it recognizes off the front.
struct Scanner<'text>(&'text [u8]);

impl Scanner<'_> {
    fn takes(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// A number of exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let number = digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })?;
        self.0 = rest;
        Some(number)
    }

    /// A number of one or two digits, the longer if there is a choice, up to a limit.
    fn one_or_two_digits(&mut self, limit: u32) -> Option<u32> {
        let before = self.0;
        if let Some(number) = self.digits(2).filter(|number| *number <= limit) {
            return Some(number);
        }
        self.0 = before;
        self.digits(1)
    }

    fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether this is a date of ten characters that every month has, the quick case.
pub fn is_plain_date(value: &[u8]) -> bool {
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = value else { return false };
    let is_in = |digits: &[u8], from, to| number(digits).is_some_and(|number| (from..=to).contains(&number));
    year.len() == 4 && is_in(year, 1, 9999) && is_in(&[*m1, *m2], 1, 12) && is_in(&[*d1, *d2], 1, 28)
}

/// A date like `2024-02-29`; month and day may have one digit.
pub fn date(value: &str) -> Option<NaiveDate> {
    let mut scanner = Scanner(strip(value).as_bytes());
    let date = plain_date(&mut scanner)?;
    scanner.is_at_end().then_some(date)
}

fn plain_date(scanner: &mut Scanner) -> Option<NaiveDate> {
    let year = scanner.digits(4)?;
    scanner.takes(b'-')?;
    let month = scanner.one_or_two_digits(12)?;
    scanner.takes(b'-')?;
    // A day of one digit may be padded with a space.
    let day = match scanner.takes(b' ') {
        Some(()) => scanner.digits(1)?,
        None => scanner.one_or_two_digits(31)?,
    };
    calendar_date(year, month, day)
}

/// A day of Python's calendar, which starts in the year 1.
fn calendar_date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|date| date.year() >= 1)
}

/// A date and time like `2024-02-29 12:34:56`.
pub fn date_time(value: &str) -> Option<NaiveDateTime> {
    let mut scanner = Scanner(strip(value).as_bytes());
    let date = plain_date(&mut scanner)?;
    let spaces = scanner.0.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'\x0b').count();
    if spaces == 0 {
        return None;
    }
    scanner.0 = &scanner.0[spaces..];
    let hour = scanner.one_or_two_digits(23)?;
    scanner.takes(b':')?;
    let minute = scanner.one_or_two_digits(59)?;
    scanner.takes(b':')?;
    let second = scanner.one_or_two_digits(61)?;
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    scanner.is_at_end().then(|| date.and_time(time))
}

/// A date and time in any form of ISO 8601: `2024-02-29T12:34:56.789Z`, `2024W09T12+02`, …
/// The distance from UTC is read and dropped, as the type of the column has none.
pub fn iso_date_time(value: &str) -> Option<NaiveDateTime> {
    let (date, time) = strip(value).split_once('T')?;
    Some(iso_date(date.as_bytes())?.and_time(iso_time(time.as_bytes())?))
}

fn iso_date(text: &[u8]) -> Option<NaiveDate> {
    let mut scanner = Scanner(text);
    if text.len() == 2 {
        return calendar_date(scanner.digits(2)? * 100 + 1, 1, 1);
    }
    let year = scanner.digits(4)?;
    let first = calendar_date(year, 1, 1)?;
    let extended = scanner.takes(b'-').is_some();
    if scanner.takes(b'W').is_some() {
        return iso_week_date(&mut scanner, first, extended);
    }
    let date = match (scanner.0.len(), extended) {
        (0, false) => first,
        (2, _) => calendar_date(year, scanner.digits(2)?.max(1), 1)?,
        (3, _) => day_after(first, i64::from(scanner.digits(3)?) - 1)?,
        (5, true) => {
            let month = scanner.digits(2)?;
            scanner.takes(b'-')?;
            calendar_date(year, month.max(1), scanner.digits(2)?)?
        }
        (4, false) => calendar_date(year, scanner.digits(2)?.max(1), scanner.digits(2)?)?,
        _ => return None,
    };
    scanner.is_at_end().then_some(date)
}

fn iso_week_date(scanner: &mut Scanner, first: NaiveDate, extended: bool) -> Option<NaiveDate> {
    let week = i64::from(scanner.digits(2)?);
    let day = if scanner.is_at_end() {
        1
    } else {
        if extended {
            scanner.takes(b'-')?;
        }
        i64::from(scanner.digits(1)?)
    };
    let started = i64::from(first.iso_week().week() == 1);
    let weekday = i64::from(first.weekday().number_from_monday());
    let date = day_after(first, (week - started) * 7 + day - weekday)?;
    scanner.is_at_end().then_some(date)
}

fn day_after(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let moved = match u64::try_from(days) {
        Ok(days) => date.checked_add_days(Days::new(days)),
        Err(_) => date.checked_sub_days(Days::new(days.unsigned_abs())),
    };
    moved.filter(|date| (1..=9999).contains(&date.year()))
}

fn iso_time(text: &[u8]) -> Option<NaiveTime> {
    let mut scanner = Scanner(text);
    let mut parts = [scanner.digits(2)?, 0, 0];
    let mut given = 1;
    let extended = scanner.0.first() == Some(&b':');
    while given < 3 {
        let before = scanner.0;
        if extended && scanner.takes(b':').is_none() {
            break;
        }
        let Some(part) = scanner.digits(2) else {
            scanner.0 = before;
            break;
        };
        parts[given] = part;
        given += 1;
    }
    // A fraction belongs to the last part that is given.
    let micros = millionths(&mut scanner)? * [3_600, 60, 1][given - 1];
    zone(&mut scanner)?;
    let [hour, minute, second] = parts;
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    scanner.is_at_end().then(|| time + TimeDelta::microseconds(micros))
}

/// What stands behind a point or comma; 0 if there is none.
fn millionths(scanner: &mut Scanner) -> Option<i64> {
    let [b'.' | b',', rest @ ..] = scanner.0 else { return Some(0) };
    let (digits, rest) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    scanner.0 = rest;
    let first_six = digits.iter().chain(std::iter::repeat(&b'0')).take(6);
    let value = first_six.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    (!digits.is_empty()).then_some(value)
}

/// `Z`, `+02`, `+0230`, `+02:30`, or nothing.
fn zone(scanner: &mut Scanner) -> Option<()> {
    match scanner.0 {
        [] => return Some(()),
        [b'Z', rest @ ..] => scanner.0 = rest,
        [b'+' | b'-', rest @ ..] => {
            scanner.0 = rest;
            scanner.digits(2)?;
            if scanner.takes(b':').is_some() || !scanner.is_at_end() {
                scanner.digits(2)?;
            }
        }
        _ => return None,
    }
    Some(())
}

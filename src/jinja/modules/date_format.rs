//! Dates and times as text and back: ISO 8601, `strftime`, `strptime`.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use minijinja::Error;

use super::dates::{DateTime, make_date, make_datetime};
use super::zones::Zone;
use crate::jinja::error::raise_message;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `2024-01-31`
pub fn iso_date(date: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// `12:30:00`, with the parts that a `timespec` asks for.
pub fn iso_time(time: NaiveTime, spec: &str) -> String {
    let micro = time.nanosecond() / 1000;
    let hours = format!("{:02}", time.hour());
    let minutes = format!("{hours}:{:02}", time.minute());
    let seconds = format!("{minutes}:{:02}", time.second());
    match spec {
        "hours" => hours,
        "minutes" => minutes,
        "seconds" => seconds,
        "milliseconds" => format!("{seconds}.{:03}", micro / 1000),
        "microseconds" => format!("{seconds}.{micro:06}"),
        _ if micro > 0 => format!("{seconds}.{micro:06}"),
        _ => seconds,
    }
}

/// `2024-01-31T12:30:00+00:00`
pub fn iso_datetime(moment: &DateTime, separator: &str, spec: &str) -> String {
    let offset = moment.zone.as_ref().map_or_else(String::new, |(_, offset)| offset_text(*offset, ":"));
    format!("{}{separator}{}{offset}", iso_date(moment.local.date()), iso_time(moment.local.time(), spec))
}

/// `+01:00`
pub fn offset_text(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let seconds = offset.abs();
    let text = format!("{sign}{:02}{separator}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 == 0 { text } else { format!("{text}{separator}{:02}", seconds % 60) }
}

/// Python's `strftime`.
pub fn strftime(moment: &DateTime, format: &str) -> String {
    let mut out = String::with_capacity(format.len() * 2);
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            // glibc's flag for numbers without padding
            Some('-') => match chars.next() {
                Some(directive) => out.push_str(&unpadded(&field(moment, directive))),
                None => out.push_str("%-"),
            },
            Some(directive) => out.push_str(&field(moment, directive)),
            None => out.push('%'),
        }
    }
    out
}

fn unpadded(text: &str) -> String {
    let trimmed = text.trim_start_matches(['0', ' ']);
    if trimmed.is_empty() && !text.is_empty() { "0".into() } else { trimmed.into() }
}

fn field(moment: &DateTime, directive: char) -> String {
    let (date, time) = (moment.local.date(), moment.local.time());
    let (_, hour12) = time.hour12();
    let monday = date.weekday().num_days_from_monday();
    let sunday = date.weekday().num_days_from_sunday();
    let again = |format: &str| strftime(moment, format);
    match directive {
        'Y' => date.year().to_string(),
        'C' => format!("{:02}", date.year() / 100),
        'y' => format!("{:02}", date.year() % 100),
        'm' => format!("{:02}", date.month()),
        'd' => format!("{:02}", date.day()),
        'e' => format!("{:2}", date.day()),
        'H' => format!("{:02}", time.hour()),
        'k' => format!("{:2}", time.hour()),
        'I' => format!("{hour12:02}"),
        'l' => format!("{hour12:2}"),
        'M' => format!("{:02}", time.minute()),
        'S' => format!("{:02}", time.second()),
        'f' => format!("{:06}", time.nanosecond() / 1000),
        'p' => if time.hour12().0 { "PM" } else { "AM" }.into(),
        'P' => if time.hour12().0 { "pm" } else { "am" }.into(),
        'j' => format!("{:03}", date.ordinal()),
        'B' => MONTHS[date.month0() as usize].into(),
        'b' | 'h' => MONTHS[date.month0() as usize][..3].into(),
        'A' => DAYS[monday as usize].into(),
        'a' => DAYS[monday as usize][..3].into(),
        'w' => sunday.to_string(),
        'u' => (monday + 1).to_string(),
        'U' => format!("{:02}", (date.ordinal0() + 7 - sunday) / 7),
        'W' => format!("{:02}", (date.ordinal0() + 7 - monday) / 7),
        'V' => format!("{:02}", date.iso_week().week()),
        'G' => date.iso_week().year().to_string(),
        'g' => format!("{:02}", date.iso_week().year() % 100),
        'z' => moment.zone.as_ref().map_or_else(String::new, |(_, offset)| offset_text(*offset, "")),
        'Z' => moment.zone.as_ref().map_or_else(String::new, |(zone, _)| zone.abbreviation(moment.utc())),
        's' => moment.utc().and_utc().timestamp().to_string(),
        'n' => "\n".into(),
        't' => "\t".into(),
        '%' => "%".into(),
        'c' => again("%a %b %e %H:%M:%S %Y"),
        'x' | 'D' => again("%m/%d/%y"),
        'X' | 'T' => again("%H:%M:%S"),
        'F' => again("%Y-%m-%d"),
        'R' => again("%H:%M"),
        'r' => again("%I:%M:%S %p"),
        other => format!("%{other}"),
    }
}

/// What `strptime` has read so far.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micro: i64,
    afternoon: Option<bool>,
    ordinal: Option<i64>,
    timestamp: Option<i64>,
    offset: Option<i32>,
}

/// Python's `datetime.strptime`.
///
/// Errors: the text does not have the format.
pub fn strptime(text: &str, format: &str) -> Result<DateTime, Error> {
    let mismatch = || raise_message(format!("time data '{text}' does not match format '{format}'"));
    let mut parts = Parts {
        year: 1900,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        micro: 0,
        afternoon: None,
        ordinal: None,
        timestamp: None,
        offset: None,
    };
    let rest = parts.read(text, format, 0).ok_or_else(mismatch)?;
    if !rest.is_empty() {
        return Err(raise_message(format!("unconverted data remains: {rest}")));
    }
    parts.finish()
}

impl Parts {
    fn read<'t>(&mut self, text: &'t str, format: &str, depth: usize) -> Option<&'t str> {
        if depth > 2 {
            return None;
        }
        let mut rest = text;
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c.is_whitespace() {
                rest = rest.trim_start();
            } else if c == '%' {
                rest = self.field(rest, chars.next()?, depth)?;
            } else {
                let mut letters = rest.chars();
                let same = letters.next()?.to_lowercase().eq(c.to_lowercase());
                rest = if same { letters.as_str() } else { return None };
            }
        }
        Some(rest)
    }

    fn field<'t>(&mut self, text: &'t str, directive: char, depth: usize) -> Option<&'t str> {
        let number = |most: usize, rest: &'t str| -> Option<(i64, &'t str)> {
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            Some((rest.get(..length)?.parse().ok()?, &rest[length..]))
        };
        let mut take = |slot: fn(&mut Parts) -> &mut i64, most: usize| {
            let (value, rest) = number(most, text)?;
            *slot(self) = value;
            Some(rest)
        };
        match directive {
            'Y' => take(|parts| &mut parts.year, 4).filter(|rest| text.len() - rest.len() >= 4),
            'm' => take(|parts| &mut parts.month, 2),
            'd' | 'e' => take(|parts| &mut parts.day, 2),
            'H' | 'I' => take(|parts| &mut parts.hour, 2),
            'M' => take(|parts| &mut parts.minute, 2),
            'S' => take(|parts| &mut parts.second, 2),
            'y' => {
                let (year, rest) = number(2, text)?;
                self.year = if year < 69 { 2000 + year } else { 1900 + year };
                Some(rest)
            }
            'f' => {
                let length = text.bytes().take(6).take_while(u8::is_ascii_digit).count();
                self.micro = format!("{:0<6}", text.get(..length).filter(|digits| !digits.is_empty())?)
                    .parse()
                    .ok()?;
                Some(&text[length..])
            }
            'j' => {
                let (ordinal, rest) = number(3, text)?;
                self.ordinal = Some(ordinal);
                Some(rest)
            }
            's' => {
                let (timestamp, rest) = number(18, text)?;
                self.timestamp = Some(timestamp);
                Some(rest)
            }
            'p' => {
                let marker = text.get(..2)?.to_ascii_lowercase();
                self.afternoon = Some(match marker.as_str() {
                    "am" => false,
                    "pm" => true,
                    _ => return None,
                });
                Some(&text[2..])
            }
            'B' | 'b' | 'h' => {
                let (index, rest) = name(text, &MONTHS, directive == 'B')?;
                self.month = index as i64 + 1;
                Some(rest)
            }
            'A' | 'a' => name(text, &DAYS, directive == 'A').map(|(_, rest)| rest),
            'w' | 'u' => number(1, text).map(|(_, rest)| rest),
            'z' => {
                let (offset, rest) = offset(text)?;
                self.offset = Some(offset);
                Some(rest)
            }
            'Z' => {
                let length = text.bytes().take_while(u8::is_ascii_alphabetic).count();
                match text.get(..length)?.to_ascii_uppercase().as_str() {
                    "UTC" | "GMT" => Some(&text[length..]),
                    _ => None,
                }
            }
            '%' => text.strip_prefix('%'),
            'T' | 'X' => self.read(text, "%H:%M:%S", depth + 1),
            'D' | 'x' => self.read(text, "%m/%d/%y", depth + 1),
            'F' => self.read(text, "%Y-%m-%d", depth + 1),
            'R' => self.read(text, "%H:%M", depth + 1),
            'c' => self.read(text, "%a %b %d %H:%M:%S %Y", depth + 1),
            _ => None,
        }
    }

    fn finish(self) -> Result<DateTime, Error> {
        let hour = match self.afternoon {
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        if let Some(seconds) = self.timestamp {
            let moment = chrono::DateTime::from_timestamp(seconds, 0);
            let moment = moment.ok_or_else(|| raise_message("timestamp out of range"))?;
            return Ok(DateTime { local: moment.naive_utc(), zone: None });
        }
        let (month, day) = match self.ordinal {
            Some(ordinal) => {
                let date = i32::try_from(self.year).ok().zip(u32::try_from(ordinal).ok());
                let date = date.and_then(|(year, ordinal)| NaiveDate::from_yo_opt(year, ordinal));
                let date = date.ok_or_else(|| raise_message("day of year out of range"))?;
                (date.month().into(), date.day().into())
            }
            None => (self.month, self.day),
        };
        let parts = [self.year, month, day, hour, self.minute, self.second, self.micro];
        let local = make_datetime(parts.map(Some))?;
        Ok(DateTime { local, zone: self.offset.map(|offset| (Zone::of_offset(offset), offset)) })
    }
}

fn name<'t>(text: &'t str, names: &[&str], full: bool) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = if full { name } else { &name[..3] };
        let start = text.get(..name.len())?;
        start.eq_ignore_ascii_case(name).then(|| (index, &text[name.len()..]))
    })
}

/// `+01:00`, `-0530`, `Z`
fn offset(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        return Some((0, rest));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = |from: usize| text.get(from..from + 2)?.parse::<i32>().ok();
    let hours = digits(1)?;
    let colon = usize::from(text[3..].starts_with(':'));
    let minutes = digits(3 + colon)?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some((sign * (hours * 3600 + minutes * 60), &text[5 + colon..]))
}

/// Python's `datetime.fromisoformat`.
///
/// Errors: the text is no date in ISO 8601.
pub fn from_iso(text: &str) -> Result<DateTime, Error> {
    let invalid = || raise_message(format!("Invalid isoformat string: '{text}'"));
    let date = iso_date_part(text.get(..10).ok_or_else(invalid)?).ok_or_else(invalid)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Ok(DateTime { local: date.and_time(NaiveTime::MIN), zone: None });
    }
    let time = rest.char_indices().nth(1).map_or("", |(index, _)| &rest[index..]);
    let zone_at = time.find(['+', '-', 'Z', 'z']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone_at);
    let time = iso_time_part(time).ok_or_else(invalid)?;
    let zone = match zone {
        "" => None,
        zone => {
            let (seconds, rest) = offset(zone).ok_or_else(invalid)?;
            if !rest.is_empty() {
                return Err(invalid());
            }
            Some((Zone::of_offset(seconds), seconds))
        }
    };
    Ok(DateTime { local: NaiveDateTime::new(date, time), zone })
}

/// `2024-01-31`
pub fn iso_date_part(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let mut number = |width: usize| {
        let part = parts.next().filter(|part| part.len() == width)?;
        part.parse::<u32>().ok().map(i64::from)
    };
    let date = make_date([number(4), number(2), number(2)]).ok()?;
    parts.next().is_none().then_some(date)
}

/// `12:30`, `12:30:15.123456`
pub fn iso_time_part(text: &str) -> Option<NaiveTime> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut numbers = whole.split(':').map(|part| part.parse::<u32>().ok().filter(|_| part.len() == 2));
    let hour = numbers.next()??;
    let minute = numbers.next().unwrap_or(Some(0))?;
    let second = numbers.next().unwrap_or(Some(0))?;
    let micro = match fraction {
        "" => 0,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{digits:0<6}").get(..6)?.parse().ok()?
        }
        _ => return None,
    };
    NaiveTime::from_hms_micro_opt(hour, minute, second, micro)
}

//! Results as plain data: what a statement gave back.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, Timelike};
use chrono_tz::Tz;

/// The result of a statement. Every row has one cell for each column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<ColumnInfo>,
    pub rows: Vec<Vec<Cell>>,
}

/// A column and its type, in the database's words (`DECIMAL(10,2)`, `INTEGER[]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    pub data_type: String,
}

/// One value. There is a variant for each kind of Python object that dbt shows to Jinja for it, so that the
/// language above can give its users what dbt gives.
///
/// Dates and timestamps that Python's calendar (years 1 to 9999) cannot hold are [`Cell::Text`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Bool(bool),
    Int(i128),
    /// The few integers above `i128::MAX`.
    UInt(u128),
    Float(f64),
    /// A decimal number with all digits of its scale: `1.50`.
    Decimal(String),
    /// Text, and everything that has no better variant: enums, UUIDs, JSON, bit strings, huge numbers.
    Text(String),
    Date(NaiveDate),
    Time(NaiveTime),
    /// A time and its distance from UTC in seconds.
    TimeTz(NaiveTime, i32),
    Timestamp(NaiveDateTime),
    /// A moment, in the time zone of the session.
    TimestampTz(DateTime<Tz>),
    /// A span; a month has no fixed length, so the parts stay apart.
    Interval {
        months: i32,
        days: i32,
        micros: i64,
    },
    Blob(Vec<u8>),
    List(Vec<Cell>),
    /// Arrays of a fixed length, and structs without names.
    Tuple(Vec<Cell>),
    Struct(Vec<(String, Cell)>),
    Map(Vec<(Cell, Cell)>),
}

/// The text that DuckDB gives a value when it is cast to VARCHAR.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("NULL"),
            Cell::Bool(value) => value.fmt(f),
            Cell::Int(value) => value.fmt(f),
            Cell::UInt(value) => value.fmt(f),
            Cell::Float(value) => write!(f, "{value:?}"),
            Cell::Decimal(text) | Cell::Text(text) => f.write_str(text),
            Cell::Date(value) => value.fmt(f),
            Cell::Time(value) => write_time(f, *value),
            Cell::TimeTz(value, offset) => {
                write_time(f, *value)?;
                write_offset(f, *offset)
            }
            Cell::Timestamp(value) => write_timestamp(f, *value),
            Cell::TimestampTz(value) => {
                write_timestamp(f, value.naive_local())?;
                write_offset(f, value.offset().fix().local_minus_utc())
            }
            Cell::Interval { months, days, micros } => write_interval(f, *months, *days, *micros),
            Cell::Blob(bytes) => bytes.iter().try_for_each(|byte| match byte {
                b' '..=b'~' if *byte != b'\\' && *byte != b'\'' && *byte != b'"' => {
                    write!(f, "{}", *byte as char)
                }
                byte => write!(f, "\\x{byte:02X}"),
            }),
            Cell::List(cells) => write_all(f, "[", cells, "]", |f, cell| cell.fmt(f)),
            Cell::Tuple(cells) => write_all(f, "(", cells, ")", |f, cell| cell.fmt(f)),
            Cell::Struct(fields) => {
                write_all(f, "{", fields, "}", |f, (name, cell)| write!(f, "'{name}': {cell}"))
            }
            Cell::Map(entries) => {
                write_all(f, "{", entries, "}", |f, (key, value)| write!(f, "{key}={value}"))
            }
        }
    }
}

fn write_all<T>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    items: &[T],
    close: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    f.write_str(close)
}

/// The fraction of the second without its last zeros.
fn write_fraction(f: &mut fmt::Formatter<'_>, micros: u64) -> fmt::Result {
    match micros {
        0 => Ok(()),
        micros => f.write_str(format!(".{micros:06}").trim_end_matches('0')),
    }
}

fn write_time(f: &mut fmt::Formatter<'_>, time: NaiveTime) -> fmt::Result {
    write!(f, "{}", time.format("%H:%M:%S"))?;
    write_fraction(f, u64::from(time.nanosecond() / 1_000))
}

fn write_timestamp(f: &mut fmt::Formatter<'_>, moment: NaiveDateTime) -> fmt::Result {
    write!(f, "{} ", moment.date())?;
    write_time(f, moment.time())
}

fn write_offset(f: &mut fmt::Formatter<'_>, seconds: i32) -> fmt::Result {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    write!(f, "{sign}{:02}", minutes / 60)?;
    match minutes % 60 {
        0 => Ok(()),
        minutes => write!(f, ":{minutes:02}"),
    }
}

fn write_interval(f: &mut fmt::Formatter<'_>, months: i32, days: i32, micros: i64) -> fmt::Result {
    let part = |count: i32, unit: &str| match count {
        0 => None,
        1 | -1 => Some(format!("{count} {unit}")),
        count => Some(format!("{count} {unit}s")),
    };
    let parts = [part(months / 12, "year"), part(months % 12, "month"), part(days, "day")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    f.write_str(&parts.join(" "))?;
    if micros == 0 && !parts.is_empty() {
        return Ok(());
    }
    if !parts.is_empty() {
        f.write_str(" ")?;
    }
    let sign = if micros < 0 { "-" } else { "" };
    let seconds = micros.unsigned_abs() / 1_000_000;
    write!(f, "{sign}{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
    write_fraction(f, micros.unsigned_abs() % 1_000_000)
}

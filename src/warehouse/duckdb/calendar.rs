//! From DuckDB's dates and times to cells.
//!
//! DuckDB's calendar is wider than Python's, which dbt shows to Jinja: infinity becomes Python's first or last
//! day, other days outside the years 1 to 9999 become text, as DuckDB writes them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use libduckdb_sys as ffi;

use super::library;
use crate::warehouse::Cell;

// Below these, DuckDB means minus infinity; at the types' ends, infinity.
const DAY_MIN: i32 = -i32::MAX + 1;
const MOMENT_MIN: i64 = -i64::MAX + 1;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// The last moment of Python's calendar.
fn last_moment() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(9999, 12, 31)
        .and_then(|date| date.and_hms_micro_opt(23, 59, 59, 999_999))
        .unwrap_or(NaiveDateTime::MAX)
}

/// The first moment of Python's calendar.
fn first_moment() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(1, 1, 1).and_then(|date| date.and_hms_opt(0, 0, 0)).unwrap_or(NaiveDateTime::MIN)
}

fn in_calendar(moment: NaiveDateTime) -> bool {
    (first_moment()..=last_moment()).contains(&moment)
}

/// Days since 1970.
pub fn date(days: i32) -> Cell {
    match days {
        i32::MAX => return Cell::Date(last_moment().date()),
        ..DAY_MIN => return Cell::Date(first_moment().date()),
        _ => {}
    }
    let moment = DateTime::from_timestamp(i64::from(days) * 86_400, 0).map(|moment| moment.naive_utc());
    match moment {
        Some(moment) if in_calendar(moment) => Cell::Date(moment.date()),
        _ => Cell::Text(far_date(days)),
    }
}

/// A date as DuckDB writes it, with years before our era marked.
fn far_date(days: i32) -> String {
    // SAFETY: a function of a number.
    let date = unsafe { library::duckdb_from_date(ffi::duckdb_date { days }) };
    if date.year > 0 {
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    } else {
        format!("{:04}-{:02}-{:02} (BC)", 1 - date.year, date.month, date.day)
    }
}

fn naive_time(micros: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(micros / 1_000_000).ok()?;
    let nanos = u32::try_from(micros % 1_000_000).ok()? * 1_000;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
}

/// Microseconds since midnight. The end of the day, `24:00:00`, is a time to DuckDB only.
pub fn time(micros: i64) -> Cell {
    naive_time(micros).map_or_else(|| Cell::Text("24:00:00".to_owned()), Cell::Time)
}

/// A time with its distance from UTC, packed by DuckDB.
pub fn time_tz(bits: u64) -> Cell {
    // SAFETY: a function of a number.
    let value = unsafe { library::duckdb_from_time_tz(ffi::duckdb_time_tz { bits }) };
    let part = |part: i8| u32::try_from(part).unwrap_or(0);
    let time = NaiveTime::from_hms_micro_opt(
        part(value.time.hour),
        part(value.time.min),
        part(value.time.sec),
        u32::try_from(value.time.micros).unwrap_or(0),
    );
    match time {
        Some(time) => Cell::TimeTz(time, value.offset),
        None => Cell::Text("24:00:00".to_owned()),
    }
}

/// `count` units since 1970, `units` of which make a second.
pub fn timestamp(count: i64, units: i64) -> Cell {
    match count {
        i64::MAX => return Cell::Timestamp(last_moment()),
        ..MOMENT_MIN => return Cell::Timestamp(first_moment()),
        _ => {}
    }
    let micros = i128::from(count) * 1_000_000;
    let Ok(micros) = i64::try_from(micros.div_euclid(i128::from(units))) else {
        return Cell::Text(format!("{count} units of 1/{units} second since 1970"));
    };
    match DateTime::from_timestamp_micros(micros).map(|moment| moment.naive_utc()) {
        Some(moment) if in_calendar(moment) => Cell::Timestamp(moment),
        _ => Cell::Text(far_timestamp(micros)),
    }
}

/// Microseconds since 1970 in UTC, shown in the time zone of the session.
pub fn timestamp_tz(micros: i64, zone: Tz) -> Cell {
    match timestamp(micros, 1_000_000) {
        Cell::Timestamp(moment) if (MOMENT_MIN..i64::MAX).contains(&micros) => {
            Cell::TimestampTz(zone.from_utc_datetime(&moment))
        }
        Cell::Text(text) => Cell::Text(format!("{text}+00")),
        other => other,
    }
}

fn far_timestamp(micros: i64) -> String {
    let days = micros.div_euclid(MICROS_A_DAY);
    let time = naive_time(micros.rem_euclid(MICROS_A_DAY)).unwrap_or(NaiveTime::MIN);
    let date = far_date(i32::try_from(days).unwrap_or(i32::MAX));
    match date.strip_suffix(" (BC)") {
        Some(date) => format!("{date} {time} (BC)"),
        None => format!("{date} {time}"),
    }
}

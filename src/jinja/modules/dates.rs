//! Python's dates, times and durations as values.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use chrono::{
    DateTime as ChronoDateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc,
};
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::date_format::{iso_date, iso_datetime, iso_time, strftime};
use super::zones::{Zone, ZoneValue};
use crate::jinja::error::raise_message;
use crate::jinja::values::{Arguments, Number};

/// `datetime.date`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date(pub NaiveDate);

/// `datetime.time`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub NaiveTime);

/// `datetime.timedelta`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta(pub Duration);

/// `datetime.datetime`: the local time, and for aware ones the zone with its offset at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DateTime {
    pub local: NaiveDateTime,
    pub zone: Option<(Zone, i32)>,
}

/// A moment as an aware `datetime` in UTC.
pub fn datetime_value(moment: ChronoDateTime<Utc>) -> Value {
    let local = truncated(moment.naive_utc());
    Value::from_object(DateTime { local, zone: Some((Zone::Utc, 0)) })
}

/// A `datetime` without a zone.
pub fn naive_datetime_value(local: NaiveDateTime) -> Value {
    Value::from_object(DateTime { local: truncated(local), zone: None })
}

/// A `date`.
pub fn date_value(date: NaiveDate) -> Value {
    Value::from_object(Date(date))
}

/// A `time`.
pub fn time_value(time: NaiveTime) -> Value {
    Value::from_object(Time(time))
}

/// A date or datetime in ISO's notation.
pub fn iso_text(value: &Value) -> Option<String> {
    if let Some(datetime) = value.downcast_object_ref::<DateTime>() {
        return Some(iso_datetime(datetime, "T", "auto"));
    }
    value.downcast_object_ref::<Date>().map(|date| iso_date(date.0))
}

/// Python's times end at microseconds.
pub(super) fn truncated(time: NaiveDateTime) -> NaiveDateTime {
    let nanosecond = time.nanosecond() / 1000 * 1000;
    time.with_nanosecond(nanosecond).unwrap_or(time)
}

fn out_of_range() -> Error {
    raise_message("date value out of range")
}

/// A local time, if its year is one that Python has.
pub(super) fn in_range(local: Option<NaiveDateTime>) -> Result<NaiveDateTime, Error> {
    local.filter(|local| (1..=9999).contains(&local.year())).ok_or_else(out_of_range)
}

impl DateTime {
    /// The same moment in UTC; for naive ones the local time.
    pub(super) fn utc(&self) -> NaiveDateTime {
        let offset = self.zone.as_ref().map_or(0, |(_, offset)| *offset);
        self.local.checked_sub_signed(Duration::seconds(offset.into())).unwrap_or(self.local)
    }

    /// The same moment in another zone.
    pub(super) fn in_zone(&self, zone: &Zone) -> Result<DateTime, Error> {
        let utc = self.utc();
        let offset = zone.offset_at_utc(utc);
        let local = in_range(utc.checked_add_signed(Duration::seconds(offset.into())))?;
        Ok(DateTime { local, zone: Some((zone.clone(), offset)) })
    }

    fn method(&self, name: &str, args: &Arguments<'_>) -> Result<Option<Value>, Error> {
        Ok(Some(match name {
            "date" => date_value(self.local.date()),
            "time" | "timetz" => time_value(self.local.time()),
            "strftime" => {
                let [format] = args.exactly()?;
                Value::from(strftime(self, format.as_str().unwrap_or_default()))
            }
            "isoformat" => {
                let [separator, spec] = args.bind(["sep", "timespec"], 0)?;
                let separator = separator.as_ref().and_then(|separator| separator.as_str()).unwrap_or("T");
                let spec = spec.as_ref().and_then(|spec| spec.as_str()).unwrap_or("auto");
                Value::from(iso_datetime(self, separator, spec))
            }
            "replace" => self.replace(args)?,
            "astimezone" => {
                let [zone] = args.bind(["tz"], 0)?;
                let zone = zone.map_or(Ok(Zone::local()), |zone| ZoneValue::of(&zone))?;
                let aware = match &self.zone {
                    Some(_) => self.clone(),
                    None => Zone::local().attach(self.local),
                };
                Value::from_object(aware.in_zone(&zone)?)
            }
            "timestamp" => {
                let aware = match &self.zone {
                    Some(_) => self.clone(),
                    None => Zone::local().attach(self.local),
                };
                Value::from(aware.utc().and_utc().timestamp_micros() as f64 / 1e6)
            }
            "utcoffset" => match &self.zone {
                Some((_, offset)) => Value::from_object(Delta(Duration::seconds((*offset).into()))),
                None => Value::from(()),
            },
            "tzname" => match &self.zone {
                Some((zone, _)) => Value::from(zone.abbreviation(self.utc())),
                None => Value::from(()),
            },
            _ => return Ok(date_method(self.local.date(), name, self.local)),
        }))
    }

    fn replace(&self, args: &Arguments<'_>) -> Result<Value, Error> {
        let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"];
        let [year, month, day, hour, minute, second, micro, zone] = args.bind(names, 0)?;
        let part = |value: Option<Value>, own: i64| value.map_or(Some(own), |value| value.as_i64());
        let (date, time) = (self.local.date(), self.local.time());
        let local = make_datetime([
            part(year, date.year().into()),
            part(month, date.month().into()),
            part(day, date.day().into()),
            part(hour, time.hour().into()),
            part(minute, time.minute().into()),
            part(second, time.second().into()),
            part(micro, (time.nanosecond() / 1000).into()),
        ])?;
        let replaced = match zone {
            Some(zone) if zone.is_none() => DateTime { local, zone: None },
            Some(zone) => ZoneValue::of(&zone)?.attach_unadjusted(local),
            None => DateTime { local, zone: self.zone.clone() },
        };
        Ok(Value::from_object(replaced))
    }
}

/// Year, month, day, hour, minute, second and microsecond as a local time.
///
/// Errors: one is missing or out of its range.
pub(super) fn make_datetime(parts: [Option<i64>; 7]) -> Result<NaiveDateTime, Error> {
    let [year, month, day, hour, minute, second, micro] = parts;
    let date = make_date([year, month, day])?;
    let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(u32::MAX);
    let micro = number(micro);
    for (name, value, limit) in
        [("hour", number(hour), 24), ("minute", number(minute), 60), ("second", number(second), 60)]
    {
        if value >= limit {
            return Err(raise_message(format!("{name} must be in 0..{}", limit - 1)));
        }
    }
    let time = date.and_hms_micro_opt(number(hour), number(minute), number(second), micro.min(1_000_000));
    time.filter(|_| micro < 1_000_000).ok_or_else(|| raise_message("microsecond must be in 0..999999"))
}

/// Year, month and day as a date.
///
/// Errors: one is missing or out of its range.
pub(super) fn make_date(parts: [Option<i64>; 3]) -> Result<NaiveDate, Error> {
    let [Some(year), Some(month), Some(day)] = parts else {
        return Err(raise_message("a date needs numbers for year, month and day"));
    };
    if !(1..=9999).contains(&year) {
        return Err(raise_message(format!("year {year} is out of range")));
    }
    if !(1..=12).contains(&month) {
        return Err(raise_message("month must be in 1..12"));
    }
    let date =
        u32::try_from(day).ok().and_then(|day| NaiveDate::from_ymd_opt(year as i32, month as u32, day));
    date.ok_or_else(|| raise_message("day is out of range for month"))
}

/// The methods that dates and datetimes share.
fn date_method(date: NaiveDate, name: &str, full: NaiveDateTime) -> Option<Value> {
    Some(match name {
        "weekday" => Value::from(date.weekday().num_days_from_monday()),
        "isoweekday" => Value::from(date.weekday().number_from_monday()),
        "toordinal" => Value::from(date.num_days_from_ce()),
        "isocalendar" => {
            let week = date.iso_week();
            let weekday = date.weekday().number_from_monday();
            Value::from_object(IsoCalendar([week.year(), week.week() as i32, weekday as i32]))
        }
        "ctime" => Value::from(full.format("%a %b %e %H:%M:%S %Y").to_string()),
        _ => return None,
    })
}

fn date_field(date: NaiveDate, name: &str) -> Option<Value> {
    Some(match name {
        "year" => Value::from(date.year()),
        "month" => Value::from(date.month()),
        "day" => Value::from(date.day()),
        _ => return None,
    })
}

fn time_field(time: NaiveTime, name: &str) -> Option<Value> {
    Some(match name {
        "hour" => Value::from(time.hour()),
        "minute" => Value::from(time.minute()),
        "second" => Value::from(time.second()),
        "microsecond" => Value::from(time.nanosecond() / 1000),
        _ => return None,
    })
}

/// The method was found, or its absence is minijinja's to tell.
fn found(value: Option<Value>) -> Result<Value, Error> {
    value.ok_or_else(|| Error::from(minijinja::ErrorKind::UnknownMethod))
}

impl Object for DateTime {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name == "tzinfo" {
            let zone = self.zone.as_ref().map(|(zone, _)| Value::from_object(ZoneValue(zone.clone())));
            return Some(zone.unwrap_or_else(|| Value::from(())));
        }
        date_field(self.local.date(), name).or_else(|| time_field(self.local.time(), name))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        found(self.method(method, &Arguments::new(method, args)?)?)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<DateTime>()?;
        (self.zone.is_some() == other.zone.is_some()).then(|| self.utc().cmp(&other.utc()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.sign_minus() {
            return f.write_str(&iso_datetime(self, " ", "auto"));
        }
        let (date, time) = (self.local.date(), self.local.time());
        write!(f, "datetime.datetime({}, {}, {}", date.year(), date.month(), date.day())?;
        write!(f, ", {}, {}", time.hour(), time.minute())?;
        write_tail(f, time)?;
        if let Some((zone, _)) = &self.zone {
            write!(f, ", tzinfo={}", zone.repr())?;
        }
        f.write_str(")")
    }
}

/// Seconds and microseconds, where there are any.
fn write_tail(f: &mut fmt::Formatter<'_>, time: NaiveTime) -> fmt::Result {
    let micro = time.nanosecond() / 1000;
    if time.second() > 0 || micro > 0 {
        write!(f, ", {}", time.second())?;
    }
    if micro > 0 {
        write!(f, ", {micro}")?;
    }
    Ok(())
}

impl Object for Date {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        date_field(self.0, key.as_str()?)
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Arguments::new(method, args)?;
        let midnight = self.0.and_time(NaiveTime::MIN);
        Ok(match method {
            "isoformat" => Value::from(iso_date(self.0)),
            "strftime" => {
                let [format] = args.exactly()?;
                let full = DateTime { local: midnight, zone: None };
                Value::from(strftime(&full, format.as_str().unwrap_or_default()))
            }
            "replace" => {
                let [year, month, day] = args.bind(["year", "month", "day"], 0)?;
                let part = |value: Option<Value>, own: i64| value.map_or(Some(own), |value| value.as_i64());
                date_value(make_date([
                    part(year, self.0.year().into()),
                    part(month, self.0.month().into()),
                    part(day, self.0.day().into()),
                ])?)
            }
            _ => return found(date_method(self.0, method, midnight)),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Date>().map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.sign_minus() {
            return write!(f, "datetime.date({}, {}, {})", self.0.year(), self.0.month(), self.0.day());
        }
        f.write_str(&iso_date(self.0))
    }
}

impl Object for Time {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        time_field(self.0, key.as_str()?)
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Arguments::new(method, args)?;
        match method {
            "isoformat" => {
                let [spec] = args.bind(["timespec"], 0)?;
                let spec = spec.as_ref().and_then(|spec| spec.as_str()).unwrap_or("auto");
                Ok(Value::from(iso_time(self.0, spec)))
            }
            "strftime" => {
                let [format] = args.exactly()?;
                let day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default();
                let full = DateTime { local: day.and_time(self.0), zone: None };
                Ok(Value::from(strftime(&full, format.as_str().unwrap_or_default())))
            }
            _ => found(None),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Time>().map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.sign_minus() {
            return f.write_str(&iso_time(self.0, "auto"));
        }
        write!(f, "datetime.time({}, {}", self.0.hour(), self.0.minute())?;
        write_tail(f, self.0)?;
        f.write_str(")")
    }
}

impl Delta {
    /// A duration of some microseconds, if it is not longer than Python's.
    pub(super) fn of_micros(micros: f64) -> Result<Value, Error> {
        const LONGEST: f64 = 999_999_999.0 * 86_400.0 * 1e6;
        if micros.is_nan() || micros.abs() > LONGEST {
            return Err(raise_message("the timedelta is too long"));
        }
        Ok(Value::from_object(Delta(Duration::microseconds(micros.round_ties_even() as i64))))
    }

    fn micros(self) -> f64 {
        self.0.num_microseconds().unwrap_or(i64::MAX) as f64
    }

    /// Days, seconds and microseconds, of which only the days may be negative.
    fn parts(self) -> (i64, i64, i64) {
        let micros = self.0.num_microseconds().unwrap_or(i64::MAX);
        let seconds = micros.div_euclid(1_000_000);
        (seconds.div_euclid(86_400), seconds.rem_euclid(86_400), micros.rem_euclid(1_000_000))
    }
}

impl Object for Delta {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (days, seconds, micros) = self.parts();
        Some(match key.as_str()? {
            "days" => Value::from(days),
            "seconds" => Value::from(seconds),
            "microseconds" => Value::from(micros),
            _ => return None,
        })
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_zero()
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        _args: &[Value],
    ) -> Result<Value, Error> {
        found((method == "total_seconds").then(|| Value::from(self.micros() / 1e6)))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other.downcast_ref::<Delta>().map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds, micros) = self.parts();
        if f.sign_minus() {
            let parts = [("days", days), ("seconds", seconds), ("microseconds", micros)];
            let parts =
                parts.iter().filter(|(_, part)| *part != 0).map(|(name, part)| format!("{name}={part}"));
            let parts = parts.collect::<Vec<_>>().join(", ");
            return write!(f, "datetime.timedelta({})", if parts.is_empty() { "0" } else { &parts });
        }
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros > 0 {
            write!(f, ".{micros:06}")?;
        }
        Ok(())
    }
}

/// An arithmetic operation of which a side is a date, a datetime or a duration; `None` if there is no such
/// operation.
pub(crate) fn arithmetic(left: &Value, operator: &str, right: &Value) -> Option<Result<Value, Error>> {
    let delta = |value: &Value| value.downcast_object_ref::<Delta>().copied();
    if let Some(left) = left.downcast_object_ref::<DateTime>() {
        if let (Some(right), "-") = (right.downcast_object_ref::<DateTime>(), operator) {
            if left.zone.is_some() != right.zone.is_some() {
                let message = "can't subtract offset-naive and offset-aware datetimes";
                return Some(Err(raise_message(message)));
            }
            return Some(Ok(Value::from_object(Delta(left.utc() - right.utc()))));
        }
        return Some(
            shift(left.local, operator, delta(right)?)?
                .map(|local| Value::from_object(DateTime { local, zone: left.zone.clone() })),
        );
    }
    if let Some(left) = left.downcast_object_ref::<Date>() {
        if let (Some(right), "-") = (right.downcast_object_ref::<Date>(), operator) {
            return Some(Ok(Value::from_object(Delta(left.0 - right.0))));
        }
        let days = Delta(Duration::days(delta(right)?.parts().0));
        let shifted = shift(left.0.and_time(NaiveTime::MIN), operator, days)?;
        return Some(shifted.map(|local| date_value(local.date())));
    }
    let is_moment =
        right.downcast_object_ref::<DateTime>().is_some() || right.downcast_object_ref::<Date>().is_some();
    if delta(left).is_some() && operator == "+" && is_moment {
        return arithmetic(right, "+", left);
    }
    match (delta(left), delta(right)) {
        (Some(left), Some(right)) => between_deltas(left, operator, right),
        (Some(left), None) => {
            let factor = Number::of(right)?.as_f64();
            match operator {
                "*" => Some(Delta::of_micros(left.micros() * factor)),
                "/" | "//" if factor == 0.0 => Some(Err(raise_message("division by zero"))),
                "/" => Some(Delta::of_micros(left.micros() / factor)),
                "//" => Some(Delta::of_micros((left.micros() / factor).floor())),
                _ => None,
            }
        }
        (None, Some(delta)) if operator == "*" => {
            Some(Delta::of_micros(delta.micros() * Number::of(left)?.as_f64()))
        }
        _ => None,
    }
}

fn between_deltas(left: Delta, operator: &str, right: Delta) -> Option<Result<Value, Error>> {
    let zero = right.0.is_zero();
    match operator {
        "+" => Some(Delta::of_micros(left.micros() + right.micros())),
        "-" => Some(Delta::of_micros(left.micros() - right.micros())),
        "/" | "//" if zero => Some(Err(raise_message("division by zero"))),
        "/" => Some(Ok(Value::from(left.micros() / right.micros()))),
        "//" => Some(Ok(Value::from((left.micros() / right.micros()).floor() as i64))),
        _ => None,
    }
}

fn shift(local: NaiveDateTime, operator: &str, by: Delta) -> Option<Result<NaiveDateTime, Error>> {
    match operator {
        "+" => Some(in_range(local.checked_add_signed(by.0))),
        "-" => Some(in_range(local.checked_sub_signed(by.0))),
        _ => None,
    }
}

/// `-duration`
pub(crate) fn negate(value: &Value) -> Option<Value> {
    value.downcast_object_ref::<Delta>().map(|delta| Value::from_object(Delta(-delta.0)))
}

/// A date or datetime by a format specification; `None` for other values.
pub(crate) fn format(value: &Value, spec: &str) -> Option<Result<String, Error>> {
    if let Some(moment) = value.downcast_object_ref::<DateTime>() {
        return Some(Ok(strftime(moment, spec)));
    }
    let date = value.downcast_object_ref::<Date>()?;
    Some(Ok(strftime(&DateTime { local: date.0.and_time(NaiveTime::MIN), zone: None }, spec)))
}

/// What `isocalendar()` gives: a tuple whose parts have names.
#[derive(Debug)]
struct IsoCalendar([i32; 3]);

impl IsoCalendar {
    const NAMES: [&'static str; 3] = ["year", "week", "weekday"];
}

impl Object for IsoCalendar {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = match key.as_str() {
            Some(name) => IsoCalendar::NAMES.iter().position(|known| *known == name)?,
            None => key.as_usize()?,
        };
        self.0.get(index).copied().map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, week, weekday] = self.0;
        write!(f, "datetime.IsoCalendarDate(year={year}, week={week}, weekday={weekday})")
    }
}

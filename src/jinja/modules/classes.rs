//! The classes of `modules.datetime`: what makes dates, times and durations.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime as ChronoDateTime, Local, NaiveDateTime, NaiveTime, Utc};
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::date_format::{from_iso, iso_date_part, iso_time_part, strptime};
use super::dates::{
    Date, DateTime, Delta, Time, date_value, make_date, make_datetime, naive_datetime_value, time_value,
    truncated,
};
use super::zones::{Zone, ZoneValue, fixed_zone};
use crate::jinja::error::raise_message;
use crate::jinja::values::{Arguments, Dict, Number, check_defined, type_name};

/// The value `modules.datetime`.
pub fn datetime() -> Value {
    let classes = [Class::DateTime, Class::Date, Class::Time, Class::Delta, Class::Zone];
    let members = classes.map(|class| (Value::from(class.name()), Value::from_object(class)));
    Value::from_object(Dict::new(members))
}

/// A class: callable, with methods of its own.
#[derive(Debug, Clone, Copy)]
enum Class {
    DateTime,
    Date,
    Time,
    Delta,
    Zone,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::DateTime => "datetime",
            Class::Date => "date",
            Class::Time => "time",
            Class::Delta => "timedelta",
            Class::Zone => "timezone",
        }
    }

    fn make(self, args: &Arguments<'_>) -> Result<Value, Error> {
        match self {
            Class::DateTime => {
                let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"];
                let [year, month, day, hour, minute, second, micro, zone] = args.bind(names, 3)?;
                let [year, month, day] = [year, month, day].map(|part| part.and_then(|part| part.as_i64()));
                let [hour, minute, second, micro] =
                    [hour, minute, second, micro].map(|part| part.map_or(Some(0), |part| part.as_i64()));
                let local = make_datetime([year, month, day, hour, minute, second, micro])?;
                in_zone_of(local, zone)
            }
            Class::Date => {
                let parts = args.bind(["year", "month", "day"], 3)?;
                Ok(date_value(make_date(parts.map(|part| part.and_then(|part| part.as_i64())))?))
            }
            Class::Time => {
                let [hour, minute, second, micro] =
                    args.bind(["hour", "minute", "second", "microsecond"], 0)?;
                let [hour, minute, second, micro] =
                    [hour, minute, second, micro].map(|part| part.map_or(Some(0), |part| part.as_i64()));
                let local = make_datetime([Some(1900), Some(1), Some(1), hour, minute, second, micro])?;
                Ok(time_value(local.time()))
            }
            Class::Delta => delta(args),
            Class::Zone => fixed_zone(args),
        }
    }

    fn method(self, name: &str, args: &Arguments<'_>) -> Result<Value, Error> {
        Ok(match (self, name) {
            (Class::DateTime, "now") => {
                let [zone] = args.bind(["tz"], 0)?;
                match zone.filter(|zone| !zone.is_none()) {
                    Some(zone) => in_zone(Utc::now().naive_utc(), &ZoneValue::of(&zone)?)?,
                    None => naive_datetime_value(Local::now().naive_local()),
                }
            }
            (Class::DateTime, "utcnow") => naive_datetime_value(Utc::now().naive_utc()),
            (Class::DateTime, "today") => naive_datetime_value(Local::now().naive_local()),
            (Class::Date, "today") => date_value(Local::now().date_naive()),
            (Class::DateTime, "strptime") => {
                let [text, format] = args.exactly()?;
                let (text, format) = (string(&text)?.to_owned(), string(&format)?.to_owned());
                Value::from_object(strptime(&text, &format)?)
            }
            (_, "fromisoformat") => self.parse_iso(args)?,
            (Class::DateTime, "fromtimestamp" | "utcfromtimestamp") => {
                let [seconds, zone] = args.bind(["timestamp", "tz"], 1)?;
                let utc = from_timestamp(&seconds.unwrap_or_default())?;
                match zone.filter(|zone| !zone.is_none()) {
                    Some(zone) => in_zone(utc, &ZoneValue::of(&zone)?)?,
                    None if name == "fromtimestamp" => naive_datetime_value(local_of(utc)),
                    None => naive_datetime_value(utc),
                }
            }
            (Class::Date, "fromtimestamp") => {
                let [seconds] = args.exactly()?;
                date_value(local_of(from_timestamp(&seconds)?).date())
            }
            (Class::DateTime, "combine") => {
                let [date, time] = args.exactly()?;
                let date = match (date.downcast_object_ref::<Date>(), date.downcast_object_ref::<DateTime>())
                {
                    (Some(date), _) => date.0,
                    (None, Some(moment)) => moment.local.date(),
                    _ => return Err(raise_message("combine() needs a date and a time")),
                };
                let time = time.downcast_object_ref::<Time>();
                let time = time.ok_or_else(|| raise_message("combine() needs a date and a time"))?;
                naive_datetime_value(date.and_time(time.0))
            }
            (Class::Date | Class::DateTime, "fromordinal") => {
                let [days] = args.exactly()?;
                let days = days.as_i64().and_then(|days| i32::try_from(days).ok());
                let date = days.and_then(chrono::NaiveDate::from_num_days_from_ce_opt);
                let date = date.ok_or_else(|| raise_message("ordinal out of range"))?;
                match self {
                    Class::Date => date_value(date),
                    _ => naive_datetime_value(date.and_time(NaiveTime::MIN)),
                }
            }
            // Methods of the instances, called on the class: `datetime.strftime(moment, '%Y')`.
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        })
    }

    fn parse_iso(self, args: &Arguments<'_>) -> Result<Value, Error> {
        let [text] = args.exactly()?;
        let text = string(&text)?;
        let invalid = || raise_message(format!("Invalid isoformat string: '{text}'"));
        Ok(match self {
            Class::DateTime => Value::from_object(from_iso(text)?),
            Class::Date => date_value(iso_date_part(text).ok_or_else(invalid)?),
            Class::Time => time_value(iso_time_part(text).ok_or_else(invalid)?),
            Class::Delta | Class::Zone => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        })
    }
}

fn string(value: &Value) -> Result<&str, Error> {
    check_defined(&[value])?;
    let name = type_name(value);
    value.as_str().ok_or_else(|| raise_message(format!("argument must be str, not {name}")))
}

/// A moment of UTC in a zone.
fn in_zone(utc: NaiveDateTime, zone: &Zone) -> Result<Value, Error> {
    let moment = DateTime { local: truncated(utc), zone: Some((Zone::Utc, 0)) };
    Ok(Value::from_object(moment.in_zone(zone)?))
}

/// A local time, in a zone if one is given.
fn in_zone_of(local: NaiveDateTime, zone: Option<Value>) -> Result<Value, Error> {
    match zone.filter(|zone| !zone.is_none()) {
        Some(zone) => Ok(Value::from_object(ZoneValue::of(&zone)?.attach_unadjusted(local))),
        None => Ok(naive_datetime_value(local)),
    }
}

fn local_of(utc: NaiveDateTime) -> NaiveDateTime {
    utc.and_utc().with_timezone(&Local).naive_local()
}

fn from_timestamp(seconds: &Value) -> Result<NaiveDateTime, Error> {
    let seconds = Number::of(seconds).map(Number::as_f64);
    let micros = seconds.map(|seconds| (seconds * 1e6).round()).filter(|micros| micros.abs() < 9e18);
    let moment = micros.and_then(|micros| ChronoDateTime::from_timestamp_micros(micros as i64));
    moment.map(|moment| moment.naive_utc()).ok_or_else(|| raise_message("timestamp out of range"))
}

/// `timedelta(days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0)`
fn delta(args: &Arguments<'_>) -> Result<Value, Error> {
    let names = ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"];
    let sizes = [86_400e6, 1e6, 1.0, 1e3, 60e6, 3600e6, 7.0 * 86_400e6];
    let mut micros = 0.0;
    for ((value, size), name) in args.bind(names, 0)?.into_iter().zip(sizes).zip(names) {
        let Some(value) = value else { continue };
        check_defined(&[&value])?;
        let number = Number::of(&value).ok_or_else(|| {
            let type_ = type_name(&value);
            raise_message(format!("unsupported type for timedelta {name} component: {type_}"))
        })?;
        micros += number.as_f64() * size;
    }
    Delta::of_micros(micros)
}

/// The methods of classes, which are values as well: `try_or_compiler_error(…, modules.datetime.datetime.strptime, …)`.
const METHODS: [&str; 9] = [
    "now",
    "utcnow",
    "today",
    "strptime",
    "fromisoformat",
    "fromtimestamp",
    "utcfromtimestamp",
    "combine",
    "fromordinal",
];

/// A method of a class, taken from it and not yet called.
#[derive(Debug)]
struct BoundMethod {
    class: Class,
    method: &'static str,
}

impl Object for BoundMethod {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.class.method(self.method, &Arguments::new(self.method, args)?)
    }
}

impl Object for Class {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let limit = |year, month, day, time: NaiveTime| {
            chrono::NaiveDate::from_ymd_opt(year, month, day).map(|date| match **self {
                Class::Date => date_value(date),
                _ => naive_datetime_value(date.and_time(time)),
            })
        };
        let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999)?;
        match (**self, key.as_str()?) {
            (Class::DateTime | Class::Date, "min") => limit(1, 1, 1, NaiveTime::MIN),
            (Class::DateTime | Class::Date, "max") => limit(9999, 12, 31, last),
            (Class::Time, "min") => Some(time_value(NaiveTime::MIN)),
            (Class::Time, "max") => Some(time_value(last)),
            (Class::Zone, "utc") => Some(Value::from_object(ZoneValue(Zone::Utc))),
            (class, name) => METHODS
                .iter()
                .find(|known| **known == name)
                .map(|method| Value::from_object(BoundMethod { class, method })),
        }
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.make(&Arguments::new(self.name(), args)?)
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match self.method(method, &Arguments::new(method, args)?) {
            Err(error) if error.kind() == minijinja::ErrorKind::UnknownMethod => match args {
                [instance, rest @ ..] if instance.as_object().is_some() => {
                    instance.call_method(state, method, rest)
                }
                _ => Err(error),
            },
            result => result,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<class 'datetime.{}'>", self.name())
    }
}

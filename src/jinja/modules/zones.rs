//! Time zones: `modules.pytz` and `datetime.timezone`.

use std::fmt;
use std::sync::Arc;

use chrono::{Duration, FixedOffset, Local, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use super::date_format::offset_text;
use super::dates::{DateTime, Delta};
use crate::jinja::error::raise_message;
use crate::jinja::values::{Arguments, Dict, function, list, type_name};
use crate::text::nearest;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    Utc,
    /// A fixed offset in seconds.
    Fixed(i32),
    Named(Tz),
}

impl Zone {
    /// The zone of a fixed offset in seconds.
    pub fn of_offset(offset: i32) -> Zone {
        if offset == 0 { Zone::Utc } else { Zone::Fixed(offset) }
    }

    /// The zone of this machine, as the offset it has now.
    pub fn local() -> Zone {
        Zone::of_offset(Local::now().offset().fix().local_minus_utc())
    }

    /// The zone's offset at a moment of UTC.
    pub fn offset_at_utc(&self, utc: NaiveDateTime) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Fixed(offset) => *offset,
            Zone::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
        }
    }

    /// A local time in this zone. Of the two moments that a clock shows twice it is the later one; a time that
    /// the clock skips counts by the offset before the gap.
    pub fn attach(&self, local: NaiveDateTime) -> DateTime {
        let offset = match self {
            Zone::Named(zone) => match zone.offset_from_local_datetime(&local).latest() {
                Some(offset) => offset.fix().local_minus_utc(),
                None => {
                    let before = local.checked_sub_signed(Duration::hours(3)).unwrap_or(local);
                    self.offset_at_utc(before)
                }
            },
            zone => zone.offset_at_utc(local),
        };
        DateTime { local, zone: Some((self.clone(), offset)) }
    }

    /// A local time with this zone put beside it unasked, as `tzinfo=` does: a zone by name then stands for its
    /// first offset, the local mean time in whole minutes, which is what pytz is known (and feared) for.
    pub fn attach_unadjusted(&self, local: NaiveDateTime) -> DateTime {
        match self {
            Zone::Named(_) => {
                let mean_time = self.offset_at_utc(NaiveDateTime::MIN);
                let offset = (mean_time + 30).div_euclid(60) * 60;
                DateTime { local, zone: Some((self.clone(), offset)) }
            }
            zone => zone.attach(local),
        }
    }

    /// What the zone's time is called at a moment of UTC, such as `CET`.
    pub fn abbreviation(&self, utc: NaiveDateTime) -> String {
        match self {
            Zone::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&utc);
                let numeric = || offset_text(offset.fix().local_minus_utc(), "");
                offset.abbreviation().map_or_else(numeric, str::to_owned)
            }
            zone => zone.name(),
        }
    }

    fn name(&self) -> String {
        match self {
            Zone::Utc => "UTC".into(),
            Zone::Fixed(offset) => format!("UTC{}", offset_text(*offset, ":")),
            Zone::Named(zone) => zone.name().into(),
        }
    }

    /// Python's `repr()`.
    pub fn repr(&self) -> String {
        match self {
            Zone::Utc => "<UTC>".into(),
            Zone::Fixed(offset) => {
                let delta = Value::from_object(Delta(Duration::seconds((*offset).into())));
                format!("datetime.timezone({delta:-?})")
            }
            Zone::Named(zone) => format!("<DstTzInfo '{}'>", zone.name()),
        }
    }
}

/// A time zone as a value.
#[derive(Debug)]
pub struct ZoneValue(pub Zone);

impl ZoneValue {
    /// The zone that a value is.
    ///
    /// Errors: it is none.
    pub fn of(value: &Value) -> Result<Zone, Error> {
        match value.downcast_object_ref::<ZoneValue>() {
            Some(zone) => Ok(zone.0.clone()),
            None => {
                let name = type_name(value);
                let message =
                    format!("tzinfo argument must be None or of a tzinfo subclass, not type '{name}'");
                Err(raise_message(message))
            }
        }
    }

    fn moment(args: &Arguments<'_>) -> Result<DateTime, Error> {
        let [moment, _is_dst] = args.bind(["dt", "is_dst"], 1)?;
        let moment = moment.unwrap_or_default();
        let moment = moment.downcast_object_ref::<DateTime>().cloned();
        moment.ok_or_else(|| raise_message("a datetime is needed here"))
    }
}

impl Object for ZoneValue {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == "zone").then(|| Value::from(self.0.name()))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Arguments::new(method, args)?;
        Ok(match method {
            "localize" => {
                let moment = ZoneValue::moment(&args)?;
                if moment.zone.is_some() {
                    return Err(raise_message("Not naive datetime (tzinfo is already set)"));
                }
                Value::from_object(self.0.attach(moment.local))
            }
            "normalize" => Value::from_object(ZoneValue::moment(&args)?.in_zone(&self.0)?),
            "utcoffset" | "dst" => {
                let offset =
                    self.0.attach(ZoneValue::moment(&args)?.local).zone.map_or(0, |(_, offset)| offset);
                Value::from_object(Delta(Duration::seconds(offset.into())))
            }
            "tzname" => {
                let moment = self.0.attach(ZoneValue::moment(&args)?.local);
                Value::from(self.0.abbreviation(moment.utc()))
            }
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &minijinja::value::DynObject) -> Option<std::cmp::Ordering> {
        other.downcast_ref::<ZoneValue>().map(|other| self.0.name().cmp(&other.0.name()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.sign_minus() { f.write_str(&self.0.repr()) } else { f.write_str(&self.0.name()) }
    }
}

/// The zone of a name, in any case.
fn named_zone(name: &str) -> Result<Zone, Error> {
    if name.eq_ignore_ascii_case("utc") {
        return Ok(Zone::Utc);
    }
    let known = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name));
    if let Some(zone) = known {
        return Ok(Zone::Named(*zone));
    }
    let similar = nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    let hint = similar.map_or_else(String::new, |similar| format!("; did you mean '{similar}'?"));
    Err(raise_message(format!("unknown time zone '{name}'{hint}")))
}

/// The value `modules.pytz`.
pub fn pytz() -> Value {
    let utc = || Value::from_object(ZoneValue(Zone::Utc));
    let timezone = function("timezone", |_, args| {
        let [name] = args.exactly()?;
        let name = name.as_str().ok_or_else(|| raise_message("the name of a time zone is a string"))?;
        Ok(Value::from_object(ZoneValue(named_zone(name)?)))
    });
    let fixed = function("FixedOffset", |_, args| {
        let [minutes] = args.exactly()?;
        let minutes = minutes.as_i64().filter(|minutes| minutes.abs() < 1440);
        let minutes =
            minutes.ok_or_else(|| raise_message("the offset is a number of minutes below a day"))?;
        Ok(Value::from_object(ZoneValue(Zone::of_offset(minutes as i32 * 60))))
    });
    let all = || list(chrono_tz::TZ_VARIANTS.iter().map(|zone| Value::from(zone.name())).collect());
    let members = [
        ("timezone", timezone),
        ("utc", utc()),
        ("UTC", utc()),
        ("FixedOffset", fixed),
        ("all_timezones", all()),
        ("common_timezones", all()),
    ];
    Value::from_object(Dict::new(members.map(|(name, value)| (Value::from(name), value))))
}

/// `datetime.timezone(offset)`
pub fn fixed_zone(args: &Arguments<'_>) -> Result<Value, Error> {
    let [offset, _name] = args.bind(["offset", "name"], 1)?;
    let offset = offset.unwrap_or_default();
    let Some(Delta(offset)) = offset.downcast_object_ref::<Delta>() else {
        return Err(raise_message("the offset of a timezone is a timedelta"));
    };
    let seconds = offset.num_seconds();
    let valid = i32::try_from(seconds).ok().filter(|seconds| FixedOffset::east_opt(*seconds).is_some());
    let seconds = valid.ok_or_else(|| raise_message("offset must be a timedelta within a day"))?;
    Ok(Value::from_object(ZoneValue(Zone::of_offset(seconds))))
}

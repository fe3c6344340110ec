//! How fast, how often and how long: the settings of a client, and the rules of its retries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::error::{Error, Result};

/// `limits:` of an extractor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// At most so many requests …
    pub requests: usize,
    /// … in any stretch of this many seconds.
    pub per_seconds: f64,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// How often a request is made at most, the first time included.
    pub attempts: u32,
    /// The longest pause that the server may ask for with `Retry-After`; after a longer one the extraction stops.
    pub max_wait_seconds: f64,
    pub connect_timeout_seconds: f64,
    /// From the request to the end of the answer.
    pub timeout_seconds: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            requests: 150,
            per_seconds: 30.0,
            concurrency: 32,
            attempts: 10,
            max_wait_seconds: 120.0,
            connect_timeout_seconds: 5.0,
            timeout_seconds: 20.0,
        }
    }
}

/// The wait before the second attempt is between half of this and all of it; each further one is twice as long.
const FIRST_WAIT: f64 = 0.4;
/// Up to this.
const LONGEST_WAIT: f64 = 8.0;

impl Limits {
    /// Refuses settings with which nothing could be fetched.
    ///
    /// # Errors
    /// Names the setting.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("requests", self.requests),
            ("concurrency", self.concurrency),
            ("attempts", self.attempts as usize),
        ];
        let times = [
            ("per_seconds", self.per_seconds),
            ("max_wait_seconds", self.max_wait_seconds),
            ("connect_timeout_seconds", self.connect_timeout_seconds),
            ("timeout_seconds", self.timeout_seconds),
        ];
        let bad_count = counts.iter().find(|(_, count)| *count == 0).map(|(name, _)| name);
        let is_time = |time: f64| time > 0.0 && time <= 86_400.0;
        match bad_count.or_else(|| times.iter().find(|(_, time)| !is_time(*time)).map(|(name, _)| name)) {
            Some(name) => Err(Error::parsing(format!("`limits.{name}` of the extractor cannot be used"))
                .help("counts begin at 1; times are seconds above 0, a day at most")),
            None => Ok(()),
        }
    }

    /// Reads `100/1s` or `100/1` as the number of requests and their seconds.
    ///
    /// # Errors
    /// Any other text; `origin` says where it stands.
    pub fn set_rate(&mut self, text: &str, origin: &str) -> Result<()> {
        let parsed = text.split_once('/').and_then(|(requests, seconds)| {
            let seconds = seconds.trim().trim_end_matches('s');
            Some((requests.trim().parse().ok()?, seconds.parse().ok()?))
        });
        let Some((requests, per_seconds)) = parsed else {
            return Err(Error::runtime(format!("{origin} is '{text}', which is no rate"))
                .help("write the requests and their seconds, such as 100/30s"));
        };
        (self.requests, self.per_seconds) = (requests, per_seconds);
        self.check()
    }

    /// How long to wait after failures in a row: exponential, with jitter, so that requests that failed together do not
    /// come back together.
    pub fn backoff(&self, failures: u32) -> Duration {
        let doubled = FIRST_WAIT * f64::from(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
        let longest = doubled.min(LONGEST_WAIT);
        Duration::from_secs_f64(longest * (0.5 + 0.5 * fastrand::f64()))
    }

    /// The longest pause that a server may ask for.
    pub fn max_wait(&self) -> Duration {
        Duration::from_secs_f64(self.max_wait_seconds)
    }
}

/// The pause that a `Retry-After` header asks for: seconds or a date (RFC 9110, 10.2.3).
pub fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = DateTime::parse_from_rfc2822(header).ok()?;
    Some((date.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_vary() {
        let limits = Limits::default();
        for (failures, longest) in [(1, 0.4), (2, 0.8), (5, 6.4), (6, 8.0), (40, 8.0)] {
            let wait = limits.backoff(failures).as_secs_f64();
            assert!(wait <= longest && wait >= longest / 2.0, "{failures}: {wait}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-01-02T10:00:00Z".parse().expect("a moment");
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Fri, 02 Jan 2026 10:01:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Fri, 02 Jan 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }

    #[test]
    fn rates_are_requests_and_seconds() {
        let mut limits = Limits::default();
        limits.set_rate("100/1s", "X").expect("a rate");
        assert_eq!((limits.requests, limits.per_seconds), (100, 1.0));
        for wrong in ["100", "0/1s", "a/b", "1/0"] {
            assert!(limits.set_rate(wrong, "X").is_err(), "{wrong}");
        }
    }
}

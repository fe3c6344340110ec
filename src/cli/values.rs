//! Words of the command line and the environment, made into values of the kind their option takes.

use std::path::Path;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::cli::options::{Kind, Opt};
use crate::flags::{Notice, WarnErrorOptions};
use crate::project::yaml::{self, YamlValue};

/// The value of an option that is given these words; for options that take nothing, `["true"]` or `["false"]`.
///
/// Fails with what is wrong about them, in words that go behind `Invalid value for '--x': `.
pub fn convert(opt: &Opt, words: &[String], notices: &mut Vec<Notice>) -> Result<Value, String> {
    let word = words.last().map(String::as_str).unwrap_or_default();
    match opt.kind {
        Kind::Switch | Kind::Toggle(_) => boolean(word).map(Value::Bool),
        Kind::Text | Kind::Path => Ok(json!(word)),
        Kind::Integer => word
            .trim()
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| format!("'{word}' is not a valid integer.")),
        Kind::Count => match word.trim().parse::<i64>() {
            Ok(number) if number < 0 => Err(format!("{number} is not in the range x>=0.")),
            Ok(number) => Ok(Value::from(number)),
            Err(_) => Err(format!("'{word}' is not a valid integer.")),
        },
        Kind::ExistingPath => {
            if Path::new(word).exists() {
                Ok(json!(word))
            } else {
                Err(format!("Path '{word}' does not exist."))
            }
        }
        Kind::AbsolutePath => match std::path::absolute(word) {
            Ok(path) => Ok(json!(path)),
            Err(error) => Err(format!("'{word}' is not a path: {error}.")),
        },
        Kind::Choice(choices) => choice(word, choices).map(Value::from),
        // An empty text is kept: `--select ""`, as a script with an empty variable has it, selects nothing.
        Kind::Words if words.iter().all(|word| word.trim().is_empty()) => Ok(json!([""])),
        Kind::Words => Ok(json!(split(words))),
        Kind::Choices(choices) => {
            split(words).iter().map(|word| choice(word, choices).map(Value::from)).collect()
        }
        Kind::Yaml => mapping(opt, word),
        Kind::WarnErrorOptions => {
            let options = WarnErrorOptions::from_value(&mapping(opt, word)?, notices)
                .map_err(|error| error.message().to_owned())?;
            Ok(json!(options))
        }
        Kind::Date => match NaiveDate::parse_from_str(word, "%Y-%m-%d") {
            Ok(day) => Ok(json!(day)),
            Err(_) => Err(format!("'{word}' is not a day: write it as 2026-01-31.")),
        },
        Kind::DateTime => date_time(word).map(|time| json!(time)),
        Kind::Sample => sample(opt, word, Utc::now()),
        Kind::Package => {
            let (name, version) = match word.split_once('@') {
                Some((name, version)) if !version.contains('@') => (name, Some(version)),
                _ => (word, None),
            };
            Ok(json!({"name": name, "version": version}))
        }
    }
}

fn boolean(word: &str) -> Result<bool, String> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err(format!("'{word}' is not a valid boolean: use 1 or 0.")),
    }
}

/// dbt takes several words in one argument, too: `--select "a b"`.
fn split(words: &[String]) -> Vec<&str> {
    words.iter().flat_map(|word| word.split(' ')).filter(|word| !word.is_empty()).collect()
}

fn choice(word: &str, choices: &[&'static str]) -> Result<&'static str, String> {
    choices.iter().find(|choice| choice.eq_ignore_ascii_case(word)).copied().ok_or_else(|| {
        let choices: Vec<_> = choices.iter().map(|choice| format!("'{choice}'")).collect();
        format!("'{word}' is not one of {}.", choices.join(", "))
    })
}

fn mapping(opt: &Opt, text: &str) -> Result<Value, String> {
    let example = match opt.name {
        "vars" => "--vars '{load_date: 2024-05-01}'",
        "args" => "--args '{role: reporter}'",
        "warn_error_options" => "--warn-error-options '{error: all}'",
        "sample" => "--sample '{start: 2024-05-01, end: 2024-05-03}'",
        _ => "'{key: value}'",
    };
    let invalid = |reason: String| {
        format!(
            "String '{text}' is not valid YAML\n  The YAML provided in the --{} argument is not valid: {reason}\n  \
             It takes a mapping, for example {example}",
            opt.long
        )
    };
    let tree = yaml::parse(text, Path::new("")).map_err(|error| invalid(error.message().to_owned()))?;
    match tree.value {
        YamlValue::Map(_) => Ok(tree.to_json()),
        _ => Err(invalid(format!("it is {}, not a mapping.", tree.kind()))),
    }
}

fn date_time(word: &str) -> Result<NaiveDateTime, String> {
    let day = NaiveDate::parse_from_str(word, "%Y-%m-%d").map(NaiveDateTime::from);
    day.or_else(|_| NaiveDateTime::parse_from_str(word, "%Y-%m-%dT%H:%M:%S"))
        .or_else(|_| NaiveDateTime::parse_from_str(word, "%Y-%m-%d %H:%M:%S"))
        .map_err(|_| {
            format!(
                "'{word}' does not match the formats '%Y-%m-%d', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%d %H:%M:%S'."
            )
        })
}

fn sample(opt: &Opt, text: &str, now: DateTime<Utc>) -> Result<Value, String> {
    if !text.trim_start().starts_with('{') {
        return lookback(text, now).map(|start| json!({"start": start, "end": now}));
    }
    let window = mapping(opt, text)?;
    let time = |key: &str| {
        let text = window.get(key).and_then(Value::as_str).ok_or_else(|| format!("{key} is missing"))?;
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(time.to_utc()),
            Err(_) => date_time(text).map(|time| time.and_utc()),
        }
    };
    Ok(json!({"start": time("start")?, "end": time("end")?}))
}

/// `3 days` before now.
fn lookback(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let Some((count, grain)) = text.split_once(' ').filter(|(_, grain)| !grain.contains(' ')) else {
        return Err(format!(
            "Cannot load SAMPLE_WINDOW from '{text}'. Must be of form 'DAYS_INT GRAIN_SIZE', for example '3 days'."
        ));
    };
    let count: u32 = count.parse().map_err(|_| format!("Unable to convert '{count}' to an integer."))?;
    let start = match grain.to_ascii_lowercase().trim_end_matches('s') {
        "hour" => now.checked_sub_signed(TimeDelta::hours(count.into())),
        "day" => now.checked_sub_days(Days::new(count.into())),
        "month" => now.checked_sub_months(Months::new(count)),
        "year" => now.checked_sub_months(Months::new(count.saturating_mul(12))),
        _ => {
            return Err(format!("Invalid grain size '{grain}'. Must be one of hours, days, months, years."));
        }
    };
    start.ok_or_else(|| format!("'{text}' reaches too far back."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options;

    fn value(opt: &Opt, words: &[&str]) -> Result<Value, String> {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        convert(opt, &words, &mut Vec::new())
    }

    #[test]
    fn words_become_values() {
        let cases: &[(&Opt, &[&str], Value)] = &[
            (&options::DEBUG, &["True"], json!(true)),
            (&options::DEBUG, &["0"], json!(false)),
            (&options::THREADS, &["4"], json!(4)),
            (&options::LIMIT, &["-1"], json!(-1)),
            (&options::SELECT, &["a b", "+c"], json!(["a", "b", "+c"])),
            (&options::SELECT, &[""], json!([""])),
            (&options::LOG_LEVEL, &["DEBUG"], json!("debug")),
            (&options::RESOURCE_TYPES, &["model", "Test"], json!(["model", "test"])),
            (
                &options::VARS,
                &["{a: 1, b: yes, d: 2024-05-01}"],
                json!({"a": 1, "b": true, "d": "2024-05-01"}),
            ),
            (&options::VARS, &["a: 1"], json!({"a": 1})),
            (&options::ADD_PACKAGE, &["x/y@1.2"], json!({"name": "x/y", "version": "1.2"})),
            (&options::ADD_PACKAGE, &["../local"], json!({"name": "../local", "version": null})),
            (&options::EVENT_TIME_START, &["2024-05-01"], json!("2024-05-01T00:00:00")),
            (&options::EVENT_TIME_START, &["2024-05-01 10:20:30"], json!("2024-05-01T10:20:30")),
            (
                &options::SAMPLE,
                &["{start: 2024-05-01, end: '2024-05-02 10:00:00'}"],
                json!({"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T10:00:00Z"}),
            ),
        ];
        for (opt, words, expected) in cases {
            assert_eq!(value(opt, words).as_ref(), Ok(expected), "--{} {words:?}", opt.long);
        }
    }

    #[test]
    fn wrong_words_are_told() {
        let cases: &[(&Opt, &str, &str)] = &[
            (&options::THREADS, "x", "'x' is not a valid integer."),
            (&options::THREADS, "-1", "-1 is not in the range x>=0."),
            (&options::LOG_LEVEL, "loud", "'loud' is not one of 'debug', 'info', 'warn', 'error', 'none'."),
            (&options::VARS, "a", "it is a string, not a mapping"),
            (&options::VARS, "{a: ", "is not valid YAML"),
            (&options::EVENT_TIME_START, "2024-13-01", "does not match the formats"),
            (&options::SAMPLE, "foo", "Cannot load SAMPLE_WINDOW from 'foo'"),
            (&options::SAMPLE, "1 moon", "Invalid grain size 'moon'"),
            (&options::PROJECT_DIR, "/no/such/folder", "does not exist"),
        ];
        for (opt, word, expected) in cases {
            let message = value(opt, &[word]).unwrap_err();
            assert!(message.contains(expected), "--{} {word}: {message}", opt.long);
        }
    }

    #[test]
    fn a_lookback_reaches_back() {
        let now = "2024-03-31T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("1 month", "2024-02-29T12:00:00Z"),
            ("3 days", "2024-03-28T12:00:00Z"),
            ("2 Hours", "2024-03-31T10:00:00Z"),
            ("1 year", "2023-03-31T12:00:00Z"),
        ] {
            assert_eq!(lookback(text, now), Ok(expected.parse().unwrap()), "{text}");
        }
    }
}

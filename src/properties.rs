//! What the property tests of the parsers share: texts made of a language's own words, and the search for one that
//! breaks a rule.
//!
//! The search is the same on each run. `PROPTEST_CASES=100000 cargo test properties` looks further.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

/// Searches for a value for which a property panics, and tells of the smallest one.
pub fn hold<S: Strategy>(values: S, property: impl Fn(S::Value)) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let outcome = runner.run(&values, |value| {
        catch_unwind(AssertUnwindSafe(|| property(value))).map_err(|panic| {
            let told = panic.downcast_ref::<String>().cloned();
            let told = told.or_else(|| panic.downcast_ref::<&str>().map(|&told| told.to_owned()));
            TestCaseError::fail(told.unwrap_or_default())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// Texts of these words, with characters of all kinds between them and now and then a word many times over.
pub fn texts(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let part = prop_oneof![
        24 => select(words).prop_map(str::to_owned),
        2 => select(&["\0", "\u{feff}", "\r\n", "\r", "\u{2028}", "\u{a0}", "é", "🦆", "e\u{301}"][..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => (select(words), 1..400_usize).prop_map(|(word, times)| word.repeat(times)),
    ];
    vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// Whether a place (both from 1) is one of a text, or right behind one of its lines.
pub fn is_within(text: &str, line: usize, column: usize) -> bool {
    let width = text.split('\n').nth(line.wrapping_sub(1)).map(|line| line.chars().count());
    width.is_some_and(|width| (1..=width + 1).contains(&column))
}

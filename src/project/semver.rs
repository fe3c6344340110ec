//! Version requirements as dbt writes them: `>=1.3.0`, `<2.0.0`, `=1.0.0-rc1`.

use std::cmp::Ordering;
use std::fmt;

/// The version of dbt that rbt stands for.
pub const DBT_VERSION: &str = "1.11.16";

/// A version: three numbers and perhaps a pre-release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    prerelease: Option<String>,
}

impl Version {
    /// Reads `1.2.3`, `1.2.3-rc1`, `1.2.3rc1` or `1.2.3+build`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Version> {
        let (text, build) = text.split_once('+').unwrap_or((text, ""));
        let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let digits_end = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number = |text: &str| {
            let has_leading_zero = text.len() > 1 && text.starts_with('0');
            if has_leading_zero { None } else { text.parse::<u64>().ok() }
        };
        let (major, rest) = text.split_once('.')?;
        let (minor, rest) = rest.split_once('.')?;
        let (patch, rest) = rest.split_at(digits_end(rest));
        let prerelease = rest.strip_prefix('-').unwrap_or(rest);
        if !is_word(prerelease) || !is_word(build) {
            return None;
        }
        let prerelease = (!prerelease.is_empty()).then(|| prerelease.to_owned());
        Some(Version { numbers: [number(major)?, number(minor)?, number(patch)?], prerelease })
    }

    /// Whether this is a version before a release.
    pub fn is_prerelease(&self) -> bool {
        self.prerelease.is_some()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        match &self.prerelease {
            Some(prerelease) => write!(f, "-{prerelease}"),
            None => Ok(()),
        }
    }
}

/// Parts of a pre-release compare as numbers where both are, and numbers come before words.
fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let parts = a.split('.').zip(b.split('.')).map(|(a, b)| match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    });
    parts
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.split('.').count().cmp(&b.split('.').count()))
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (&self.prerelease, &other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_prereleases(a, b),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matcher {
    Exact,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One bound on versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSpec {
    matcher: Matcher,
    version: Version,
}

impl VersionSpec {
    /// Reads a bound; a bare version stands for exactly that one.
    pub fn parse(text: &str) -> Option<VersionSpec> {
        let text = text.trim();
        let (matcher, version) = [
            (">=", Matcher::GreaterOrEqual),
            ("<=", Matcher::LessOrEqual),
            (">", Matcher::Greater),
            ("<", Matcher::Less),
            ("=", Matcher::Exact),
        ]
        .into_iter()
        .find_map(|(sign, matcher)| Some((matcher, text.strip_prefix(sign)?)))
        .unwrap_or((Matcher::Exact, text));
        Some(VersionSpec { matcher, version: Version::parse(version.trim_start())? })
    }

    /// Whether the bound itself is a version before a release.
    pub fn is_prerelease(&self) -> bool {
        self.version.is_prerelease()
    }

    /// Whether a version is within the bound. Pre-releases of an excluded upper bound are outside too.
    pub fn allows(&self, version: &Version) -> bool {
        match (self.matcher, version.cmp(&self.version)) {
            (Matcher::Exact, order) => order.is_eq(),
            (Matcher::GreaterOrEqual, order) => order.is_ge(),
            (Matcher::Greater, order) => order.is_gt(),
            (Matcher::LessOrEqual, order) => order.is_le(),
            (Matcher::Less, order) => {
                let is_its_prerelease = version.is_prerelease()
                    && !self.version.is_prerelease()
                    && version.numbers == self.version.numbers;
                order.is_lt() && !is_its_prerelease
            }
        }
    }
}

impl fmt::Display for VersionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.matcher {
            Matcher::Exact => "=",
            Matcher::Less => "<",
            Matcher::LessOrEqual => "<=",
            Matcher::Greater => ">",
            Matcher::GreaterOrEqual => ">=",
        };
        write!(f, "{sign}{}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::{hold, texts};

    fn version(text: &str) -> Version {
        Version::parse(text).expect(text)
    }

    #[test]
    fn versions_are_ordered() {
        let ordered =
            ["0.9.9", "1.0.0-a.1", "1.0.0-a.2", "1.0.0-a.b", "1.0.0-rc1", "1.0.0", "1.2.0", "1.10.0"];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        for wrong in ["", "1", "1.0", "1.0.x", "01.0.0", "1.0.0-ä", "v1.0.0", "1.0.0 "] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bounds_allow_what_they_say() {
        let cases = [
            (">=1.0.0", "1.0.0", true),
            (">1.0.0", "1.0.0", false),
            ("<2.0.0", "1.11.16", true),
            ("<2.0.0", "2.0.0", false),
            ("<2.0.0", "2.0.0-rc1", false),
            ("<=1.11.16", DBT_VERSION, true),
            ("1.0.0", "1.0.0", true),
            ("=1.0.0", "1.0.1", false),
            (" >= 1.0.0", "1.0.0-rc1", false),
        ];
        for (spec, text, expected) in cases {
            let spec = VersionSpec::parse(spec).expect(spec);
            assert_eq!(spec.allows(&version(text)), expected, "{spec} {text}");
        }
        assert_eq!(VersionSpec::parse("~1.0"), None);
    }

    const WORDS: &[&str] = &[
        "0", "1", "2", "01", "9", "10", "1.0.0", "1.0.0-", ".", "-", "+", "rc1", "a", "rc", "b", ">=", "<",
        "=", " ",
    ];

    fn versions() -> impl Strategy<Value = Option<Version>> {
        texts(WORDS)
            .prop_map(|text| Version::parse(&format!("1.0.0{text}")).or_else(|| Version::parse(&text)))
    }

    #[test]
    fn what_is_read_is_written_and_read_again() {
        hold(texts(WORDS), |text| {
            if let Some(version) = Version::parse(&text) {
                assert_eq!(Version::parse(&version.to_string()), Some(version));
            }
            if let Some(spec) = VersionSpec::parse(&text) {
                assert_eq!(VersionSpec::parse(&spec.to_string()), Some(spec));
            }
        });
    }

    #[test]
    fn versions_have_one_order() {
        hold((versions(), versions(), versions()), |versions| {
            let (Some(a), Some(b), Some(c)) = versions else { return };
            assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            assert_eq!(a == b, a.cmp(&b).is_eq());
            let mut sorted = [&a, &b, &c];
            sorted.sort();
            assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
        });
    }
}

//! Which warnings are errors, which are silent: `--warn-error` and `--warn-error-options`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Flags, Notice};
use crate::error::{Error, Result};
use crate::events::warning_code;

/// What becomes of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is not shown.
    Silence,
    /// It is shown, and the work goes on.
    Warn,
    /// It ends the work as an error.
    Error,
}

/// Which warnings are errors and which are silent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WarnErrorOptions {
    /// All of them, or those named.
    pub error: Names,
    /// Exceptions from `error`, and from `silence`.
    pub warn: Vec<String>,
    /// Those not to be shown.
    pub silence: Vec<String>,
}

/// Names of warnings: `"all"` (or `"*"`), or a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum Names {
    All(String),
    Listed(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Names::Listed(Vec::new())
    }
}

impl Names {
    fn is_all(&self) -> bool {
        matches!(self, Names::All(_))
    }

    fn listed(&self) -> &[String] {
        match self {
            Names::All(_) => &[],
            Names::Listed(names) => names,
        }
    }
}

/// The name that stands for all deprecations at once.
const DEPRECATIONS: &str = "Deprecations";

impl WarnErrorOptions {
    /// Reads `{error: …, warn: […], silence: […]}`; `include` and `exclude` are old names of the first two.
    ///
    /// Fails when the shape or a name is wrong.
    pub fn from_value(value: &Value, notices: &mut Vec<Notice>) -> Result<Self> {
        let Value::Object(map) = value else {
            return Err(wrong_options(
                "expected a mapping with the keys `error`, `warn` and `silence`".into(),
            ));
        };
        let mut options = Map::new();
        for (key, value) in map {
            let key = match key.as_str() {
                "error" | "include" => "error",
                "warn" | "exclude" => "warn",
                "silence" => "silence",
                other => return Err(wrong_options(format!("unknown key `{other}`"))),
            };
            if options.contains_key(key) {
                let old = if key == "error" { "include" } else { "exclude" };
                return Err(wrong_options(format!("Only `{old}` or `{key}` can be specified, not both.")));
            }
            options.insert(key.into(), if value.is_null() { json!([]) } else { value.clone() });
        }
        let renamed = [("include", "error"), ("exclude", "warn")];
        let old: Vec<_> = renamed.into_iter().filter(|(old, _)| map.contains_key(*old)).collect();
        if !old.is_empty() {
            let advice: Vec<_> =
                old.iter().map(|(old, new)| format!("instead of `{old}` use `{new}`")).collect();
            let message = format!("Old keys in warn_error_options are deprecated: {}.", advice.join(", "));
            notices.push(Notice { code: "WEOIncludeExcludeDeprecation", message });
        }
        let options: WarnErrorOptions = serde_json::from_value(Value::Object(options)).map_err(|_| {
            wrong_options("`error` takes \"all\" or a list, `warn` and `silence` take lists".into())
        })?;
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<()> {
        if let Names::All(word) = &self.error
            && !matches!(word.as_str(), "all" | "*")
        {
            return Err(wrong_options("error must be one of ('all', '*') or a list of strings".into()));
        }
        let names = |list: &[String]| list.iter().any(|name| name == DEPRECATIONS);
        let excepts = self.error.is_all() || names(self.error.listed()) || names(&self.silence);
        if !self.warn.is_empty() && !excepts {
            return Err(wrong_options(
                "`warn` can only be specified if `error` is one of ('all', '*') or Deprecations is in `error` or \
                 silence."
                    .into(),
            ));
        }
        for name in self.error.listed().iter().chain(&self.warn).chain(&self.silence) {
            if name != DEPRECATIONS && warning_code(name).is_none() {
                return Err(wrong_options(format!("{name} is not a valid dbt error name.")));
            }
        }
        Ok(())
    }

    /// Decides about the warning of this name. Names outrank `Deprecations`, which outranks `all`; among equals,
    /// silence outranks warn, which outranks error.
    pub fn severity(&self, name: &str) -> Severity {
        let deprecation = warning_code(name).is_some_and(|code| code.starts_with('D'));
        let has = |list: &[String], name: &str| list.iter().any(|item| item == name);
        for (key, applies) in [(name, true), (DEPRECATIONS, deprecation)] {
            if !applies {
                continue;
            }
            if has(&self.silence, key) {
                return Severity::Silence;
            }
            if has(&self.warn, key) {
                return Severity::Warn;
            }
            if has(self.error.listed(), key) {
                return Severity::Error;
            }
        }
        if self.error.is_all() { Severity::Error } else { Severity::Warn }
    }

    /// Decides about a warning that is an error only under its own name.
    pub fn severity_of_hint(&self, name: &str) -> Severity {
        match self.severity(name) {
            Severity::Error if !self.error.listed().iter().any(|listed| listed == name) => Severity::Warn,
            severity => severity,
        }
    }
}

fn wrong_options(reason: String) -> Error {
    Error::usage(format!("Invalid warn_error_options: {reason}"))
        .help("for example {\"error\": \"all\", \"warn\": [\"NoNodesForSelectionCriteria\"]}")
}

/// What becomes of the warning with this name (dbt's event name) under these flags.
pub fn severity(name: &str, flags: &Flags) -> Severity {
    if flags.warn_error == Some(true) { Severity::Error } else { flags.warn_error_options.severity(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(value: Value) -> WarnErrorOptions {
        WarnErrorOptions::from_value(&value, &mut Vec::new()).unwrap()
    }

    #[test]
    fn names_outrank_groups() {
        let all = options(json!({"error": "all", "warn": ["NothingToDo"], "silence": ["NoNodesSelected"]}));
        assert_eq!(all.severity("DeprecatedModel"), Severity::Error);
        assert_eq!(all.severity("NothingToDo"), Severity::Warn);
        assert_eq!(all.severity("NoNodesSelected"), Severity::Silence);

        let some = options(json!({"error": ["Deprecations"], "warn": ["ModelParamUsageDeprecation"]}));
        assert_eq!(some.severity("ModelParamUsageDeprecation"), Severity::Warn);
        assert_eq!(some.severity("ConfigLogPathDeprecation"), Severity::Error);
        assert_eq!(some.severity("NothingToDo"), Severity::Warn);

        let quiet = options(json!({"silence": ["Deprecations"], "error": ["ConfigLogPathDeprecation"]}));
        assert_eq!(quiet.severity("ConfigLogPathDeprecation"), Severity::Error);
        assert_eq!(quiet.severity("ModelParamUsageDeprecation"), Severity::Silence);
        assert_eq!(quiet.severity_of_hint("ConfigLogPathDeprecation"), Severity::Error);
        assert_eq!(all.severity_of_hint("DeprecatedModel"), Severity::Warn);
        assert_eq!(all.severity_of_hint("NoNodesSelected"), Severity::Silence);
    }

    #[test]
    fn wrong_options_are_refused() {
        for value in [
            json!([]),
            json!({"error": "some"}),
            json!({"error": ["NoSuchEvent"]}),
            json!({"warn": ["NothingToDo"]}),
            json!({"errors": "all"}),
            json!({"error": "all", "include": "all"}),
        ] {
            assert!(WarnErrorOptions::from_value(&value, &mut Vec::new()).is_err(), "{value}");
        }
    }
}

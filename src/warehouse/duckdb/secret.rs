//! The profile's `secrets`: keys for what lies in clouds and other databases.

use serde_json::{Map, Value};

use super::profile::{plain, quoted};
use crate::error::{Error, Result};

/// Secrets without a name get this one and their number.
const DEFAULT_NAME: &str = "_dbt_secret_";

/// A secret, as DuckDB's `CREATE SECRET` takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    name: String,
    persistent: bool,
    /// Everything else: type, provider, scope, and what the type knows.
    parameters: Map<String, Value>,
}

impl Secret {
    /// Reads an entry of the list; `number` counts them from 1.
    pub fn new(entry: &Value, number: usize) -> Result<Self> {
        let mut parameters = entry
            .as_object()
            .filter(|entry| entry.get("type").is_some_and(Value::is_string))
            .cloned()
            .ok_or_else(|| {
                Error::runtime(format!("entry {number} of the profile's `secrets` has no `type`"))
                    .help("write every secret as a mapping with at least `type`, as `- type: s3`")
            })?;
        let name = parameters.shift_remove("name").map(|name| plain(&name));
        let persistent = parameters.shift_remove("persistent") == Some(Value::Bool(true));
        Ok(Secret { name: name.unwrap_or_else(|| format!("{DEFAULT_NAME}{number}")), persistent, parameters })
    }

    /// The statement that creates or replaces the secret.
    pub fn to_sql(&self) -> String {
        let persistent = if self.persistent { "PERSISTENT " } else { "" };
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| parameter(key, value))
            .collect();
        format!("CREATE OR REPLACE {persistent}SECRET {} ({})", self.name, parameters.join(", "))
    }
}

fn parameter(key: &str, value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), quoted(&plain(value))))
                .collect();
            format!("{key} MAP {{{}}}", entries.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| quoted(&plain(item))).collect();
            format!("{key} [{}]", items.join(", "))
        }
        // Names of DuckDB's own, and a literal the user wrote in SQL.
        value if matches!(key, "type" | "provider" | "extra_http_headers") => {
            format!("{key} {}", plain(value))
        }
        value => format!("{key} {}", quoted(&plain(value))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sql(entry: Value) -> String {
        Secret::new(&entry, 1)
            .map(|secret| secret.to_sql())
            .unwrap_or_else(|error| error.message().to_owned())
    }

    #[test]
    fn writes_each_kind_of_value() {
        assert_eq!(
            sql(json!({"type": "s3", "key_id": "a'b", "use_ssl": true, "region": null})),
            "CREATE OR REPLACE SECRET _dbt_secret_1 (type s3, key_id 'a''b', use_ssl 'true')"
        );
        assert_eq!(
            sql(json!({"type": "s3", "name": "mine", "persistent": true, "provider": "credential_chain",
                       "scope": ["s3://a", "s3://b"]})),
            "CREATE OR REPLACE PERSISTENT SECRET mine (type s3, provider credential_chain, \
             scope ['s3://a', 's3://b'])"
        );
        assert_eq!(
            sql(json!({"type": "http", "headers": {"x": 1}})),
            "CREATE OR REPLACE SECRET _dbt_secret_1 (type http, headers MAP {'x': '1'})"
        );
    }

    #[test]
    fn wants_a_type() {
        assert_eq!(sql(json!({"name": "x"})), "entry 1 of the profile's `secrets` has no `type`");
    }
}

//! The profile's `attach`: further databases beside the main one.

use serde_json::{Map, Value};

use super::profile::{check_keys, database_name, is_motherduck_path, plain, quoted};
use crate::error::{Error, Result};

/// What an entry may say; all else belongs into `options`.
const KEYS: [&str; 7] = ["path", "type", "alias", "secret", "read_only", "options", "is_ducklake"];

/// A database to attach.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    pub path: String,
    pub alias: Option<String>,
    pub is_ducklake: bool,
    /// The options of `ATTACH`, ready to be joined.
    options: Vec<String>,
}

impl Attachment {
    /// Reads an entry of the list; `number` counts them from 1.
    pub fn new(entry: &Value, number: usize) -> Result<Self> {
        let entry = entry.as_object().filter(|entry| entry.get("path").is_some_and(Value::is_string));
        let entry = entry.ok_or_else(|| {
            Error::runtime(format!("entry {number} of the profile's `attach` has no `path`")).help(
                "write every attached database as a mapping with at least `path`, as `- path: other.duckdb`",
            )
        })?;
        check_keys(entry, &KEYS, &format!("entry {number} of `attach`"))?;
        let path = entry.get("path").map(plain).unwrap_or_default();
        let flagged = entry.get("is_ducklake") == Some(&Value::Bool(true));
        Ok(Attachment {
            is_ducklake: flagged || path.to_lowercase().contains("ducklake:"),
            alias: entry.get("alias").filter(|alias| !alias.is_null()).map(plain),
            options: options(entry, number)?,
            path,
        })
    }

    /// The name that SQL knows the database by.
    pub fn name(&self) -> String {
        self.alias.clone().unwrap_or_else(|| database_name(&self.path))
    }

    /// Whether the path is that of a file that DuckDB reads itself, and not the address of a server.
    pub fn is_file(&self) -> bool {
        let has_type = self
            .options
            .iter()
            .any(|option| option.starts_with("TYPE ") && !option.eq_ignore_ascii_case("TYPE duckdb"));
        !has_type && !self.path.contains(':')
    }

    /// The statement that attaches it.
    pub fn to_sql(&self) -> String {
        // MotherDuck's parameters are set before, ATTACH takes none.
        let path = match self.path.split_once('?') {
            Some((path, _)) if is_motherduck_path(&self.path) => path,
            _ => &self.path,
        };
        let mut sql = format!("ATTACH IF NOT EXISTS {}", quoted(path));
        if let Some(alias) = &self.alias {
            sql.push_str(&format!(" AS {}", identifier(alias)));
        }
        if !self.options.is_empty() {
            sql.push_str(&format!(" ({})", self.options.join(", ")));
        }
        sql
    }
}

/// The options given directly, then those of the mapping `options`.
fn options(entry: &Map<String, Value>, number: usize) -> Result<Vec<String>> {
    let none = Map::new();
    let further = entry.get("options").and_then(Value::as_object).unwrap_or(&none);
    let given = |map: &Map<String, Value>, key: &str| {
        map.get(key).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
    };
    let mut options = Vec::new();
    for (key, map) in
        ["type", "secret", "read_only"].into_iter().flat_map(|key| [(key, entry), (key, further)])
    {
        if !given(map, key) {
            continue;
        }
        if given(entry, key) && further.contains_key(key) {
            return Err(Error::runtime(format!(
                "entry {number} of the profile's `attach` says `{key}` twice: directly and in `options`"
            ))
            .help("keep one of them"));
        }
        match (key, map.get(key)) {
            ("read_only", _) | (_, None) => options.push("READ_ONLY".to_owned()),
            (key, Some(value)) => options.push(format!("{} {}", key.to_uppercase(), plain(value))),
        }
    }
    let rest = further.iter().filter(|(key, _)| !matches!(key.as_str(), "type" | "secret" | "read_only"));
    for (key, value) in rest {
        let key = key.to_uppercase();
        match value {
            Value::Null | Value::Bool(false) => {}
            Value::Bool(true) => options.push(key),
            Value::String(text) if is_quoted(text) => options.push(format!("{key} {text}")),
            Value::String(text) => options.push(format!("{key} {}", quoted(text))),
            value => options.push(format!("{key} {}", plain(value))),
        }
    }
    Ok(options)
}

fn is_quoted(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 2 && ['\'', '"'].into_iter().any(|quote| text.starts_with(quote) && text.ends_with(quote))
}

/// A name as SQL reads it; one that the user wrote in quotes is left alone.
fn identifier(name: &str) -> String {
    let plain =
        name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_numeric());
    if plain || is_quoted(name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sql(entry: Value) -> String {
        Attachment::new(&entry, 1)
            .map(|attachment| attachment.to_sql())
            .unwrap_or_else(|error| error.message().to_owned())
    }

    #[test]
    fn writes_all_forms() {
        for (entry, expected) in [
            (json!({"path": "a'b.duckdb"}), "ATTACH IF NOT EXISTS 'a''b.duckdb'"),
            (
                json!({"path": "x.db", "alias": "y", "read_only": true}),
                "ATTACH IF NOT EXISTS 'x.db' AS y (READ_ONLY)",
            ),
            (json!({"path": "x.db", "alias": "y-z"}), "ATTACH IF NOT EXISTS 'x.db' AS \"y-z\""),
            (
                json!({"path": "dbname=p", "type": "postgres", "secret": "s"}),
                "ATTACH IF NOT EXISTS 'dbname=p' (TYPE postgres, SECRET s)",
            ),
            (
                json!({"path": "ducklake:m.db", "options": {"data_path": "d/", "encrypted": true, "x": false, "n": 5,
                       "read_only": true, "q": "'done'"}}),
                "ATTACH IF NOT EXISTS 'ducklake:m.db' (READ_ONLY, DATA_PATH 'd/', ENCRYPTED, N 5, Q 'done')",
            ),
            (json!({"path": "md:db?motherduck_token=x"}), "ATTACH IF NOT EXISTS 'md:db'"),
        ] {
            assert_eq!(sql(entry), expected);
        }
    }

    #[test]
    fn refuses_contradictions() {
        let message = sql(json!({"path": "x", "type": "sqlite", "options": {"type": "duckdb"}}));
        assert_eq!(message, "entry 1 of the profile's `attach` says `type` twice: directly and in `options`");
        let message = sql(json!({"path": "x", "readonly": true}));
        assert_eq!(message, "the profile has an unknown key `readonly` in entry 1 of `attach`");
        assert_eq!(sql(json!({"alias": "x"})), "entry 1 of the profile's `attach` has no `path`");
    }

    #[test]
    fn knows_a_ducklake() {
        let lake =
            |entry| Attachment::new(&entry, 1).map(|attachment| (attachment.is_ducklake, attachment.name()));
        assert_eq!(lake(json!({"path": "DuckLake:meta.ducklake"})).ok(), Some((true, "meta".to_owned())));
        assert_eq!(
            lake(json!({"path": "md:x", "is_ducklake": true, "alias": "l"})).ok(),
            Some((true, "l".to_owned()))
        );
    }
}

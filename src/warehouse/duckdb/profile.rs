//! A target of type `duckdb`: its keys, their defaults and what they become.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::attach::Attachment;
use super::secret::Secret;
use crate::error::{Error, Result};
use crate::text::nearest;
use crate::warehouse::Credentials;

/// The options that MotherDuck wants before the first connection, the one that locks the others last.
const MOTHERDUCK_OPTIONS: [&str; 3] = ["motherduck_token", "motherduck_attach_mode", "motherduck_saas_mode"];

/// The oldest DuckDB that is to read the files that are made. DuckDB's own choice (0.10.2) makes it turn the statistics
/// of every column into a form of that time whenever it writes them, which takes longer than writing small tables.
/// Files that are there keep their form.
const STORAGE: (&str, &str) = ("storage_compatibility_version", "v1.1.0");

/// What opening and connecting need.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub path: String,
    /// Options of the database (`config_options`), and settings of every session (`settings`).
    pub options: Vec<(String, String)>,
    pub settings: Vec<(String, String)>,
    pub extensions: Vec<Extension>,
    pub secrets: Vec<Secret>,
    pub attachments: Vec<Attachment>,
    /// Set before anything of MotherDuck is attached.
    pub motherduck_options: Vec<(String, String)>,
    pub retries: Option<Retries>,
}

/// An extension, from DuckDB's own repository or a named one.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    pub name: String,
    pub repository: Option<String>,
}

/// How often to try again, and after which errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Retries {
    pub connect_attempts: u64,
    pub query_attempts: Option<u64>,
    exceptions: Vec<String>,
}

impl Retries {
    /// Whether an error is of a kind that is worth another try. Profiles name the kinds as Python's classes:
    /// `IO Error: …` is an `IOException`, `TransactionContext Error: …` a `TransactionException`.
    pub fn covers(&self, refusal: &str) -> bool {
        let Some((kind, _)) = refusal.split_once(" Error:") else { return false };
        let kind = kind.replace(' ', "").replace("TransactionContext", "Transaction");
        let class = format!("{kind}Exception");
        self.exceptions.iter().any(|wanted| wanted.eq_ignore_ascii_case(&class))
    }
}

impl Profile {
    /// Whether the database, or an attached one, is in MotherDuck.
    pub fn is_motherduck(&self) -> bool {
        is_motherduck_path(&self.path) || self.attachments.iter().any(|it| is_motherduck_path(&it.path))
    }
}

/// Checks a target of type `duckdb`.
pub fn credentials(target: &Map<String, Value>) -> Result<Credentials> {
    refuse_python(target)?;
    let path = text(target, "path")?.unwrap_or_else(|| ":memory:".to_owned());
    let attachments = numbered(target, "attach", Attachment::new)?;
    let mut settings = pairs(target, "settings")?;
    let mut options = pairs(target, "config_options")?;
    add_motherduck_token(target, &mut settings)?;
    let motherduck_options = take_motherduck_options(&path, &attachments, &mut settings, &mut options);
    if !is_motherduck_path(&path) && !options.iter().chain(&settings).any(|(name, _)| name == STORAGE.0) {
        options.push((STORAGE.0.to_owned(), STORAGE.1.to_owned()));
    }

    let mut secrets = list(target, "secrets")?.to_vec();
    match text(target, "use_credential_provider")?.as_deref() {
        None | Some("") => {}
        Some("aws") => secrets.push(json!({"type": "s3", "provider": "credential_chain"})),
        Some(other) => {
            return Err(Error::runtime(format!("the profile's `use_credential_provider` is {other}"))
                .help("only `aws` is known; use `secrets` for the others"));
        }
    }
    let secrets =
        (1..).zip(&secrets).map(|(number, entry)| Secret::new(entry, number)).collect::<Result<_>>()?;

    let mut ducklake_databases: BTreeSet<String> =
        attachments.iter().filter(|it| it.is_ducklake).map(Attachment::name).collect();
    if flag(target, "is_ducklake")? || path.to_lowercase().contains("ducklake:") {
        ducklake_databases.insert(database_name(&path));
    }

    let profile = Profile {
        options,
        settings,
        extensions: numbered(target, "extensions", extension)?,
        secrets,
        motherduck_options,
        retries: retries(target)?,
        attachments,
        path,
    };
    let database = database(target, &profile)?;
    let schema = text(target, "schema")?.unwrap_or_else(|| "main".to_owned());
    Ok(Credentials {
        adapter_type: "duckdb",
        external_root: text(target, "external_root")?.unwrap_or_else(|| ".".to_owned()),
        disable_transactions: flag(target, "disable_transactions")?,
        is_motherduck: profile.is_motherduck(),
        ducklake_databases,
        connection_info: connection_info(target, &database, &schema, &profile.path),
        database,
        schema,
        profile,
    })
}

/// What only a Python process can do is refused, with what to do instead.
fn refuse_python(target: &Map<String, Value>) -> Result<()> {
    let given = |key: &str| target.get(key).is_some_and(|value| !value.is_null() && *value != json!([]));
    if given("filesystems") {
        return Err(Error::runtime("the profile has `filesystems`, which are Python objects (fsspec)").help(
            "use DuckDB's own: the extension httpfs (S3, GCS, R2, HTTP), azure or aws in `extensions`, \
             and the keys in `secrets`",
        ));
    }
    if given("remote") {
        return Err(Error::runtime("the profile has `remote`, which rbt cannot talk to")
            .help("set `path` to a file, or attach a remote database with `attach`"));
    }
    for plugin in list(target, "plugins")? {
        let module = plugin.get("module").map(plain).unwrap_or_default();
        let instead = match module.as_str() {
            "motherduck" => continue,
            "excel" => "read with read_xlsx of the extension excel; write with the `format: xlsx` of COPY",
            "gsheet" => {
                "use the community extension gsheets (`extensions: [{name: gsheets, repo: community}]`)"
            }
            "sqlalchemy" | "postgres" => "use `attach` with `type: postgres`, `mysql` or `sqlite`",
            "iceberg" => "use iceberg_scan of the extension iceberg, or `attach` with `type: iceberg`",
            "delta" => "use delta_scan of the extension delta, or `attach` with `type: delta`",
            "glue" => {
                "attach the catalog with the extension iceberg (`type: iceberg`, `endpoint_type: glue`)"
            }
            _ => "do its work in SQL, or in a step before rbt",
        };
        let message = format!("the profile has the plugin {module}, which is a Python module");
        return Err(Error::runtime(message).help(instead));
    }
    Ok(())
}

/// The main database's name: what `path` says, or the alias of an attached one that `database` chooses.
fn database(target: &Map<String, Value>, profile: &Profile) -> Result<String> {
    let derived = database_name(&profile.path);
    if derived.is_empty() {
        return Err(Error::runtime(format!("the profile's `path` {} names no database file", profile.path))
            .help("set `path` to a file, as `path: warehouse.duckdb`, or to `:memory:`"));
    }
    match text(target, "database")? {
        None => Ok(derived),
        Some(name) if name == derived => Ok(name),
        Some(name) if profile.attachments.iter().any(|it| it.alias.as_ref() == Some(&name)) => Ok(name),
        Some(name) => Err(Error::runtime(format!(
            "the profile's `database` is {name}, but the database in {} is named {derived}",
            profile.path
        ))
        .help(format!("remove `database`, set it to {derived}, or to the alias of a database in `attach`"))),
    }
}

/// The name that DuckDB gives a database file.
pub fn database_name(path: &str) -> String {
    if path == ":memory:" {
        return "memory".to_owned();
    }
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = split_scheme(path);
    let file = rest.rsplit('/').next().unwrap_or_default();
    match scheme.to_lowercase().as_str() {
        "md" | "motherduck" => match stem(file) {
            "" => "my_db".to_owned(),
            name => name.to_owned(),
        },
        // What follows may have a scheme of its own: `ducklake:sqlite:meta.sqlite`.
        "ducklake" => split_scheme(stem(file)).1.to_owned(),
        _ => file.trim_start_matches('.').split('.').next().unwrap_or_default().to_owned(),
    }
}

fn stem(file: &str) -> &str {
    match file.rfind('.') {
        Some(dot) if !file[..dot].trim_start_matches('.').is_empty() => &file[..dot],
        _ => file,
    }
}

/// The scheme of a URL (empty if there is none) and what follows its colon.
fn split_scheme(path: &str) -> (&str, &str) {
    match path.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme, rest)
        }
        _ => ("", path),
    }
}

/// Whether a path leads to MotherDuck.
pub fn is_motherduck_path(path: &str) -> bool {
    matches!(split_scheme(path).0.to_lowercase().as_str(), "md" | "motherduck")
}

fn extension(entry: &Value, number: usize) -> Result<Extension> {
    let named = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    match (entry, named("name"), named("repo")) {
        (Value::String(name), _, _) => Ok(Extension { name: name.clone(), repository: None }),
        (_, Some(name), Some(repository)) => Ok(Extension { name, repository: Some(repository) }),
        _ => Err(Error::runtime(format!("entry {number} of the profile's `extensions` is not an extension"))
            .help("write a name, as `- httpfs`, or a mapping with name and repo, as `- {name: h3, repo: community}`")),
    }
}

fn retries(target: &Map<String, Value>) -> Result<Option<Retries>> {
    let Some(given) = mapping(target, "retries")? else { return Ok(None) };
    check_keys(given, &["connect_attempts", "query_attempts", "retryable_exceptions"], "`retries`")?;
    let count = |key: &str| given.get(key).and_then(Value::as_u64);
    let exceptions = given.get("retryable_exceptions").and_then(Value::as_array);
    Ok(Some(Retries {
        connect_attempts: count("connect_attempts").unwrap_or(1),
        query_attempts: count("query_attempts"),
        exceptions: exceptions
            .map_or_else(|| vec!["IOException".to_owned()], |names| names.iter().map(plain).collect()),
    }))
}

fn add_motherduck_token(target: &Map<String, Value>, settings: &mut Vec<(String, String)>) -> Result<()> {
    let Some(token) = text(target, "motherduck_token")? else { return Ok(()) };
    match settings.iter().find(|(name, _)| name == "motherduck_token") {
        Some((_, known)) if *known != token => {
            Err(Error::runtime("the profile has two different values for `motherduck_token`")
                .help("keep one of them: directly in the target, or in `settings`"))
        }
        Some(_) => Ok(()),
        None => {
            settings.push(("motherduck_token".to_owned(), token));
            Ok(())
        }
    }
}

/// Moves MotherDuck's options out of the session's settings: into the database's options if the main database is
/// there, else to those that are set before attaching.
fn take_motherduck_options(
    path: &str,
    attachments: &[Attachment],
    settings: &mut Vec<(String, String)>,
    options: &mut Vec<(String, String)>,
) -> Vec<(String, String)> {
    let attached = attachments.iter().filter(|it| is_motherduck_path(&it.path));
    let mut given: Vec<(String, String)> = attached
        .filter_map(|it| it.path.split_once('?'))
        .flat_map(|(_, query)| query.split('&'))
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if given.is_empty()
        && !is_motherduck_path(path)
        && !attachments.iter().any(|it| is_motherduck_path(&it.path))
    {
        return Vec::new();
    }
    let full_name = |name: &str| {
        let name = name.to_lowercase();
        MOTHERDUCK_OPTIONS
            .into_iter()
            .find(|option| *option == name || option.strip_prefix("motherduck_") == Some(name.as_str()))
    };
    given.append(settings);
    let (known, others): (Vec<_>, Vec<_>) =
        given.into_iter().partition(|(name, _)| full_name(name).is_some());
    *settings = others;
    let chosen = MOTHERDUCK_OPTIONS.into_iter().filter_map(|option| {
        let (_, value) = known.iter().rev().find(|(name, _)| full_name(name) == Some(option))?;
        Some((option.to_owned(), value.clone()))
    });
    if is_motherduck_path(path) {
        options.extend(chosen);
        Vec::new()
    } else {
        chosen.collect()
    }
}

/// The keys that dbt shows, without those that hold secrets.
fn connection_info(
    target: &Map<String, Value>,
    database: &str,
    schema: &str,
    path: &str,
) -> Map<String, Value> {
    let given = |key: &str| target.get(key).cloned().unwrap_or_default();
    let or = |key: &str, default: Value| match given(key) {
        Value::Null => default,
        value => value,
    };
    let mut info = Map::new();
    info.insert("database".to_owned(), json!(database));
    info.insert("schema".to_owned(), json!(schema));
    info.insert("path".to_owned(), json!(path));
    info.insert("config_options".to_owned(), given("config_options"));
    info.insert("extensions".to_owned(), given("extensions"));
    info.insert("settings".to_owned(), or("settings", json!({})));
    info.insert("external_root".to_owned(), or("external_root", json!(".")));
    for key in ["use_credential_provider", "attach", "filesystems", "remote", "plugins"] {
        info.insert(key.to_owned(), given(key));
    }
    info.insert("disable_transactions".to_owned(), or("disable_transactions", json!(false)));
    info
}

// Reading keys.

/// Refuses a mapping with keys that nothing reads. `place` says which mapping of the profile it is.
pub fn check_keys(given: &Map<String, Value>, known: &[&str], place: &str) -> Result<()> {
    let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let meant = nearest(key, known.iter().copied());
    let help = match meant {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("its keys are {}", known.join(", ")),
    };
    Err(Error::runtime(format!("the profile has an unknown key `{key}` in {place}")).help(help))
}

/// A scalar as text, in the form Python gives it.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Text as SQL writes it.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn wrong(key: &str, wanted: &str) -> Error {
    Error::runtime(format!("the profile's `{key}` is not {wanted}"))
}

fn text(target: &Map<String, Value>, key: &str) -> Result<Option<String>> {
    match target.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value @ (Value::Array(_) | Value::Object(_))) => {
            Err(wrong(key, "a text").help(format!("it is {value}")))
        }
        Some(value) => Ok(Some(plain(value))),
    }
}

fn flag(target: &Map<String, Value>, key: &str) -> Result<bool> {
    match target.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(key, "true or false")),
    }
}

fn mapping<'target>(
    target: &'target Map<String, Value>,
    key: &str,
) -> Result<Option<&'target Map<String, Value>>> {
    match target.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(_) => Err(wrong(key, "a mapping of names to values")),
    }
}

fn list<'target>(target: &'target Map<String, Value>, key: &str) -> Result<&'target [Value]> {
    match target.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(wrong(key, "a list")),
    }
}

/// The entries of a list, each read with its number (from 1).
fn numbered<T>(
    target: &Map<String, Value>,
    key: &str,
    read: impl Fn(&Value, usize) -> Result<T>,
) -> Result<Vec<T>> {
    (1..).zip(list(target, key)?).map(|(number, entry)| read(entry, number)).collect()
}

/// The entries of a mapping as texts; those without a value are left out.
fn pairs(target: &Map<String, Value>, key: &str) -> Result<Vec<(String, String)>> {
    let entries = mapping(target, key)?.into_iter().flatten().filter(|(_, value)| !value.is_null());
    Ok(entries.map(|(name, value)| (name.clone(), plain(value))).collect())
}

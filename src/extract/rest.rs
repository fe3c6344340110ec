//! Tables from any API that answers pages of JSON records, declared in YAML alone.
//!
//! A row is a record, whole: its id, the record as JSON, and the day.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::http::{Auth, Client, Limits, Secret, Url, Verdict};
use super::journal::Journal;
use super::plan::Declaration;
use super::raw_files::{Format, RawFile, RawFolder};
use super::{Extracted, Extractor, Request, Written, in_project, work};
use crate::error::{Error, Result};
use crate::events::Progress;

/// `extractor: {type: rest, …}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    base_url: String,
    #[serde(default = "default_raw_path")]
    raw_path: String,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    limits: Limits,
    auth: Option<AuthConfig>,
    tables: IndexMap<String, Table>,
}

/// A header with a secret from an environment variable: `Authorization: Bearer …` unless told otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthConfig {
    env: String,
    #[serde(default = "authorization")]
    header: String,
    prefix: Option<String>,
}

/// Where the records of a table are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    path: String,
    #[serde(default)]
    params: IndexMap<String, Value>,
    /// The list in the answer, keys with dots between; the answer itself if it is not given.
    #[serde(default)]
    records: String,
    /// The field of a record that tells it apart.
    #[serde(default = "id")]
    id: String,
    paging: Option<Paging>,
}

/// How the next page is asked for. Paging ends with a page that is empty, or shorter than `size`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Paging {
    /// The answer has the address of the next page at this place.
    Next(String),
    /// The answer has a cursor at this place, which goes into a parameter.
    Cursor { at: String, param: String },
    /// A parameter with the number of the page.
    Page {
        param: String,
        #[serde(default = "one")]
        first: usize,
        size: Option<usize>,
    },
    /// A parameter with the number of records to pass over.
    Offset { param: String, size: usize },
}

fn default_raw_path() -> String {
    "data/raw".to_owned()
}

fn authorization() -> String {
    "authorization".to_owned()
}

fn id() -> String {
    "id".to_owned()
}

fn one() -> usize {
    1
}

/// A declared extraction.
struct Rest {
    config: Config,
    base: Url,
    raw_path: PathBuf,
    secret: Option<Secret>,
}

/// Reads the declaration of an extraction.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub fn declare(declaration: &Declaration) -> Result<Box<dyn Extractor>> {
    let config: Config = declaration.read()?;
    config.limits.check()?;
    let base = Url::parse(&config.base_url).ok().filter(|url| url.has_host() && !url.cannot_be_a_base());
    let Some(base) = base else {
        return Err(
            Error::parsing("`base_url` of the extractor is no address").help("write https://host/path")
        );
    };
    let secret = config.auth.as_ref().and_then(|auth| declaration.variable(&auth.env)).map(Secret::new);
    Ok(Box::new(Rest { base, raw_path: in_project(declaration.root, &config.raw_path), secret, config }))
}

impl Extractor for Rest {
    fn fills(&self, table: &str) -> bool {
        self.config.tables.contains_key(table)
    }

    fn tables(&self) -> String {
        self.config.tables.keys().cloned().collect::<Vec<_>>().join(", ")
    }

    fn lacks(&self) -> Option<String> {
        let auth = self.config.auth.as_ref().filter(|_| self.secret.is_none())?;
        Some(format!("set the environment variable {}", auth.env))
    }

    fn extract(&self, request: &Request) -> Result<Extracted> {
        let folder = RawFolder::open(&self.raw_path)?;
        let host = self.base.host_str().unwrap_or_default();
        let journal_path = folder.journal_path(&format!("rest-{host}-{}", request.day));
        let journal = Journal::open(&journal_path, self.base.as_str(), request.anew)?;
        let client = Client::new(&self.base, self.config.limits.clone(), self.auth()?)?;
        let mut done = Extracted { resumed: journal.len(), ..Extracted::default() };
        for name in request.tables {
            let Some(table) = self.config.tables.get(name) else { continue };
            let records = work::run(self.records(table, &client, &journal, request))?;
            let texts: Vec<(String, String)> =
                records.iter().map(|record| (text(at(record, &table.id)), record.to_string())).collect();
            let day = request.day.to_string();
            let file = RawFile {
                table: name,
                day: request.day,
                format: self.config.format,
                header: &["id", "attributes", "loaded_at"],
            };
            let rows = texts.iter().map(|(id, record)| vec![id.as_str(), record.as_str(), day.as_str()]);
            let path = folder.write(&file, rows, request.sql)?;
            done.tables.insert(name.clone(), Written { path, rows: texts.len() });
        }
        journal.finish();
        done.requests = client.requests();
        Ok(done)
    }
}

impl Rest {
    fn auth(&self) -> Result<Auth> {
        let (Some(config), Some(secret)) = (&self.config.auth, &self.secret) else { return Ok(Auth::None) };
        let bearer = if config.header.eq_ignore_ascii_case("authorization") { "Bearer " } else { "" };
        let prefix = config.prefix.as_deref().unwrap_or(bearer);
        let name = config.header.parse().map_err(|_| {
            Error::parsing(format!("`auth.header: {}` is no name of a header", config.header))
        })?;
        Ok(Auth::Header(name, Secret::new(format!("{prefix}{}", secret.reveal()))))
    }

    /// All records of a table, page after page.
    async fn records(
        &self,
        table: &Table,
        client: &Client,
        journal: &Journal,
        request: &Request<'_>,
    ) -> Result<Vec<Value>> {
        let mut records: Vec<Value> = Vec::new();
        let mut url = Some(self.first_page(table));
        for page in 0.. {
            let Some(this) = url.take() else { break };
            (request.progress)(Progress {
                step: "pages",
                done: page,
                total: page,
                trouble: client.trouble(),
            });
            let answer = self.page(table, &this, client, journal).await?;
            let found = at(&answer, &table.records).as_array().cloned().unwrap_or_default();
            url = table.next(&this, &answer, found.len())?.filter(|next| *next != this);
            records.extend(found);
        }
        Ok(records)
    }

    async fn page(&self, table: &Table, url: &Url, client: &Client, journal: &Journal) -> Result<Value> {
        if let Some(known) = journal.get(url.as_str()).and_then(|known| serde_json::from_str(&known).ok()) {
            return Ok(known);
        }
        let answer = client.get(url, |answer| match at(answer, &table.records).is_array() {
            true => Verdict::Good,
            false => Verdict::Again(format!("the answer has no list at '{}'", table.records)),
        });
        let answer = answer.await.map_err(|failure| failure.into_error(url.path()))?;
        journal.put(url.as_str(), &answer.to_string())?;
        Ok(answer)
    }

    fn first_page(&self, table: &Table) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", url.path().trim_end_matches('/'), table.path.trim_start_matches('/')));
        for (name, value) in &table.params {
            set(&mut url, name, &text(value));
        }
        match &table.paging {
            Some(Paging::Page { param, first, .. }) => set(&mut url, param, &first.to_string()),
            Some(Paging::Offset { param, .. }) => set(&mut url, param, "0"),
            Some(Paging::Next(_) | Paging::Cursor { .. }) | None => {}
        }
        url
    }
}

impl Table {
    /// The address of the page after this one; `None` after the last.
    fn next(&self, url: &Url, answer: &Value, found: usize) -> Result<Option<Url>> {
        let Some(paging) = &self.paging else { return Ok(None) };
        let number = |param: &str| {
            let (_, value) = url.query_pairs().find(|(name, _)| name == param)?;
            value.parse::<usize>().ok()
        };
        let mut next = url.clone();
        match paging {
            Paging::Next(place) => {
                let address = at(answer, place).as_str().unwrap_or_default();
                if address.is_empty() {
                    return Ok(None);
                }
                // Another server would be told the secret.
                return match url.join(address) {
                    Ok(next) if next.origin() == url.origin() => Ok(Some(next)),
                    _ => {
                        Err(Error::runtime(format!("'{place}' of the answer is no page of the same server")))
                    }
                };
            }
            Paging::Cursor { at: place, param } => match at(answer, place) {
                Value::Null => return Ok(None),
                cursor => set(&mut next, param, &text(cursor)),
            },
            Paging::Page { size: Some(size), .. } | Paging::Offset { size, .. } if found < *size => {
                return Ok(None);
            }
            Paging::Page { .. } | Paging::Offset { .. } if found == 0 => return Ok(None),
            Paging::Page { param, first, .. } => {
                set(&mut next, param, &(number(param).unwrap_or(*first) + 1).to_string());
            }
            Paging::Offset { param, .. } => {
                set(&mut next, param, &(number(param).unwrap_or(0) + found).to_string());
            }
        }
        Ok(Some(next))
    }
}

/// Sets a parameter of an address, in place of the one of this name.
fn set(url: &mut Url, name: &str, value: &str) {
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(known, _)| known != name).map(|(k, v)| (k.into(), v.into())).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
}

/// The value at keys with dots between.
fn at<'v>(value: &'v Value, place: &str) -> &'v Value {
    place.split('.').filter(|key| !key.is_empty()).fold(value, |value, key| &value[key])
}

/// A value as a cell or a parameter.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pages(paging: &str, answers: &[(Value, usize)]) -> Vec<String> {
        let paging = serde_json::from_str(paging).expect("a kind of paging");
        let table = Table {
            path: String::new(),
            params: IndexMap::new(),
            records: String::new(),
            id: id(),
            paging: Some(paging),
        };
        let mut url = Url::parse("http://x/a?page=1&offset=0").expect("an address");
        let mut queries = Vec::new();
        for (answer, found) in answers {
            let Ok(Some(next)) = table.next(&url, answer, *found) else { break };
            queries.push(next.as_str().replace("http://x/a", ""));
            url = next;
        }
        queries
    }

    #[test]
    fn pages_follow_each_other_in_four_ways() {
        let none = json!({});
        assert_eq!(
            pages(
                r#"{"next": "links.next"}"#,
                &[(json!({"links": {"next": "/a?z=2"}}), 1), (none.clone(), 1)]
            ),
            ["?z=2"]
        );
        assert_eq!(pages(r#"{"next": "next"}"#, &[(json!({"next": "http://evil/a"}), 1)]), [""; 0]);
        assert_eq!(
            pages(r#"{"cursor": {"at": "c", "param": "after"}}"#, &[(json!({"c": 7}), 1), (none.clone(), 1)]),
            ["?page=1&offset=0&after=7"]
        );
        assert_eq!(
            pages(r#"{"page": {"param": "page", "size": 2}}"#, &[(none.clone(), 2), (none.clone(), 1)]),
            ["?offset=0&page=2"]
        );
        assert_eq!(
            pages(r#"{"offset": {"param": "offset", "size": 2}}"#, &[(none.clone(), 2), (none, 0)]),
            ["?page=1&offset=2"]
        );
    }
}

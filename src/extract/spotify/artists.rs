//! Which artists to fetch: a list in the configuration, a seed, or a file.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Location, Result};
use crate::extract::in_project;
use crate::extract::plan::Declaration;
use crate::project::yaml;

/// `artists:` as it is written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum ArtistList {
    Listed(Vec<Entry>),
    #[serde(rename_all = "lowercase")]
    Elsewhere(Elsewhere),
}

/// `{seed: artists}` or `{file: config/artists.yml}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    seed: Option<String>,
    file: Option<String>,
}

/// An artist, with or without a name for people.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    Id(String),
    Named {
        id: String,
        #[serde(default)]
        name: Option<String>,
    },
}

/// An artist to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub id: String,
    pub name: Option<String>,
}

impl Wanted {
    /// An artist without a name.
    pub fn of_id(id: String) -> Wanted {
        Wanted { id, name: None }
    }

    /// How people know the artist.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} ({})", self.id),
            None => self.id.clone(),
        }
    }
}

/// The artists of a configuration, each once.
///
/// # Errors
/// A seed or file that cannot be read; what is no artist; no artist at all.
pub fn read(list: &ArtistList, declaration: &Declaration) -> Result<Vec<Wanted>> {
    let entries = match list {
        ArtistList::Listed(entries) => entries.clone(),
        ArtistList::Elsewhere(Elsewhere { seed: Some(seed), file: None }) => {
            let path = (declaration.seed_file)(seed).ok_or_else(|| {
                Error::parsing(format!(
                    "the extractor's artists are in the seed '{seed}', which is not there"
                ))
                .help("write the name of a seed of the project")
            })?;
            of_csv(&path)?
        }
        ArtistList::Elsewhere(Elsewhere { seed: None, file: Some(file) }) => {
            let path = in_project(declaration.root, file);
            if path.extension().is_some_and(|extension| extension == "csv") {
                of_csv(&path)?
            } else {
                of_yaml(&path)?
            }
        }
        ArtistList::Elsewhere(_) => {
            return Err(Error::parsing("the extractor's `artists` name neither a seed nor a file, or both")
                .help("write a list of ids, `{seed: name}` or `{file: path}`"));
        }
    };
    let mut wanted: Vec<Wanted> = Vec::new();
    for entry in entries {
        let (id, name) = match entry {
            Entry::Id(id) => (id, None),
            Entry::Named { id, name } => (id, name),
        };
        let id = plain_id(&id)?;
        if !wanted.iter().any(|known| known.id == id) {
            wanted.push(Wanted { id, name });
        }
    }
    if wanted.is_empty() {
        return Err(Error::parsing("the extractor has no artists").help("list them under `artists`"));
    }
    Ok(wanted)
}

/// The id alone, also of `spotify:artist:…` and of an address.
fn plain_id(text: &str) -> Result<String> {
    let text = text.trim();
    let id = text.split('?').next().unwrap_or_default().rsplit([':', '/']).next().unwrap_or_default();
    let is_id =
        !id.is_empty() && id.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter));
    is_id.then(|| id.to_owned()).ok_or_else(|| {
        Error::parsing(format!("'{text}' is no id of an artist"))
            .help("it is the last part of the artist's address at open.spotify.com, letters and digits")
    })
}

/// A table with a column `artist_id` or `id`, and perhaps `artist_name` or `name`.
fn of_csv(path: &Path) -> Result<Vec<Entry>> {
    let broken = |error: csv::Error| {
        Error::parsing(format!("the artists cannot be read: {error}")).at(Location::file(path))
    };
    let mut reader = csv::Reader::from_path(path).map_err(broken)?;
    let headers = reader.headers().map_err(broken)?.clone();
    let column = |names: [&str; 2]| headers.iter().position(|header| names.contains(&header.trim()));
    let Some(id) = column(["artist_id", "id"]) else {
        return Err(
            Error::parsing("the list of artists has no column `artist_id` or `id`").at(Location::file(path))
        );
    };
    let name = column(["artist_name", "name"]);
    let mut entries = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let name = name.and_then(|name| record.get(name)).map(str::to_owned);
        entries.push(Entry::Named { id: record.get(id).unwrap_or_default().to_owned(), name });
    }
    Ok(entries)
}

/// A YAML or JSON file with a list, or with a list under `artists`.
fn of_yaml(path: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io("read", path, &error))?;
    let json = yaml::parse(&text, path)?.to_json();
    let list = json.get("artists").cloned().unwrap_or(json);
    if !matches!(list, Value::Array(_)) {
        return Err(Error::parsing("the file of artists holds no list").at(Location::file(path)));
    }
    serde_json::from_value(list).map_err(|_| {
        Error::parsing("the file of artists holds something that is no artist")
            .at(Location::file(path))
            .help("write ids, or mappings with `id` and `name`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_of_what_people_copy() {
        for text in ["abc", " abc ", "spotify:artist:abc", "https://open.spotify.com/artist/abc?si=1"] {
            assert_eq!(plain_id(text).ok().as_deref(), Some("abc"), "{text}");
        }
        assert!(plain_id("Bad Bunny").is_err() && plain_id("").is_err());
    }
}

//! From the sources of a manifest to the extractions that fill them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::http::Secret;
use super::sandbox::Sandbox;
use super::{Extractor, rest, spotify};
use crate::error::{Error, Location, Result};
use crate::manifest::{Id, Manifest, ResourceType, Source};

/// Makes an extractor of its declaration.
type Declare = fn(&Declaration) -> Result<Box<dyn Extractor>>;

/// All extractors, by their `type`.
const EXTRACTORS: &[(&str, Declare)] = &[("spotify", spotify::declare), ("rest", rest::declare)];

/// The tables of a source that are fetched together: a day is complete only as a whole.
pub struct Extraction {
    /// The name of the source.
    pub source: String,
    /// The nodes of the tables and their names, in the order of the manifest.
    pub tables: IndexMap<Id, String>,
    pub extractor: Box<dyn Extractor>,
}

/// What an extractor may know besides its configuration.
pub struct Surroundings<'a> {
    /// The project's folder.
    pub root: &'a Path,
    /// Reads environment variables.
    pub environment: fn(&str) -> Option<String>,
    /// `extractors:` of the profile, rendered.
    pub profile: &'a Map<String, Json>,
    /// What to ask instead of the real servers.
    pub sandbox: Option<&'a Sandbox>,
}

/// One extractor's configuration, with its surroundings.
pub struct Declaration<'a> {
    config: Map<String, Json>,
    kind: String,
    surroundings: &'a Surroundings<'a>,
    pub root: &'a Path,
    pub sandbox: Option<&'a Sandbox>,
    /// Where the file of a seed is.
    pub seed_file: &'a dyn Fn(&str) -> Option<PathBuf>,
}

/// Keys that hold what nobody may read.
const SECRET_KEYS: [&str; 6] = ["client_id", "client_secret", "secret", "password", "token", "api_key"];

/// The configuration of the extractor that fills a source: `config: {extractor: …}` or `meta: {extractor: …}`.
fn configuration(source: &Source) -> Option<&Map<String, Json>> {
    let own = source.config.get("extractor").and_then(Json::as_object);
    own.or_else(|| source.fields.meta.get("extractor").and_then(Json::as_object))
}

/// Whether a source has an extractor.
pub fn has_extractor(source: &Source) -> bool {
    configuration(source).is_some()
}

fn place(source: &Source) -> Location {
    Location::new(&source.original_file_path, source.line, 0)
}

/// Refuses secrets in the configuration of extractors, as it is copied into artifacts. To be called before the first one
/// is written.
///
/// # Errors
/// Names the key, not the value.
pub fn refuse_secrets(manifest: &Manifest) -> Result<()> {
    for source in manifest.sources.values() {
        let keys = configuration(source).into_iter().flat_map(Map::keys);
        if let Some(key) = keys.into_iter().find(|key| SECRET_KEYS.contains(&key.as_str())) {
            return Err(Error::parsing(format!(
                "the extractor of the source {} has the key `{key}`: what is written here ends up in artifacts",
                source.search_name()
            ))
            .at(place(source))
            .help(
                "secrets come from environment variables, or from `extractors:` of the profile, where env_var() is \
                 not written anywhere",
            ));
        }
    }
    Ok(())
}

/// The extractions of these tables. A table that is fetched together with one of them comes along.
///
/// # Errors
/// What is wrong with the configuration, at its place.
pub fn plan(
    manifest: &Manifest,
    selected: &BTreeSet<Id>,
    surroundings: &Surroundings,
) -> Result<Vec<Extraction>> {
    let mut groups: IndexMap<(&str, &str, String), Vec<&Source>> = IndexMap::new();
    for source in manifest.sources.values() {
        if let Some(config) = configuration(source) {
            let config = Json::Object(config.clone()).to_string();
            groups.entry((&source.package_name, &source.source_name, config)).or_default().push(source);
        }
    }
    let seed_file = |name: &str| seed_file(manifest, name);
    let chosen = groups.into_values().filter(|group| group.iter().any(|it| selected.contains(&it.unique_id)));
    chosen.map(|group| extraction(&group, surroundings, &seed_file)).collect()
}

fn extraction(
    group: &[&Source],
    surroundings: &Surroundings,
    seed_file: &dyn Fn(&str) -> Option<PathBuf>,
) -> Result<Extraction> {
    let first = group[0];
    let extractor = declare(first, surroundings, seed_file).map_err(|error| error.at(place(first)))?;
    if let Some(unknown) = group.iter().find(|source| !extractor.fills(&source.name)) {
        return Err(Error::parsing(format!(
            "the extractor of the source {} does not fill a table '{}'",
            first.source_name, unknown.name
        ))
        .at(place(unknown))
        .help(format!(
            "it fills: {}; a table that comes from elsewhere says  config: {{extractor: null}}",
            extractor.tables()
        )));
    }
    let tables = group.iter().map(|source| (source.unique_id.clone(), source.name.clone())).collect();
    Ok(Extraction { source: first.source_name.clone(), tables, extractor })
}

fn declare(
    source: &Source,
    surroundings: &Surroundings,
    seed_file: &dyn Fn(&str) -> Option<PathBuf>,
) -> Result<Box<dyn Extractor>> {
    let mut config = configuration(source).cloned().unwrap_or_default();
    let kind = config.shift_remove("type").and_then(|kind| kind.as_str().map(str::to_owned));
    let known: Vec<&str> = EXTRACTORS.iter().map(|(kind, _)| *kind).collect();
    let Some(kind) = kind else {
        return Err(
            Error::parsing("the extractor has no `type`").help(format!("add one of: {}", known.join(", ")))
        );
    };
    let Some((_, make)) = EXTRACTORS.iter().find(|(name, _)| *name == kind) else {
        return Err(Error::parsing(format!("there is no extractor of the type '{kind}'"))
            .help(format!("use one of: {}", known.join(", "))));
    };
    make(&Declaration {
        config,
        kind,
        surroundings,
        root: surroundings.root,
        sandbox: surroundings.sandbox,
        seed_file,
    })
}

fn seed_file(manifest: &Manifest, name: &str) -> Option<PathBuf> {
    let seed =
        manifest.nodes.values().find(|node| node.resource_type == ResourceType::Seed && node.name == name)?;
    Some(Path::new(seed.root_path.as_deref()?).join(&seed.original_file_path))
}

impl Declaration<'_> {
    /// The configuration as the extractor's own type.
    ///
    /// # Errors
    /// A key that is unknown or missing, or a value of the wrong kind.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(Json::Object(self.config.clone())).map_err(|error| {
            Error::parsing(format!("the {} extractor cannot be configured so: {error}", self.kind))
                .help("docs/extract.md lists all keys")
        })
    }

    /// An environment variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.surroundings.environment)(name).filter(|value| !value.is_empty())
    }

    /// A secret: an environment variable, or else a key of this extractor in `extractors:` of the profile.
    pub fn secret(&self, variable: &str, key: &str) -> Option<Secret> {
        let in_profile = || {
            let value = self.surroundings.profile.get(&self.kind)?.get(key)?.as_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        self.variable(variable).or_else(in_profile).map(Secret::new)
    }
}

//! Selectors with names, from `selectors.yml`.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::spec::{Criterion, Group, IndirectSelection, Method, Operator, Spec};
use crate::error::{Error, Result};
use crate::graph::dag::ALL_GENERATIONS;

/// The project's named selectors, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Selectors {
    by_name: IndexMap<String, Selector>,
}

#[derive(Debug, Clone)]
struct Selector {
    is_default: bool,
    spec: Spec,
}

impl Selectors {
    /// Reads the content of `selectors.yml`, with its Jinja already rendered; `null` means no file.
    ///
    /// # Errors
    /// What is not a definition, an unknown method, a selector that is used before it is defined, two
    /// defaults; each names the selector.
    pub fn parse(file: &Json) -> Result<Selectors> {
        let mut selectors = Selectors::default();
        for entry in entries(file)? {
            let name = entry_name(entry)?;
            let is_default = entry.get("default").is_some_and(|value| *value == Json::Bool(true));
            if let (true, Some(other)) = (is_default, selectors.default_name()) {
                return Err(unreadable(format!(
                    "Found multiple selectors with `default: true`:{other} and {name}"
                ))
                .help("leave `default: true` with one of them"));
            }
            let definition = entry.get("definition").unwrap_or(&Json::Null);
            let spec = root_spec(definition, &selectors)
                .map_err(|error| error.trace(format!("in the selector '{name}' of selectors.yml")))?;
            selectors.by_name.insert(name.to_owned(), Selector { is_default, spec });
        }
        Ok(selectors)
    }

    /// The names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The selector that is used if a command asks for nothing.
    pub fn default_name(&self) -> Option<&str> {
        self.by_name.iter().find(|(_, selector)| selector.is_default).map(|(name, _)| name.as_str())
    }

    pub(super) fn spec(&self, name: &str) -> Result<&Spec> {
        match self.by_name.get(name) {
            Some(selector) => Ok(&selector.spec),
            None => {
                let names: Vec<&str> = self.names().collect();
                let error = Error::runtime(format!("Could not find selector named {name}"));
                Err(if names.is_empty() {
                    error.help("the project has no selectors.yml beside dbt_project.yml, or it defines none")
                } else {
                    error.help(format!("selectors.yml defines {}", names.join(", ")))
                })
            }
        }
    }
}

/// The `selectors` of `manifest.json`: each entry of the file by its name, with criteria written out.
///
/// # Errors
/// The same as of [`Selectors::parse`].
pub fn manifest_selectors(file: &Json) -> Result<Map<String, Json>> {
    let mut written = Map::new();
    for entry in entries(file)? {
        let mut entry = entry.clone();
        let name = entry_name(&entry)?.to_owned();
        let definition = written_out(entry.get("definition").unwrap_or(&Json::Null), &written)?;
        entry.insert("definition".to_owned(), definition);
        written.insert(name, Json::Object(entry));
    }
    Ok(written)
}

fn entries(file: &Json) -> Result<Vec<&Map<String, Json>>> {
    let Some(list) = file.get("selectors").filter(|list| !list.is_null()) else {
        return match file {
            Json::Null => Ok(Vec::new()),
            _ => Err(unreadable("the key 'selectors' is missing".to_owned())),
        };
    };
    let entries = list.as_array().map(|list| list.iter().map(Json::as_object).collect::<Option<Vec<_>>>());
    entries.flatten().ok_or_else(|| {
        unreadable("'selectors' must be a list of entries with the keys 'name' and 'definition'".to_owned())
    })
}

fn entry_name(entry: &Map<String, Json>) -> Result<&str> {
    let name = entry.get("name").and_then(Json::as_str);
    name.ok_or_else(|| unreadable("an entry of 'selectors' has no 'name'".to_owned()))
}

fn unreadable(reason: String) -> Error {
    Error::runtime(format!("Could not read selector file data: {reason}"))
        .at(crate::error::Location::file("selectors.yml"))
}

fn root_spec(definition: &Json, known: &Selectors) -> Result<Spec> {
    let Json::Object(map) = definition else {
        if definition.is_string() {
            return spec(definition, known);
        }
        return Err(unreadable(format!("a definition cannot be {}", kind(definition))).help(
            "valid root-level selector definitions: union, intersection, string, dictionary. No lists.",
        ));
    };
    if map.len() > 1 && (map.contains_key("union") || map.contains_key("intersection")) {
        let keys: Vec<&str> = map.keys().map(String::as_str).collect();
        return Err(unreadable(format!(
            "Only a single 'union' or 'intersection' key is allowed in a root level selector definition; found {}.",
            keys.join(",")
        ))
        .help("put the other keys into an entry of the list"));
    }
    spec(definition, known)
}

fn spec(definition: &Json, known: &Selectors) -> Result<Spec> {
    let map = match definition {
        Json::String(typed) => return Criterion::parse(typed).map(Spec::Criterion),
        Json::Object(map) => map,
        other => {
            return Err(unreadable(format!(
                "a union, an intersection, text or a dictionary is expected, not {}",
                kind(other)
            )));
        }
    };
    if map.contains_key("union") {
        group(Operator::Union, map, "union", known)
    } else if map.contains_key("intersection") {
        group(Operator::Intersection, map, "intersection", known)
    } else {
        criterion(map, known)
    }
}

fn group(operator: Operator, map: &Map<String, Json>, key: &str, known: &Selectors) -> Result<Spec> {
    let mut parts = Vec::new();
    let mut excluded = None;
    for definition in list(map, key)? {
        // As in dbt, an entry with `exclude` is nothing but that, whatever its other keys.
        let exclude = definition.as_object().filter(|map| map.contains_key("exclude"));
        match exclude {
            Some(_) if excluded.is_some() => {
                return Err(unreadable(
                    "You cannot provide multiple exclude arguments to the same selector set operator"
                        .to_owned(),
                )
                .help("put all that is excluded into one list"));
            }
            Some(map) => excluded = Some(exclusion(map, known)?),
            None => parts.push(spec(definition, known)?),
        }
    }
    Ok(without(joined(operator, parts), excluded.flatten()))
}

/// What `exclude:` lists; `None` for an empty list.
fn exclusion(map: &Map<String, Json>, known: &Selectors) -> Result<Option<Spec>> {
    let parts = list(map, "exclude")?.iter().map(|definition| spec(definition, known));
    let mut parts: Vec<Spec> = parts.collect::<Result<_>>()?;
    Ok(match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(joined(Operator::Union, parts)),
    })
}

fn without(spec: Spec, excluded: Option<Spec>) -> Spec {
    match excluded {
        Some(excluded) => joined(Operator::Difference, vec![spec, excluded]),
        None => spec,
    }
}

fn joined(operator: Operator, parts: Vec<Spec>) -> Spec {
    Spec::Group(Group { operator, parts, indirect: Some(IndirectSelection::Eager), typed: None })
}

/// `{tag: nightly}`, or `{method: tag, value: nightly, …}`.
fn criterion(map: &Map<String, Json>, known: &Selectors) -> Result<Spec> {
    let shown = Json::Object(map.clone()).to_string();
    if let (1, Some((method, value))) = (map.len(), map.iter().next()) {
        return Ok(Spec::Criterion(plain_criterion(method, value)?));
    }
    let (Some(method), Some(value)) = (map.get("method").and_then(Json::as_str), map.get("value")) else {
        let keys: Vec<&str> = map.keys().map(String::as_str).collect();
        return Err(unreadable(format!(
            "Expected either 1 key or else \"method\" and \"value\" keys, but got {}",
            keys.join(", ")
        )));
    };
    if method == Method::Selector.name() {
        let name = value.as_str().unwrap_or_default();
        return match known.by_name.get(name) {
            Some(selector) => Ok(selector.spec.clone()),
            None => Err(unreadable(format!("Existing selector definition for {name} not found."))
                .help("a selector can use those that are defined above it")),
        };
    }
    let criterion = Criterion {
        childrens_parents: map.get("childrens_parents").is_some_and(is_true),
        parents: generations(map, "parents")?,
        children: generations(map, "children")?,
        indirect: indirect_selection(map)?,
        ..plain_criterion(method, value)?
    };
    let excluded = if map.contains_key("exclude") { exclusion(map, known)? } else { None };
    Ok(without(Spec::Criterion(criterion.checked(&shown)?), excluded))
}

fn plain_criterion(method: &str, value: &Json) -> Result<Criterion> {
    let (method, arguments) = Method::parse(method)?;
    let value = value.clone();
    Ok(Criterion {
        method,
        arguments,
        value,
        childrens_parents: false,
        parents: None,
        children: None,
        indirect: None,
    })
}

/// `parents: true` with `parents_depth: 2`, or the same of children. As in dbt, a depth of 0 is no limit.
fn generations(map: &Map<String, Json>, key: &str) -> Result<Option<usize>> {
    if !map.get(key).is_some_and(is_true) {
        return Ok(None);
    }
    let depth = map.get(&format!("{key}_depth")).filter(|depth| is_true(depth));
    let Some(depth) = depth else { return Ok(Some(ALL_GENERATIONS)) };
    let number = match depth {
        Json::String(text) => text.trim().parse().ok(),
        other => other.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(unreadable(format!("'{key}_depth' must be a number of generations, not {depth}"))),
    }
}

fn indirect_selection(map: &Map<String, Json>) -> Result<Option<IndirectSelection>> {
    let Some(mode) = map.get("indirect_selection") else { return Ok(None) };
    match mode.as_str().and_then(IndirectSelection::from_name) {
        Some(mode) => Ok(Some(mode)),
        None => Err(unreadable(format!(
            "'indirect_selection' must be eager, cautious, buildable or empty, not {mode}"
        ))),
    }
}

fn list<'a>(map: &'a Map<String, Json>, key: &str) -> Result<&'a [Json]> {
    let list = map.get(key).and_then(Json::as_array);
    list.map(Vec::as_slice)
        .ok_or_else(|| unreadable(format!("Invalid value for key \"{key}\". Expected a list.")))
}

/// What Python holds for true.
fn is_true(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(map) => !map.is_empty(),
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "empty",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a dictionary",
    }
}

/// A definition in the form of the manifest: text taken apart, one-key dictionaries in full, used selectors
/// replaced by what they say.
fn written_out(definition: &Json, known: &Map<String, Json>) -> Result<Json> {
    let map = match definition {
        Json::String(typed) => return written_criterion(typed),
        Json::Object(map) => map,
        other => return Ok(other.clone()),
    };
    for key in ["union", "intersection"] {
        if map.contains_key(key) {
            return Ok(json!({ key: written_list(list(map, key)?, known)? }));
        }
    }
    let Some((key, value)) = map.iter().next() else { return Ok(definition.clone()) };
    let value = match value {
        Json::Array(list) => Json::Array(written_list(list, known)?),
        other => other.clone(),
    };
    if key == "exclude" {
        return Ok(json!({ "exclude": value }));
    }
    if map.len() == 1 {
        return Ok(json!({ "method": key, "value": value }));
    }
    if key == "method" && value == "selector" {
        let used = map.get("value").and_then(Json::as_str).and_then(|name| known.get(name));
        return Ok(used.and_then(|selector| selector.get("definition")).cloned().unwrap_or_default());
    }
    Ok(definition.clone())
}

fn written_list(list: &[Json], known: &Map<String, Json>) -> Result<Vec<Json>> {
    list.iter().map(|definition| written_out(definition, known)).collect()
}

fn written_criterion(typed: &str) -> Result<Json> {
    let criterion = Criterion::parse(typed)?;
    let mut written = Map::new();
    if criterion.childrens_parents {
        written.insert("childrens_parents".to_owned(), Json::Bool(true));
    }
    write_generations(&mut written, "parents", criterion.parents);
    let method: Vec<&str> = std::iter::once(criterion.method.name())
        .chain(criterion.arguments.iter().map(String::as_str))
        .collect();
    written.insert("method".to_owned(), Json::from(method.join(".")));
    if criterion.value != "" {
        written.insert("value".to_owned(), criterion.value);
    }
    write_generations(&mut written, "children", criterion.children);
    Ok(Json::Object(written))
}

fn write_generations(written: &mut Map<String, Json>, key: &str, generations: Option<usize>) {
    let Some(generations) = generations else { return };
    written.insert(key.to_owned(), Json::Bool(true));
    if generations != ALL_GENERATIONS {
        written.insert(format!("{key}_depth"), Json::from(generations.to_string()));
    }
}

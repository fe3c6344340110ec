//! What each method of selection looks at.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, FixedOffset};
use serde_json::Value as Json;

use super::glob::{Glob, PathGlob};
use super::names::NamePattern;
use super::spec::{Criterion, Method};
use super::{Context, same_value, state};
use crate::error::{Error, Result};
use crate::graph::dag::NodeSet;
use crate::manifest::{Node, Resource, ResourceType, Source};

/// Says of a resource whether it is searched for.
type Test<'a> = Box<dyn Fn(Resource<'_>) -> bool + 'a>;

/// All nodes that the criterion names, without relatives.
///
/// # Errors
/// A value that the method does not take, or a state that was not given.
pub(super) fn search(context: &Context<'_>, criterion: &Criterion) -> Result<NodeSet> {
    let test: Test<'_> = match criterion.method {
        Method::State => return state::search(context, &criterion.text()?),
        Method::Selector => return context.selected_by_name(&criterion.text()?),
        Method::Config => config(criterion),
        Method::Result => result(context, criterion.text()?)?,
        Method::SourceStatus => source_status(context, &criterion.text()?)?,
        _ => by_text(context, criterion.method, criterion.text()?)?,
    };
    let mut found = context.dag.no_nodes();
    for (node, resource) in context.resources() {
        if test(resource) {
            found.insert(node.index());
        }
    }
    Ok(found)
}

fn by_text<'a>(context: &Context<'a>, method: Method, text: String) -> Result<Test<'a>> {
    Ok(match method {
        Method::Fqn => {
            let pattern = NamePattern::new(&text);
            Box::new(move |r| !matches!(r, Resource::Source(_)) && pattern.matches(r))
        }
        Method::Tag => {
            let pattern = Glob::new(&text);
            Box::new(move |r| tags(r).iter().any(|tag| pattern.matches(tag)))
        }
        Method::Group => {
            let pattern = Glob::new(&text);
            Box::new(move |r| group(r).is_some_and(|group| pattern.matches(group)))
        }
        Method::Access => {
            Box::new(move |r| model(r).and_then(|m| m.model.as_ref()).is_some_and(|m| m.access == text))
        }
        Method::Source => source(&text)?,
        Method::Path => path(context, &text),
        Method::File => {
            let pattern = Glob::new(&text);
            Box::new(move |r| {
                file_names(r).is_some_and(|names| names.iter().any(|name| pattern.matches(name)))
            })
        }
        Method::Package => {
            let own = context.request.project_name.filter(|_| text == "this");
            let pattern = Glob::new(own.unwrap_or(&text));
            Box::new(move |r| pattern.matches(r.package_name()))
        }
        Method::TestName => {
            let pattern = Glob::new(&text);
            Box::new(move |r| test_name(r).is_some_and(|name| pattern.matches(name)))
        }
        Method::TestType => test_type(&text)?,
        Method::ResourceType => resource_type(&text)?,
        Method::Version => version(&text)?,
        Method::Exposure => of_type(ResourceType::Exposure, &text)?,
        Method::Metric => of_type(ResourceType::Metric, &text)?,
        Method::SemanticModel => of_type(ResourceType::SemanticModel, &text)?,
        Method::SavedQuery => of_type(ResourceType::SavedQuery, &text)?,
        Method::UnitTest => of_type(ResourceType::UnitTest, &text)?,
        Method::Function => of_type(ResourceType::Function, &text)?,
        Method::Config | Method::State | Method::Result | Method::SourceStatus | Method::Selector => {
            return Err(Error::new(crate::error::ErrorKind::Internal, "a method was not searched for"));
        }
    })
}

fn model(resource: Resource<'_>) -> Option<&Node> {
    match resource {
        Resource::Node(node) if node.resource_type == ResourceType::Model => Some(node),
        _ => None,
    }
}

/// The tags, wherever a kind of resource has them.
pub(super) fn tags<'a>(resource: Resource<'a>) -> Vec<&'a str> {
    fn texts(value: Option<&Json>) -> Vec<&str> {
        match value {
            Some(Json::String(tag)) => vec![tag],
            Some(Json::Array(tags)) => tags.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }
    match resource {
        Resource::Node(node) => node.tags(),
        Resource::Source(source) => source.fields.tags.iter().filter_map(Json::as_str).collect(),
        Resource::Exposure(exposure) => texts(Some(&exposure.tags)),
        Resource::UnitTest(test) => texts(test.config.get("tags")),
        Resource::Semantic(resource) => texts(resource.fields.get("tags")),
    }
}

/// The group of what can be selected by group: nodes and metrics.
pub(super) fn group(resource: Resource<'_>) -> Option<&str> {
    let may_be_asked = match resource {
        Resource::Node(node) => node.resource_type != ResourceType::Function,
        Resource::Semantic(resource) => resource.resource_type == ResourceType::Metric,
        _ => false,
    };
    let group = match resource {
        Resource::Node(node) => node.group(),
        other => other.config().get_str("group"),
    };
    group.filter(|group| may_be_asked && !group.is_empty())
}

fn source<'a>(text: &str) -> Result<Test<'a>> {
    let parts: Vec<&str> = text.split('.').collect();
    let (package, source, table) = match parts[..] {
        [source] => ("*", source, "*"),
        [source, table] => ("*", source, table),
        [package, source, table] => (package, source, table),
        _ => {
            return Err(Error::runtime(format!("Invalid source selector value \"{text}\"."))
                .help("write source_name, source_name.table_name or package_name.source_name.table_name"));
        }
    };
    let [package, source, table] = [package, source, table].map(Glob::new);
    Ok(Box::new(move |resource| match resource {
        Resource::Source(Source { package_name, source_name, name, .. }) => {
            package.matches(package_name) && source.matches(source_name) && table.matches(name)
        }
        _ => false,
    }))
}

/// The methods that name one kind of resource: `name` or `package.name`.
fn of_type<'a>(kind: ResourceType, text: &str) -> Result<Test<'a>> {
    let (package, name) = match text.split_once('.') {
        None => ("*", text),
        Some((package, name)) if !name.contains('.') => (package, name),
        Some(_) => {
            return Err(Error::runtime(format!("Invalid {kind} selector value \"{text}\"."))
                .help(format!("write {kind}_name or package_name.{kind}_name")));
        }
    };
    let [package, name] = [package, name].map(Glob::new);
    Ok(Box::new(move |resource| {
        resource.resource_type() == kind
            && package.matches(resource.package_name())
            && name.matches(resource.name())
    }))
}

fn path<'a>(context: &Context<'a>, text: &str) -> Test<'a> {
    let root = context.request.project_root;
    // The user may have pasted a full path.
    let relative = root.and_then(|root| std::path::Path::new(text).strip_prefix(root).ok());
    let pattern = PathGlob::new(relative.and_then(std::path::Path::to_str).unwrap_or(text));
    // Paths of packages are relative to the package: they only count if the project has the same path.
    let known = RefCell::new(HashMap::new());
    let exists = move |path: &str| {
        let Some(root) = root else { return true };
        *known.borrow_mut().entry(path.to_owned()).or_insert_with(|| root.join(path).exists())
    };
    Box::new(move |resource| {
        let file = resource.original_file_path();
        let patch = patch_path(resource).and_then(|path| path.split_once("://")).map(|(_, path)| path);
        [Some(file), patch].into_iter().flatten().any(|path| pattern.matches(path) && exists(path))
            || pattern.matching_folder(file).is_some_and(|folder| exists(&folder))
    })
}

fn patch_path(resource: Resource<'_>) -> Option<&str> {
    match resource {
        Resource::Node(node) => node.patch_path.as_deref(),
        Resource::Source(source) => source.patch_path.as_deref(),
        _ => None,
    }
}

/// The name of the resource's file, with and without its ending.
fn file_names(resource: Resource<'_>) -> Option<[&str; 2]> {
    let path = std::path::Path::new(resource.original_file_path());
    Some([path.file_name()?.to_str()?, path.file_stem()?.to_str()?])
}

fn test_name(resource: Resource<'_>) -> Option<&str> {
    match resource {
        Resource::Node(node) => node.test.as_ref().map(|test| test.test_metadata.name.as_str()),
        Resource::UnitTest(test) => Some(&test.name),
        _ => None,
    }
}

fn test_type<'a>(text: &str) -> Result<Test<'a>> {
    let is_data_test = |r: Resource<'_>| r.resource_type() == ResourceType::Test;
    let is_generic = |r: Resource<'_>| matches!(r, Resource::Node(node) if node.is_generic_test());
    match text {
        // The names from before generic tests are kept by dbt.
        "generic" | "schema" => Ok(Box::new(is_generic)),
        "data" => Ok(Box::new(is_data_test)),
        "singular" => Ok(Box::new(move |r| is_data_test(r) && !is_generic(r))),
        "unit" => Ok(Box::new(|r| r.resource_type() == ResourceType::UnitTest)),
        other => Err(Error::runtime(format!(
            "Invalid test type selector {other}: expected \"generic\", \"singular\", \"unit\", or \"data\""
        ))),
    }
}

fn resource_type<'a>(text: &str) -> Result<Test<'a>> {
    let Some(kind) = ResourceType::from_name(text) else {
        return Err(Error::runtime(format!("Invalid resource_type selector \"{text}\"")).help(
            "write model, seed, snapshot, test, unit_test, source, exposure, analysis, function, metric, …",
        ));
    };
    Ok(Box::new(move |r| r.resource_type() == kind))
}

fn version<'a>(text: &str) -> Result<Test<'a>> {
    use std::cmp::Ordering;
    let order = |node: &Node| {
        let model = node.model.as_ref()?;
        Some(compare_versions(model.version.as_ref()?, model.latest_version.as_ref()?))
    };
    let of_order = |wanted: Ordering| -> Test<'a> {
        Box::new(move |r| model(r).and_then(order).is_some_and(|found| found == wanted))
    };
    match text {
        "latest" => Ok(of_order(Ordering::Equal)),
        "prerelease" => Ok(of_order(Ordering::Greater)),
        "old" => Ok(of_order(Ordering::Less)),
        "none" => Ok(Box::new(|r| model(r).is_some_and(|node| node.version().is_none()))),
        other => Err(Error::runtime(format!(
            "Invalid version type selector {other}: expected one of: \"latest\", \"prerelease\", \"old\", or \"none\""
        ))),
    }
}

/// Versions are numbers where both can be read as such, else text.
fn compare_versions(one: &Json, other: &Json) -> std::cmp::Ordering {
    let text = |version: &Json| version.as_str().map_or_else(|| version.to_string(), str::to_owned);
    let (one, other) = (text(one), text(other));
    let numbers = one.parse::<f64>().ok().zip(other.parse::<f64>().ok());
    numbers.and_then(|(one, other)| one.partial_cmp(&other)).unwrap_or_else(|| one.cmp(&other))
}

/// Only nodes and sources are searched by configuration, as in dbt.
fn config<'a>(criterion: &Criterion) -> Test<'a> {
    let path = criterion.arguments.clone();
    let wanted = criterion.value.clone();
    Box::new(move |resource| {
        let searched = match resource {
            Resource::Node(node) => node.resource_type != ResourceType::Function,
            Resource::Source(_) => true,
            _ => false,
        };
        let Some((first, rest)) = path.split_first().filter(|_| searched) else { return false };
        let value = rest.iter().try_fold(resource.config().get(first), |value, key| Some(value?.get(key)));
        let Some(Some(value)) = value else { return false };
        let any_case = rest.is_empty() && first == "severity";
        match value {
            Json::Array(list) => list.iter().any(|value| means(&wanted, value, any_case)),
            value => means(&wanted, value, any_case),
        }
    })
}

/// Whether what the user wrote is this value: truth values may be written as text, in any case.
fn means(wanted: &Json, value: &Json, any_case: bool) -> bool {
    match (wanted, value) {
        (Json::String(wanted), Json::Bool(value)) => wanted.eq_ignore_ascii_case(&value.to_string()),
        (Json::String(wanted), Json::String(value)) if any_case => {
            wanted.to_uppercase() == value.to_uppercase()
        }
        (wanted, value) => same_value(wanted, value),
    }
}

fn result<'a>(context: &Context<'a>, status: String) -> Result<Test<'a>> {
    let results = context.previous().run_results.as_ref().ok_or_else(|| {
        Error::runtime("No comparison run_results")
            .help("give the folder of an earlier run's artifacts with --state: it must hold run_results.json")
    })?;
    let with_status = |result: &&Json| result.get("status").and_then(Json::as_str) == Some(&status);
    let ids: HashSet<&str> = (results.get("results").and_then(Json::as_array).into_iter().flatten())
        .filter(with_status)
        .filter_map(|result| result.get("unique_id")?.as_str())
        .collect();
    Ok(Box::new(move |resource| ids.contains(&**resource.id())))
}

/// `fresher`: sources that have newer rows than at the earlier check.
fn source_status<'a>(context: &Context<'a>, text: &str) -> Result<Test<'a>> {
    let missing =
        |what: &str, help: &str| Error::runtime(format!("No {what} in sources.json")).help(help.to_owned());
    let earlier = context.previous().sources.as_ref().ok_or_else(|| {
        missing(
            "previous state comparison freshness results",
            "give the folder of an earlier run's artifacts with --state: it must hold sources.json",
        )
    })?;
    let current = context.previous().sources_current.as_ref().ok_or_else(|| {
        missing(
            "current state comparison freshness results",
            "run `source freshness` before, with the same target path",
        )
    })?;
    let earlier = max_loaded_at(earlier);
    let mut fresher = max_loaded_at(current);
    fresher.retain(|id, moment| text == "fresher" && earlier.get(id).is_none_or(|before| *moment > *before));
    Ok(Box::new(move |resource| fresher.contains_key(&**resource.id())))
}

/// When each source got its newest row, as far as its check did not fail.
fn max_loaded_at(sources: &Json) -> HashMap<&str, DateTime<FixedOffset>> {
    let results = sources.get("results").and_then(Json::as_array).into_iter().flatten();
    results.filter_map(loaded_at).collect()
}

fn loaded_at(result: &Json) -> Option<(&str, DateTime<FixedOffset>)> {
    let moment = DateTime::parse_from_rfc3339(result.get("max_loaded_at")?.as_str()?).ok()?;
    Some((result.get("unique_id")?.as_str()?, moment))
}

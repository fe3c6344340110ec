//! What the user may have meant with a criterion that matches nothing.

use std::collections::BTreeSet;

use super::spec::{Criterion, Group, Method, Spec};
use super::{Context, methods};
use crate::manifest::{Disabled, Resource, ResourceType};
use crate::text::nearest;

/// A hint at the first criterion of the group that alone finds nothing.
pub(super) fn help(context: &Context<'_>, group: &Group) -> Option<String> {
    let criteria = group.parts.iter().filter_map(|part| match part {
        Spec::Criterion(criterion) => Some(criterion),
        Spec::Group(_) => None,
    });
    let mut fruitless =
        criteria.filter(|criterion| methods::search(context, criterion).is_ok_and(|found| found.is_clear()));
    let Some(criterion) = fruitless.next() else {
        return (group.parts.len() > 1)
            .then(|| "each of its parts matches nodes, but no node matches all".to_owned());
    };
    let text = criterion.text().ok()?;
    if let Some(kind) = disabled_kind(context, &text) {
        return Some(format!("the {kind} '{text}' is disabled (`enabled: false` in its configuration)"));
    }
    let names = known_names(context, criterion);
    let name = nearest(&text, names.iter().map(String::as_str))?;
    Some(format!("did you mean '{name}'?"))
}

fn disabled_kind(context: &Context<'_>, name: &str) -> Option<ResourceType> {
    let resources = context.manifest.disabled.values().flatten().map(Disabled::resource);
    resources.filter(|resource| resource.name() == name).map(Resource::resource_type).next()
}

/// All values that the criterion's method would find something by.
fn known_names(context: &Context<'_>, criterion: &Criterion) -> BTreeSet<String> {
    let resources = context.resources().map(|(_, resource)| resource);
    let of_type = |kind: ResourceType| {
        let named = context.resources().map(|(_, resource)| resource);
        named.filter(|resource| resource.resource_type() == kind).map(|r| r.name().to_owned()).collect()
    };
    match criterion.method {
        Method::Fqn => {
            let is_asked_for = |r: &Resource<'_>| !matches!(r, Resource::Source(_)) && !is_generic_test(*r);
            resources.filter(is_asked_for).map(|r| r.name().to_owned()).collect()
        }
        Method::Tag => resources.flat_map(methods::tags).map(str::to_owned).collect(),
        Method::Group => resources.filter_map(methods::group).map(str::to_owned).collect(),
        Method::Package => resources.map(|r| r.package_name().to_owned()).collect(),
        Method::Source => resources.flat_map(source_names).collect(),
        Method::Path => resources.flat_map(|r| paths(r.original_file_path())).collect(),
        Method::File => resources.flat_map(|r| file_name(r.original_file_path())).collect(),
        Method::Exposure => of_type(ResourceType::Exposure),
        Method::Metric => of_type(ResourceType::Metric),
        Method::SemanticModel => of_type(ResourceType::SemanticModel),
        Method::SavedQuery => of_type(ResourceType::SavedQuery),
        Method::UnitTest => of_type(ResourceType::UnitTest),
        Method::Function => of_type(ResourceType::Function),
        _ => BTreeSet::new(),
    }
}

fn is_generic_test(resource: Resource<'_>) -> bool {
    matches!(resource, Resource::Node(node) if node.is_generic_test())
}

fn source_names(resource: Resource<'_>) -> Vec<String> {
    match resource {
        Resource::Source(source) => vec![source.source_name.clone(), source.search_name()],
        _ => Vec::new(),
    }
}

/// A path and all folders it is in.
fn paths(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.map(|end| path[..end].to_owned()).collect()
}

fn file_name(path: &str) -> Option<String> {
    path.rsplit('/').next().map(str::to_owned)
}

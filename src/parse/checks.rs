//! What can be told only when the whole project is parsed: groups that do not exist, models that should be gone,
//! configurations that configure nothing.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::Parser;
use super::properties::PropertyIndex;
use crate::error::{Error, Location, Result};
use crate::events::Warning;
use crate::manifest::{Exposure, Id, Manifest, Node, ResourceType, version_suffix};
use crate::project::config::section_of_project;
use crate::text::nearest;

impl Parser<'_> {
    /// Checks the whole manifest.
    ///
    /// # Errors
    /// All that is wrong, together.
    pub fn check_manifest(&self, manifest: &Manifest) -> Result<()> {
        let mut errors = Vec::new();
        for node in manifest.nodes.values() {
            errors.extend(check_group(node, manifest).err());
            errors.extend(self.check_restricted(node, manifest).err());
            errors.extend(check_public(node).err());
            errors.extend(check_primary_key(node).err());
        }
        for exposure in manifest.exposures.values() {
            let place = Location::new(&exposure.original_file_path, exposure.line, 0);
            errors.extend(check_private(exposure, manifest).err().map(|error| error.at(place)));
        }
        errors.extend(self.check_spaces(manifest).err());
        self.warn_of_deprecations(manifest);
        self.warn_of_unused_configs(manifest);
        Error::many(errors).map_or(Ok(()), Err)
    }

    /// Names have no spaces; where the project still allows them, it is told.
    fn check_spaces(&self, manifest: &Manifest) -> Result<()> {
        let spaced: Vec<&Node> = manifest.nodes.values().filter(|node| node.name.contains(' ')).collect();
        if spaced.is_empty() {
            return Ok(());
        }
        if self.shared.flags.behavior.require_resource_names_without_spaces {
            let refused = spaced.into_iter().map(|node| {
                Error::runtime(format!("Resource names cannot contain spaces: '{}'", node.unique_id))
                    .help("rename it, with underscores for example")
                    .at(Location::new(&node.original_file_path, node.first_line, 0))
            });
            return Error::many(refused.collect()).map_or(Ok(()), Err);
        }
        let debug = self.shared.flags.debug;
        for node in spaced.iter().take(if debug { spaced.len() } else { 1 }) {
            let message = format!("Found spaces in the name of `{}`", node.unique_id);
            let warning =
                Warning::new("SpacesInResourceNameDeprecation", message).with("unique_id", &*node.unique_id);
            self.warn(warning.at(Location::file(&node.original_file_path)));
        }
        let hint = if debug { "" } else { " Run again with `--debug` to see them all." };
        let message = format!(
            "Spaces found in {} resource name(s). This is deprecated, and may lead to errors when using dbt.{hint}",
            spaced.len()
        );
        self.warn(Warning::new("ResourceNamesWithSpacesDeprecation", message));
        Ok(())
    }

    /// Where a package says `restrict-access`, others may use its public models only.
    fn check_restricted(&self, node: &Node, manifest: &Manifest) -> Result<()> {
        for target in used_models(&node.depends_on.nodes, manifest) {
            let access = target.model.as_ref().map_or("", |model| model.access.as_str());
            let is_foreign = target.package_name != node.package_name;
            if is_foreign && access != "public" && self.project_of(&target.package_name).restrict_access {
                return Err(Error::parsing(format!(
                    "Node {} attempted to reference node {}, which is not allowed because the referenced node is {access} \
                     to the '{}' package.",
                    node.unique_id, target.unique_id, target.package_name
                ))
                .help("only models with `access: public` may be used from other packages")
                .at(Location::new(&node.original_file_path, node.first_line, 0)));
            }
        }
        Ok(())
    }

    /// Warns of entries that describe nothing.
    pub fn warn_of_unused_entries(&self, properties: &PropertyIndex) {
        let described = [
            ResourceType::Model,
            ResourceType::Seed,
            ResourceType::Snapshot,
            ResourceType::Analysis,
            ResourceType::Test,
        ];
        for entry in
            properties.all.iter().filter(|entry| described.contains(&entry.kind) && entry.is_unused())
        {
            let section = match entry.kind {
                ResourceType::Analysis => "analyses".to_owned(),
                ResourceType::Test => "data_tests".to_owned(),
                kind => format!("{kind}s"),
            };
            let message = format!(
                "Did not find matching node for patch with name '{}' in the '{section}' section of file '{}'",
                entry.name, entry.file
            );
            self.warn(Warning::new("NoNodeForYamlKey", message).at(entry.location()));
        }
    }

    fn warn_of_deprecations(&self, manifest: &Manifest) {
        for node in manifest.nodes.values() {
            let Some(model) = &node.model else { continue };
            let Some(date) = &model.deprecation_date else { continue };
            let is_past = DateTime::parse_from_rfc3339(date).is_ok_and(|date| date < Utc::now());
            let name = versioned(node);
            if is_past {
                let message = format!(
                    "Model {name} has passed its deprecation date of {date}. This model should be disabled or removed."
                );
                let warning = Warning::new("DeprecatedModel", message)
                    .with("model_name", node.name.as_str())
                    .with("deprecation_date", date.as_str());
                self.warn(warning.at(Location::file(&node.original_file_path)));
            }
            let children = manifest.nodes.values().filter(|child| child.model.is_some());
            for child in children.filter(|child| child.depends_on.nodes.contains(&node.unique_id)) {
                let (code, what) = match is_past {
                    true => ("DeprecatedReference", "was deprecated on"),
                    false => ("UpcomingReferenceDeprecation", "is slated for deprecation on"),
                };
                let message = format!(
                    "While compiling '{}': Found a reference to {name}, which {what} '{date}'.{}",
                    child.name,
                    newer_version(node)
                );
                let warning = Warning::new(code, message)
                    .with("model_name", child.name.as_str())
                    .with("ref_model_package", &*node.package_name)
                    .with("ref_model_name", node.name.as_str())
                    .with("ref_model_deprecation_date", date.as_str());
                self.warn(warning.at(Location::file(&child.original_file_path)));
            }
        }
    }

    /// Paths of the project file's configurations under which there is nothing.
    fn warn_of_unused_configs(&self, manifest: &Manifest) {
        let enabled: Vec<(Option<&str>, &[String])> = manifest
            .resources()
            .map(|resource| (section_of_project(resource.resource_type()), resource.fqn()))
            .collect();
        let disabled: Vec<&[String]> =
            manifest.disabled.values().flatten().map(|disabled| disabled.resource().fqn()).collect();
        let is_used = |section: &str, path: &[String]| {
            enabled.iter().any(|(of, fqn)| *of == Some(section) && fqn.starts_with(path))
                || disabled.iter().any(|fqn| fqn.starts_with(path))
        };
        let root = self.workspace.root();
        let unused: Vec<String> = root
            .configs
            .paths()
            .into_iter()
            .filter(|(section, path)| !is_used(section, path))
            .map(|(section, path)| {
                let parts = std::iter::once(section.replace('-', "_")).chain(path);
                parts.collect::<Vec<_>>().join(".")
            })
            .collect();
        if unused.is_empty() {
            return;
        }
        let message = format!(
            "Configuration paths exist in your dbt_project.yml file which do not apply to any resources.\n\
             There are {} unused configuration paths:\n- {}",
            unused.len(),
            unused.join("\n- ")
        );
        let warning = Warning::new("UnusedResourceConfigPath", message).with("unused_config_paths", unused);
        self.warn(warning);
    }
}

/// The group that a node is configured to be in exists.
fn check_group(node: &Node, manifest: &Manifest) -> Result<()> {
    let Some(group) = node.config.get_str("group") else { return Ok(()) };
    let known = || manifest.groups.values().map(|known| known.name.as_str());
    if known().any(|known| known == group) {
        return Ok(());
    }
    let listed: Vec<String> = known().map(|name| format!("'{name}'")).collect();
    let error = Error::parsing(format!("Invalid group '{group}', expected one of [{}]", listed.join(", ")))
        .at(Location::new(&node.original_file_path, node.first_line, 0));
    Err(match nearest(group, known()) {
        Some(similar) => error.help(format!("did you mean '{similar}'?")),
        None => error.help("define it under `groups:` in a property file"),
    })
}

/// Others cannot use what exists in the SQL of its users only.
fn check_public(node: &Node) -> Result<()> {
    let is_public = node.model.as_ref().is_some_and(|model| model.access == "public");
    if !(is_public && node.is_ephemeral()) {
        return Ok(());
    }
    Err(Error::parsing(format!(
        "Node {} with 'ephemeral' materialization has an invalid value (public) for the access field",
        node.unique_id
    ))
    .help("make the model protected, or materialize it as a view or table")
    .at(Location::file(&node.original_file_path)))
}

/// A model has one primary key: several columns of one are told in a constraint of the model.
fn check_primary_key(node: &Node) -> Result<()> {
    let Some(model) = node.model.as_ref().filter(|_| node.contract.enforced) else { return Ok(()) };
    let is_key = |constraint: &Json| constraint["type"] == "primary_key";
    let columns: Vec<&str> = node
        .columns
        .values()
        .filter(|column| column.constraints.iter().any(is_key))
        .map(|column| column.name.as_str())
        .collect();
    let message = if columns.len() > 1 {
        format!(
            "Found {} columns (['{}']) with primary key constraints defined. Primary keys for multiple columns must be \
             defined as a model level constraint.",
            columns.len(),
            columns.join("', '")
        )
    } else if !columns.is_empty() && model.constraints.iter().any(is_key) {
        "Primary key constraints defined at the model level and the columns level. Primary keys can be defined at the \
         model level or the column level, not both."
            .to_owned()
    } else {
        return Ok(());
    };
    Err(Error::parsing(message)
        .help("keep one: `constraints: [{type: primary_key, columns: [...]}]` of the model, or the one of the column")
        .at(Location::file(&node.original_file_path)))
}

/// Exposures belong to no group, so that private models are not for them.
fn check_private(exposure: &Exposure, manifest: &Manifest) -> Result<()> {
    for target in used_models(&exposure.depends_on.nodes, manifest) {
        let is_private = target.model.as_ref().is_some_and(|model| model.access == "private");
        if let Some(group) = target.config.get_str("group").filter(|_| is_private) {
            return Err(Error::parsing(format!(
                "Node {} attempted to reference node {}, which is not allowed because the referenced node is private to \
                 the '{group}' group.",
                exposure.unique_id, target.unique_id
            ))
            .help("make the model protected or public"));
        }
    }
    Ok(())
}

fn used_models<'a>(ids: &'a [Id], manifest: &'a Manifest) -> impl Iterator<Item = &'a Node> {
    ids.iter().filter_map(|id| manifest.nodes.get(id)).filter(|node| node.model.is_some())
}

/// `orders` or `orders.v2`.
fn versioned(node: &Node) -> String {
    match node.version() {
        Some(version) => format!("{}.{}", node.name, version_suffix(version)),
        None => node.name.clone(),
    }
}

/// What to use in place of an old version.
fn newer_version(node: &Node) -> String {
    let latest = node.model.as_ref().and_then(|model| model.latest_version.as_ref());
    match (node.version(), latest) {
        (Some(version), Some(latest)) if version != latest => {
            let latest = latest.as_str().map_or_else(|| Json::to_string(latest), str::to_owned);
            format!(
                " A new version of '{0}' is available: {{{{ ref('{1}', '{0}', v='{latest}') }}}}.",
                node.name, node.package_name
            )
        }
        _ => String::new(),
    }
}

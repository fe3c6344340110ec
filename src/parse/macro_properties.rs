//! What property files say of macros (<https://docs.getdbt.com/reference/macro-properties>).

use super::Parser;
use super::properties::{Properties, PropertyIndex};
use crate::error::Result;
use crate::events::Warning;
use crate::manifest::{Macro, MacroArgument, Manifest, ResourceType};
use crate::project::yaml::Yaml;

/// Puts macros into the manifest, described.
pub fn add(
    parser: &Parser,
    manifest: &mut Manifest,
    entries: Vec<Macro>,
    properties: &PropertyIndex,
) -> Result<()> {
    manifest.macros = entries.into_iter().map(|entry| (entry.unique_id.clone(), entry)).collect();
    for entry in properties.of_kind(ResourceType::Macro) {
        let id = format!("macro.{}.{}", entry.package, entry.name);
        let Some(described) = manifest.macros.get_mut(id.as_str()) else {
            let message = format!("Found patch for macro \"{}\" which was not found", entry.name);
            parser.warn(Warning::new("MacroNotFoundForPatch", message).at(entry.location()));
            continue;
        };
        entry.mark_used();
        let (description, _) = parser.describe(
            &entry.package,
            entry.text("description").unwrap_or_default(),
            &entry.location(),
        )?;
        described.description = description;
        described.patch_path = Some(entry.patch_path());
        let arguments = macro_arguments(entry);
        if parser.shared.flags.behavior.validate_macro_args {
            check_arguments(parser, described, entry, &arguments);
        }
        if !(arguments.is_empty() && parser.shared.flags.behavior.validate_macro_args) {
            described.arguments = arguments;
        }
        for source in [entry.yaml.get("meta").map(Yaml::to_json), entry.config.get("meta").cloned()] {
            if let Some(serde_json::Value::Object(meta)) = source {
                described.meta.extend(meta);
            }
        }
        if let Some(docs) =
            entry.config.get("docs").cloned().or_else(|| entry.yaml.get("docs").map(Yaml::to_json))
        {
            described.docs = docs;
        }
    }
    Ok(())
}

fn macro_arguments(entry: &Properties) -> Vec<MacroArgument> {
    let list = entry.yaml.get("arguments").and_then(Yaml::as_seq).unwrap_or_default();
    let text = |item: &Yaml, key: &str| item.get(key).filter(|value| !value.is_null()).map(Yaml::key_text);
    list.iter()
        .map(|item| MacroArgument {
            name: text(item, "name").unwrap_or_default(),
            data_type: text(item, "type"),
            description: text(item, "description").unwrap_or_default(),
        })
        .collect()
}

/// Tells where the arguments that YAML describes are not those of the macro, or of no type that dbt knows.
fn check_arguments(parser: &Parser, described: &Macro, entry: &Properties, arguments: &[MacroArgument]) {
    if arguments.is_empty() {
        return;
    }
    let name = &described.name;
    let items = entry.yaml.get("arguments").and_then(Yaml::as_seq).unwrap_or_default();
    let warn = |item: Option<&Yaml>, message: String| {
        let place = item.map_or_else(|| entry.location(), |item| item.location(&entry.path));
        let warning = Warning::new("InvalidMacroAnnotation", message)
            .with("macro_unique_id", &*described.unique_id)
            .with("macro_file_path", described.original_file_path.as_str());
        parser.warn(warning.at(place));
    };
    for (index, (own, given)) in described.arguments.iter().zip(arguments).enumerate() {
        if own.name != given.name {
            let message = format!(
                "Argument {} in yaml for macro {name} does not match the jinja definition, where it is {}.",
                given.name, own.name
            );
            warn(items.get(index), message);
        }
    }
    if described.arguments.len() != arguments.len() {
        let message = format!(
            "The number of arguments in the yaml for macro {name} does not match the jinja definition: {} and {}.",
            arguments.len(),
            described.arguments.len()
        );
        warn(None, message);
    }
    for (index, argument) in arguments.iter().enumerate() {
        let data_type = argument.data_type.as_deref().unwrap_or_default();
        if !data_type.trim().is_empty() && !is_type(data_type) {
            let message = format!(
                "Argument {} in the yaml for macro {name} has an invalid type, '{data_type}': known are {}, with their \
                 parts in brackets, such as list[str].",
                argument.name,
                TYPES.map(|(known, _)| known).join(", ")
            );
            warn(items.get(index), message);
        }
    }
}

/// The types of arguments, and how many types each has in brackets
/// (<https://docs.getdbt.com/reference/resource-properties/arguments>).
const TYPES: [(&str, usize); 12] = [
    ("str", 0),
    ("string", 0),
    ("bool", 0),
    ("int", 0),
    ("integer", 0),
    ("float", 0),
    ("any", 0),
    ("list", 1),
    ("dict", 2),
    ("optional", 1),
    ("relation", 0),
    ("column", 0),
];

fn is_type(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '\t')).collect();
    after_type(&text) == Some("")
}

/// What follows the type with which a text begins.
fn after_type(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let (_, parts) = TYPES.iter().find(|(known, _)| *known == name)?;
    for index in 0..*parts {
        rest = after_type(rest.strip_prefix(if index == 0 { '[' } else { ',' })?)?;
    }
    if *parts > 0 { rest.strip_prefix(']') } else { Some(rest) }
}

#[cfg(test)]
mod tests {
    use super::is_type;

    #[test]
    fn types_have_as_many_parts_as_they_need() {
        for known in ["string", "list[int]", "dict[str, list[any]]", "optional [ relation ]"] {
            assert!(is_type(known), "{known}");
        }
        for unknown in ["", "text", "int[int]", "list", "list[int", "dict[str]", "list[int]]", "List[int]"] {
            assert!(!is_type(unknown), "{unknown}");
        }
    }
}

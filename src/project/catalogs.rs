//! `catalogs.yml`: where other engines keep their tables (<https://docs.getdbt.com/docs/build/iceberg-catalogs>). DuckDB
//! uses none of it; the file is checked as dbt does it.

use std::path::Path;

use super::render::{Render, render_tree};
use super::yaml::{self, Yaml};
use crate::error::{Error, ErrorKind, Result};
use crate::text::nearest;

/// The name of the file.
const CATALOGS_FILE: &str = "catalogs.yml";

/// Checks the catalogs of a project, if it has any.
///
/// # Errors
/// All that is wrong with them.
pub fn check(root: &Path, render: Render) -> Result<()> {
    let file = root.join(CATALOGS_FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("read", &file, &error)),
    };
    let errors = match catalogs(&text, &file, render) {
        Ok(catalogs) => catalogs.iter().filter_map(|catalog| check_catalog(catalog, &file).err()).collect(),
        Err(error) => vec![error],
    };
    // dbt's label for what is wrong with such files.
    let labelled = |error: Error| error.excerpt_from(&text).of_kind(ErrorKind::Runtime);
    Error::many(errors.into_iter().map(labelled).collect()).map_or(Ok(()), Err)
}

fn catalogs(text: &str, file: &Path, render: Render) -> Result<Vec<Yaml>> {
    let tree = yaml::parse(text, file)?;
    if tree.is_null() {
        return Err(tree.error(file, "the file is empty").help("remove it, or list `catalogs:` in it"));
    }
    let rendered = render_tree(&tree, file, &|_| false, render)?;
    match rendered.need_map("the content of catalogs.yml", file)?.get("catalogs") {
        Some(catalogs) => catalogs.need_seq("`catalogs`", file).map(<[Yaml]>::to_vec),
        None => Ok(Vec::new()),
    }
}

fn check_catalog(catalog: &Yaml, file: &Path) -> Result<()> {
    let name = text_of(catalog, "name", file)?;
    let integrations = match catalog.get("write_integrations") {
        Some(list) => list.need_seq("`write_integrations`", file)?,
        None => &[],
    };
    let mut known: Vec<&str> = Vec::new();
    for integration in integrations {
        let own = text_of(integration, "name", file)?;
        text_of(integration, "catalog_type", file)?;
        if known.contains(&own) {
            return Err(integration.error(
                file,
                format!(
                    "Catalog '{name}' cannot have multiple 'write_integrations' with the same name: '{own}'."
                ),
            ));
        }
        known.push(own);
    }
    match catalog.get("active_write_integration").filter(|active| !active.is_null()) {
        None if known.len() == 1 => Ok(()),
        None => Err(catalog
            .error(
                file,
                format!(
                    "Catalog '{name}' must specify an 'active_write_integration' when multiple 'write_integrations' are \
                     provided."
                ),
            )
            .help("name the one that is used: `active_write_integration: …`")),
        Some(active) => {
            let own = active.need_str("`active_write_integration`", file)?;
            if known.contains(&own) {
                return Ok(());
            }
            let names = format!("['{}']", known.join("', '"));
            let error = active.error(
                file,
                format!(
                    "Catalog '{name}' must specify an 'active_write_integration' from its set of defined \
                     'write_integrations': {names}. Got: '{own}'."
                ),
            );
            Err(match nearest(own, known) {
                Some(similar) => error.help(format!("did you mean '{similar}'?")),
                None => error,
            })
        }
    }
}

fn text_of<'a>(yaml: &'a Yaml, key: &str, file: &Path) -> Result<&'a str> {
    match yaml.need_map("an entry", file)?.get(key) {
        Some(value) => value.need_str(&format!("`{key}`"), file),
        None => {
            Err(yaml.error(file, format!("'{key}' is a required property")).help(format!("add `{key}:`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Location;

    fn told(text: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(CATALOGS_FILE), text).expect("a file");
        let plain = |template: &str, _: &Location| Ok(Yaml::from(template));
        check(folder.path(), &plain).map_or_else(|error| error.message().to_owned(), |()| "fine".to_owned())
    }

    #[test]
    fn one_integration_is_the_active_one() {
        let write = |name: &str| format!("{{name: {name}, catalog_type: rest}}");
        let catalog = |rest: &str, names: &[&str]| {
            let list: Vec<String> = names.iter().map(|name| write(name)).collect();
            told(&format!("catalogs: [{{name: lake, write_integrations: [{}]{rest}}}]", list.join(", ")))
        };
        assert_eq!(catalog("", &["a"]), "fine");
        assert_eq!(catalog(", active_write_integration: b", &["a", "b"]), "fine");
        assert!(catalog("", &["a", "b"]).contains("when multiple 'write_integrations' are provided"));
        assert!(catalog(", active_write_integration: c", &["a", "b"]).contains("['a', 'b']. Got: 'c'"));
        assert!(catalog(", active_write_integration: a", &["a", "a"]).contains("the same name: 'a'"));
        assert_eq!(told("catalogs: [{write_integrations: []}]"), "'name' is a required property");
        assert_eq!(told(""), "the file is empty");
    }
}

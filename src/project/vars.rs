//! Variables: what `var('name')` finds, by the package that asks.

use std::collections::HashMap;
use std::path::Path;

use super::yaml::{self, Mapping, Yaml};
use crate::error::{Error, Result};

/// The variables of the command line and of all project files. Values are as they were written: dbt renders
/// Jinja in them where they are used.
#[derive(Debug, Clone, Default)]
pub struct Vars {
    cli: Mapping,
    root_name: String,
    by_package: HashMap<String, Mapping>,
}

impl Vars {
    /// Brings together the variables of the command line (`--vars`) and of each project by its name.
    pub fn new(cli: Mapping, root_name: &str, by_package: HashMap<String, Mapping>) -> Self {
        Vars { cli, root_name: root_name.to_owned(), by_package }
    }

    /// The value that a package sees: of the command line, else of the root project, else of the package's
    /// own project file. Within a file, what stands under the package's name comes before what is for all.
    pub fn get(&self, package: &str, name: &str) -> Option<&Yaml> {
        if let Some(value) = self.cli.get(name) {
            return Some(value);
        }
        [self.root_name.as_str(), package].into_iter().find_map(|file| {
            let vars = self.by_package.get(file)?;
            vars.get(package).and_then(|own| own.get(name)).or_else(|| vars.get(name))
        })
    }

    /// The variables of the command line.
    pub fn cli(&self) -> &Mapping {
        &self.cli
    }

    /// Everything that a package sees, for messages about a variable that is missing.
    pub fn all(&self, package: &str) -> Mapping {
        let mut all = Mapping::default();
        for file in [package, self.root_name.as_str()] {
            let Some(vars) = self.by_package.get(file) else { continue };
            let own = vars.get(package).and_then(Yaml::as_map);
            for (key, value) in vars.iter().chain(own.into_iter().flat_map(Mapping::iter)) {
                all.set(&key.key_text(), value.clone());
            }
        }
        for (key, value) in self.cli.iter() {
            all.set(&key.key_text(), value.clone());
        }
        all
    }
}

/// Reads the value of `--vars`: a YAML mapping such as `{day: 2024-01-31}`.
///
/// # Errors
/// If it is not valid YAML, or no mapping.
pub fn parse_cli_vars(text: &str) -> Result<Mapping> {
    const HELP: &str = "write a YAML mapping: --vars '{name: value, other: 1}'";
    let path = Path::new("--vars");
    let parsed = yaml::parse(text, path).map_err(|error| Error::usage(error.message()).help(HELP))?;
    match parsed.as_map() {
        Some(map) => Ok(map.clone()),
        None => {
            Err(Error::usage(format!("--vars expects a mapping, found {}: {text}", parsed.kind())).help(HELP))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(text: &str) -> Mapping {
        parse_cli_vars(text).expect("a mapping")
    }

    #[test]
    fn nearer_variables_win() {
        let root =
            mapping("{everywhere: root, shop: {a: root-shop}, lib: {a: root-lib, b: root-lib}, c: root}");
        let lib = mapping("{a: lib, b: lib, c: lib, d: lib, lib: {d: lib-lib}, cli: lib}");
        let by_package = HashMap::from([("shop".to_owned(), root), ("lib".to_owned(), lib)]);
        let vars = Vars::new(mapping("{cli: cli}"), "shop", by_package);
        let cases = [
            ("shop", "a", Some("root-shop")),
            ("shop", "everywhere", Some("root")),
            ("shop", "d", None),
            ("lib", "cli", Some("cli")),
            ("lib", "a", Some("root-lib")),
            ("lib", "c", Some("root")),
            ("lib", "d", Some("lib-lib")),
            ("unknown", "c", Some("root")),
        ];
        for (package, name, expected) in cases {
            assert_eq!(vars.get(package, name).and_then(Yaml::as_str), expected, "{package} {name}");
        }
        let all = vars.all("lib");
        for name in ["a", "c", "d", "cli"] {
            assert_eq!(all.get(name), vars.get("lib", name), "{name}");
        }
    }

    #[test]
    fn command_line_vars_must_be_a_mapping() {
        assert!(mapping("{}").is_empty());
        assert_eq!(mapping("a: 1").get("a").and_then(Yaml::as_i64), Some(1));
        assert_eq!(mapping("{\"a\": [1]}").len(), 1);
        for wrong in ["", "a", "[1]", "{a: ", "a: b: c"] {
            let error = parse_cli_vars(wrong).expect_err(wrong);
            assert!(error.to_string().contains("--vars '{name: value"), "{error}");
        }
    }
}

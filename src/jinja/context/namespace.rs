//! Which macro a name means: dbt's search order over the packages.

use std::collections::HashMap;
use std::sync::Arc;

use crate::jinja::MacroTemplate;

/// The internal packages, most specific first: what is found in the first hides the rest.
pub const INTERNAL_PACKAGES: [&str; 2] = ["dbt_duckdb", "dbt"];

/// dbt's name for its global project.
pub const GLOBAL_PROJECT: &str = "dbt";

/// The prefixes that `adapter.dispatch` tries, most specific first.
pub const DISPATCH_PREFIXES: [&str; 2] = ["duckdb", "default"];

type Names = HashMap<String, Arc<MacroTemplate>>;

/// All macros of an invocation, by package and name.
#[derive(Debug, Default)]
pub struct Macros {
    root: Arc<str>,
    packages: HashMap<String, Names>,
    /// The internal packages merged: what templates see as `dbt`.
    internal: Names,
}

/// Where `adapter.dispatch` searches: the `dispatch:` of the project file, and the packages there are.
#[derive(Debug, Default)]
pub struct DispatchOrder {
    pub root: Arc<str>,
    /// The names of installed packages.
    pub packages: Vec<String>,
    /// A namespace and the packages to search for it.
    pub rules: Vec<(String, Vec<String>)>,
}

impl DispatchOrder {
    /// The packages to search, in order. `None` stands for what a template of its package finds.
    pub fn search_packages(&self, namespace: Option<&str>) -> Vec<Option<String>> {
        let Some(namespace) = namespace else { return vec![None] };
        if let Some((_, order)) = self.rules.iter().find(|(known, _)| known == namespace) {
            return order.iter().cloned().map(Some).collect();
        }
        if self.packages.iter().any(|package| package == namespace) {
            return vec![Some(self.root.to_string()), Some(namespace.to_owned())];
        }
        vec![None]
    }
}

/// What a name in a template means when it is not a variable.
pub enum Named<'a> {
    Macro(&'a Arc<MacroTemplate>),
    /// A package; its macros are its attributes.
    Package(&'a Names),
}

impl Macros {
    /// No macros yet, for a root project of this name.
    pub fn new(root: &str) -> Self {
        Macros { root: root.into(), ..Macros::default() }
    }

    /// The name of the root project.
    pub fn root(&self) -> &Arc<str> {
        &self.root
    }

    /// All macros with their packages.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<MacroTemplate>)> {
        let packages = self.packages.iter();
        packages.flat_map(|(package, names)| names.values().map(move |template| (package.as_str(), template)))
    }

    /// Adds a macro of a package. Gives back the one that had the name before, if any.
    pub fn add(
        &mut self,
        package: &str,
        name: &str,
        template: Arc<MacroTemplate>,
    ) -> Option<Arc<MacroTemplate>> {
        if let Some(rank) = INTERNAL_PACKAGES.iter().position(|internal| *internal == package) {
            let hidden = INTERNAL_PACKAGES[..rank]
                .iter()
                .any(|better| self.packages.get(*better).is_some_and(|names| names.contains_key(name)));
            if !hidden {
                self.internal.insert(name.to_owned(), template.clone());
            }
        }
        self.packages.entry(package.to_owned()).or_default().insert(name.to_owned(), template)
    }

    /// The meaning of a name in a template of `package`: that package's macros, the root project's, packages,
    /// the built-in macros.
    pub fn find(&self, package: &str, name: &str) -> Option<Named<'_>> {
        let in_package = |package: &str| self.packages.get(package).and_then(|names| names.get(name));
        let own = in_package(package).filter(|_| !INTERNAL_PACKAGES.contains(&package));
        if let Some(found) = own.or_else(|| in_package(&self.root)) {
            return Some(Named::Macro(found));
        }
        if name == GLOBAL_PROJECT {
            return Some(Named::Package(&self.internal));
        }
        if let Some(names) = self.packages.get(name).filter(|_| !INTERNAL_PACKAGES.contains(&name)) {
            return Some(Named::Package(names));
        }
        self.internal.get(name).map(Named::Macro)
    }

    /// The macro of a name, as [`Macros::find`] finds it.
    pub fn find_macro(&self, package: &str, name: &str) -> Option<&Arc<MacroTemplate>> {
        match self.find(package, name) {
            Some(Named::Macro(found)) => Some(found),
            _ => None,
        }
    }

    /// A macro of one package alone; `dbt` means the built-in macros.
    pub fn find_in_package(&self, package: &str, name: &str) -> Option<&Arc<MacroTemplate>> {
        if package == GLOBAL_PROJECT {
            return self.internal.get(name);
        }
        self.packages.get(package)?.get(name)
    }

    /// The macro that dbt notes as called by `package.name(…)` or, in a template of `package`, by `name(…)`. Other
    /// than at run time, the macros of all packages count, and it is not asked whether `package` is one.
    pub fn find_noted(
        &self,
        order: &DispatchOrder,
        package: &str,
        name: &str,
    ) -> Option<&Arc<MacroTemplate>> {
        let in_package = |package: &str| self.packages.get(package).and_then(|names| names.get(name));
        in_package(package)
            .or_else(|| in_package(&self.root))
            .or_else(|| order.packages.iter().rev().find_map(|package| in_package(package)))
            .or_else(|| self.internal.get(name))
    }

    /// The names of a package's macros.
    pub fn names_in_package(&self, package: &str) -> Vec<&str> {
        let names = if package == GLOBAL_PROJECT { Some(&self.internal) } else { self.packages.get(package) };
        names.into_iter().flat_map(|names| names.keys()).map(String::as_str).collect()
    }

    /// The implementation of a macro for this warehouse, seen from a template of `package`. `Err` tells the names
    /// that were tried.
    pub fn dispatch(
        &self,
        order: &DispatchOrder,
        package: &str,
        name: &str,
        namespace: Option<&str>,
    ) -> Result<&Arc<MacroTemplate>, Vec<String>> {
        let mut tried = Vec::new();
        for searched in order.search_packages(namespace) {
            for prefix in DISPATCH_PREFIXES {
                let candidate = format!("{prefix}__{name}");
                let found = match &searched {
                    None => self.find_macro(package, &candidate),
                    Some(searched) => self.find_in_package(searched, &candidate),
                };
                if let Some(template) = found {
                    return Ok(template);
                }
                tried.push(match &searched {
                    None => candidate,
                    Some(searched) => format!("{searched}.{candidate}"),
                });
            }
        }
        Err(tried)
    }

    /// Whether a package brought macros.
    pub fn has_package(&self, package: &str) -> bool {
        self.packages.contains_key(package)
    }

    /// The `generate_<component>_name` macro for nodes of `package`: a package's own for its nodes, else the root
    /// project's, else the built-in one.
    pub fn generate_name(&self, component: &str, package: &str) -> Option<&Arc<MacroTemplate>> {
        let name = format!("generate_{component}_name");
        let own = if package == &*self.root { None } else { self.packages.get(package) };
        own.and_then(|names| names.get(&name))
            .or_else(|| self.packages.get(&*self.root).and_then(|names| names.get(&name)))
            .or_else(|| self.internal.get(&name))
    }

    /// The macro behind a materialization, and whether it is a package's for one that is built in, which
    /// `packages_override` allows. Adapter-specific ones win over default ones; among equals the root project's wins
    /// over a package's, and that over the built-in one.
    pub fn materialization(
        &self,
        name: &str,
        packages_override: bool,
    ) -> Option<(&Arc<MacroTemplate>, bool)> {
        let names = DISPATCH_PREFIXES.map(|prefix| format!("materialization_{name}_{prefix}"));
        let is_built_in = names.iter().any(|name| self.internal.contains_key(name));
        let of_packages = packages_override || !is_built_in;
        names.iter().find_map(|name| {
            let root = self.packages.get(&*self.root).and_then(|names| names.get(name));
            let imported = || self.imported(name).filter(|_| of_packages).map(|found| (found, is_built_in));
            let internal = || self.internal.get(name).map(|found| (found, false));
            root.map(|found| (found, false)).or_else(imported).or_else(internal)
        })
    }

    /// A macro of any installed package; the first by package name, so that the choice is stable.
    fn imported(&self, name: &str) -> Option<&Arc<MacroTemplate>> {
        let outside = |package: &&String| {
            package.as_str() != &*self.root && !INTERNAL_PACKAGES.contains(&package.as_str())
        };
        let mut packages: Vec<&String> = self.packages.keys().filter(outside).collect();
        packages.sort();
        packages.into_iter().find_map(|package| self.packages[package].get(name))
    }

    /// The packages whose macros can be called by the package's name.
    pub fn package_names(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(String::as_str).chain(INTERNAL_PACKAGES)
    }

    /// The names that a template of `package` can call, for suggestions.
    pub fn names<'a>(&'a self, package: &'a str) -> impl Iterator<Item = &'a str> {
        [package, &*self.root]
            .into_iter()
            .filter_map(|package| self.packages.get(package))
            .chain(std::iter::once(&self.internal))
            .flat_map(|names| names.keys().map(String::as_str))
    }
}

//! Macros of all packages: the ones that rbt ships, those of installed packages, those of the project.

use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use rayon::prelude::*;
use serde_json::{Map, json};

use crate::error::{Error, Location, Result};
use crate::jinja::blocks::{self, Block, BlockKind};
use crate::jinja::context::{DispatchOrder, Macros};
use crate::jinja::{MacroCall, MacroTemplate, Origin, static_macro_calls};
use crate::manifest::{Id, Macro, MacroArgument};

static EMBEDDED: Dir = include_dir!("$CARGO_MANIFEST_DIR/macros");

/// The folders of `macros/` and the packages that templates know them as.
const EMBEDDED_PACKAGES: [(&str, &str); 2] = [("dbt", "dbt"), ("duckdb", "dbt_duckdb")];

/// A file that may hold macros.
pub struct MacroFile {
    pub package: Arc<str>,
    /// Relative to its project.
    pub path: String,
    /// The path as messages show it: files outside of the root project with their package, `dbt://macros/x.sql`.
    pub shown: String,
    pub text: Arc<str>,
    /// The line of the file on which the text starts.
    pub first_line: usize,
    /// Files of generic tests hold tests alone, files of macros anything but snapshots.
    pub is_test_file: bool,
}

/// The files that are compiled into the program.
pub fn embedded_files() -> Vec<MacroFile> {
    let mut files = Vec::new();
    for (folder, package) in EMBEDDED_PACKAGES {
        let Some(folder) = EMBEDDED.get_dir(folder) else { continue };
        collect(folder, package, &mut files);
    }
    files
}

fn collect(folder: &'static Dir<'static>, package: &str, files: &mut Vec<MacroFile>) {
    for file in folder.files() {
        if let (Some("sql"), Some(text)) =
            (file.path().extension().and_then(|extension| extension.to_str()), file.contents_utf8())
        {
            let inside = file.path().components().skip(1).collect::<std::path::PathBuf>();
            let path = format!("macros/{}", inside.display());
            files.push(MacroFile {
                package: package.into(),
                shown: format!("{package}://{path}"),
                path,
                text: text.into(),
                first_line: 1,
                is_test_file: false,
            });
        }
    }
    for folder in folder.dirs() {
        collect(folder, package, files);
    }
}

/// All macros: as templates to call, and as entries of the manifest, which tell the arguments `with_arguments`.
pub fn load(
    order: &DispatchOrder,
    files: &[MacroFile],
    with_arguments: bool,
    now: f64,
) -> Result<(Macros, Vec<Macro>)> {
    let split: Vec<Result<Vec<Block>>> = files.par_iter().map(split).collect();
    let mut macros = Macros::new(&order.root);
    let mut entries: Vec<Macro> = Vec::new();
    let mut errors = Vec::new();
    for (file, blocks) in files.iter().zip(split) {
        match blocks {
            Err(error) => errors.push(error),
            Ok(blocks) => {
                for block in blocks.iter().filter(|block| holds_macro(block, file)) {
                    match add(&mut macros, file, block, now) {
                        Ok(mut entry) => {
                            if with_arguments {
                                entry.arguments = arguments(block);
                            }
                            entries.push(entry);
                        }
                        Err(error) => errors.push(error),
                    }
                }
            }
        }
    }
    if let Some(error) = Error::many(errors) {
        return Err(error);
    }
    let dependencies: Vec<Vec<Id>> =
        entries.par_iter().map(|entry| dependencies(&macros, order, entry)).collect();
    for (entry, dependencies) in entries.iter_mut().zip(dependencies) {
        entry.depends_on = dependencies;
    }
    Ok((macros, entries))
}

fn split(file: &MacroFile) -> Result<Vec<Block>> {
    let mut blocks = blocks::split(&file.text, Path::new(&file.shown))?;
    for block in &mut blocks {
        block.origin.line += file.first_line - 1;
        block.contents_origin.line += file.first_line - 1;
    }
    Ok(blocks)
}

fn holds_macro(block: &Block, file: &MacroFile) -> bool {
    match block.kind {
        BlockKind::Macro | BlockKind::Materialization { .. } => !file.is_test_file,
        BlockKind::Test => true,
        _ => false,
    }
}

fn add(macros: &mut Macros, file: &MacroFile, block: &Block, now: f64) -> Result<Macro> {
    let name = block.macro_name();
    let unique_id = format!("macro.{}.{name}", file.package);
    let template = MacroTemplate::from_block(&*unique_id, block);
    if let Some(first) = macros.add(&file.package, &name, Arc::new(template)) {
        return Err(Error::compilation(format!(
            "dbt found multiple macros named \"{name}\" in the project \"{}\".",
            file.package
        ))
        .at(Location::new(&file.shown, block.origin.line, 0))
        .help(format!("rename or remove one of them; the other is in {}", first.origin.path.display())));
    }
    Ok(Macro {
        unique_id: unique_id.into(),
        name,
        package_name: file.package.clone(),
        original_file_path: file.path.clone(),
        macro_sql: block.text.trim().to_owned(),
        depends_on: Vec::new(),
        description: String::new(),
        meta: Map::new(),
        docs: json!({ "show": true, "node_color": null }),
        patch_path: None,
        arguments: Vec::<MacroArgument>::new(),
        created_at: now,
        supported_languages: match &block.kind {
            BlockKind::Materialization { supported_languages, .. } => Some(supported_languages.clone()),
            _ => None,
        },
        first_line: block.origin.line,
    })
}

/// The arguments of a macro, by its definition.
fn arguments(block: &Block) -> Vec<MacroArgument> {
    let named =
        |name: &str| MacroArgument { name: name.to_owned(), data_type: None, description: String::new() };
    block.params.iter().map(|param| named(&param.name)).collect()
}

/// The macros that a macro's text calls, as far as it names them. A text that cannot be read tells so when it is
/// called.
fn dependencies(macros: &Macros, order: &DispatchOrder, entry: &Macro) -> Vec<Id> {
    let mut found: Vec<Id> = Vec::new();
    let package = &entry.package_name;
    let mut note = |template: Option<&Arc<MacroTemplate>>| {
        let new = template.filter(|template| !found.iter().any(|id| **id == *template.unique_id));
        found.extend(new.map(|template| Id::from(template.unique_id.as_str())));
    };
    // The name of the macro itself does not count, unless it comes with its package.
    let named = |name: &str| match name == entry.name {
        true => None,
        false => macros.find_noted(order, package, name),
    };
    for call in static_macro_calls(&entry.macro_sql, &Origin::file("")).unwrap_or_default() {
        match &call {
            MacroCall::Name(name) => note(named(name)),
            MacroCall::InPackage { package, name } => note(macros.find_noted(order, package, name)),
            MacroCall::Dispatch { name, namespace } => {
                note(named(name));
                note(macros.dispatch(order, package, name, namespace.as_deref()).ok());
            }
        }
    }
    found
}

//! The semantic layer: semantic models, metrics and saved queries are read, checked, and kept in the manifest.

mod checks;
mod dependencies;
mod entries;
mod shapes;

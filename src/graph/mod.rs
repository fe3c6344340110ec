//! The graph of a project: who depends on whom, what a command selects, and in which order it runs.
//!
//! ```text
//! Manifest ──Dag::new──▶ Dag ──select──▶ Selection (ids)
//!                         │                  │
//!                 Dag::build_order ──────▶ Queue ──next / finish──▶ the scheduler
//! ```
//!
//! The room reads the manifest and never changes it. It does no I/O, but for one question that the `path:`
//! method has to ask: whether a path exists in the project.

mod dag;
mod guard;
mod queue;
mod select;
#[cfg(test)]
mod tests;

pub use dag::{Dag, child_map, parent_map};
pub use queue::Queue;
pub use select::{
    BUILD_TYPES, CLONE_TYPES, COMPILE_TYPES, IndirectSelection, LIST_ALL_TYPES, LIST_TYPES, PreviousState,
    Selection, SelectionRequest, SelectionWarning, Selectors, TEST_TYPES, manifest_selectors, resource_types,
    select,
};

//! Tests of the room as a whole.

mod manifests;
mod order;
mod recorded;
mod selection;

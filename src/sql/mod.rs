//! SQL's nouns: quoted identifiers, relations and columns. No I/O.

mod column;
pub mod constraint;
mod ident;
mod relation;

pub use column::Column;
pub use ident::{quote_identifier, quote_literal};
pub use relation::{EventTimeFilter, Policy, Relation, RelationKind};

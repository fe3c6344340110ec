//! Templates as dbt writes them: Jinja2 with Python's values, run by minijinja.
//!
//! ```text
//! text ──syntax──▶ tree ──emit──▶ text for minijinja ──engine──▶ text or value
//!   └──blocks──▶ macros, tests, materializations, snapshots, docs of a file
//! ```
//!
//! This room knows the language and nothing of projects: what a name means is told by a [`Scope`], and a
//! macro is a [`MacroTemplate`] that its owner made from a [`Block`](blocks::Block).

pub mod blocks;
mod builtins;
pub mod context;
mod emit;
mod engine;
mod error;
mod language;
mod macros;
mod modules;
mod native;
mod origin;
#[cfg(test)]
mod properties;
mod static_calls;
mod syntax;
#[cfg(test)]
mod tests;
pub mod values;

pub use engine::{Engine, Scope};
pub use error::{raise, raise_message};
pub use macros::MacroTemplate;
pub use modules::{
    Deprecated, date_value, datetime_value, iso_text, modules, naive_datetime_value, time_value,
};
pub use origin::Origin;
pub use static_calls::{MacroCall, static_config_calls, static_macro_calls, static_mentions};
pub use values::{from_json, python_repr, python_str, to_json};

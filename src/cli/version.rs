//! What `--version` says.

use crate::flags::DBT_VERSION;

/// The version of rbt.
pub const RBT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of dbt's own adapter for DuckDB that the built-in one stands for.
const ADAPTER_VERSION: &str = "1.11.1";

/// For people; or, when rbt is called as `dbt`, in the shape that tools read.
pub fn text(program: &str) -> String {
    if program == "dbt" {
        return format!(
            "Core:\n  - installed: {DBT_VERSION}\n  - latest:    {DBT_VERSION} - Up to date!\n\n\
             Plugins:\n  - duckdb: {ADAPTER_VERSION} - Up to date!\n\n\
             This is rbt {RBT_VERSION}, called as dbt.\n"
        );
    }
    format!("rbt {RBT_VERSION}\nspeaks dbt {DBT_VERSION}, with DuckDB built in")
}

//! Types in DuckDB's words, as `DESCRIBE` shows them.

use libduckdb_sys as ffi;

use super::native::LogicalType;

/// The name of a type: `DECIMAL(10,2)`, `STRUCT(a INTEGER, "B c" VARCHAR)[]`, …
pub fn type_name(kind: &LogicalType) -> String {
    if let Some(alias) = kind.alias() {
        return alias;
    }
    let id = kind.id();
    match id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => {
            let (width, scale) = kind.decimal();
            format!("DECIMAL({width},{scale})")
        }
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_ENUM => {
            let values: Vec<String> =
                kind.enum_values().iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
            format!("ENUM({})", values.join(", "))
        }
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_LIST => format!("{}[]", type_name(&kind.list_child())),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_ARRAY => {
            let (child, size) = kind.array_child();
            format!("{}[{size}]", type_name(&child))
        }
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_MAP => {
            let (key, value) = kind.map_children();
            format!("MAP({}, {})", type_name(&key), type_name(&value))
        }
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_STRUCT => format!("STRUCT({})", fields(&kind.struct_children())),
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UNION => format!("UNION({})", fields(&kind.union_members())),
        _ => scalar_name(id).to_owned(),
    }
}

fn fields(fields: &[(String, LogicalType)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, kind)| match name.is_empty() {
            true => type_name(kind),
            false => format!("{} {}", field_name(name), type_name(kind)),
        })
        .collect();
    fields.join(", ")
}

/// A field's name, in quotes where it would not be read back as it is.
fn field_name(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn scalar_name(id: ffi::duckdb_type) -> &'static str {
    match id {
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => "BOOLEAN",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TINYINT => "TINYINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT => "SMALLINT",
        // What DuckDB calls a column of NULLs without a type, once it is in a table.
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTEGER | ffi::DUCKDB_TYPE_DUCKDB_TYPE_SQLNULL => "INTEGER",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGINT => "BIGINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT => "UTINYINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT => "USMALLINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => "UINTEGER",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UBIGINT => "UBIGINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_HUGEINT => "HUGEINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UHUGEINT => "UHUGEINT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIGNUM => "BIGNUM",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_FLOAT => "FLOAT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE => "DOUBLE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR => "VARCHAR",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BLOB => "BLOB",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_BIT => "BIT",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_UUID => "UUID",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_DATE => "DATE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME => "TIME",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_NS => "TIME_NS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIME_TZ => "TIME WITH TIME ZONE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP => "TIMESTAMP",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_S => "TIMESTAMP_S",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_MS => "TIMESTAMP_MS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_NS => "TIMESTAMP_NS",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_TIMESTAMP_TZ => "TIMESTAMP WITH TIME ZONE",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_INTERVAL => "INTERVAL",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_GEOMETRY => "GEOMETRY",
        ffi::DUCKDB_TYPE_DUCKDB_TYPE_VARIANT => "VARIANT",
        _ => "UNKNOWN",
    }
}

//! Columns and what dbt's macros ask of their types.

/// A column of a relation: its name and its type as the warehouse names it.
///
/// The behaviour is dbt's `Column` (<https://docs.getdbt.com/reference/dbt-classes#column>) with DuckDB's types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub dtype: String,
    pub char_size: Option<u64>,
    pub numeric_precision: Option<u64>,
    pub numeric_scale: Option<u64>,
}

const FLOATS: [&str; 5] = ["real", "float", "float4", "float8", "double"];
const INTEGERS: [&str; 17] = [
    "tinyint",
    "smallint",
    "integer",
    "bigint",
    "hugeint",
    "utinyint",
    "usmallint",
    "uinteger",
    "ubigint",
    "int1",
    "int2",
    "int4",
    "int8",
    "short",
    "int",
    "signed",
    "long",
];
const STRINGS: [&str; 4] = ["text", "character varying", "character", "varchar"];

impl Column {
    /// A column from its name and type, as `DESCRIBE` gives them.
    pub fn new(name: impl Into<String>, dtype: impl Into<String>) -> Self {
        Column {
            name: name.into(),
            dtype: dtype.into(),
            char_size: None,
            numeric_precision: None,
            numeric_scale: None,
        }
    }

    fn dtype_is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.dtype.eq_ignore_ascii_case(name))
    }

    /// Whether the type is a string type.
    pub fn is_string(&self) -> bool {
        self.dtype_is_one_of(&STRINGS)
    }

    /// Whether the type is an exact number with a scale.
    pub fn is_numeric(&self) -> bool {
        self.dtype_is_one_of(&["numeric", "decimal"])
    }

    /// Whether the type is an integer.
    pub fn is_integer(&self) -> bool {
        self.dtype_is_one_of(&INTEGERS)
    }

    /// Whether the type is a floating point number.
    pub fn is_float(&self) -> bool {
        self.dtype_is_one_of(&FLOATS)
    }

    /// Whether the type is any number.
    pub fn is_number(&self) -> bool {
        self.is_integer() || self.is_float() || self.is_numeric()
    }

    /// The longest string the column holds; 256 where the type does not say.
    pub fn string_size(&self) -> u64 {
        self.char_size.unwrap_or(256)
    }

    /// The type as it is written into a table definition.
    pub fn data_type(&self) -> String {
        if self.is_string() {
            return Column::string_type(self.string_size());
        }
        match (self.is_numeric(), self.numeric_precision, self.numeric_scale) {
            (true, Some(precision), Some(scale)) => format!("{}({precision},{scale})", self.dtype),
            _ => self.dtype.clone(),
        }
    }

    /// The string type of a given length.
    pub fn string_type(size: u64) -> String {
        format!("character varying({size})")
    }

    /// The leaves of a struct column as `column.field` (one level per dot); other columns as they are.
    pub fn flatten(&self) -> Vec<Column> {
        match self.struct_fields() {
            None => vec![self.clone()],
            Some(fields) => fields
                .iter()
                .flat_map(Column::flatten)
                .map(|field| Column::new(format!("{}.{}", self.name, field.name), field.dtype))
                .collect(),
        }
    }

    /// The fields of `STRUCT(a INTEGER, b VARCHAR)`.
    pub fn struct_fields(&self) -> Option<Vec<Column>> {
        let inside = self.dtype.get(..7).filter(|head| head.eq_ignore_ascii_case("struct("))?;
        let inside = self.dtype[inside.len()..].strip_suffix(')')?;
        let mut fields = Vec::new();
        for field in split_outside_parentheses(inside) {
            let (name, dtype) = field.trim().split_once(' ')?;
            fields.push(Column::new(name, dtype));
        }
        Some(fields)
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let mut start = 0;
    let mut parts = Vec::new();
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_classified() {
        assert!(Column::new("a", "VARCHAR").is_string());
        assert!(Column::new("a", "BIGINT").is_integer());
        assert!(Column::new("a", "DOUBLE").is_float());
        assert_eq!(Column::new("a", "VARCHAR").data_type(), "character varying(256)");
    }

    #[test]
    fn structs_are_flattened() {
        let column = Column::new("s", "STRUCT(a DECIMAL(10, 2), b STRUCT(c INTEGER))");
        let names: Vec<_> = column.flatten().into_iter().map(|c| (c.name, c.dtype)).collect();
        assert_eq!(
            names,
            [("s.a".to_owned(), "DECIMAL(10, 2)".to_owned()), ("s.b.c".to_owned(), "INTEGER".to_owned())]
        );
    }
}

//! Relations: the names of tables and views, and how they are written into SQL.

use std::fmt;

/// What a relation is in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    Table,
    View,
    /// A common table expression: an ephemeral model inside another statement.
    Cte,
    MaterializedView,
    External,
    Function,
    PointerTable,
}

impl RelationKind {
    const NAMES: [(RelationKind, &'static str); 7] = [
        (RelationKind::Table, "table"),
        (RelationKind::View, "view"),
        (RelationKind::Cte, "cte"),
        (RelationKind::MaterializedView, "materialized_view"),
        (RelationKind::External, "external"),
        (RelationKind::Function, "function"),
        (RelationKind::PointerTable, "pointer_table"),
    ];

    /// dbt's word for it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The kind that dbt calls by this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A yes or no for each part of a relation's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policy {
    pub database: bool,
    pub schema: bool,
    pub identifier: bool,
}

impl Policy {
    /// All parts.
    pub const ALL: Policy = Policy { database: true, schema: true, identifier: true };

    /// This policy with some parts replaced.
    pub fn with(self, database: Option<bool>, schema: Option<bool>, identifier: Option<bool>) -> Policy {
        Policy {
            database: database.unwrap_or(self.database),
            schema: schema.unwrap_or(self.schema),
            identifier: identifier.unwrap_or(self.identifier),
        }
    }
}

/// Rows of a relation between two moments (microbatch models and `--sample`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTimeFilter {
    pub field: String,
    /// Inclusive.
    pub start: Option<String>,
    /// Exclusive.
    pub end: Option<String>,
}

/// A relation's name, with what decides how it is rendered.
///
/// The behaviour is dbt's `Relation` (<https://docs.getdbt.com/reference/dbt-classes#relation>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub database: Option<String>,
    pub schema: Option<String>,
    pub identifier: Option<String>,
    pub kind: Option<RelationKind>,
    pub quote: Policy,
    pub include: Policy,
    /// An expression that stands for the relation: a file's path or a table function (sources with `external_location`).
    pub external: Option<String>,
    /// `Some(0)` under `--empty`.
    pub limit: Option<u64>,
    pub event_time_filter: Option<EventTimeFilter>,
}

impl Relation {
    /// A relation with every part quoted and included.
    pub fn new(database: Option<&str>, schema: Option<&str>, identifier: Option<&str>) -> Self {
        Relation {
            database: database.map(str::to_owned),
            schema: schema.map(str::to_owned),
            identifier: identifier.map(str::to_owned),
            kind: None,
            quote: Policy::ALL,
            include: Policy::ALL,
            external: None,
            limit: None,
            event_time_filter: None,
        }
    }

    /// The reference to an ephemeral model inside a statement that carries it as a CTE.
    pub fn ephemeral(identifier: &str) -> Self {
        let name = format!("__dbt__cte__{identifier}");
        let mut relation = Relation::new(None, None, Some(&name));
        relation.kind = Some(RelationKind::Cte);
        relation.quote.identifier = false;
        relation
    }

    /// The name as SQL, without limits and filters.
    pub fn render(&self) -> String {
        if let Some(external) = &self.external {
            return external.clone();
        }
        let parts = [
            (&self.database, self.include.database, self.quote.database),
            (&self.schema, self.include.schema, self.quote.schema),
            (&self.identifier, self.include.identifier, self.quote.identifier),
        ];
        let mut text = String::with_capacity(48);
        for (part, included, quoted) in parts {
            let Some(part) = part.as_deref().filter(|_| included) else { continue };
            if !text.is_empty() {
                text.push('.');
            }
            if quoted {
                text.push('"');
                text.push_str(part);
                text.push('"');
            } else {
                text.push_str(part);
            }
        }
        text
    }

    /// The same schema without an identifier.
    pub fn without_identifier(&self) -> Relation {
        let mut relation = self.clone();
        relation.identifier = None;
        relation.include.identifier = false;
        relation
    }

    /// Whether names are equal, ignoring case, as DuckDB compares them.
    pub fn same_name(&self, other: &Relation) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (None, None) => true,
            _ => false,
        };
        same(&self.database, &other.database)
            && same(&self.schema, &other.schema)
            && same(&self.identifier, &other.identifier)
    }
}

/// The relation as `{{ relation }}` prints it: with `--empty` limits and event time filters.
impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.render();
        if self.kind == Some(RelationKind::Function) {
            return f.write_str(&name);
        }
        let limited = match self.limit {
            None => name,
            Some(0) => format!("(select * from {name} where false limit 0)"),
            Some(limit) => format!("(select * from {name} limit {limit})"),
        };
        let Some(filter) = &self.event_time_filter else { return f.write_str(&limited) };
        let field = &filter.field;
        let start = filter.start.as_ref().map(|start| format!("{field} >= '{start}'"));
        let end = filter.end.as_ref().map(|end| format!("{field} < '{end}'"));
        match start.into_iter().chain(end).reduce(|a, b| format!("{a} and {b}")) {
            Some(condition) => write!(f, "(select * from {limited} where {condition})"),
            None => f.write_str(&limited),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_quoted_and_included_by_policy() {
        let mut relation = Relation::new(Some("db"), Some("main"), Some("t"));
        assert_eq!(relation.render(), r#""db"."main"."t""#);
        relation.include.database = false;
        relation.quote.identifier = false;
        assert_eq!(relation.render(), r#""main".t"#);
        assert_eq!(relation.without_identifier().render(), r#""main""#);
    }

    #[test]
    fn limits_and_filters_wrap_the_name() {
        let mut relation = Relation::new(None, Some("s"), Some("t"));
        relation.limit = Some(0);
        assert_eq!(relation.to_string(), r#"(select * from "s"."t" where false limit 0)"#);
        relation.limit = None;
        let filter = EventTimeFilter { field: "at".into(), start: Some("2024-01-01".into()), end: None };
        relation.event_time_filter = Some(filter);
        assert_eq!(relation.to_string(), r#"(select * from "s"."t" where at >= '2024-01-01')"#);
    }

    #[test]
    fn ephemeral_models_are_bare_names() {
        assert_eq!(Relation::ephemeral("m").to_string(), "__dbt__cte__m");
    }
}

use std::path::Path;

use rbt::warehouse::{Connection, Credentials, Fetch, Table};
use serde_json::{Map, Value as Json, json};

/// A DuckDB file, opened when no rbt is running on it.
pub struct Database {
    connection: std::cell::RefCell<Box<dyn Connection>>,
}

impl Database {
    pub fn open(path: &Path) -> Self {
        Database::of_target(&json!({"type": "duckdb", "path": path, "schema": "main"}))
    }

    /// What a target of a profile leads to, given as its mapping.
    pub fn of_target(target: &Json) -> Self {
        let mapping: Map<String, Json> = serde_json::from_value(target.clone()).expect("a mapping");
        let warehouse = Credentials::from_target(&mapping).and_then(|target| target.open());
        let connection = warehouse.and_then(|warehouse| warehouse.connect());
        Database {
            connection: connection.unwrap_or_else(|error| panic!("cannot open {target}: {error}")).into(),
        }
    }

    /// The result of a query.
    pub fn query(&self, sql: &str) -> Table {
        let done = self.connection.borrow_mut().execute(sql, Fetch::All);
        done.unwrap_or_else(|error| panic!("{sql}\n{error}")).1
    }

    /// The rows of a query, each as its cells with commas between.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let line = |row: &Vec<_>| row.iter().map(ToString::to_string).collect::<Vec<String>>().join(",");
        self.query(sql).rows.iter().map(line).collect()
    }

    /// The columns of a table or view, as `name TYPE`.
    pub fn columns(&self, relation: &str) -> String {
        let table = self.query(&format!("select * from {relation} limit 0"));
        let column = |column: &rbt::warehouse::ColumnInfo| format!("{} {}", column.name, column.data_type);
        table.columns.iter().map(column).collect::<Vec<_>>().join(", ")
    }

    /// All tables and views, as `schema.name kind`, in order.
    pub fn relations(&self) -> Vec<String> {
        let found = self.connection.borrow_mut().list_relations(None).expect("the catalog can be read");
        let found = found.iter().filter(|relation| relation.database == "shop");
        let mut found: Vec<String> = found
            .map(|relation| format!("{}.{} {}", relation.schema, relation.name, relation.kind.as_str()))
            .collect();
        found.sort();
        found
    }
}

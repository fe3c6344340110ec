//! Unit tests: a model's query runs on rows written by hand, and its result is held against the rows expected
//! (<https://docs.getdbt.com/docs/build/unit-tests>).

use std::sync::Arc;

use minijinja::Value;
use serde_json::{Map, Value as Json};

use super::materialize::materialize_as;
use super::model::{Outcome, response_fields};
use crate::compile::{Compiler, Occasion, cte, write_file};
use crate::error::{Error, Location, Result};
use crate::events::Status;
use crate::jinja;
use crate::jinja::context::aligned;
use crate::manifest::{Found, Id, Node, Resource, ResourceType, UnitTest, UnitTestInput, version_suffix};
use crate::parse::static_reference;
use crate::project::config::Config;
use crate::sql::Relation;
use crate::warehouse::{Cell, Session, Table};

/// Runs one unit test. `compiled_path` is told where its compiled query is.
pub fn run(
    compiler: &Arc<Compiler>,
    test: &UnitTest,
    session: &Arc<Session>,
    compiled_path: &mut Option<String>,
) -> Result<Outcome> {
    let work = UnitTestRun { compiler, test, session };
    work.run(compiled_path).map_err(|error| error.at(work.location()))
}

struct UnitTestRun<'a> {
    compiler: &'a Arc<Compiler>,
    test: &'a UnitTest,
    session: &'a Arc<Session>,
}

impl UnitTestRun<'_> {
    fn location(&self) -> Location {
        Location::new(&self.test.original_file_path, self.test.line, 0)
    }

    fn run(&self, compiled_path: &mut Option<String>) -> Result<Outcome> {
        let tested = self.test.depends_on.nodes.first().and_then(|id| self.compiler.manifest.nodes.get(id));
        let Some(tested) = tested else {
            return Err(Error::compilation(format!("the model '{}' was not found", self.test.model)));
        };
        let mut occasion = self.overrides()?;
        for given in &self.test.given {
            self.replace_input(given, tested, &mut occasion)?;
        }
        let mut node = Arc::new(self.node(tested, &occasion));
        let compiled = self.compiler.compile(&node, self.session, &occasion)?;
        compiled_path.clone_from(&compiled.compiled_path);
        Arc::make_mut(&mut node).compiled = Some(Box::new(compiled));
        // The model's own rows stand for `this` in its query only.
        occasion.values.remove("this");
        let context = self.compiler.context(&node, self.session, &occasion);
        let done = materialize_as(&context, &node, "unit", self.session)?;
        let Some(main) = done.main else {
            return Err(Error::compilation("the materialization of unit tests gave no result"));
        };
        let (actual, expected) = split(main.table.table());
        let difference = difference(main.table.table(), actual, expected);
        let status = if difference.is_some() { Status::Fail } else { Status::Pass };
        Ok(Outcome {
            failures: Some(i64::from(difference.is_some())),
            message: difference,
            adapter_response: response_fields(&main.response),
            ..Outcome::quiet(status)
        })
    }

    /// `overrides:` of macros, variables and environment variables.
    fn overrides(&self) -> Result<Occasion> {
        let mut occasion = Occasion { any_ref: true, ..Occasion::default() };
        let empty = Map::new();
        let part = |name: &str| {
            let found = self.test.overrides.as_ref().and_then(|overrides| overrides.get(name));
            found.and_then(Json::as_object).unwrap_or(&empty).clone()
        };
        for (name, value) in part("macros") {
            occasion.overrides.macros.insert(name, jinja::from_json(&value));
        }
        occasion.overrides.vars = part("vars");
        occasion.overrides.env_vars = part("env_vars");
        Ok(occasion)
    }

    /// Puts the rows that are given in the place of an input.
    fn replace_input(&self, given: &UnitTestInput, tested: &Node, occasion: &mut Occasion) -> Result<()> {
        let (id, alias, input) = self.input(given, tested)?;
        let query = self.fixture_query(given, &input)?;
        self.write_fixture(&input, &query)?;
        if *id == *tested.unique_id {
            occasion.values.insert("this".to_owned(), Value::from(format!("__dbt__cte__{alias}")));
        }
        occasion.replaced.insert(id.clone(), Relation::ephemeral(&alias));
        occasion.fixtures.insert(id, cte(&alias, &query));
        Ok(())
    }

    /// Writes the rows of an input as a query below the test's file in `target/compiled`, for people to look at.
    fn write_fixture(&self, input: &Node, query: &str) -> Result<()> {
        let folder = self.compiler.target().join("compiled").join(&*input.package_name);
        write_file(&folder.join(&self.test.original_file_path).join(format!("{}.sql", input.name)), query)
    }

    /// The id of an input, the name its rows get in the statement, and a node that stands for it.
    fn input(&self, given: &UnitTestInput, tested: &Node) -> Result<(Id, String, Node)> {
        let manifest = &self.compiler.manifest;
        if given.input.trim() == "this" {
            return Ok((tested.unique_id.clone(), tested.alias.clone(), tested.clone()));
        }
        let Some(reference) = static_reference(&self.compiler.shared, &given.input) else {
            return Err(Error::parsing(format!(
                "Unit test given inputs must be either a 'ref', 'source' or 'this' call. Got: '{}'.",
                given.input
            )));
        };
        let root = &self.compiler.shared.project_name;
        let found = self.compiler.lookup.resolve(&reference, root, &self.test.package_name);
        let missing = || {
            Error::parsing(format!(
                "Unit test '{}' had an input ({}) which was not found in the manifest.",
                self.test.name, given.input
            ))
        };
        let Found::Enabled(id) = found else { return Err(missing()) };
        match manifest.resource(&id) {
            Some(Resource::Node(node)) => Ok((id.clone(), node.alias.clone(), node.clone())),
            Some(Resource::Source(source)) => {
                let alias = format!("{}__{}", source.source_name, source.identifier);
                let mut stand_in = tested.clone();
                stand_in.name.clone_from(&source.name);
                stand_in.package_name = source.package_name.clone();
                stand_in.database.clone_from(&source.database);
                stand_in.schema.clone_from(&source.schema);
                stand_in.alias.clone_from(&source.identifier);
                Ok((id.clone(), alias, stand_in))
            }
            _ => Err(missing()),
        }
    }

    /// The query that gives an input's rows, with the columns and types of the real input.
    fn fixture_query(&self, given: &UnitTestInput, input: &Node) -> Result<String> {
        if given.rows.format == "sql" {
            return Ok(given.rows.rows.as_str().unwrap_or_default().to_owned());
        }
        let mut occasion = Occasion { any_ref: true, ..Occasion::default() };
        if let Some(source) = self.source_relation(given, input)? {
            occasion.values.insert("this".to_owned(), source.into());
        }
        let context = self.compiler.context(&Arc::new(input.clone()), self.session, &occasion);
        let rows = jinja::from_json(&given.rows.rows);
        let types = self.column_types(input)?;
        let sql = context.call_macro("get_fixture_sql", &[rows, types])?;
        Ok(jinja::python_str(&sql))
    }

    fn source_relation(&self, given: &UnitTestInput, _input: &Node) -> Result<Option<Relation>> {
        let Some(reference) = static_reference(&self.compiler.shared, &given.input) else { return Ok(None) };
        let root = &self.compiler.shared.project_name;
        match self.compiler.lookup.resolve(&reference, root, &self.test.package_name) {
            Found::Enabled(id) => match self.compiler.manifest.sources.get(&id) {
                Some(source) => crate::jinja::context::source_relation(source).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// The columns of an ephemeral input, which no catalog knows: they are asked of its query.
    fn column_types(&self, input: &Node) -> Result<Value> {
        if !input.is_ephemeral() {
            return Ok(Value::from(()));
        }
        let compiled = self.compiler.compile(&Arc::new(input.clone()), self.session, &Occasion::default())?;
        let columns = self.session.connection().columns_of_query(&compiled.compiled_code)?;
        let types =
            columns.into_iter().map(|column| (column.name.to_lowercase(), Json::from(column.data_type)));
        Ok(jinja::from_json(&Json::Object(types.collect())))
    }

    /// The node that runs: the model's text under the test's name.
    fn node(&self, tested: &Node, occasion: &Occasion) -> Node {
        let mut node = tested.clone();
        let name = match tested.version() {
            Some(version) => format!("{}_{}", self.test.name, version_suffix(version)),
            None => self.test.name.clone(),
        };
        node.unique_id = self.test.unique_id.clone();
        node.resource_type = ResourceType::UnitTest;
        node.path = match self.test.original_file_path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}.sql"),
            None => format!("{name}.sql"),
        };
        node.original_file_path.clone_from(&self.test.original_file_path);
        node.alias.clone_from(&name);
        node.name = name;
        node.depends_on.nodes = occasion.replaced.keys().cloned().collect();
        node.test = None;
        node.model = None;
        node.config = Config::new(ResourceType::UnitTest);
        for (key, value) in tested.config.iter() {
            if !["materialized", "pre-hook", "post-hook"].contains(&key) {
                node.config.set(key, value.clone());
            }
        }
        node.config.set("materialized", Json::from("unit"));
        let expect = &self.test.expect;
        let (rows, sql) = match expect.format.as_str() {
            "sql" => (Json::Array(Vec::new()), expect.rows.clone()),
            _ => (expect.rows.clone(), Json::Null),
        };
        node.config.set("expected_rows", rows);
        node.config.set("expected_sql", sql);
        node
    }
}

/// The rows of either side, by the last column.
fn split(table: &Table) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let mut sides = (Vec::new(), Vec::new());
    for row in &table.rows {
        let Some((side, cells)) = row.split_last() else { continue };
        let cells = cells.iter().map(shown).collect();
        match side {
            Cell::Text(side) if side == "actual" => sides.0.push(cells),
            _ => sides.1.push(cells),
        }
    }
    sides
}

/// A cell as people read it.
pub fn shown(cell: &Cell) -> String {
    if *cell == Cell::Null { "NULL".to_owned() } else { cell.to_string() }
}

/// What differs between the rows there are and the rows expected, as a table; `None` if they are the same rows in
/// any order.
fn difference(table: &Table, mut actual: Vec<Vec<String>>, mut expected: Vec<Vec<String>>) -> Option<String> {
    actual.sort();
    expected.sort();
    if actual == expected {
        return None;
    }
    let mut missing = expected.clone();
    let mut unexpected = Vec::new();
    for row in actual {
        match missing.iter().position(|wanted| *wanted == row) {
            Some(index) => drop(missing.remove(index)),
            None => unexpected.push(row),
        }
    }
    let mut names = vec!["@@".to_owned()];
    let columns = table.columns.len().saturating_sub(1);
    names.extend(table.columns.iter().take(columns).map(|column| column.name.clone()));
    let marked = |mark: &str, row: Vec<String>| [vec![mark.to_owned()], row].concat();
    let mut rows: Vec<Vec<String>> = unexpected.into_iter().map(|row| marked("+++", row)).collect();
    rows.extend(missing.into_iter().map(|row| marked("---", row)));
    Some(format!(
        "actual differs from expected (+++ is not expected, --- is missing):\n\n{}\n",
        aligned(&names, &rows)
    ))
}

#[cfg(test)]
mod unit {
    use super::*;
    use crate::warehouse::ColumnInfo;

    #[test]
    fn rows_are_compared_in_any_order() {
        let column = |name: &str| ColumnInfo { name: name.into(), data_type: "INTEGER".into() };
        let table = Table { columns: vec![column("a"), column("side")], rows: Vec::new() };
        let row = |text: &str| vec![text.to_owned()];
        assert_eq!(difference(&table, vec![row("1"), row("2")], vec![row("2"), row("1")]), None);
        let told = difference(&table, vec![row("1"), row("3")], vec![row("1"), row("2")]).unwrap_or_default();
        assert!(told.contains("+++ | 3") && told.contains("--- | 2"), "{told}");
    }
}

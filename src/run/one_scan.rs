//! Tests that one scan of a table answers: `unique` and `not_null` of a column, and `not_null` of several columns.
//!
//! The tests stay nodes with code, files, events and results of their own. The one that runs first counts for all that go
//! together, and the warehouse is not asked again for what is known by then. That holds for statements whose text is, word
//! by word, that of the built-in tests: whatever changes what a test asks (limits, conditions, stored failures, other
//! macros) makes another text, which is run. So does every test where counting together fails: it finds out itself why.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use super::{Action, Job};
use crate::jinja::context::INTERNAL_PACKAGES;
use crate::manifest::{Id, Macro, Manifest, Node, Resource};
use crate::parse::stores_failures;
use crate::warehouse::{Cell, ColumnInfo, Fetch, Foreseen, Session, Table};

/// How many groups of equal values are read at most. Where a column has more, its tests count them themselves.
const MOST_GROUPS: usize = 1000;

/// The tests of a run that go together.
#[derive(Default)]
pub struct Scans {
    of_test: HashMap<Id, Arc<Scan>>,
}

/// A statement that tells what several tests ask. Each of its rows stands for rows of the table that have the same
/// value, and says whether that is null and how many they are. Rows that no test objects to are left out.
struct Scan {
    relation: String,
    sql: String,
    /// With more rows than these it says nothing.
    most_rows: usize,
    counts: OnceLock<Option<Counts>>,
}

/// What tests call failures.
#[derive(Clone, Copy)]
struct Counts {
    /// Rows without a value.
    nulls: i64,
    /// Values that occur more than once.
    repeated: i64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Unique,
    NotNull,
}

impl Scans {
    /// Finds the tests among the selected ones that go together.
    pub fn plan(job: &Job) -> Scans {
        let manifest = &job.compiler.manifest;
        let is_wanted = job.action == Action::Execute && !job.compiler.shared.flags.separate_tests;
        if !is_wanted || manifest.macros.values().any(replaces_a_test) {
            return Scans::default();
        }
        let mut tables: BTreeMap<&str, BTreeMap<&str, Vec<&Node>>> = BTreeMap::new();
        for node in job.selected.iter().filter_map(|id| manifest.node(id)) {
            if let (Some(column), Some(relation)) = (column(node), relation(node, manifest)) {
                tables.entry(relation).or_default().entry(column).or_default().push(node);
            }
        }
        let mut scans = Scans::default();
        for (relation, columns) in tables {
            let asks = |tests: &[&Node], wanted| tests.iter().any(|test| kind(test) == Some(wanted));
            let (pairs, others): (Vec<_>, Vec<_>) = columns
                .into_iter()
                .filter(|(_, tests)| asks(tests, Kind::NotNull))
                .partition(|(_, tests)| asks(tests, Kind::Unique));
            for (column, tests) in pairs {
                scans.add(Scan::of_values(relation, column), &tests);
            }
            if others.len() > 1 {
                let (columns, tests): (Vec<&str>, Vec<_>) = others.into_iter().unzip();
                scans.add(Scan::of_nulls(relation, &columns), &tests.concat());
            }
        }
        scans
    }

    fn add(&mut self, scan: Scan, tests: &[&Node]) {
        let scan = Arc::new(scan);
        self.of_test.extend(tests.iter().map(|test| (test.unique_id.clone(), scan.clone())));
    }

    /// Does the work of a compiled node, with the answer to its statement at hand if it is a test that belongs to a scan.
    pub fn answering<T>(&self, node: &Node, session: &Session, work: impl FnOnce() -> T) -> T {
        let Some(foreseen) = self.foresee(node, session) else { return work() };
        session.foresee(Some(foreseen));
        let done = work();
        session.foresee(None);
        done
    }

    fn foresee(&self, test: &Node, session: &Session) -> Option<Foreseen> {
        let scan = self.of_test.get(&test.unique_id)?;
        let kind = kind(test)?;
        let built_in = built_in(kind, column(test)?, &scan.relation);
        let code = &test.compiled.as_ref()?.compiled_code;
        if !code.split_whitespace().eq(built_in.split_whitespace()) {
            return None;
        }
        let counts = scan.counts(session)?;
        let failures = if kind == Kind::Unique { counts.repeated } else { counts.nulls };
        Some(Foreseen { statement: verdict_of(&built_in), answer: verdict(failures) })
    }
}

impl Scan {
    /// Both tests of a column.
    fn of_values(relation: &str, column: &str) -> Scan {
        let sql = format!(
            "select {column} is null as is_null, count(*) as n_records\nfrom {relation}\ngroup by {column}\n\
             having count(*) > 1 or {column} is null\nlimit {}",
            MOST_GROUPS + 1
        );
        Scan { relation: relation.to_owned(), sql, most_rows: MOST_GROUPS, counts: OnceLock::new() }
    }

    /// `not_null` of several columns. A row would not tell which of them it is about, and the first one ends the search.
    fn of_nulls(relation: &str, columns: &[&str]) -> Scan {
        let sql = format!(
            "select true as is_null, 1 as n_records\nfrom {relation}\nwhere {} is null\nlimit 1",
            columns.join(" is null or ")
        );
        Scan { relation: relation.to_owned(), sql, most_rows: 0, counts: OnceLock::new() }
    }

    /// Counts, unless another test did; waits for one that is counting. An open transaction is left alone: it
    /// would not outlive an error.
    fn counts(&self, session: &Session) -> Option<Counts> {
        if session.connection().in_transaction() {
            return None;
        }
        *self.counts.get_or_init(|| self.count(session))
    }

    fn count(&self, session: &Session) -> Option<Counts> {
        let (_, table) = session.execute(&self.sql, false, Fetch::All).ok()?;
        if table.rows.len() > self.most_rows {
            return None;
        }
        let mut counts = Counts { nulls: 0, repeated: 0 };
        for row in &table.rows {
            match row.as_slice() {
                [Cell::Bool(true), Cell::Int(rows)] => counts.nulls += i64::try_from(*rows).ok()?,
                [Cell::Bool(false), Cell::Int(_)] => counts.repeated += 1,
                _ => return None,
            }
        }
        Some(counts)
    }
}

/// Whether a macro of the project or of a package takes the place of one that the tests consist of.
fn replaces_a_test(found: &Macro) -> bool {
    let name = found.name.rsplit("__").next().unwrap_or_default();
    let is_part = ["test_unique", "test_not_null", "get_test_sql"].contains(&name)
        || found.name.starts_with("materialization_test_");
    is_part && !INTERNAL_PACKAGES.contains(&&*found.package_name)
}

fn kind(node: &Node) -> Option<Kind> {
    let metadata = &node.test.as_ref()?.test_metadata;
    match metadata.name.as_str() {
        _ if metadata.namespace.is_some() => None,
        "unique" => Some(Kind::Unique),
        "not_null" => Some(Kind::NotNull),
        _ => None,
    }
}

/// The column of a test that may go together with others: that has a plain name, and is asked for nothing special.
fn column(node: &Node) -> Option<&str> {
    kind(node)?;
    let plain = |key: &str, default: &str| node.config.get_str(key).is_none_or(|value| value == default);
    let unset = |key: &str| node.config.get(key).is_none_or(|value| value.is_null());
    let counts_all = plain("fail_calc", "count(*)")
        && plain("warn_if", "!= 0")
        && plain("error_if", "!= 0")
        && ["where", "limit", "sql_header"].into_iter().all(unset);
    let column = node.test.as_ref()?.test_metadata.kwargs.get("column_name")?.as_str()?;
    let is_name = column.chars().all(|letter| letter.is_alphanumeric() || "_\".".contains(letter))
        && !column.starts_with(|letter: char| letter.is_numeric());
    (counts_all && is_name && !stores_failures(node)).then_some(column)
}

/// The relation that a test is about. Words are compared, so that a name with a space in it is left out.
fn relation<'m>(test: &Node, manifest: &'m Manifest) -> Option<&'m str> {
    let [parent] = test.depends_on.nodes.as_slice() else { return None };
    let name = match manifest.resource(parent)? {
        Resource::Node(parent) => parent.relation_name.as_deref()?,
        Resource::Source(source) => source.relation_name.as_str(),
        _ => return None,
    };
    (!name.contains(char::is_whitespace)).then_some(name)
}

/// The code of a test, as the built-in macro writes it.
fn built_in(kind: Kind, column: &str, relation: &str) -> String {
    match kind {
        Kind::Unique => format!(
            "select {column} as unique_field, count(*) as n_records from {relation} \
             where {column} is not null group by {column} having count(*) > 1"
        ),
        Kind::NotNull => format!("select {column} from {relation} where {column} is null"),
    }
}

/// The statement that judges a test, as the built-in materialization writes it.
fn verdict_of(code: &str) -> String {
    format!(
        "select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error \
         from ( {code} ) dbt_internal_test"
    )
}

/// The answer to it.
fn verdict(failures: i64) -> Table {
    let column =
        |name: &str, data_type: &str| ColumnInfo { name: name.to_owned(), data_type: data_type.to_owned() };
    Table {
        columns: vec![
            column("failures", "BIGINT"),
            column("should_warn", "BOOLEAN"),
            column("should_error", "BOOLEAN"),
        ],
        rows: vec![vec![Cell::Int(failures.into()), Cell::Bool(failures != 0), Cell::Bool(failures != 0)]],
    }
}

//! Data tests: a query counts what fails, and the severity decides what that means
//! (<https://docs.getdbt.com/reference/resource-configs/severity>).

use super::materialize::Materialized;
use super::model::{Outcome, response_fields};
use crate::error::{Error, Result};
use crate::events::Status;
use crate::manifest::Node;
use crate::warehouse::{Cell, Table};

/// The verdict of a test, from the one row with `failures`, `should_warn` and `should_error`. Warnings can be
/// errors (`--warn-error`).
pub fn judge(node: &Node, done: &Materialized, warnings_fail: bool) -> Result<Outcome> {
    let main = done.main.as_ref().ok_or_else(|| unreadable(node, "it has no result"))?;
    let table = main.table.table();
    let failures = whole_number(cell(node, table, "failures")?).ok_or_else(|| {
        unreadable(node, "its fail_calc gave no whole number").help(
            "fail_calc must be an aggregate that always gives a number, such as count(*) or coalesce(sum(x), 0)",
        )
    })?;
    let warns = condition(node, table, "should_warn", "warn_if")?;
    let fails = condition(node, table, "should_error", "error_if")?;
    let severity = node.config.get_str("severity").unwrap_or("ERROR").to_uppercase();
    let setting = |key: &str| node.config.get_str(key).unwrap_or("!= 0").to_owned();
    let results = if failures == 1 { "1 result".to_owned() } else { format!("{failures} results") };
    let (status, message) = if severity == "ERROR" && fails {
        (Status::Fail, Some(format!("Got {results}, configured to fail if {}", setting("error_if"))))
    } else if warns && warnings_fail {
        (Status::Fail, Some(format!("Got {results}, configured to fail if {}", setting("warn_if"))))
    } else if warns {
        (Status::Warn, Some(format!("Got {results}, configured to warn if {}", setting("warn_if"))))
    } else {
        (Status::Pass, None)
    };
    // What was counted and lets the test pass is no failure.
    let failures = if status == Status::Pass { 0 } else { failures };
    Ok(Outcome {
        message,
        failures: Some(failures),
        adapter_response: response_fields(&main.response),
        ..Outcome::quiet(status)
    })
}

fn unreadable(node: &Node, why: &str) -> Error {
    Error::compilation(format!("the test '{}' cannot be judged: {why}", node.name))
        .at(crate::error::Location::new(&node.original_file_path, node.first_line, 0))
}

fn cell<'t>(node: &Node, table: &'t Table, name: &str) -> Result<&'t Cell> {
    let index = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    let found = index.and_then(|index| table.rows.first()?.get(index));
    found.ok_or_else(|| unreadable(node, &format!("its query gave no '{name}'")))
}

fn whole_number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(number) => i64::try_from(*number).ok(),
        Cell::Bool(flag) => Some(i64::from(*flag)),
        Cell::Float(number) if number.fract() == 0.0 => Some(*number as i64),
        Cell::Decimal(text) => {
            text.parse::<f64>().ok().filter(|number| number.fract() == 0.0).map(|n| n as i64)
        }
        _ => None,
    }
}

/// The answer to `warn_if` or `error_if`.
fn condition(node: &Node, table: &Table, column: &str, setting: &str) -> Result<bool> {
    let answer = cell(node, table, column)?;
    truth(answer).ok_or_else(|| {
        let why = format!("Macro 'get_test_sql' returns '{answer}' as {column}, which is no boolean");
        unreadable(node, &why).help(format!("{setting} must be a condition, such as '> 10'"))
    })
}

fn truth(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Null => Some(false),
        Cell::Bool(flag) => Some(*flag),
        Cell::Int(number) => Some(*number != 0),
        Cell::Text(text) => text.to_lowercase().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn cells_are_read_as_numbers_and_truths() {
        assert_eq!(whole_number(&Cell::Decimal("3.00".into())), Some(3));
        assert_eq!(whole_number(&Cell::Text("x".into())), None);
        assert_eq!(whole_number(&Cell::Null), None);
        assert_eq!(truth(&Cell::Bool(true)), Some(true));
        assert_eq!(truth(&Cell::Text("False".into())), Some(false));
    }
}

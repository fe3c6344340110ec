//! A few of the rows that make a data test fail, for people to look at.

use super::unit_tests::shown;
use crate::jinja::context::aligned;
use crate::manifest::Node;
use crate::parse::stores_failures;
use crate::warehouse::{Fetch, Session};

/// How many rows are shown.
const SHOWN: usize = 5;
/// How long a cell may be before it is cut.
const WIDEST: usize = 40;

/// The first failing rows of a test that found `failures`, as a table under a title. `None` if they cannot be read
/// again: they only help to understand, and the verdict stands without them.
pub fn read(node: &Node, failures: i64, session: &Session) -> Option<String> {
    let query = match &node.relation_name {
        Some(relation) if stores_failures(node) => format!("select * from {relation}"),
        _ => node.compiled.as_ref()?.compiled_code.clone(),
    };
    let (_, table) = session.execute(&query, false, Fetch::Limit(SHOWN)).ok()?;
    if table.rows.is_empty() || table.columns.is_empty() {
        return None;
    }
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(|cell| cut(shown(cell))).collect()).collect();
    Some(format!("{}\n{}", title(node, rows.len(), failures), aligned(&names, &rows)))
}

/// Says how many there are besides, where the test counts rows.
fn title(node: &Node, shown: usize, failures: i64) -> String {
    let counts_rows = node.config.get_str("fail_calc").is_none_or(|calc| calc.trim() == "count(*)");
    match usize::try_from(failures) {
        Ok(failures) if counts_rows && failures > shown => {
            format!("failing rows (the first {shown} of {failures}):")
        }
        _ => "failing rows:".to_owned(),
    }
}

/// One line, not too long.
fn cut(text: String) -> String {
    let text = text.replace(['\n', '\r', '\t'], " ");
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn long_cells_are_cut() {
        assert_eq!(cut("a\nb".to_owned()), "a b");
        assert_eq!(cut("é".repeat(41)), "é".repeat(40) + "…");
    }
}

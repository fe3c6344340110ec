//! Putting common table expressions into a statement that may have some of its own.

use crate::manifest::Id;

/// The statement with these expressions before its own, or before its start.
pub fn inject(sql: &str, ctes: &[(Id, String)]) -> String {
    if ctes.is_empty() {
        return sql.to_owned();
    }
    let (at, with) = insertion_point(sql);
    let all: Vec<&str> = ctes.iter().map(|(_, cte)| cte.as_str()).collect();
    let all = all.join(", ");
    let (before, after) = sql.split_at(at);
    match with {
        With::Plain => format!("{before}{all},{after}"),
        // The text that dbt writes.
        With::Recursive => format!("{before} {all},{after}"),
        With::None => format!("{before}with{all} {after}"),
    }
}

/// Where the expressions go: behind the statement's `with` or `with recursive` if it begins so, else before all that
/// it is, comments among it.
fn insertion_point(sql: &str) -> (usize, With) {
    let start = skip_space(sql, 0);
    let Some(end) = keyword(sql, start, "with") else {
        return (sql.len() - sql.trim_start().len(), With::None);
    };
    match keyword(sql, skip_space(sql, end), "recursive") {
        Some(end) => (end, With::Recursive),
        None => (end, With::Plain),
    }
}

/// How a statement begins.
enum With {
    None,
    Plain,
    Recursive,
}

/// The end of a keyword that stands at a byte.
fn keyword(sql: &str, at: usize, word: &str) -> Option<usize> {
    let end = at + word.len();
    let found = sql.get(at..end)?;
    let bounded = !sql[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (found.eq_ignore_ascii_case(word) && bounded).then_some(end)
}

/// The first byte that belongs neither to white space nor to a comment.
fn skip_space(sql: &str, mut at: usize) -> usize {
    loop {
        let rest = &sql[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').map_or(trimmed.len(), |end| end + 1);
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
        } else {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ctes() -> Vec<(Id, String)> {
        vec![
            ("model.p.a".into(), " a as (\nselect 1\n)".to_owned()),
            ("model.p.b".into(), " b as (\nselect 2\n)".to_owned()),
        ]
    }

    #[test]
    fn statements_without_with_get_one() {
        let sql = inject("\n-- hi\nselect * from a", &ctes());
        assert_eq!(sql, "\nwith a as (\nselect 1\n),  b as (\nselect 2\n) -- hi\nselect * from a");
    }

    #[test]
    fn statements_with_their_own_are_extended() {
        let sql = inject("with c as (select 3) select * from c", &ctes()[..1]);
        assert_eq!(sql, "with a as (\nselect 1\n), c as (select 3) select * from c");
        let sql = inject("WITH RECURSIVE c as (select 3) select 1", &ctes()[..1]);
        assert_eq!(sql, "WITH RECURSIVE  a as (\nselect 1\n), c as (select 3) select 1");
    }
}

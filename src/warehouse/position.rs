//! Where in the SQL an error of the database points.

/// A place in SQL text. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// The place that an error message points at with `LINE n: …` and a caret in the next line, in the SQL that the
/// message is about. The column is 1 if the message shows another text than the SQL has in that line.
pub fn position(message: &str, sql: &str) -> Option<Position> {
    let mut lines = message.lines().skip_while(|line| !line.starts_with("LINE "));
    let shown = lines.next()?;
    let caret = lines.next()?.strip_suffix('^')?;
    let (number, excerpt) = shown.strip_prefix("LINE ")?.split_once(": ")?;
    let line: usize = number.parse().ok()?;
    let offset = caret.len().checked_sub(shown.len() - excerpt.len())?;
    let source = sql.lines().nth(line.checked_sub(1)?)?;
    Some(Position { line, column: column_in(source, excerpt, offset).unwrap_or(1) })
}

/// The column in `source` of what stands `offset` terminal cells into `excerpt`, which is a part of the
/// source with `...` where it was cut off.
fn column_in(source: &str, excerpt: &str, offset: usize) -> Option<usize> {
    let (body, offset) = match excerpt.strip_prefix("...") {
        Some(body) if !source.starts_with(excerpt) => (body, offset.checked_sub(3)?),
        _ => (excerpt, offset),
    };
    let whole = body.strip_suffix("...").filter(|_| !source.contains(body)).unwrap_or(body);
    // The statements before this one in the line may be blanks in the message.
    let shown = if source.contains(whole) { whole } else { whole.trim_start() };
    let offset = offset.checked_sub(whole.len() - shown.len())?;
    let start = source.find(shown)?;
    let mut cells = 0;
    for (index, c) in source[start..].chars().enumerate() {
        if cells >= offset && width(c) > 0 {
            return Some(source[..start].chars().count() + index + 1);
        }
        cells += width(c);
    }
    Some(source.chars().count() + 1)
}

/// How many cells of a terminal a character takes, as far as errors need to know it.
fn width(c: char) -> usize {
    match c {
        c if c.is_control() => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(message: &str, sql: &str) -> Option<(usize, usize)> {
        position(message, sql).map(|position| (position.line, position.column))
    }

    #[test]
    fn finds_what_the_caret_points_at() {
        let sql = "select 1\n\nfrm x y";
        let message = "Parser Error: syntax error at or near \"x\"\n\nLINE 3: frm x y\n            ^";
        assert_eq!(at(message, sql), Some((3, 5)));
    }

    #[test]
    fn counts_characters_not_cells() {
        let sql = "select '日本' as a,\tb";
        let message = format!("Binder Error: b\n\nLINE 1: {sql}\n{}^", " ".repeat(8 + 19));
        assert_eq!(at(&message, sql), Some((1, 19)));
    }

    #[test]
    fn finds_the_place_in_a_line_that_is_cut() {
        let sql = format!("select {}, zzz, {}", "aaaa, ".repeat(40), "bbbb, ".repeat(40));
        let message = "Binder Error: zzz\n\nLINE 1: ...aaaa, , zzz, bbbb, bbbb...\n                   ^";
        assert_eq!(at(message, &sql), Some((1, sql.find("zzz").unwrap_or(0) + 1)));
    }

    #[test]
    fn says_nothing_without_a_caret() {
        assert_eq!(at("Catalog Error: Table with name x does not exist!", "select 1"), None);
        assert_eq!(at("Binder Error: x\nLINE 9: x\n        ^", "select 1"), None);
    }
}

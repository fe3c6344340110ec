//! Cuts SQL into its statements, so that each can be given to DuckDB alone.
//!
//! DuckDB cuts SQL itself, but then it points at the wrong places in all statements after the first.

use std::ops::Range;

/// Where the statements of a text lie, without those that are only white space and comments.
pub fn statements(sql: &str) -> Vec<Range<usize>> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let mut start = 0;
    let mut is_empty = true;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b';' => {
                if !is_empty {
                    found.push(start..at);
                }
                start = at + 1;
                is_empty = true;
                at += 1;
            }
            b'-' if bytes[at..].starts_with(b"--") => at += line_length(&bytes[at..]),
            b'/' if bytes[at..].starts_with(b"/*") => at += comment_length(&bytes[at..]),
            _ => {
                // Within a character there is nothing to be seen.
                is_empty &=
                    sql.get(at..).and_then(|rest| rest.chars().next()).is_none_or(char::is_whitespace);
                at += token_length(bytes, at);
            }
        }
    }
    if !is_empty {
        found.push(start..bytes.len());
    }
    found
}

/// The text up to the end of a statement, with blanks for everything before it: positions stay what they are.
pub fn alone(sql: &str, statement: Range<usize>) -> String {
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut text: String = sql[..statement.start].chars().map(blank).collect();
    text.push_str(&sql[statement]);
    text
}

/// The length of what starts at a place: a quoted text as a whole, anything else byte by byte.
fn token_length(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = |at: usize| bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_';
    match bytes[at] {
        b'"' => quoted_length(rest, b'"', false),
        // E'…' has backslashes in it, if the E is not the end of a word.
        b'\'' => {
            let escapes =
                at > 0 && bytes[at - 1].eq_ignore_ascii_case(&b'e') && (at == 1 || !in_word(at - 2));
            quoted_length(rest, b'\'', escapes)
        }
        b'$' if at == 0 || !in_word(at - 1) => dollar_quoted_length(rest),
        _ => 1,
    }
}

/// A doubled quote does not end the text; to this it looks like the start of another one, which does as well.
fn quoted_length(bytes: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `$tag$ … $tag$`; a lone dollar is just that.
fn dollar_quoted_length(bytes: &[u8]) -> usize {
    let name = bytes[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if bytes.get(name + 1) != Some(&b'$') {
        return 1;
    }
    let (tag, rest) = bytes.split_at(name + 2);
    tag.len() + length_to(rest, tag)
}

/// A carriage return ends a line as well.
fn line_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

/// Comments may hold comments.
fn comment_length(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The length up to and with the first occurrence of a text, or to the end.
fn length_to(bytes: &[u8], wanted: &[u8]) -> usize {
    let found = bytes.windows(wanted.len()).position(|window| window == wanted);
    found.map_or(bytes.len(), |position| position + wanted.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::library;
    use super::super::native::{Database, Session};
    use super::*;
    use crate::properties::{hold, texts};

    #[test]
    fn cuts_where_statements_end() {
        for (sql, expected) in [
            ("", &[][..]),
            (" ; -- x;\n ; /* y; /* z */ ; */", &[]),
            ("a; b;", &["a", " b"]),
            ("select ';', \"x;\"\"y\" ;b", &["select ';', \"x;\"\"y\" ", "b"]),
            ("select 'it''s; \\';b", &["select 'it''s; \\'", "b"]),
            ("select E'\\';' , e'';b", &["select E'\\';' , e''", "b"]),
            ("select type'\\';b", &["select type'\\'", "b"]),
            ("select $$;$$, $a$ $$;$b$ $a$;b", &["select $$;$$, $a$ $$;$b$ $a$", "b"]),
            ("select $1;b$x$;c", &["select $1", "b$x$", "c"]),
            ("a -- ;\n;b", &["a -- ;\n", "b"]),
            ("select 'open;", &["select 'open;"]),
            ("a -- ;\r;b", &["a -- ;\r", "b"]),
            ("a;\u{2028};\u{3000}b", &["a", "\u{3000}b"]),
            ("a;\nüber", &["a", "\nüber"]),
        ] {
            let found: Vec<&str> = statements(sql).into_iter().map(|range| &sql[range]).collect();
            assert_eq!(found, expected, "{sql}");
        }
    }

    #[test]
    fn keeps_positions() {
        let sql = "é;\n b; c";
        assert_eq!(alone(sql, statements(sql)[1].clone()), "  \n b");
    }

    const WORDS: &[&str] = &[
        "select 1",
        "select",
        " a",
        "1",
        "e",
        "E",
        "U&",
        "x",
        "_",
        "'",
        "\"",
        "$",
        "$$",
        "$a$",
        "$1",
        ";",
        ";",
        ";",
        "--",
        "/*",
        "*/",
        "-",
        "/",
        "*",
        "\n",
        " ",
        "\\",
        "é",
        ", 'x'",
        ", \"y\"",
        ", E'\\''",
        " -- c\n",
        " /* c */",
        "select 'a;b';",
        "\t",
        "from t",
    ];

    #[test]
    fn statements_and_what_is_between_them_are_the_whole() {
        hold(texts(WORDS), |sql| {
            let mut end = 0;
            for range in statements(&sql) {
                assert!(end <= range.start && !sql[range.clone()].trim().is_empty(), "{range:?}");
                assert!(statements(&sql[end..range.start]).is_empty(), "{range:?}");
                assert_eq!(alone(&sql, range.clone()).lines().count(), sql[..range.end].lines().count());
                end = range.end;
            }
            assert!(statements(&sql[end..]).is_empty());
        });
    }

    /// DuckDB tells how many statements there are if it can read them all; of some texts it also reads nothing.
    #[test]
    fn duckdb_finds_as_many_statements() {
        let loaded = library::load().unwrap_or_else(|error| panic!("{error:?}"));
        let database =
            Arc::new(Database::open(loaded, ":memory:", &[]).unwrap_or_else(|refusal| panic!("{refusal:?}")));
        let session = Session::connect(&database).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        hold(texts(WORDS), |sql| {
            if let Ok(found) = session.statements(&sql)
                && found.count() > 0
            {
                assert_eq!(statements(&sql).len() as u64, found.count());
            }
        });
    }
}

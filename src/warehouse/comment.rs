//! The comment that goes with a statement, for those who read the warehouse's log of queries.

use crate::error::Error;

/// A comment, without its marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub text: String,
    /// Whether it stands behind the statement instead of before it.
    pub append: bool,
}

impl Comment {
    /// The statement with the comment, a line break between them.
    pub fn add_to(&self, sql: &str) -> String {
        let text = self.text.trim();
        if !self.append {
            return format!("/* {text} */\n{sql}");
        }
        let sql = sql.trim_end();
        match sql.strip_suffix(';') {
            Some(sql) => format!("{sql}\n/* {text} */;"),
            None => format!("{sql}\n/* {text} */"),
        }
    }

    /// What the database says of a commented statement, with the lines counted as they are without the comment.
    pub fn forget_in(&self, error: Error) -> Error {
        let added = if self.append { 0 } else { self.text.trim().matches('\n').count() + 1 };
        error.reword(|message| lines_before(message, added))
    }
}

/// Lowers the number in `LINE n: …`, and moves the caret in the next line along with what it stands below.
fn lines_before(message: &str, added: usize) -> String {
    let mut moved = 0;
    let mut lines = Vec::new();
    for line in message.split('\n') {
        let lowered = lowered(line, added);
        let caret = line.strip_prefix(&" ".repeat(moved)).unwrap_or(line);
        lines.push(lowered.clone().unwrap_or_else(|| caret.to_owned()));
        moved = lowered.map_or(0, |lowered| line.len() - lowered.len());
    }
    lines.join("\n")
}

fn lowered(line: &str, added: usize) -> Option<String> {
    let (number, rest) = line.strip_prefix("LINE ")?.split_once(':')?;
    let number = number.parse::<usize>().ok()?.checked_sub(added).filter(|number| *number > 0)?;
    Some(format!("LINE {number}:{rest}"))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn stands_before_or_behind_the_statement() {
        let comment = |append| Comment { text: " a\nb\n".to_owned(), append };
        assert_eq!(comment(false).add_to("select 1;"), "/* a\nb */\nselect 1;");
        assert_eq!(comment(true).add_to("select 1 -- x\n"), "select 1 -- x\n/* a\nb */");
        assert_eq!(comment(true).add_to("select 1;\n"), "select 1\n/* a\nb */;");
    }

    #[test]
    fn is_not_counted_in_errors() {
        let comment = Comment { text: "a\nb".to_owned(), append: false };
        let error = comment.forget_in(Error::database("Binder Error: x\n\nLINE 10: x\n         ^"));
        assert_eq!(error.message(), "Binder Error: x\n\nLINE 8: x\n        ^");
    }
}

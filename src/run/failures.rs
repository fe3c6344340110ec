//! Errors of the warehouse, told with the user's file and the file that was run.

use std::path::Path;

use crate::error::{Error, ErrorKind, Location};
use crate::jinja::context::INTERNAL_PACKAGES;
use crate::manifest::{Compiled, Node};

/// Points an error of the warehouse at the line of the user's file, and says where the statement can be read.
pub fn explain(error: Error, node: &Node, target: &Path) -> Error {
    let whole_file = Location::new(&node.original_file_path, node.first_line, 0);
    let error = error.at(whole_file.clone());
    let Some(compiled) = node.compiled.as_ref().filter(|_| error.kind() == ErrorKind::Database) else {
        return error;
    };
    let line = quoted_line(&compiled.compiled_code, error.message());
    let error = match line.and_then(|line| source_line(compiled, node, line)) {
        Some((index, text)) if in_own_macros(&error) => {
            let location = Location::new(&node.original_file_path, node.first_line + index, 0);
            error.relocate(location, Some(text), |step| !names_own_macro(step))
        }
        None if in_own_macros(&error) => error.relocate(whole_file, None, |step| !names_own_macro(step)),
        _ => error,
    };
    let path = compiled.compiled_path.clone().unwrap_or_else(|| target.display().to_string());
    match line {
        Some(line) => error.help(format!("it is line {line} of {path}")),
        None => error,
    }
}

/// Whether an error came up in a macro that rbt ships, which is of no use to the user.
fn in_own_macros(error: &Error) -> bool {
    error.location().is_some_and(|location| is_own(&location.path.to_string_lossy()))
}

fn is_own(path: &str) -> bool {
    INTERNAL_PACKAGES.iter().any(|package| path.starts_with(&format!("{package}://")))
}

fn names_own_macro(step: &str) -> bool {
    step.split_once('(').is_some_and(|(_, path)| is_own(path))
}

/// The line of the compiled code that the warehouse quotes in its message (`LINE 3: …`). The statement that ran
/// has other lines around it, so the line's text is looked for.
fn quoted_line(code: &str, message: &str) -> Option<usize> {
    let shown = message.lines().find_map(|line| line.strip_prefix("LINE ")?.split_once(": "));
    let quoted = shown?.1.trim().trim_start_matches("...").trim_end_matches("...").trim();
    if quoted.is_empty() {
        return None;
    }
    code.lines().position(|line| line.contains(quoted)).map(|index| index + 1)
}

/// The line of the node's own text that became a line of the compiled code: the same text, or the same number where
/// rendering kept the number of lines.
fn source_line(compiled: &Compiled, node: &Node, line: usize) -> Option<(usize, String)> {
    let wanted = compiled.compiled_code.lines().nth(line - 1)?;
    let own: Vec<&str> = node.raw_code.lines().collect();
    let same_text = own.iter().position(|text| text.trim() == wanted.trim() && !wanted.trim().is_empty());
    let same_number = || {
        let kept = own.len() == compiled.compiled_code.lines().count() && compiled.extra_ctes.is_empty();
        kept.then_some(line - 1)
    };
    let index = same_text.or_else(same_number)?;
    Some((index, own.get(index)?.to_string()))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_quoted_line_is_found_in_the_compiled_code() {
        let message = "Binder Error: x\n\nLINE 7:   selct x from y\n        ^";
        assert_eq!(quoted_line("with a as (\n  selct x from y\n)", message), Some(2));
        assert_eq!(quoted_line("select 1", message), None);
    }

    #[test]
    fn macros_that_rbt_ships_are_known_by_their_place() {
        assert!(names_own_macro("in macro statement (dbt://macros/statement.sql)"));
        assert!(!names_own_macro("in macro cents (macros/cents.sql)"));
    }
}

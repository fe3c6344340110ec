//! Errors of the warehouse, told with the file that was run.

use std::path::Path;

use crate::error::{Error, ErrorKind, Location};
use crate::manifest::Node;

/// Adds to an error of the warehouse where the statement can be read, and which line of it is meant.
pub fn explain(error: Error, node: &Node, target: &Path) -> Error {
    let error = error.at(Location::new(&node.original_file_path, node.first_line, 0));
    if error.kind() != ErrorKind::Database {
        return error;
    }
    let Some(compiled) = &node.compiled else { return error };
    let path = compiled.compiled_path.clone().unwrap_or_else(|| target.display().to_string());
    let line = quoted_line(&compiled.compiled_code, error.message());
    error.help(match line {
        Some(line) => format!("compiled code at {path}:{line}"),
        None => format!("compiled code at {path}"),
    })
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

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_quoted_line_is_found_in_the_compiled_code() {
        let message = "Binder Error: x\n\nLINE 7:   selct x from y\n        ^";
        assert_eq!(quoted_line("with a as (\n  selct x from y\n)", message), Some(2));
        assert_eq!(quoted_line("select 1", message), None);
    }
}

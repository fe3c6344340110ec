//! Small parts that lines are made of.

use serde_json::{Map, Value, json};

use super::Style;
use crate::events::Position;

pub const GREEN: &str = "\x1b[32m";
pub const YELLOW: &str = "\x1b[33m";
pub const RED: &str = "\x1b[31m";
const RESET: &str = "\x1b[0m";

/// `1 of 5 message ........ [status in 0.10s]`
pub fn dotted(
    style: Style,
    message: &str,
    status: &str,
    position: Option<Position>,
    time: Option<f64>,
) -> String {
    let mut line = match position {
        Some(Position { index, total }) => format!("{index} of {total} {message} "),
        None => format!("{message} "),
    };
    let length = line.chars().count();
    line.extend(std::iter::repeat_n('.', style.width.saturating_sub(length)));
    finish(line, status, time)
}

/// The same, cut where it would be too long.
pub fn dotted_cut(
    style: Style,
    message: &str,
    status: &str,
    position: Position,
    time: Option<f64>,
) -> String {
    let Position { index, total } = position;
    let mut line = format!("{index} of {total} {message} ");
    let length = line.chars().count();
    let room = style.width.saturating_sub(3);
    if length > room {
        line = line.chars().take(room).collect();
        line.push_str("...");
    } else {
        line.extend(std::iter::repeat_n('.', style.width.saturating_sub(length)));
    }
    finish(line, status, time)
}

fn finish(mut line: String, status: &str, time: Option<f64>) -> String {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match time {
        Some(time) => write!(line, " [{status} in {time:.2}s]"),
        None => write!(line, " [{status}]"),
    };
    line
}

pub fn paint(style: Style, color: &str, text: &str) -> String {
    if style.color { format!("{color}{text}{RESET}") } else { text.to_owned() }
}

pub fn hours_minutes_seconds(elapsed: f64) -> String {
    let minutes = (elapsed / 60.0).floor();
    let hours = (minutes / 60.0).floor();
    format!(
        "{hours:.0} hours {:.0} minutes and {:.2} seconds",
        minutes - hours * 60.0,
        elapsed - minutes * 60.0
    )
}

pub fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub fn position_fields(position: Position, index: &str, total: &str) -> Map<String, Value> {
    fields([(index, json!(position.index)), (total, json!(position.total))])
}

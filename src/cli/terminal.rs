//! A terminal that someone watches: log lines, and below them a bar with what is running.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::lines::progress_words;
use crate::events::{Event, Sink};

/// How many running nodes are named beside the bar.
const NAMED: usize = 3;

/// Hands events on to the sink that writes lines, and keeps the bar below them.
pub struct Terminal<S> {
    lines: S,
    progress: Mutex<Progress>,
}

struct Progress {
    bar: ProgressBar,
    /// Labels of the nodes that are running, oldest first.
    running: Vec<String>,
    /// A node that tells how far it is, and its words.
    steps: Option<(String, String)>,
}

impl<S: Sink> Terminal<S> {
    /// A bar below the lines of this sink.
    pub fn new(lines: S) -> Self {
        let progress = Progress { bar: ProgressBar::hidden(), running: Vec::new(), steps: None };
        Terminal { lines, progress: Mutex::new(progress) }
    }
}

impl<S: Sink> Sink for Terminal<S> {
    fn receive(&self, event: &Event) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.follow(event);
        progress.bar.suspend(|| self.lines.receive(event));
    }
}

impl Progress {
    fn follow(&mut self, event: &Event) {
        match event {
            Event::NodeStarted { node, position: Some(position) } => {
                if self.bar.is_hidden() && self.bar.length().is_none() {
                    self.bar = new_bar(position.total);
                }
                self.running.push(node.label.clone());
            }
            Event::NodeFinished(result) if result.position.is_some() => {
                if let Some(index) = self.running.iter().position(|label| *label == result.node.label) {
                    self.running.remove(index);
                }
                self.bar.inc(1);
            }
            Event::FinishedRunning { .. } | Event::CommandFailed { .. } | Event::CommandCompleted { .. } => {
                self.bar.finish_and_clear();
                self.bar = ProgressBar::hidden();
                self.running.clear();
            }
            Event::NodeProgress { node, progress } => {
                self.steps = Some((node.label.clone(), progress_words(progress)));
            }
            _ => return,
        }
        let named = |label: &String| match &self.steps {
            Some((node, words)) if node == label => format!("{label}: {words}"),
            _ => label.clone(),
        };
        let running: Vec<String> = self.running.iter().map(named).collect();
        self.bar.set_message(running_words(&running));
    }
}

fn new_bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:24.green/black} {pos}/{len} {elapsed} {wide_msg}") {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn running_words(running: &[String]) -> String {
    let named = running.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match running.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_nodes_are_named() {
        let labels: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        assert_eq!(running_words(&labels[..2]), "a, b");
        assert_eq!(running_words(&labels), "a, b, c and 2 more");
        assert_eq!(running_words(&[]), "");
    }
}

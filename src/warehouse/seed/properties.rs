//! What holds for every CSV file.

use std::fs;

use super::guess::Guess;
use super::records::Records;
use super::{Seen, look_at_parts};
use crate::properties::{hold, texts};

const WORDS: &[&str] = &["a", "12", "2024-01-05", "é", ",", ",", "\"", "\"\"", "\n", "\n", "\r\n", "\r", " "];

/// The records as the `csv` crate reads them, which leaves out empty lines.
fn expected(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|record| record.map(fields).unwrap_or_default()).collect()
}

#[test]
fn records_are_read_whole_and_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.csv");
    hold(texts(WORDS), |text: String| {
        fs::write(&path, &text).unwrap();
        let size = text.len() as u64;
        let mut records = Records::new(&path, b',', 0, u64::MAX).unwrap();
        let mut found = Vec::new();
        while let Some(record) = records.next().unwrap() {
            found.push(record.iter().map(str::to_owned).collect::<Vec<_>>());
        }
        let rows = found.len();
        found.retain(|record| !record.is_empty());
        assert_eq!(found, expected(&text));

        let guesses = vec![Guess::new(false); found.iter().map(Vec::len).max().unwrap_or(0)];
        let mut records = Records::new(&path, b',', 0, u64::MAX).unwrap();
        let parts = look_at_parts(&records, size, 5, &guesses).unwrap();
        let whole = Seen::of(&mut records, guesses).unwrap();
        assert_eq!((parts.rows, &parts.guesses), (rows, &whole.guesses));
        assert_eq!((whole.rows, whole.end.max(size)), (rows, size));
    });
}

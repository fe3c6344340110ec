//! Seeds: CSV files whose columns get the types that dbt gives them.
//!
//! dbt looks at every value of a column and takes the first type that all of them can have: number, date, date
//! and time, boolean, or else text. Empty values and the word `null` fit everything. What is stored in the end is
//! up to the database, which reads the file again with these types.

mod values;

use std::fs;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};

use super::{Cell, ColumnInfo, Table};
use crate::error::{Error, Location, Result};
use crate::interrupt;
use values::Places;

/// The mark that some programs put at the start of UTF-8 files.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A seed file that was read, with the types of its columns.
#[derive(Debug)]
pub struct Seed {
    pub columns: Vec<SeedColumn>,
    /// How many rows there are; as for dbt, an empty line is one.
    pub row_count: usize,
    path: PathBuf,
    delimiter: u8,
    data: Vec<u8>,
}

/// A column of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedColumn {
    pub name: String,
    pub kind: SeedType,
}

/// The types that dbt tells apart in seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeedType {
    /// A number without, or with digits after the point in some row.
    Integer,
    Number,
    Date,
    DateTime,
    Boolean,
    Text,
}

impl SeedType {
    /// The type of the table's column, unless the seed's configuration says otherwise.
    pub fn sql_type(self) -> &'static str {
        match self {
            SeedType::Integer => "integer",
            SeedType::Number => "float8",
            SeedType::Date => "date",
            SeedType::DateTime => "timestamp without time zone",
            SeedType::Boolean => "boolean",
            SeedType::Text => "text",
        }
    }
}

/// After how many rows is looked whether the user wants to stop.
const ROWS_A_STEP: usize = 1 << 12;

impl Seed {
    /// Reads a file. The columns named in `text_columns` are text whatever is in them, because their types are
    /// given by the configuration.
    ///
    /// Fails if the file cannot be read, is not UTF-8, or has rows with more values than the header has names.
    pub fn read(path: &Path, delimiter: &str, text_columns: &[&str]) -> Result<Self> {
        let [delimiter] = *delimiter.as_bytes() else {
            return Err(Error::compilation(format!("the delimiter of the seed is {delimiter:?}"))
                .at(Location::file(path))
                .help("a delimiter is one character, as `delimiter: \";\"` or `delimiter: \"\\t\"`"));
        };
        let mut data = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
        if data.starts_with(BYTE_ORDER_MARK) {
            data.drain(..BYTE_ORDER_MARK.len());
        }
        if let Err(error) = std::str::from_utf8(&data) {
            let line = count_lines(&data[..error.valid_up_to()]) + 1;
            return Err(Error::runtime("the seed is not UTF-8")
                .at(Location::new(path, line, 0))
                .help("save the file with the encoding UTF-8"));
        }
        let mut seed = Seed { columns: Vec::new(), row_count: 0, path: path.to_owned(), delimiter, data };
        let names = seed.header()?;
        let mut guesses: Vec<Guess> =
            names.iter().map(|name| Guess::new(text_columns.contains(&name.as_str()))).collect();
        seed.row_count = seed.each_row(|row| {
            for (guess, value) in guesses.iter_mut().zip(row) {
                guess.look_at(text(value));
            }
        })?;
        let column = |(name, guess): (String, &Guess)| SeedColumn { name, kind: guess.outcome() };
        seed.columns = names.into_iter().zip(&guesses).map(column).collect();
        Ok(seed)
    }

    /// All rows, with values of the columns' types.
    pub fn table(&self) -> Result<Table> {
        let column =
            |it: &SeedColumn| ColumnInfo { name: it.name.clone(), data_type: it.kind.sql_type().to_owned() };
        let mut rows = Vec::with_capacity(self.row_count);
        self.each_row(|row| {
            let mut cells: Vec<Cell> = self
                .columns
                .iter()
                .zip(row)
                .map(|(column, value)| values::cell(text(value), column.kind))
                .collect();
            cells.resize(self.columns.len(), Cell::Null);
            rows.push(cells);
        })?;
        Ok(Table { columns: self.columns.iter().map(column).collect(), rows })
    }

    fn reader(&self) -> csv::Reader<&[u8]> {
        ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(&self.data)
    }

    /// The names of the columns: nameless ones are named with letters, repeated ones numbered.
    fn header(&self) -> Result<Vec<String>> {
        let mut record = ByteRecord::new();
        let there = self.reader().read_byte_record(&mut record).map_err(|error| self.unreadable(&error))?;
        if !there || self.data.starts_with(b"\n") || self.data.starts_with(b"\r") {
            return Err(Error::compilation("the first line of the seed is empty")
                .at(Location::new(&self.path, 1, 0))
                .help("the first line must hold the names of the columns"));
        }
        let mut names: Vec<String> = Vec::new();
        for (index, field) in record.iter().enumerate() {
            let name = match text(field) {
                "" => letter_name(index),
                name => name.to_owned(),
            };
            let mut unique = name.clone();
            let mut number = 2;
            while names.contains(&unique) {
                unique = format!("{name}_{number}");
                number += 1;
            }
            names.push(unique);
        }
        Ok(names)
    }

    /// Shows every row after the header, and gives their number. An empty line is a row without values.
    fn each_row(&self, mut see: impl FnMut(&ByteRecord)) -> Result<usize> {
        let mut reader = self.reader();
        let mut record = ByteRecord::new();
        let mut width = None;
        let mut count: usize = 0;
        let no_values = ByteRecord::new();
        loop {
            let start = reader.position().byte() as usize;
            let there = reader.read_byte_record(&mut record).map_err(|error| self.unreadable(&error))?;
            // The reader skips empty lines; dbt does not.
            let empty = empty_lines(&self.data, start);
            for _ in 0..empty {
                see(&no_values);
                count += 1;
            }
            if count.is_multiple_of(ROWS_A_STEP) {
                interrupt::check()?;
            }
            if !there {
                return Ok(count);
            }
            let Some(width) = width else {
                width = Some(record.len());
                continue;
            };
            if record.len() > width {
                let line = count_lines(&self.data[..start]) + empty + 1;
                let (values, names) = (record.len(), width);
                return Err(Error::compilation(format!(
                    "a row of the seed has {values} values, but the header has {names} names"
                ))
                .at(Location::new(&self.path, line, 0))
                .help("put values that contain the delimiter in double quotes, or change the seed's `delimiter`"));
            }
            see(&record);
            count += 1;
        }
    }

    fn unreadable(&self, error: &csv::Error) -> Error {
        Error::runtime(format!("the seed cannot be read: {error}")).at(Location::file(&self.path))
    }
}

/// Text of a file that was found to be UTF-8. Its delimiter is ASCII, so that every field is UTF-8 too.
fn text(field: &[u8]) -> &str {
    std::str::from_utf8(field).unwrap_or_default()
}

fn count_lines(data: &[u8]) -> usize {
    data.iter().filter(|byte| **byte == b'\n').count()
}

/// The number of empty lines at a place of the data where a record has just ended.
fn empty_lines(data: &[u8], start: usize) -> usize {
    let mut rest = &data[start..];
    // The reader stops in the middle of a line break of two characters.
    if start > 0 && data[start - 1] == b'\r' {
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    let mut count = 0;
    while let [b'\r', b'\n', after @ ..] | [b'\n' | b'\r', after @ ..] = rest {
        rest = after;
        count += 1;
    }
    count
}

/// `a` to `z`, then `aa`, `bb`, …
fn letter_name(index: usize) -> String {
    let letter = (b'a' + (index % 26) as u8) as char;
    String::from(letter).repeat(index / 26 + 1)
}

/// What a column can still be after the values seen so far.
struct Guess {
    number: Option<Places>,
    date: bool,
    date_time: bool,
    iso_date_time: bool,
    boolean: bool,
}

impl Guess {
    fn new(text: bool) -> Self {
        let open = !text;
        Guess {
            number: open.then(Places::default),
            date: open,
            date_time: open,
            iso_date_time: open,
            boolean: open,
        }
    }

    fn is_text(&self) -> bool {
        self.number.is_none() && !(self.date || self.date_time || self.iso_date_time || self.boolean)
    }

    fn look_at(&mut self, value: &str) {
        if self.is_text() || values::is_null(value) {
            return;
        }
        if let Some(seen) = self.number {
            self.number = values::number_places(value).map(|places| seen.max(places));
        }
        self.date = self.date && values::date(value).is_some();
        self.date_time = self.date_time && values::date_time(value).is_some();
        self.iso_date_time = self.iso_date_time && values::iso_date_time(value).is_some();
        self.boolean = self.boolean && values::boolean(value).is_some();
    }

    fn outcome(&self) -> SeedType {
        match self.number {
            Some(places) if places.decimals() => SeedType::Number,
            Some(_) => SeedType::Integer,
            None if self.date => SeedType::Date,
            None if self.date_time || self.iso_date_time => SeedType::DateTime,
            None if self.boolean => SeedType::Boolean,
            None => SeedType::Text,
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], delimiter: &str, text_columns: &[&str]) -> Result<Seed> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed.csv");
        fs::write(&path, text).unwrap();
        Seed::read(&path, delimiter, text_columns)
    }

    fn seed(text: &str) -> Seed {
        read(text.as_bytes(), ",", &[]).unwrap()
    }

    /// The type that a column of these values gets.
    fn kind(values: &[&str]) -> SeedType {
        let rows: String = values.iter().map(|value| format!("\"{value}\"\n")).collect();
        seed(&format!("it\n{rows}")).columns[0].kind
    }

    #[test]
    fn columns_get_dbt_s_types() {
        use SeedType::*;
        for (values, expected) in [
            // Numbers: leading zeros are no reason for text, digits after the point that are zero do not count.
            (&["1", "-2", "+3"][..], Integer),
            (&["001", "007"], Integer),
            (&["1.0", "2.00"], Integer),
            (&["1", "2.5"], Number),
            (&[".5"], Number),
            (&["1e5"], Integer),
            (&["1E-3"], Number),
            (&["1,000", "1_000"], Integer),
            (&["$5", "5%", "-€3", "£ 7"], Integer),
            (&["12345678901234567890123456789012345"], Number),
            (&["1234567890123456789012345678.5"], Integer),
            (&["1e400"], Integer),
            (&["NaN", "inf", "1.5"], Number),
            (&["١٢"], Integer),
            (&["--1"], Integer),
            (&["1e"], Text),
            (&["1.2.3"], Text),
            (&["0x10"], Text),
            // Missing values fit everything, and a column of nothing is a number.
            (&["", " null ", "NULL", "5"], Integer),
            (&["", ""], Integer),
            (&[], Integer),
            (&["NA", "5"], Text),
            (&["none"], Text),
            // Dates and times.
            (&["2024-02-29", "2024-1-5", "2024-01- 5"], Date),
            (&["2023-02-29"], Text),
            (&["2024/01/05"], Text),
            (&["10000-01-01"], Text),
            (&["2024-01-05 12:34:56", "2024-1-5 1:2:3"], DateTime),
            (&["2024-01-05 12:34:56.5"], Text),
            (&["2024-01-05 12:34"], Text),
            (&["2024-01-05T12:34:56.789Z", "20240105T12", "2024-W01-3T1234+0230", "2024-005T12,5"], DateTime),
            (&["2024-01-05T24:00:00"], Text),
            (&["2024-01-05T12:34:56+2"], Text),
            // The two ways to write a moment do not mix, neither do dates and moments.
            (&["2024-01-05 12:34:56", "2024-01-05T12:34:56"], Text),
            (&["2024-01-05", "2024-01-05 12:34:56"], Text),
            // Booleans are words only.
            (&["true", "False", "TRUE", "true,"], Boolean),
            (&["t", "f"], Text),
            (&["yes", "no"], Text),
            (&["0", "1"], Integer),
            (&["true", "1"], Text),
            (&["abc", "1"], Text),
        ] {
            assert_eq!(kind(values), expected, "{values:?}");
        }
    }

    #[test]
    fn configured_columns_are_text() {
        let seed = read(b"id;zip\n1;00501\n", ";", &["zip", "other"]).unwrap();
        let kinds: Vec<_> = seed.columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [SeedType::Integer, SeedType::Text]);
        assert_eq!(seed.table().unwrap().rows, [[Cell::Decimal("1".into()), Cell::Text("00501".into())]]);
    }

    #[test]
    fn names_are_made_unique() {
        let names = |text: &str| seed(text).columns.into_iter().map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(names("a,, x,a,a,\"b \"\"c\"\"\"\n"), ["a", "b", " x", "a_2", "a_3", "b \"c\""]);
        assert_eq!(names("\u{feff}id\n1\n"), ["id"]);
    }

    #[test]
    fn rows_are_counted_as_dbt_does() {
        for (text, expected) in [
            ("a,b", 0),
            ("a,b\n", 0),
            ("a,b\n1,2", 1),
            ("a,b\n1,2\n\n3,4\n", 3),
            ("a,b\r\n1,2\r\n\r\n3\r\n\r\n", 4),
            ("a,b\r1,2\r\r3,4\r", 3),
            ("a,b\n\"1\n\n\",2\n", 1),
        ] {
            let seed = seed(text);
            assert_eq!((seed.row_count, seed.table().unwrap().rows.len()), (expected, expected), "{text:?}");
        }
    }

    #[test]
    fn values_have_the_column_s_type() {
        let table =
            seed("n,d,t,b,s\n$1.50,2024-1-5,2024-01-05T12:30:00.25Z,TRUE,\"a\r\nb\"\nnull,,,,null\n").table();
        let rows = table.unwrap().rows;
        let texts: Vec<String> = rows[0].iter().map(Cell::to_string).collect();
        assert_eq!(texts, ["1.50", "2024-01-05", "2024-01-05 12:30:00.25", "true", "a\nb"]);
        assert!(rows[1].iter().all(|cell| *cell == Cell::Null));
    }

    #[test]
    fn broken_files_are_explained() {
        let said = |text: &[u8], delimiter: &str| read(text, delimiter, &[]).unwrap_err();
        let error = said(b"a,b\n1,2\n\n1,2,3\n", ",");
        assert_eq!(error.message(), "a row of the seed has 3 values, but the header has 2 names");
        assert_eq!(error.location().map(|place| place.line), Some(4));
        let error = said(b"a,b\n1,\xff\n", ",");
        assert_eq!(error.message(), "the seed is not UTF-8");
        assert_eq!(error.location().map(|place| place.line), Some(2));
        assert_eq!(said(b"", ",").message(), "the first line of the seed is empty");
        assert_eq!(said(b"a\n", "||").message(), "the delimiter of the seed is \"||\"");
    }
}

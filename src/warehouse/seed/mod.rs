//! Seeds: CSV files whose columns get the types that dbt gives them.
//!
//! dbt looks at every value of a column and takes the first type that all of them can have: number, date, date
//! and time, boolean, or else text. Empty values and the word `null` fit everything. What is stored in the end is
//! up to the database, which reads the file again with these types.

mod guess;
#[cfg(test)]
mod properties;
mod records;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Cell, ColumnInfo, Table};
use crate::error::{Error, Location, Result};
use guess::Guess;
use records::{Record, Records, line_at, next_line};

/// A seed file that was looked at, with the types of its columns. Its rows stay in the file until somebody asks.
#[derive(Debug)]
pub struct Seed {
    pub columns: Vec<SeedColumn>,
    /// How many rows there are; as for dbt, an empty line is one.
    pub row_count: usize,
    path: PathBuf,
    delimiter: u8,
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

/// A file is read in parts of this size, each by the processor that is free.
const PART: u64 = 1 << 22;

impl Seed {
    /// Looks at a file. The columns named in `text_columns` are text whatever is in them, because their types are
    /// given by the configuration.
    ///
    /// Fails if the file cannot be read, is not UTF-8, or has rows with more values than the header has names.
    pub fn read(path: &Path, delimiter: &str, text_columns: &[&str]) -> Result<Self> {
        let [delimiter] = *delimiter.as_bytes() else {
            return Err(Error::compilation(format!("the delimiter of the seed is {delimiter:?}"))
                .at(Location::file(path))
                .help("a delimiter is one character, as `delimiter: \";\"` or `delimiter: \"\\t\"`"));
        };
        let mut records = Records::new(path, delimiter, 0, u64::MAX)?;
        let names = header(path, &mut records)?;
        let guesses: Vec<Guess> =
            names.iter().map(|name| Guess::new(text_columns.contains(&name.as_str()))).collect();
        let size = fs::metadata(path).map_err(|error| Error::io("read", path, &error))?.len();
        let seen = match size.saturating_sub(records.position()) {
            ..PART => Seen::of(&mut records, guesses)?,
            _ => look_at_parts(&records, size, PART, &guesses)?,
        };
        let column = |(name, guess): (String, &Guess)| SeedColumn { name, kind: guess.outcome() };
        let columns = names.into_iter().zip(&seen.guesses).map(column).collect();
        Ok(Seed { columns, row_count: seen.rows, path: path.to_owned(), delimiter })
    }

    /// All rows, with values of the columns' types.
    pub fn table(&self) -> Result<Table> {
        let mut rows = Vec::with_capacity(self.row_count);
        let mut records = Records::new(&self.path, self.delimiter, 0, u64::MAX)?;
        records.next()?;
        while let Some(record) = records.next()? {
            let values = self.columns.iter().zip(record.iter());
            let mut cells: Vec<Cell> =
                values.map(|(column, value)| values::cell(value, column.kind)).collect();
            cells.resize(self.columns.len(), Cell::Null);
            rows.push(cells);
        }
        if rows.len() != self.row_count {
            return Err(Error::runtime("the seed was changed while it was read")
                .at(Location::file(&self.path))
                .help("run it again"));
        }
        Ok(Table { columns: self.column_infos(), rows })
    }

    /// The columns with the types of the database.
    pub fn column_infos(&self) -> Vec<ColumnInfo> {
        let info =
            |it: &SeedColumn| ColumnInfo { name: it.name.clone(), data_type: it.kind.sql_type().to_owned() };
        self.columns.iter().map(info).collect()
    }
}

/// The names of the columns: nameless ones are named with letters, repeated ones numbered.
fn header(path: &Path, records: &mut Records) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for (index, field) in records.next()?.iter().flat_map(Record::iter).enumerate() {
        let name = match field {
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
    if names.is_empty() {
        return Err(Error::compilation("the first line of the seed is empty")
            .at(Location::new(path, 1, 0))
            .help("the first line must hold the names of the columns"));
    }
    Ok(names)
}

/// `a` to `z`, then `aa`, `bb`, …
fn letter_name(index: usize) -> String {
    let letter = (b'a' + (index % 26) as u8) as char;
    String::from(letter).repeat(index / 26 + 1)
}

/// What was found in the records of a part of a file.
struct Seen {
    guesses: Vec<Guess>,
    /// As for dbt, an empty line is a row.
    rows: usize,
    /// Where the part's last record ends.
    end: u64,
}

impl Seen {
    /// Looks at all records, with what is known of the columns before.
    fn of(records: &mut Records, mut guesses: Vec<Guess>) -> Result<Seen> {
        let mut rows = 0;
        loop {
            let begin = records.position();
            let Some(record) = records.next()? else {
                return Ok(Seen { guesses, rows, end: records.position() });
            };
            if record.len() > guesses.len() {
                let (values, names) = (record.len(), guesses.len());
                return Err(Error::compilation(format!(
                    "a row of the seed has {values} values, but the header has {names} names"
                ))
                .at(Location::new(records.path, line_at(records.path, begin), 0))
                .help("put values that contain the delimiter in double quotes, or change the seed's `delimiter`"));
            }
            for (guess, value) in guesses.iter_mut().zip(record.iter()) {
                guess.look_at(value);
            }
            rows += 1;
        }
    }
}

/// Looks at the parts of a file side by side. Each is taken to begin with a record; one that turns out to begin inside
/// of quotes is looked at again.
fn look_at_parts(records: &Records, size: u64, part_size: u64, guesses: &[Guess]) -> Result<Seen> {
    let Records { path, delimiter, .. } = *records;
    let begin = records.position();
    let look = |begin, end| Seen::of(&mut Records::new(path, delimiter, begin, end)?, guesses.to_vec());
    let cuts = (1..(size - begin).div_ceil(part_size)).map(|part| next_line(path, begin + part * part_size));
    let cuts = cuts.collect::<Result<Vec<u64>>>()?;
    let begins = std::iter::once(begin).chain(cuts.iter().copied());
    let parts: Vec<(u64, u64)> = begins.zip(cuts.iter().copied().chain([size])).collect();
    let found: Vec<Result<Seen>> = parts.par_iter().map(|(begin, end)| look(*begin, *end)).collect();
    let mut all = Seen { guesses: guesses.to_vec(), rows: 0, end: begin };
    for ((begin, end), found) in parts.into_iter().zip(found) {
        let seen = if begin == all.end { found? } else { look(all.end, end)? };
        all.guesses.iter_mut().zip(&seen.guesses).for_each(|(guess, other)| guess.merge(other));
        all.rows += seen.rows;
        all.end = seen.end;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], delimiter: &str, text_columns: &[&str]) -> Result<(Seed, Table)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed.csv");
        fs::write(&path, text).unwrap();
        let seed = Seed::read(&path, delimiter, text_columns)?;
        let table = seed.table()?;
        Ok((seed, table))
    }

    fn seed(text: &str) -> (Seed, Table) {
        read(text.as_bytes(), ",", &[]).unwrap()
    }

    /// The type that a column of these values gets.
    fn kind(values: &[&str]) -> SeedType {
        let rows: String = values.iter().map(|value| format!("\"{value}\"\n")).collect();
        seed(&format!("it\n{rows}")).0.columns[0].kind
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
        let (seed, table) = read(b"id;zip\n1;00501\n", ";", &["zip", "other"]).unwrap();
        let kinds: Vec<_> = seed.columns.iter().map(|column| column.kind).collect();
        assert_eq!(kinds, [SeedType::Integer, SeedType::Text]);
        assert_eq!(table.rows, [[Cell::Decimal("1".into()), Cell::Text("00501".into())]]);
    }

    #[test]
    fn names_are_made_unique() {
        let names = |text: &str| seed(text).0.columns.into_iter().map(|it| it.name).collect::<Vec<_>>();
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
            let (seed, table) = seed(text);
            assert_eq!((seed.row_count, table.rows.len()), (expected, expected), "{text:?}");
        }
    }

    #[test]
    fn values_have_the_column_s_type() {
        let text = "n,d,t,b,s\n$1.50,2024-1-5,2024-01-05T12:30:00.25Z,TRUE,\"a\r\nb\"\nnull,,,,null\n";
        let rows = seed(text).1.rows;
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

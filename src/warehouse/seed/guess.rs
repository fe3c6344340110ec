//! The type of a seed's column, from all of its values.

use super::SeedType;
use super::values::{self, Places};

/// What a column can still be after the values seen so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    number: Option<Places>,
    date: bool,
    date_time: bool,
    iso_date_time: bool,
    boolean: bool,
}

impl Guess {
    /// Open, or settled as text.
    pub fn new(text: bool) -> Self {
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

    /// Takes a value into account.
    pub fn look_at(&mut self, value: &str) {
        if self.is_text() {
            return;
        }
        // Most numbers and dates are written plainly, and are nothing else.
        if let (Some(seen), Some(places)) = (self.number, values::plain_places(value.as_bytes())) {
            *self = Guess { number: Some(seen.max(places)), ..Guess::new(true) };
            return;
        }
        if self.date && values::is_plain_date(value.as_bytes()) {
            *self = Guess { date: true, ..Guess::new(true) };
            return;
        }
        if values::is_null(value) {
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

    /// Takes into account what was seen of another part of the column.
    pub fn merge(&mut self, other: &Guess) {
        *self = Guess {
            number: self.number.zip(other.number).map(|(one, other)| one.max(other)),
            date: self.date && other.date,
            date_time: self.date_time && other.date_time,
            iso_date_time: self.iso_date_time && other.iso_date_time,
            boolean: self.boolean && other.boolean,
        };
    }

    /// The type that fits all values.
    pub fn outcome(&self) -> SeedType {
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

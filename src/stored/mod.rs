//! Values as bytes and back, for what is kept between invocations.
//!
//! The form is of no use to anybody but the program that wrote it: it holds no names of fields, and a text or value
//! that occurs several times is written once. Reading never fails loudly: what cannot be read is `None`. What few look
//! at can be kept apart and is read [`Later`].

mod later;
mod values;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

pub use later::{Later, Shelf};

/// A type that can be stored.
pub trait Stored: Sized {
    /// Adds the value to the bytes.
    fn put(&self, out: &mut Output);
    /// The value that comes next.
    fn get(input: &mut Input) -> Option<Self>;
}

/// Makes a struct storable, field by field. All of its fields must be named.
macro_rules! stored {
    ($type:ty { $($field:ident),+ $(,)? }) => {
        impl $crate::stored::Stored for $type {
            fn put(&self, out: &mut $crate::stored::Output) {
                $($crate::stored::Stored::put(&self.$field, out);)+
            }

            fn get(input: &mut $crate::stored::Input) -> Option<Self> {
                $(let $field = $crate::stored::Stored::get(input)?;)+
                Some(Self { $($field),+ })
            }
        }
    };
}
pub(crate) use stored;

/// Bytes that are being written.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    texts: HashMap<Arc<str>, usize>,
    /// Shared values by their type and what they look like.
    values: HashMap<(TypeId, Vec<u8>), usize>,
    /// Where the next values stand that are read later.
    shelved: std::vec::IntoIter<(u64, usize)>,
}

impl Output {
    /// An output for values of which some parts stand on a shelf already: where, in the order in which they come.
    pub fn with_shelved(places: Vec<(u64, usize)>) -> Self {
        Output { shelved: places.into_iter(), ..Output::default() }
    }

    /// Adds bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a number, small ones in one byte.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }

    /// Adds a text that may occur again: its number, and at first sight the text.
    fn shared_text(&mut self, text: &Arc<str>) {
        let next = self.texts.len();
        match self.texts.get(text) {
            Some(known) => self.number(*known as u64),
            None => {
                self.texts.insert(text.clone(), next);
                self.number(next as u64);
                self.text(text);
            }
        }
    }

    /// Adds a value that may occur again: its number, and at first sight the value.
    fn shared_value<T: Stored + 'static>(&mut self, value: &T) {
        let mut alone = Output::default();
        value.put(&mut alone);
        let (next, key) = (self.values.len(), (TypeId::of::<T>(), alone.bytes));
        match self.values.get(&key) {
            Some(known) => self.number(*known as u64),
            None => {
                self.number(next as u64);
                self.number(key.1.len() as u64);
                self.raw(&key.1);
                self.values.insert(key, next);
            }
        }
    }

    /// What was written since this was asked last. What it refers to is in all that came before.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// All that was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bytes that are being read.
pub struct Input<'a> {
    bytes: &'a [u8],
    texts: Vec<Arc<str>>,
    values: Vec<Arc<dyn Any + Send + Sync>>,
    /// Where values stand that are read later.
    shelf: Option<Arc<dyn Shelf>>,
}

impl<'a> Input<'a> {
    /// Reads what an [`Output`] has written.
    pub fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, texts: Vec::new(), values: Vec::new(), shelf: None }
    }

    /// Reads values of which some parts are on a shelf.
    pub fn with_shelf(shelf: Arc<dyn Shelf>) -> Self {
        Input { shelf: Some(shelf), ..Input::new(&[]) }
    }

    /// Goes on with what [`Output::take`] gave next.
    pub fn then<'b>(self, bytes: &'b [u8]) -> Input<'b> {
        Input { bytes, texts: self.texts, values: self.values, shelf: self.shelf }
    }

    /// So many bytes.
    pub fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number of things that follow, each of which takes at least a byte.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.bytes.len()).then_some(count)
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        std::str::from_utf8(self.raw(length)?).ok()
    }

    fn shared_text(&mut self) -> Option<Arc<str>> {
        let index = usize::try_from(self.number()?).ok()?;
        if index == self.texts.len() {
            let text = self.text()?.into();
            self.texts.push(text);
        }
        self.texts.get(index).cloned()
    }

    fn shared_value<T: Stored + Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        let index = usize::try_from(self.number()?).ok()?;
        if index == self.values.len() {
            let length = self.count()?;
            let value = T::get(&mut Input::new(self.raw(length)?))?;
            self.values.push(Arc::new(value));
        }
        self.values.get(index)?.clone().downcast().ok()
    }
}

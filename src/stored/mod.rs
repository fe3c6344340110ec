//! Values as bytes and back, for what is kept between invocations.
//!
//! The form is of no use to anybody but the program that wrote it: it holds no names of fields, and a text or value
//! that occurs several times is written once. Reading never fails loudly: what cannot be read is `None`.

mod values;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

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
    /// Shared values by their address; they are kept alive here, so that no other can have it.
    values: HashMap<*const Json, (usize, Arc<Json>)>,
}

impl Output {
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

    fn shared_value(&mut self, value: &Arc<Json>) {
        let next = self.values.len();
        match self.values.get(&Arc::as_ptr(value)) {
            Some((known, _)) => self.number(*known as u64),
            None => {
                self.values.insert(Arc::as_ptr(value), (next, value.clone()));
                self.number(next as u64);
                value.as_ref().put(self);
            }
        }
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
    values: Vec<Arc<Json>>,
}

impl<'a> Input<'a> {
    /// Reads what an [`Output`] has written.
    pub fn new(bytes: &'a [u8]) -> Self {
        Input { bytes, texts: Vec::new(), values: Vec::new() }
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

    fn shared_value(&mut self) -> Option<Arc<Json>> {
        let index = usize::try_from(self.number()?).ok()?;
        if index == self.values.len() {
            let value: Json = Stored::get(self)?;
            // Values inside of this one are no shared ones, so its number is still the next.
            self.values.push(Arc::new(value));
        }
        self.values.get(index).cloned()
    }
}

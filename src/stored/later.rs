//! Values that are read when somebody looks at them.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use super::{Input, Output, Stored};

/// Where bytes are kept that are read one by one.
pub trait Shelf: Send + Sync {
    /// So many bytes from a place on. They were looked through when the shelf was opened.
    fn bytes(&self, start: u64, length: usize) -> Vec<u8>;
}

/// Where on a shelf a value is.
#[derive(Clone)]
struct Place {
    shelf: Arc<dyn Shelf>,
    start: u64,
    length: usize,
}

/// A value that is here, or is read from its shelf at the first look at it.
#[derive(Clone)]
pub struct Later<T> {
    value: OnceLock<Box<T>>,
    place: Option<Place>,
}

impl<T> Later<T> {
    /// The value, if it is here.
    pub fn if_here(&self) -> Option<&T> {
        self.value.get().map(Box::as_ref)
    }
}

impl<T> From<T> for Later<T> {
    fn from(value: T) -> Self {
        Later { value: OnceLock::from(Box::new(value)), place: None }
    }
}

impl<T: Stored> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| {
            // There is a place where there is no value; what is there was written by this program, and its checksum
            // held when the shelf was opened.
            let read = self.place.as_ref().and_then(|place| {
                let bytes = place.shelf.bytes(place.start, place.length);
                T::get(&mut Input::new(&bytes)).map(Box::new)
            });
            read.expect("what was stored with a checksum can be read")
        })
    }
}

impl<T: Stored> DerefMut for Later<T> {
    fn deref_mut(&mut self) -> &mut T {
        let _: &T = self;
        // It was read in the line above.
        self.value.get_mut().expect("the value is here")
    }
}

impl<T: fmt::Debug> fmt::Debug for Later<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.get().fmt(f)
    }
}

/// The value itself, or its place on the shelf of the file.
impl<T: Stored> Stored for Later<T> {
    fn put(&self, out: &mut Output) {
        let place = out.shelved.next();
        place.is_some().put(out);
        match place {
            Some((start, length)) => {
                out.number(start);
                out.number(length as u64);
            }
            None => T::put(self, out),
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        if !bool::get(input)? {
            return T::get(input).map(Later::from);
        }
        let (start, length) = (input.number()?, usize::try_from(input.number()?).ok()?);
        let shelf = input.shelf.clone()?;
        Some(Later { value: OnceLock::new(), place: Some(Place { shelf, start, length }) })
    }
}

//! How the types of the standard library and of JSON are stored.

use std::hash::Hash;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};

use super::{Input, Output, Stored};

impl Stored for bool {
    fn put(&self, out: &mut Output) {
        out.number(u64::from(*self));
    }

    fn get(input: &mut Input) -> Option<Self> {
        match input.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Stored for usize {
    fn put(&self, out: &mut Output) {
        out.number(*self as u64);
    }

    fn get(input: &mut Input) -> Option<Self> {
        usize::try_from(input.number()?).ok()
    }
}

impl Stored for u64 {
    fn put(&self, out: &mut Output) {
        out.number(*self);
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.number()
    }
}

impl Stored for f64 {
    fn put(&self, out: &mut Output) {
        out.raw(&self.to_le_bytes());
    }

    fn get(input: &mut Input) -> Option<Self> {
        Some(f64::from_le_bytes(input.raw(8)?.try_into().ok()?))
    }
}

impl Stored for String {
    fn put(&self, out: &mut Output) {
        out.text(self);
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.text().map(str::to_owned)
    }
}

/// Words that are part of the program.
const WORDS: [&str; 6] = ["sql", "python", "none", "sha256", "path", "doc"];

impl Stored for &'static str {
    fn put(&self, out: &mut Output) {
        // A word that is not among them cannot be read again.
        let index = WORDS.iter().position(|word| word == self).unwrap_or(WORDS.len());
        out.number(index as u64);
    }

    fn get(input: &mut Input) -> Option<Self> {
        WORDS.get(usize::try_from(input.number()?).ok()?).copied()
    }
}

impl Stored for PathBuf {
    fn put(&self, out: &mut Output) {
        out.text(&self.to_string_lossy());
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.text().map(PathBuf::from)
    }
}

impl Stored for Arc<str> {
    fn put(&self, out: &mut Output) {
        out.shared_text(self);
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.shared_text()
    }
}

impl<T: Stored + Send + Sync + 'static> Stored for Arc<T> {
    fn put(&self, out: &mut Output) {
        out.shared_value(self.as_ref());
    }

    fn get(input: &mut Input) -> Option<Self> {
        input.shared_value()
    }
}

impl<T: Stored> Stored for Box<T> {
    fn put(&self, out: &mut Output) {
        self.as_ref().put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        T::get(input).map(Box::new)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, out: &mut Output) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        if bool::get(input)? { T::get(input).map(Some) } else { Some(None) }
    }
}

/// For how many items room is made before they are read: a damaged count must not take all memory.
const MOST_AT_ONCE: usize = 1024;

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, out: &mut Output) {
        out.number(self.len() as u64);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(input: &mut Input) -> Option<Self> {
        let count = input.count()?;
        // Nodes are large: growing step by step would move them again and again.
        let mut items = Vec::with_capacity(count.min(MOST_AT_ONCE));
        for _ in 0..count {
            items.push(T::get(input)?);
        }
        Some(items)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, out: &mut Output) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        Some((A::get(input)?, B::get(input)?))
    }
}

impl<K: Stored + Hash + Eq, V: Stored> Stored for IndexMap<K, V> {
    fn put(&self, out: &mut Output) {
        out.number(self.len() as u64);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        let count = input.count()?;
        let mut map = IndexMap::with_capacity(count);
        for _ in 0..count {
            map.insert(K::get(input)?, V::get(input)?);
        }
        Some(map)
    }
}

impl Stored for Map<String, Json> {
    fn put(&self, out: &mut Output) {
        out.number(self.len() as u64);
        for (key, value) in self {
            out.text(key);
            value.put(out);
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        let count = input.count()?;
        let mut map = Map::with_capacity(count);
        for _ in 0..count {
            map.insert(String::get(input)?, Stored::get(input)?);
        }
        Some(map)
    }
}

/// A byte for the kind, then what the kind holds.
impl Stored for Json {
    fn put(&self, out: &mut Output) {
        match self {
            Json::Null => out.number(0),
            Json::Bool(false) => out.number(1),
            Json::Bool(true) => out.number(2),
            Json::Number(number) => {
                out.number(3);
                number.put(out);
            }
            Json::String(text) => {
                out.number(4);
                out.text(text);
            }
            Json::Array(items) => {
                out.number(5);
                items.put(out);
            }
            Json::Object(map) => {
                out.number(6);
                map.put(out);
            }
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        Some(match input.number()? {
            0 => Json::Null,
            1 => Json::Bool(false),
            2 => Json::Bool(true),
            3 => Json::Number(Number::get(input)?),
            4 => Json::String(String::get(input)?),
            5 => Json::Array(Vec::get(input)?),
            6 => Json::Object(Stored::get(input)?),
            _ => return None,
        })
    }
}

/// Positive integers, negative ones, and the rest are different things to JSON.
impl Stored for Number {
    fn put(&self, out: &mut Output) {
        if let Some(number) = self.as_u64() {
            out.number(0);
            out.number(number);
        } else if let Some(number) = self.as_i64() {
            out.number(1);
            out.number(number.unsigned_abs());
        } else {
            out.number(2);
            self.as_f64().unwrap_or_default().put(out);
        }
    }

    fn get(input: &mut Input) -> Option<Self> {
        match input.number()? {
            0 => Some(Number::from(input.number()?)),
            1 => Some(Number::from(0i64.checked_sub_unsigned(input.number()?)?)),
            2 => Number::from_f64(f64::get(input)?),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

    use super::super::{Later, Shelf};
    use super::*;

    fn there_and_back<T: Stored>(value: &T) -> Option<T> {
        let mut out = Output::default();
        value.put(&mut out);
        let bytes = out.finish();
        // What is cut off cannot be read, and does not panic.
        for length in 0..bytes.len() {
            let _ = T::get(&mut Input::new(&bytes[..length]));
        }
        T::get(&mut Input::new(&bytes))
    }

    #[test]
    fn values_come_back_as_they_were() {
        let json = json!({"a": [null, true, false, 0, -1, i64::MIN, u64::MAX, 1.5, -0.0], "ü": {"b": ""}});
        assert_eq!(there_and_back(&json), Some(json));
        let pairs = vec![(Some("x".to_owned()), 300_usize), (None, usize::MAX)];
        assert_eq!(there_and_back(&pairs), Some(pairs));
        let map = IndexMap::from([("b".to_owned(), 2.5), ("a".to_owned(), f64::MAX)]);
        assert_eq!(
            there_and_back(&map).map(|map| map.into_iter().collect()),
            Some(map.into_iter().collect::<Vec<_>>())
        );
    }

    #[test]
    fn shared_values_stay_shared() {
        let text: Arc<str> = "text".into();
        let value = Arc::new(json!([1]));
        let all = vec![(text.clone(), value.clone()), ("other".into(), Arc::new(json!(2))), (text, value)];
        let back = there_and_back(&all).expect("it is whole");
        assert_eq!(back, all);
        assert!(Arc::ptr_eq(&back[0].0, &back[2].0) && Arc::ptr_eq(&back[0].1, &back[2].1));
    }

    #[test]
    fn what_is_on_a_shelf_is_read_when_it_is_looked_at() {
        struct Counted(Vec<u8>, AtomicUsize);
        impl Shelf for Counted {
            fn bytes(&self, start: u64, length: usize) -> Vec<u8> {
                self.1.fetch_add(1, Ordering::Relaxed);
                let start = usize::try_from(start).expect("a short shelf");
                self.0[start..start + length].to_vec()
            }
        }
        let texts = ["one", "three"].map(|text| Later::from(text.to_owned()));
        let mut shelf = Output::default();
        texts.iter().for_each(|text| String::put(text, &mut shelf));
        let shelf = Arc::new(Counted(shelf.finish(), AtomicUsize::new(0)));
        let mut out = Output::with_shelved(vec![(0, 4), (4, 6)]);
        texts[0].put(&mut out);
        let first = out.take();
        texts[1].put(&mut out);
        texts[1].put(&mut out);
        let second = out.take();

        let mut input = Input::with_shelf(shelf.clone()).then(&first);
        let one = Later::<String>::get(&mut input).expect("it is whole");
        let mut input = input.then(&second);
        let [mut three, whole] = [(); 2].map(|()| Later::<String>::get(&mut input).expect("it is whole"));
        assert_eq!(shelf.1.load(Ordering::Relaxed), 0);
        assert_eq!((one.as_str(), one.len(), one.if_here().is_some()), ("one", 3, true));
        three.push('!');
        assert_eq!((three.as_str(), whole.as_str()), ("three!", "three"));
        assert_eq!(shelf.1.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(Vec::<String>::get(&mut Input::new(&[255, 255, 255, 255, 15])), None);
        assert_eq!(bool::get(&mut Input::new(&[2])), None);
        assert_eq!(<Json as Stored>::get(&mut Input::new(&[9])), None);
    }
}

//! Values that nobody may read: they are printed as asterisks, and taken out of whatever others say.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A text that no log, artifact or error may hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

const MASK: &str = "*****";

/// Longer answers of servers are cut in messages.
const SHOWN: usize = 300;

/// Takes known secrets out of texts that come from elsewhere: servers repeat headers in their errors.
#[derive(Default)]
pub struct Scrubber(Mutex<Vec<Secret>>);

impl Scrubber {
    /// Remembers a secret.
    pub fn learn(&self, secret: &Secret) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !secret.reveal().is_empty() && !known.contains(secret) {
            known.push(secret.clone());
        }
    }

    /// A text on one line, not too long, without the secrets.
    pub fn clean(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let clean = known.iter().fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), MASK));
        let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_get_through() {
        let (scrubber, secret) = (Scrubber::default(), Secret::new("hunter2"));
        scrubber.learn(&secret);
        scrubber.learn(&Secret::new(""));
        assert_eq!(format!("{secret:?}"), "*****");
        assert_eq!(scrubber.clean("no\n hunter2 here"), "no ***** here");
        assert_eq!(scrubber.clean(&"é".repeat(400)).chars().count(), SHOWN + 1);
    }
}

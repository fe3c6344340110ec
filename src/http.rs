//! Downloads over HTTP and HTTPS. Proxies are taken from the environment, trusted certificates from the system.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::Client as HttpClient;

use crate::error::{Error, ErrorKind, Result};

/// How long a server may take to answer, or to send the next piece of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pauses before a download that failed for a passing reason is tried again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1800)];

/// A client that keeps its connections, for all downloads of a command.
pub struct Client(HttpClient);

impl Client {
    /// A client without connections.
    ///
    /// # Errors
    /// If the system gives no trusted certificates.
    pub fn new() -> Result<Self> {
        crate::tls::install();
        HttpClient::builder()
            .user_agent(concat!("rbt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE * 10)
            .build()
            .map(Client)
            .map_err(|error| Error::runtime(format!("downloads are not possible: {}", reason(&error))))
    }

    /// The content of a URL. What fails for a reason that may pass (no connection, a busy server) is tried again.
    ///
    /// # Errors
    /// If there is no such content, or no connection after several tries.
    pub fn get(&self, url: &str) -> Result<Vec<u8>> {
        let mut pauses = PAUSES.iter();
        loop {
            let failure = match self.try_get(url) {
                Ok(content) => return Ok(content),
                Err(failure) => failure,
            };
            match pauses.next().filter(|_| failure.may_pass) {
                Some(pause) => std::thread::sleep(*pause),
                None => return Err(failure.error(url)),
            }
        }
    }

    fn try_get(&self, url: &str) -> Result<Vec<u8>, Failure> {
        let answer = self.0.get(url).send().map_err(|error| Failure::of(&error))?;
        let status = answer.status();
        if !status.is_success() {
            let may_pass = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            return Err(Failure { reason: format!("the server answered {status}"), may_pass });
        }
        answer.bytes().map(|bytes| bytes.to_vec()).map_err(|error| Failure::of(&error))
    }
}

/// Why a download failed.
struct Failure {
    reason: String,
    may_pass: bool,
}

impl Failure {
    fn of(error: &reqwest::Error) -> Self {
        Failure { reason: reason(error), may_pass: !error.is_builder() && !error.is_redirect() }
    }

    fn error(self, url: &str) -> Error {
        let error =
            Error::new(ErrorKind::Dependency, format!("cannot download {}: {}", shown(url), self.reason));
        match self.may_pass {
            true => error.help("check the network; a proxy is named with HTTPS_PROXY"),
            false => error,
        }
    }
}

/// A URL without the user and password that may stand in it.
fn shown(url: &str) -> String {
    match url.split_once("://").map(|(scheme, rest)| (scheme, rest.split_once('@'))) {
        Some((scheme, Some((user, rest)))) if !user.contains('/') => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

/// The innermost reason of an error, which is the one that says something: the outer ones are steps that failed for it.
fn reason(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(shown("https://me:secret@host/a@b"), "https://host/a@b");
        assert_eq!(shown("https://host/a@b"), "https://host/a@b");
        assert_eq!(shown("nonsense"), "nonsense");
    }
}

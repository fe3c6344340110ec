//! A client for JSON over HTTP that is hard to put off and never pushy.
//!
//! ```text
//! get ──▶ token ──▶ limiter ──▶ request ──▶ judged ──good──▶ JSON
//!           ▲          ▲                      │
//!           └──────────┴── wait, again ◀──bad─┴──will not change──▶ Failure
//! ```
//!
//! It lives on one thread: futures are not sent about, and its state is in cells.

mod limiter;
mod limits;
mod secret;
mod token;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use chrono::Utc;
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::sleep;

use crate::error::{Error, Result};
use limiter::Limiter;
pub use limits::Limits;
use limits::retry_after;
pub use reqwest::Url;
pub use secret::{Scrubber, Secret};
pub use token::Credentials;
use token::{Shared, Token};

/// How requests say who asks.
pub enum Auth {
    None,
    /// With a token that is fetched when it is needed.
    Token(Credentials),
    /// With a header that stays the same.
    Header(HeaderName, Secret),
}

/// What a caller thinks of a JSON answer.
pub enum Verdict {
    Good,
    /// It is not what was asked for; why. The request is made again.
    Again(String),
}

/// Why there is no answer. The texts hold no secrets.
#[derive(Debug, Clone)]
pub enum Failure {
    /// A status that asking again will not change.
    Refused { status: u16, message: String },
    /// All attempts failed; how the last one did.
    GaveUp { attempts: u32, last: String },
    /// The server wants to be left alone for longer than allowed.
    AskedToWait(Duration),
    /// The accounts service gives no token.
    NoToken(String),
}

/// A failed attempt.
enum Setback {
    /// The token came to its end while the request waited for its turn.
    Late,
    /// Why, and how long the server wants this request to wait, if it says so.
    Again(String, Option<Duration>),
    /// The token was refused.
    TokenRefused(String),
    Final(Failure),
}

/// The client.
pub struct Client {
    inner: reqwest::Client,
    limits: Limits,
    limiter: Limiter,
    under_way: Semaphore,
    auth: Auth,
    shared: Mutex<Shared>,
    pub scrubber: Scrubber,
    requests: Cell<usize>,
    /// What the last request to fail is about, for whoever watches.
    trouble: RefCell<Option<String>>,
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Setback::Final(failure)
    }
}

impl Client {
    /// A client for an API at this address.
    ///
    /// # Errors
    /// If the system does not allow connections to be made ready.
    pub fn new(base: &Url, limits: Limits, auth: Auth) -> Result<Client> {
        crate::tls::install();
        let seconds = Duration::from_secs_f64;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("rbt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(seconds(limits.connect_timeout_seconds))
            .timeout(seconds(limits.timeout_seconds));
        if is_loopback(base) {
            // A proxy is for the world outside.
            builder = builder.no_proxy();
        }
        let inner = builder.build().map_err(|error| {
            Error::runtime(format!("no HTTP client can be made: {}", reason(&error)))
                .help("check the proxy variables and the certificates of the system")
        })?;
        let scrubber = Scrubber::default();
        match &auth {
            Auth::None => {}
            Auth::Header(_, value) => scrubber.learn(value),
            Auth::Token(credentials) => {
                scrubber.learn(&credentials.client_secret);
                scrubber.learn(&credentials.client_id);
                scrubber.learn(&credentials.basic());
            }
        }
        Ok(Client {
            inner,
            limiter: Limiter::new(limits.requests, seconds(limits.per_seconds)),
            under_way: Semaphore::new(limits.concurrency),
            limits,
            auth,
            shared: Mutex::default(),
            scrubber,
            requests: Cell::new(0),
            trouble: RefCell::default(),
        })
    }

    /// How many requests were made.
    pub fn requests(&self) -> usize {
        self.requests.get()
    }

    /// What went wrong since this was asked last, if anything did.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.take()
    }

    /// Gets a JSON document; `check` says whether it is what was asked for.
    ///
    /// # Errors
    /// Tells why there is none, after as many attempts as the limits allow.
    pub async fn get(
        &self,
        url: &Url,
        mut check: impl FnMut(&Value) -> Verdict,
    ) -> std::result::Result<Value, Failure> {
        let (mut failures, mut was_late) = (0, false);
        loop {
            let setback = match self.attempt_get(url, !was_late, &mut check).await {
                Ok(answer) => return Ok(answer),
                Err(Setback::Late) => {
                    was_late = true;
                    continue;
                }
                Err(setback) => setback,
            };
            (failures, was_late) = (failures + 1, false);
            self.wait_after(setback, failures).await?;
        }
    }

    async fn attempt_get(
        &self,
        url: &Url,
        // A token that does not last for the wait is tried all the same, the second time.
        must_be_fresh: bool,
        check: &mut impl FnMut(&Value) -> Verdict,
    ) -> std::result::Result<Value, Setback> {
        let request = self.inner.get(url.clone());
        let (request, token) = match &self.auth {
            Auth::None => (request, None),
            Auth::Header(name, value) => (request.header(name, header(value)?), None),
            Auth::Token(credentials) => {
                let token = self.token(credentials).await?;
                (request.header("authorization", bearer(&token)?), Some(token))
            }
        };
        let answer = match self.send(request, token.as_ref().filter(|_| must_be_fresh)).await {
            Err(Setback::TokenRefused(message)) => {
                let Some(token) = token else {
                    return Err(Setback::Final(Failure::Refused { status: 401, message }));
                };
                self.shared.lock().await.refused(&token.value);
                return Err(Setback::TokenRefused(message));
            }
            answer => answer?,
        };
        match check(&answer) {
            Verdict::Good => Ok(answer),
            Verdict::Again(why) => Err(Setback::Again(why, None)),
        }
    }

    /// Waits as the rules of retries say, or ends them.
    async fn wait_after(&self, setback: Setback, failures: u32) -> std::result::Result<(), Failure> {
        let (why, pause) = match setback {
            Setback::Final(failure) => return Err(failure),
            Setback::Late => return Ok(()),
            // The first refusal is that of a token whose time was over.
            Setback::TokenRefused(why) if failures == 1 => (why, Some(Duration::ZERO)),
            Setback::TokenRefused(why) => (why, None),
            Setback::Again(why, pause) => (why, pause),
        };
        *self.trouble.borrow_mut() = Some(why.clone());
        if failures >= self.limits.attempts {
            return Err(Failure::GaveUp { attempts: failures, last: why });
        }
        sleep(pause.unwrap_or_else(|| self.limits.backoff(failures))).await;
        Ok(())
    }

    /// The token that all requests share. Who comes while it is fetched waits for it.
    async fn token(&self, credentials: &Credentials) -> std::result::Result<Token, Failure> {
        let mut shared = self.shared.lock().await;
        if let Some(token) = shared.token.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        let mut failures = 0;
        loop {
            let request = self
                .inner
                .post(credentials.token_url.clone())
                .header(
                    "authorization",
                    header(&Secret::new(format!("Basic {}", credentials.basic().reveal())))?,
                )
                .header("content-type", "application/x-www-form-urlencoded")
                .body("grant_type=client_credentials");
            let setback = match self.send(request, None).await {
                Ok(answer) => match Token::from_answer(&answer) {
                    Some(token) => {
                        self.scrubber.learn(&token.value);
                        shared.accepted = true;
                        shared.token = Some(token.clone());
                        return Ok(token);
                    }
                    None => Setback::Again("the accounts service answered without a token".to_owned(), None),
                },
                // Credentials that were accepted before have not become wrong: the service errs. Those that are wrong get
                // 400 (RFC 6749, 5.2); a first 401 may be a mishap.
                Err(Setback::TokenRefused(why)) if shared.accepted || failures == 0 => {
                    Setback::Again(why, None)
                }
                Err(Setback::Final(Failure::Refused { message, .. })) if shared.accepted => {
                    Setback::Again(message, None)
                }
                Err(Setback::TokenRefused(why)) => return Err(Failure::NoToken(why)),
                Err(Setback::Final(Failure::Refused { message, .. })) => {
                    return Err(Failure::NoToken(message));
                }
                Err(setback) => setback,
            };
            failures += 1;
            self.wait_after(setback, failures).await?;
        }
    }

    /// Sends one request and reads its answer as JSON.
    async fn send(
        &self,
        request: RequestBuilder,
        token: Option<&Token>,
    ) -> std::result::Result<Value, Setback> {
        let again = |why: String| Setback::Again(why, None);
        // The semaphore is never closed.
        let _under_way = self.under_way.acquire().await.ok();
        let slot = self.limiter.acquire().await;
        if token.is_some_and(|token| !token.is_fresh()) {
            slot.unused();
            return Err(Setback::Late);
        }
        self.requests.set(self.requests.get() + 1);
        let response = request.send().await;
        // The server has the request now, or never gets it.
        drop(slot);
        let response = response.map_err(|error| again(reason(&error)))?;
        let status = response.status();
        if status.is_success() {
            let body = response.bytes().await.map_err(|error| again(reason(&error)))?;
            return serde_json::from_slice(&body).map_err(|_| again("the answer is not JSON".to_owned()));
        }
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let mut pause = asked.and_then(|value| retry_after(value, Utc::now())).filter(|_| is_passing(status));
        if let Some(pause) = pause.filter(|pause| *pause > self.limits.max_wait()) {
            return Err(Setback::Final(Failure::AskedToWait(pause)));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            // The limit is the application's: everything waits.
            let time = pause.unwrap_or_else(|| self.limits.backoff(2)).max(SHORTEST_PAUSE);
            self.limiter.pause(time);
            pause = Some(time);
        }
        let body = response.bytes().await.unwrap_or_default();
        let said = self.scrubber.clean(&server_message(&body));
        let why = format!("{status}: {said}").trim_end_matches([':', ' ']).to_owned();
        match status {
            StatusCode::UNAUTHORIZED => Err(Setback::TokenRefused(why)),
            status if is_passing(status) => Err(Setback::Again(why, pause)),
            status => Err(Setback::Final(Failure::Refused { status: status.as_u16(), message: why })),
        }
    }
}

/// A server that counts whole seconds may mean any part of the last one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// Whether a status may be another one next time.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

fn header(value: &Secret) -> std::result::Result<HeaderValue, Failure> {
    let header = HeaderValue::from_str(value.reveal()).map(|mut header| {
        header.set_sensitive(true);
        header
    });
    header.map_err(|_| Failure::NoToken("the credentials hold what no header can".to_owned()))
}

fn bearer(token: &Token) -> std::result::Result<HeaderValue, Failure> {
    header(&Secret::new(format!("Bearer {}", token.value.reveal())))
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// What went wrong on the way, in words. Addresses are left out, as those of proxies hold passwords.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        return "no connection can be made".to_owned();
    }
    if error.is_builder() {
        return "the request cannot be made".to_owned();
    }
    "the connection broke".to_owned()
}

/// What an error document says: Spotify's form, that of OAuth, or the text as it is.
fn server_message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Ok(json) = serde_json::from_str::<Value>(&text) else { return text.into_owned() };
    let said = ["/error/message", "/error_description", "/error", "/message"];
    let said = said.iter().find_map(|pointer| json.pointer(pointer)?.as_str());
    said.map_or_else(|| text.clone().into_owned(), str::to_owned)
}

impl Failure {
    /// As an error about something, such as `the artists`.
    pub fn into_error(self, about: &str) -> Error {
        match self {
            Failure::Refused { status, message } => {
                let error = Error::runtime(format!("{about}: the server refused with {message}"));
                match status {
                    401 | 403 => error.help("check the credentials, and what they are allowed to read"),
                    _ => error,
                }
            }
            Failure::GaveUp { attempts, last } => {
                Error::runtime(format!("{about}: no good answer in {attempts} attempts; the last one: {last}"))
                    .help("run the command again later: it goes on with what it has")
            }
            Failure::AskedToWait(time) => Error::runtime(format!(
                "{about}: the server asks to wait for {} before the next request",
                words(time)
            ))
            .help(format!(
                "run the command again after {}: it goes on with what it has; `limits: {{max_wait_seconds: …}}` \
                 allows longer pauses",
                (Utc::now() + time).format("%Y-%m-%d %H:%M UTC")
            )),
            Failure::NoToken(message) => {
                Error::runtime(format!("the accounts service gives no token: {message}"))
                    .help("check the client's id and secret")
            }
        }
    }
}

/// `3 h 20 min`, `2 min 5 s`
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} min {rest} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

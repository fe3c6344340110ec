//! The access token of an application: OAuth 2.0, client-credentials grant (RFC 6749, 4.4).

use std::time::Duration;

use base64::Engine;
use reqwest::Url;
use serde_json::Value;
use tokio::time::Instant;

use super::secret::Secret;

/// What is needed to get tokens.
pub struct Credentials {
    pub token_url: Url,
    pub client_id: Secret,
    pub client_secret: Secret,
}

impl Credentials {
    /// Both, as HTTP Basic sends them (RFC 7617).
    pub fn basic(&self) -> Secret {
        let both = format!("{}:{}", self.client_id.reveal(), self.client_secret.reveal());
        Secret::new(base64::prelude::BASE64_STANDARD.encode(both))
    }
}

/// One token.
#[derive(Debug, Clone)]
pub struct Token {
    pub value: Secret,
    /// From then on it is not used any more.
    refresh_at: Instant,
}

/// A token is replaced so long before its end, so that it does not end on the way; short ones, a fifth before.
const MARGIN: Duration = Duration::from_secs(60);

impl Token {
    /// Reads the answer of the token endpoint. `None` if it is none.
    pub fn from_answer(answer: &Value) -> Option<Token> {
        let value = answer.get("access_token")?.as_str().filter(|value| !value.is_empty())?;
        let seconds = match answer.get("expires_in") {
            Some(Value::String(text)) => text.parse().ok()?,
            Some(number) => number.as_f64()?,
            None => 3600.0,
        };
        let lifetime = Duration::try_from_secs_f64(seconds).ok()?;
        let refresh_at = Instant::now() + lifetime - MARGIN.min(lifetime / 5);
        Some(Token { value: Secret::new(value), refresh_at })
    }

    /// Whether it will last for another request.
    pub fn is_fresh(&self) -> bool {
        Instant::now() < self.refresh_at
    }
}

/// The token that all requests share, with what is known of it.
#[derive(Default)]
pub struct Shared {
    pub token: Option<Token>,
    /// Whether the server has accepted these credentials before.
    pub accepted: bool,
}

impl Shared {
    /// The server has refused a token: if it is the one that is shared, it is used no more.
    pub fn refused(&mut self, value: &Secret) {
        if self.token.as_ref().is_some_and(|token| token.value == *value) {
            self.token = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_ends_before_its_time() {
        let fresh = |answer: Value| Token::from_answer(&answer).map(|token| token.is_fresh());
        assert_eq!(fresh(json!({"access_token": "a", "expires_in": 3600})), Some(true));
        assert_eq!(fresh(json!({"access_token": "a", "expires_in": "1"})), Some(true));
        assert_eq!(fresh(json!({"access_token": "a", "expires_in": 0})), Some(false));
        for wrong in [json!({}), json!([]), json!({"access_token": 1}), json!({"access_token": ""})] {
            assert_eq!(fresh(wrong), None);
        }
    }
}

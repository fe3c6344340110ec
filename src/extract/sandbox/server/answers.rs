//! The answers of the Web API, as its reference describes them
//! (<https://developer.spotify.com/documentation/web-api/reference>).

use std::time::Instant;

use base64::Engine;
use hyper::{Method, Uri};
use serde_json::{Value, json};

use super::State;
use super::body::Reply;
use crate::extract::http::Url;

/// An error in the API's form.
pub fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"status": status, "message": message}}))
}

/// Too many requests, and how long to wait.
pub fn too_many(seconds: u64) -> Reply {
    let mut reply = error(429, "API rate limit exceeded");
    reply.headers.push(("retry-after", seconds.to_string()));
    reply
}

/// Answers a request.
pub fn answer(state: &State, method: &Method, uri: &Uri, authorization: Option<&str>) -> Reply {
    if uri.path() == "/api/token" && method == Method::POST {
        return token(state, authorization);
    }
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    match token.map(|token| state.memory().tokens.get(token).is_some_and(|end| *end > Instant::now())) {
        None => return error(401, "No token provided"),
        Some(false) => return error(401, "The access token expired"),
        Some(true) => {}
    }
    let mut reply = Asking::new(state, uri).answer().unwrap_or_else(|| error(404, "Resource not found"));
    if state.settings.development
        && let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body)
    {
        withhold(&mut body);
        reply.body = body.to_string().into_bytes();
    }
    reply
}

fn token(state: &State, authorization: Option<&str>) -> Reply {
    let settings = &state.settings;
    let both = format!("{}:{}", settings.client_id, settings.client_secret);
    let expected = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(both));
    if authorization != Some(expected.as_str()) {
        return Reply::json(400, &json!({"error": "invalid_client", "error_description": "Invalid client"}));
    }
    let mut memory = state.memory();
    let value = format!("sandbox-token-{}", memory.tokens.len() + 1);
    memory.tokens.insert(value.clone(), Instant::now() + settings.token_lifetime);
    let lifetime = settings.token_lifetime.as_secs();
    Reply::json(200, &json!({"access_token": value, "token_type": "Bearer", "expires_in": lifetime}))
}

/// A request for something of the catalogue.
struct Asking<'a> {
    state: &'a State,
    path: Vec<String>,
    query: Vec<(String, String)>,
}

impl<'a> Asking<'a> {
    fn new(state: &'a State, uri: &Uri) -> Self {
        // A server's own address is needed to read the rest of one.
        let url = Url::parse("http://sandbox").and_then(|base| base.join(&uri.to_string()));
        let path = url.as_ref().ok().and_then(|url| url.path_segments()).into_iter().flatten();
        let query = url.as_ref().map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default();
        Asking { state, path: path.map(str::to_owned).collect(), query }
    }

    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, default: usize) -> usize {
        self.param(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    /// `None` for what is not there.
    fn answer(&self) -> Option<Reply> {
        let catalogue = &self.state.catalogue;
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let found = match path.as_slice() {
            ["v1", kind @ ("artists" | "albums" | "tracks")] => return Some(self.several(kind)),
            ["v1", kind @ ("artists" | "albums" | "tracks"), id] => self.one(kind, id)?,
            ["v1", "artists", _, "top-tracks"] if self.state.settings.development => return Some(forbidden()),
            ["v1", "artists", id, "top-tracks"] => json!({"tracks": catalogue.top_tracks(id)?}),
            ["v1", "artists", id, "albums"] => self.page(catalogue.albums_of(id)?, 20),
            ["v1", "search"] => {
                let query = self.param("q")?;
                let name = query.strip_prefix("artist:").unwrap_or(query).trim_matches('"');
                json!({"tracks": self.page(catalogue.search(name), 5)})
            }
            _ => return None,
        };
        Some(Reply::json(200, &found))
    }

    fn one(&self, kind: &str, id: &str) -> Option<Value> {
        let catalogue = &self.state.catalogue;
        match kind {
            "artists" => catalogue.artist(id),
            "albums" => catalogue.album(id),
            _ => catalogue.track(id),
        }
    }

    /// A batch, with nulls in place of unknown ids.
    fn several(&self, kind: &str) -> Reply {
        if self.state.settings.development {
            return forbidden();
        }
        let most = if kind == "albums" { 20 } else { 50 };
        let ids: Vec<&str> =
            self.param("ids").unwrap_or_default().split(',').filter(|id| !id.is_empty()).collect();
        match ids.len() {
            0 => error(400, "Missing required field: ids"),
            count if count > most => error(400, "Too many ids requested"),
            _ => {
                let objects: Vec<Value> =
                    ids.iter().map(|id| self.one(kind, id).unwrap_or_default()).collect();
                Reply::json(200, &json!({kind: objects}))
            }
        }
    }

    /// One page of a list.
    fn page(&self, all: Vec<Value>, default: usize) -> Value {
        let (limit, offset) = (self.number("limit", default).clamp(1, 50), self.number("offset", 0));
        let total = all.len();
        let items: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
        let path = format!("/{}", self.path.join("/"));
        let next =
            (offset + items.len() < total).then(|| format!("{path}?offset={}&limit={limit}", offset + limit));
        json!({"href": path, "limit": limit, "next": next, "offset": offset, "total": total, "items": items})
    }
}

fn forbidden() -> Reply {
    error(403, "Forbidden")
}

/// Takes out the fields that applications in development mode do not get.
fn withhold(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for field in ["popularity", "followers", "available_markets", "label"] {
                fields.shift_remove(field);
            }
            fields.values_mut().for_each(withhold);
        }
        Value::Array(items) => items.iter_mut().for_each(withhold),
        _ => {}
    }
}

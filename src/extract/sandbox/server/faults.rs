//! What may go wrong with a request.

use std::time::Duration;

use serde_json::{Value, json};

use super::answers;
use super::body::Reply;

/// A request, for those who decide what goes wrong with it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Counts all requests from 0.
    pub number: usize,
    /// How often this address was asked for, from 1.
    pub attempt: usize,
    /// Path and query.
    pub target: String,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    None,
    /// 429, and how many seconds to wait.
    TooMany(u64),
    /// An error with this status.
    Status(u16),
    /// The body comes in pieces, each after a while.
    Slow(Duration),
    /// The connection breaks in the middle of the body.
    Reset,
    /// The body ends too early, and says that it is all.
    Truncated,
    /// The body is something else than JSON.
    NotJson,
    /// JSON, but of another kind than what was asked for.
    OtherJson,
    /// The token is said to be over.
    Expired,
    /// The answer is changed: types of fields, nulls, fields that are missing.
    Change(fn(&mut Value)),
    /// An error that repeats what the client sent to prove who it is.
    Indiscreet,
}

impl Fault {
    /// The answer in place of the right one, if there is another.
    pub fn instead(self, authorization: &str) -> Option<Reply> {
        Some(match self {
            Fault::TooMany(seconds) => answers::too_many(seconds),
            Fault::Status(status) => answers::error(status, "something went wrong"),
            Fault::Expired => answers::error(401, "The access token expired"),
            Fault::OtherJson => Reply::json(200, &json!([1, 2, 3])),
            Fault::Indiscreet => answers::error(500, &format!("you sent {authorization}")),
            _ => return None,
        })
    }

    /// The right answer, spoilt.
    pub fn spoil(self, mut reply: Reply) -> Reply {
        match self {
            Fault::Slow(pause) => reply.pause = pause,
            Fault::Reset => reply.breaks = true,
            Fault::Truncated => reply.body.truncate(reply.body.len() / 2),
            Fault::NotJson => reply.body = b"<html>Bad gateway</html>".to_vec(),
            Fault::Change(change) => {
                if let Ok(mut body) = serde_json::from_slice(&reply.body) {
                    change(&mut body);
                    reply.body = body.to_string().into_bytes();
                }
            }
            _ => {}
        }
        reply
    }
}

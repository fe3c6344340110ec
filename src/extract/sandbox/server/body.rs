//! Bodies of answers that come in pieces, slowly, or not to their end.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame};
use serde_json::Value;
use tokio::time::{Sleep, sleep};

/// An answer before it is sent.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Before each piece of the body.
    pub pause: Duration,
    /// Whether the connection breaks in the middle.
    pub breaks: bool,
}

impl Reply {
    /// A JSON document.
    pub fn json(status: u16, body: &Value) -> Reply {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        let body = body.to_string().into_bytes();
        Reply { status, headers, body, pause: Duration::ZERO, breaks: false }
    }

    /// The answer on its way; one that goes well is compressed where the client takes it.
    pub fn into_response(mut self, zips: bool) -> Response<Pieces> {
        if zips
            && !self.breaks
            && let Ok(zipped) = zipped(&self.body)
        {
            self.body = zipped;
            self.headers.push(("content-encoding", "gzip".to_owned()));
        }
        let length = self.body.len();
        if self.breaks {
            self.body.truncate(length / 2);
        }
        let size = if self.pause.is_zero() { length.max(1) } else { length.div_ceil(PIECES).max(1) };
        let pieces = self.body.chunks(size).map(Bytes::copy_from_slice).collect();
        let body = Pieces { pieces, pause: self.pause, pausing: None, breaks: self.breaks };
        let mut response = Response::builder().status(self.status).header("content-length", length);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        // Statuses and headers are the server's own, and correct.
        response.body(body).unwrap_or_else(|_| Response::new(Pieces::default()))
    }
}

/// In how many pieces a slow body comes.
const PIECES: usize = 8;

fn zipped(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// The body on its way.
#[derive(Default)]
pub struct Pieces {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    pausing: Option<Pin<Box<Sleep>>>,
    breaks: bool,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !self.pause.is_zero() && !self.pieces.is_empty() {
            let pause = self.pause;
            let pausing = self.pausing.get_or_insert_with(|| Box::pin(sleep(pause)));
            if pausing.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pausing = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.breaks => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
            None => Poll::Ready(None),
        }
    }
}

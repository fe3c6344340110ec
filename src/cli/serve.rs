//! A small web server for the pages of the documentation: it answers GET with files of one folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::artifacts::docs_page;
use crate::error::{Error, Result};
use crate::interrupt::{self, Stop};

/// How long a browser may take for its request or for reading an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What of a request is read at most.
const REQUEST_LIMIT: u64 = 64 * 1024;

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Ends the waiting for the next request by making one.
struct Waker(SocketAddr);

impl Stop for Waker {
    fn stop(&self) {
        drop(TcpStream::connect(self.0));
    }
}

impl Server {
    /// Listens on an address; port 0 stands for any that is free.
    ///
    /// # Errors
    /// If the address is not one of this machine, or taken.
    pub fn listen(host: &str, port: u16) -> Result<Server> {
        let failed = |error: std::io::Error| {
            Error::runtime(format!("cannot listen on {host}:{port}: {error}"))
                .help("choose another port with --port, or another address with --host")
        };
        let listener = TcpListener::bind((host, port)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Server { listener, address })
    }

    /// Answers until the user stops it.
    pub fn run(self, folder: &Path) {
        let waker: Arc<dyn Stop> = Arc::new(Waker(self.address));
        interrupt::watch(&waker);
        thread::scope(|scope| {
            for stream in self.listener.incoming() {
                if interrupt::asked() {
                    break;
                }
                let Ok(stream) = stream else { continue };
                // A browser that goes away in the middle is no matter.
                scope.spawn(move || answer(stream, folder).ok());
            }
        });
    }
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(REQUEST_LIMIT));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = request.split_whitespace();
    let (status, kind, body) = match (words.next(), words.next()) {
        (Some("GET" | "HEAD"), Some(path)) => match content(path, folder) {
            Some((kind, body)) => ("200 OK", kind, body),
            None => ("404 Not Found", "text/plain", b"not found".to_vec()),
        },
        _ => ("405 Method Not Allowed", "text/plain", b"only GET".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if !request.starts_with("HEAD") {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The page, or a file of the folder.
fn content(path: &str, folder: &Path) -> Option<(&'static str, Vec<u8>)> {
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    if path.is_empty() || path == "index.html" {
        return Some(("text/html", docs_page().into_bytes()));
    }
    let path = PathBuf::from(path);
    // Nothing outside of the folder.
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let body = std::fs::read(folder.join(&path)).ok()?;
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => "application/json",
        Some("html") => "text/html",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        _ => "text/plain",
    };
    Some((kind, body))
}

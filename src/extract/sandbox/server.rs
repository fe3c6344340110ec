//! The sandbox's HTTP server: the part of the Web API that extractions use, as it is documented, and faults on demand.

mod answers;
mod body;
mod faults;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use body::Pieces;
pub use faults::{Asked, Fault};

/// What the server knows, as of a day.
pub trait Catalogue: Send + Sync {
    fn artist(&self, id: &str) -> Option<Value>;
    fn album(&self, id: &str) -> Option<Value>;
    fn track(&self, id: &str) -> Option<Value>;
    /// The best first; `None` if there is no such artist.
    fn top_tracks(&self, artist: &str) -> Option<Vec<Value>>;
    /// The short form, without tracks.
    fn albums_of(&self, artist: &str) -> Option<Vec<Value>>;
    /// The tracks that a search for an artist of this name finds.
    fn search(&self, artist_name: &str) -> Vec<Value>;
}

/// How the server behaves.
pub struct Settings {
    pub client_id: String,
    pub client_secret: String,
    /// How long its tokens are good.
    pub token_lifetime: Duration,
    /// At most so many requests in any window of so long; more are answered with 429.
    pub limit: Option<(usize, Duration)>,
    /// How long every answer takes.
    pub latency: Duration,
    /// Whether the application is in development mode: endpoints and fields are gone.
    pub development: bool,
    /// What goes wrong with each request.
    pub faults: Box<dyn Fn(&Asked) -> Fault + Send + Sync>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            client_id: "sandbox-id".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            token_lifetime: Duration::from_secs(3600),
            limit: None,
            latency: Duration::ZERO,
            development: false,
            faults: Box::new(|_| Fault::None),
        }
    }
}

/// A request that was made.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at: Instant,
    /// Path and query.
    pub target: String,
    /// How it was answered; 0 if it was not.
    pub status: u16,
}

/// A server that is running, until it is dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    catalogue: Box<dyn Catalogue>,
    settings: Settings,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    seen: Vec<Seen>,
    attempts: HashMap<String, usize>,
    /// When the requests of the last window came.
    window: VecDeque<Instant>,
    /// Tokens and when they end.
    tokens: HashMap<String, Instant>,
}

impl State {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Starts a server on a free port of this machine.
    ///
    /// # Errors
    /// If the system gives no port or thread.
    pub fn start(catalogue: Box<dyn Catalogue>, settings: Settings) -> Result<Server> {
        let failed = |error: std::io::Error| Error::runtime(format!("the sandbox cannot start: {error}"));
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let state = Arc::new(State { catalogue, settings, memory: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let shared = state.clone();
        let work = move || {
            runtime.block_on(async {
                let serving = tokio::spawn(serve(listener, shared));
                // Whether the server was stopped or dropped, it is over.
                let _ = stopped.await;
                serving.abort();
            });
        };
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(work).map_err(failed)?;
        Ok(Server { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.memory().seen.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked is over, too.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        // Small answers are not to wait for more.
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &state));
            // A client that goes away is none of the server's business.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Notes the request, decides what goes wrong with it, and answers.
async fn answer(
    request: Request<Incoming>,
    state: &State,
) -> std::result::Result<Response<Pieces>, Infallible> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let (index, asked, over_limit) = arrive(state, &target);
    let fault = (state.settings.faults)(&asked);
    tokio::time::sleep(state.settings.latency).await;
    let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let reply = match over_limit {
        Some(wait) => answers::too_many(wait.as_secs_f64().ceil() as u64),
        None => match fault.instead(authorization.unwrap_or_default()) {
            Some(reply) => reply,
            None => answers::answer(state, request.method(), request.uri(), authorization),
        },
    };
    state.memory().seen[index].status = reply.status;
    let zips = request
        .headers()
        .get("accept-encoding")
        .is_some_and(|it| it.to_str().is_ok_and(|it| it.contains("gzip")));
    Ok(fault.spoil(reply).into_response(zips))
}

/// The number of a request, what is known of it, and how long to wait if there were too many.
fn arrive(state: &State, target: &str) -> (usize, Asked, Option<Duration>) {
    let mut memory = state.memory();
    let now = Instant::now();
    let index = memory.seen.len();
    memory.seen.push(Seen { at: now, target: target.to_owned(), status: 0 });
    let attempt = memory.attempts.entry(target.to_owned()).or_default();
    *attempt += 1;
    let asked = Asked { number: index, attempt: *attempt, target: target.to_owned() };
    let Some((count, window)) = state.settings.limit else { return (index, asked, None) };
    while memory.window.front().is_some_and(|first| now - *first >= window) {
        memory.window.pop_front();
    }
    if memory.window.len() < count {
        memory.window.push_back(now);
        return (index, asked, None);
    }
    let wait = memory.window.front().map(|first| window - (now - *first));
    (index, asked, wait)
}

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a server answers, by path: a status and a body. A path can have several answers, given one after another; the
/// last one stays.
type Answers = HashMap<String, Vec<(u16, Vec<u8>)>>;

/// An HTTP server of a test's own, on a port of its own. It ends with the test's process.
pub struct Server {
    address: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let server = Server { address, answers: Arc::default(), asked: Arc::default() };
        let (answers, asked) = (server.answers.clone(), server.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up has said enough.
                let _ = answer(stream, &answers, &asked);
            }
        });
        server
    }

    /// The server's URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds an answer for a path.
    pub fn serve(&self, path: &str, status: u16, body: impl Into<Vec<u8>>) -> &Self {
        let mut answers = self.answers.lock().expect("no test has panicked");
        answers.entry(path.to_owned()).or_default().push((status, body.into()));
        self
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test has panicked").clone()
    }
}

fn answer(
    mut stream: TcpStream,
    answers: &Mutex<Answers>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, body) = {
        let mut answers = answers.lock().expect("no test has panicked");
        match answers.get_mut(&path) {
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
            None => (404, Vec::new()),
        }
    };
    asked.lock().expect("no test has panicked").push(path);
    write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

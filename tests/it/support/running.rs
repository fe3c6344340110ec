use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Project, Run};

/// A run of rbt that goes on while the test does something else.
pub struct Running<'a> {
    project: &'a Project,
    line: String,
    child: Child,
}

/// After this, what is waited for will not come any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often is looked whether it has come.
const PACE: Duration = Duration::from_millis(2);

impl<'a> Running<'a> {
    pub(super) fn new(project: &'a Project, line: &str, mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Running { project, line: line.to_owned(), child: child.expect("the program starts") }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a file of the project is there.
    #[track_caller]
    pub fn until(mut self, path: &str) -> Self {
        let started = Instant::now();
        while !self.project.exists(path) {
            let ended = self.child.try_wait().expect("the program can be asked");
            if ended.is_some() || started.elapsed() > PATIENCE {
                let run = self.wait();
                panic!("rbt did not come to the point of writing {path}:\n{}", run.text());
            }
            thread::sleep(PACE);
        }
        self
    }

    /// Waits until it answers on a port of this machine.
    #[track_caller]
    pub fn until_it_listens(mut self, port: u16) -> Self {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.try_wait().expect("the program can be asked");
            if ended.is_some() || started.elapsed() > PATIENCE {
                let run = self.wait();
                panic!("nobody listens on port {port}:\n{}", run.text());
            }
            thread::sleep(PACE);
        }
        self
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(self, name: &str) -> Self {
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(done.expect("kill is there").success(), "SIG{name} was sent");
        self
    }

    /// Kills it if it is still there after this time. Says whether it was.
    pub fn kill_after(mut self, time: Duration) -> bool {
        let started = Instant::now();
        while started.elapsed() < time {
            if self.child.try_wait().expect("the program can be asked").is_some() {
                return false;
            }
            thread::sleep(PACE);
        }
        self.child.kill().and_then(|()| self.child.wait()).expect("it can be killed");
        true
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Run<'a> {
        let started = Instant::now();
        while self.child.try_wait().expect("the program can be asked").is_none() {
            if started.elapsed() > PATIENCE {
                self.child.kill().expect("it can be killed");
                panic!("rbt {} did not end", self.line);
            }
            thread::sleep(PACE);
        }
        let output = self.child.wait_with_output().expect("its output can be read");
        Run::new(self.project, &self.line, output)
    }
}

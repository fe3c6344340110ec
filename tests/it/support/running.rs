use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::{Project, Run};

/// A run of rbt that goes on while the test does something else.
pub struct Running<'a> {
    project: &'a Project,
    line: String,
    child: Child,
    /// What it prints.
    output: NamedTempFile,
}

/// After this, what is waited for will not come any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often is looked whether it has come.
const PACE: Duration = Duration::from_millis(2);

impl<'a> Running<'a> {
    pub(super) fn new(project: &'a Project, line: &str, mut command: Command) -> Self {
        let output = NamedTempFile::new().expect("a temporary file");
        // One open file with one position, so that neither overwrites the other.
        let stdout = output.reopen().expect("it can be opened again");
        let stderr = stdout.try_clone().expect("it can be shared");
        let child = command.stdout(stdout).stderr(stderr).spawn().expect("the program starts");
        Running { project, line: line.to_owned(), child, output }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.output.path()).expect("what it printed is text")
    }

    /// Waits until a file of the project is there.
    #[track_caller]
    pub fn until(self, path: &str) -> Self {
        self.until_true(&format!("wrote {path}"), |running| running.project.exists(path))
    }

    /// Waits until it has printed something.
    #[track_caller]
    pub fn until_said(self, words: &str) -> Self {
        self.until_true(&format!("said “{words}”"), |running| running.text().contains(words))
    }

    /// Waits until it answers on a port of this machine.
    #[track_caller]
    pub fn until_it_listens(self, port: u16) -> Self {
        self.until_true(&format!("listened on port {port}"), |_| {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
    }

    #[track_caller]
    fn until_true(mut self, what: &str, came: impl Fn(&Self) -> bool) -> Self {
        let started = Instant::now();
        while !came(&self) {
            if self.has_ended() || started.elapsed() > PATIENCE {
                let text = self.text();
                self.kill();
                panic!("rbt {} never {what}:\n{text}", self.line);
            }
            thread::sleep(PACE);
        }
        self
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the program can be asked").is_some()
    }

    fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it can be killed");
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
            if self.has_ended() {
                return false;
            }
            thread::sleep(PACE);
        }
        self.kill();
        true
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Run<'a> {
        let started = Instant::now();
        while !self.has_ended() {
            if started.elapsed() > PATIENCE {
                self.kill();
                panic!("rbt {} did not end:\n{}", self.line, self.text());
            }
            thread::sleep(PACE);
        }
        let status = self.child.wait().expect("its exit code is known");
        let output = Output { status, stdout: self.text().into_bytes(), stderr: Vec::new() };
        Run::new(self.project, &self.line, output)
    }
}

//! What attached databases need: DuckDB's extensions, and a PostgreSQL server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that `scripts/fetch-extensions` filled, named by `RBT_TEST_EXTENSIONS`. Without it the test that asks is
/// skipped, and says so; `.ci/run` sets it, so that there nothing is.
pub fn extensions() -> Option<PathBuf> {
    let folder = std::env::var_os("RBT_TEST_EXTENSIONS").map(PathBuf::from);
    match &folder {
        None => eprintln!("skipped: run scripts/fetch-extensions FOLDER and set RBT_TEST_EXTENSIONS=FOLDER"),
        Some(folder) => assert!(folder.is_dir(), "RBT_TEST_EXTENSIONS names no folder: {}", folder.display()),
    }
    folder
}

/// A PostgreSQL server of its own, reached through a socket in its folder. It ends with the test.
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
}

impl Postgres {
    /// Starts it with the databases `sales` and `lake`.
    pub fn start() -> Self {
        let programs = programs().expect("PostgreSQL is installed (Debian: apt-get install postgresql)");
        let folder =
            tempfile::Builder::new().prefix("rbt-pg-").tempdir_in("/tmp").expect("a temporary folder");
        let server = Postgres { folder, programs };
        if is_root() {
            // The server refuses to be root.
            run(Command::new("chown").arg("postgres").arg(server.folder.path()));
        }
        let data = server.data();
        run(server.command("initdb").args(["--no-sync", "-A", "trust", "-U", "postgres", "-D"]).arg(&data));
        let options = format!("-k {} -F -c listen_addresses=''", server.folder.path().display());
        let log = server.folder.path().join("log");
        let mut start = server.command("pg_ctl");
        run(start.arg("-D").arg(&data).args(["-w", "-o", &options, "-l"]).arg(log).arg("start"));
        for database in ["sales", "lake"] {
            run(server
                .command("createdb")
                .args(["-U", "postgres", "-h"])
                .arg(server.folder.path())
                .arg(database));
        }
        server
    }

    /// What DuckDB needs to know to connect to a database.
    pub fn address(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.folder.path().display())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&path) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(path);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
        // Where it did not start there is nothing to stop.
        let _ = stop.output();
    }
}

/// The newest installed server's folder of programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    found.retain(|folder| folder.join("initdb").exists());
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

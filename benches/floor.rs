//! The floor: the SQL that rbt sent in a build, replayed through DuckDB's C interface with one connection a thread
//! and nothing of rbt between.
//!
//! ```text
//! cargo bench --bench floor -- PROJECT THREADS
//! cargo bench --bench floor -- FILE.sql DATABASE
//! ```
//!
//! The second form runs the statements of a file in a database that is there.
//!
//! The first reads `target/manifest.json` and `target/run` of a project that was built, builds everything again into a fresh
//! `floor.duckdb` beside `bench.duckdb`, in the order of the dependencies, and prints the seconds that it took.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::Instant;
use std::{fs, mem, ptr, thread};

use libduckdb_sys as ffi;
use serde_json::Value as Json;

/// A node's statements, and who waits for it.
struct Node {
    statements: Vec<String>,
    children: Vec<usize>,
}

struct State {
    ready: BTreeSet<usize>,
    waits_for: Vec<usize>,
    left: usize,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.as_slice() {
        [file, database] if file.ends_with(".sql") => run_file(Path::new(file), Path::new(database)),
        [project, threads] => build(Path::new(project), threads.parse().expect("a number of threads")),
        // `cargo test --benches` runs this without arguments.
        _ => println!("usage: floor PROJECT THREADS | FILE.sql DATABASE"),
    }
}

fn run_file(file: &Path, database: &Path) {
    let sql = fs::read_to_string(file).expect("a file of statements");
    Database::open(database).connect().run(&sql);
}

fn build(project: &Path, threads: usize) {
    let nodes = read(project);
    let file = project.join("floor.duckdb");
    for leftover in [file.clone(), file.with_extension("duckdb.wal")] {
        let _ = fs::remove_file(leftover);
    }
    let started = Instant::now();
    replay(&nodes, &file, threads);
    println!("{:.3}", started.elapsed().as_secs_f64());
}

/// Every node that ran, each after what it depends on.
fn read(project: &Path) -> Vec<Node> {
    let text = fs::read(project.join("target/manifest.json")).expect("the project was built");
    let manifest: Json = serde_json::from_slice(&text).expect("a manifest");
    let all = manifest["nodes"].as_object().expect("nodes");
    let index: HashMap<&str, usize> = all.keys().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let mut nodes: Vec<Node> =
        all.values().map(|node| Node { statements: statements(project, node), children: vec![] }).collect();
    for (at, node) in all.values().enumerate() {
        for parent in node["depends_on"]["nodes"].as_array().into_iter().flatten() {
            nodes[index[parent.as_str().expect("an id")]].children.push(at);
        }
    }
    nodes
}

fn statements(project: &Path, node: &Json) -> Vec<String> {
    let word = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
    let folder: PathBuf = project.join("target/run").join(word("package_name"));
    let file = folder.join(word("original_file_path"));
    let file = if file.is_file() { file } else { file.join(word("path")) };
    let sql = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // The file is another one, so the database has another name.
    let sql = sql.replace("\"bench\".", "\"floor\".");
    match node["resource_type"].as_str() {
        Some("test") => vec![sql],
        _ => vec!["BEGIN".to_owned(), sql, "COMMIT".to_owned()],
    }
}

fn replay(nodes: &[Node], file: &Path, threads: usize) {
    let mut waits_for = vec![0; nodes.len()];
    nodes.iter().flat_map(|node| &node.children).for_each(|child| waits_for[*child] += 1);
    let ready = (0..nodes.len()).filter(|node| waits_for[*node] == 0).collect();
    let state = Mutex::new(State { ready, waits_for, left: nodes.len() });
    let changed = Condvar::new();
    let database = Database::open(file);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(nodes, &state, &changed, &database));
        }
    });
}

fn work(nodes: &[Node], state: &Mutex<State>, changed: &Condvar, database: &Database) {
    let connection = database.connect();
    let mut held = state.lock().expect("no thread panics");
    while held.left > 0 {
        let Some(at) = held.ready.pop_first() else {
            held = changed.wait(held).expect("no thread panics");
            continue;
        };
        drop(held);
        nodes[at].statements.iter().for_each(|sql| connection.run(sql));
        held = state.lock().expect("no thread panics");
        held.left -= 1;
        for child in &nodes[at].children {
            held.waits_for[*child] -= 1;
            if held.waits_for[*child] == 0 {
                held.ready.insert(*child);
            }
        }
        changed.notify_all();
    }
}

struct Database(ffi::duckdb_database);

// SAFETY: DuckDB's database object is made for use from several threads; only connecting uses it here.
unsafe impl Sync for Database {}

impl Database {
    fn open(file: &Path) -> Database {
        let path = CString::new(file.to_string_lossy().as_bytes()).expect("no zero byte");
        let mut database = ptr::null_mut();
        // SAFETY: both pointers live through the call.
        let state = unsafe { ffi::duckdb_open(path.as_ptr(), &mut database) };
        assert_eq!(state, ffi::DuckDBSuccess, "cannot open {}", file.display());
        Database(database)
    }

    fn connect(&self) -> Connection {
        let mut connection = ptr::null_mut();
        // SAFETY: the database is open.
        let state = unsafe { ffi::duckdb_connect(self.0, &mut connection) };
        assert_eq!(state, ffi::DuckDBSuccess);
        Connection(connection)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once, after its connections.
        unsafe { ffi::duckdb_close(&mut self.0) }
    }
}

struct Connection(ffi::duckdb_connection);

impl Connection {
    fn run(&self, sql: &str) {
        let text = CString::new(sql).expect("no zero byte");
        // SAFETY: the connection is open, the text lives through the call, and the result is destroyed once.
        unsafe {
            let mut result: ffi::duckdb_result = mem::zeroed();
            if ffi::duckdb_query(self.0, text.as_ptr(), &mut result) != ffi::DuckDBSuccess {
                let message = CStr::from_ptr(ffi::duckdb_result_error(&mut result));
                panic!("{}\n{sql}", message.to_string_lossy());
            }
            ffi::duckdb_destroy_result(&mut result);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: connected once, disconnected once.
        unsafe { ffi::duckdb_disconnect(&mut self.0) }
    }
}

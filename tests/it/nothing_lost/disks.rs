//! Full disks, files that cannot be written, files that are no databases, too little memory: what was there stays, and
//! the error says what, where and what to do.

use std::fs;
use std::path::Path;

use crate::support::Project;

/// A project with the tables `a` and `b`, both built.
fn built() -> Project {
    let project = Project::new();
    project
        .model("a", "{{ config(materialized='table') }} select 1 as x")
        .model("b", "{{ config(materialized='table') }} select * from {{ ref('a') }}");
    project.run("build").success();
    project
}

/// Makes `a` large.
const LARGE: &str =
    "{{ config(materialized='table') }} select range as x, md5(range::varchar) as y from range(400000)";

/// Shell that takes the rights of the superuser, to whom no file is closed; nothing for everybody else.
const NO_RIGHTS: &str = "if [ $(id -u) = 0 ]; then set -- --bounding-set=-all --inh-caps=-all \"$0\" \"$@\"; set -- setpriv \"$@\"; else set -- \"$0\" \"$@\"; fi; exec \"$@\";";

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode can be set");
}

/// What it writes may grow to 2 MB; beyond that it gets an error, and not a signal.
const SMALL_FILES: &str = "trap '' XFSZ; ulimit -f 4000;";

#[test]
fn a_full_disk_keeps_the_old_table() {
    let project = built();
    project.model("a", LARGE);
    project
        .run_under(SMALL_FILES, "build")
        .failure()
        .says("File too large")
        .says("help: the disk is full, or a limit for files is reached: make room, and run it again")
        .statuses(["a error", "b skipped"])
        .rows("a", ["1"])
        .rows("b", ["1"]);
    project.run("build").success().query("select count(*) from b", ["400000"]);
}

#[test]
fn a_full_disk_keeps_the_old_external_file() {
    let project = built();
    let external = |rows: u32| {
        format!(
            "{{{{ config(materialized='external', location='out.csv') }}}} select range as x, repeat('y', 100) as y from range({rows})"
        )
    };
    project.model("a", &external(5)).run("run --select a").success();
    let old = project.read("out.csv");
    project.model("a", &external(100_000));
    project.run_under(SMALL_FILES, "run --select a").failure().says("the disk is full");
    assert_eq!(project.read("out.csv"), old);
    project.run("run --select a").success();
    assert_eq!(project.read("out.csv").lines().count(), 100_001);
}

#[test]
fn what_cannot_be_written_is_named() {
    let project = built();
    let file = project.path().join("shop.duckdb");
    set_mode(&file, 0o444);
    project
        .run_under(NO_RIGHTS, "build")
        .refused()
        .says("the database shop.duckdb cannot be opened")
        .says("Permission denied")
        .says("help: this user must be allowed to write the file and its folder");
    set_mode(&file, 0o644);

    // The file can be written, but not the log beside it.
    let folder = project.path().join("data");
    fs::create_dir(&folder)
        .and_then(|()| fs::rename(&file, folder.join("shop.duckdb")))
        .expect("it can be moved");
    project.file("profiles.yml", &project.read("profiles.yml").replace("shop.duckdb", "data/shop.duckdb"));
    set_mode(&folder, 0o555);
    project
        .run_under(NO_RIGHTS, "build")
        .failure()
        .says("shop.duckdb.wal\": Permission denied")
        .says("help: this user must be allowed to write the file and its folder")
        .statuses(["a error", "b skipped"]);
    set_mode(&folder, 0o755);
    project.run("build").success();

    let target = project.path().join("target");
    set_mode(&target, 0o555);
    // What was parsed is the same: in the manifest, which may be written, only the metadata is new. Other files are replaced.
    project
        .run_under(NO_RIGHTS, "build")
        .refused()
        .says("target/semantic_manifest.json")
        .says("Permission denied");
    set_mode(&target, 0o755);
}

#[test]
fn memory_that_is_too_small_is_told_with_what_helps() {
    let project = built();
    let profile = project.read("profiles.yml");
    let settings = |memory: &str| {
        profile.replace(
            "settings: {threads: 1}",
            &format!("settings: {{threads: 1, memory_limit: {memory}, temp_directory: closed/spill}}"),
        )
    };
    fs::create_dir(project.path().join("closed")).expect("a folder can be made");
    set_mode(&project.path().join("closed"), 0o555);
    project.model("a", &format!("{LARGE} order by y")).file("profiles.yml", &settings("8MB"));
    project
        .run_under(NO_RIGHTS, "build")
        .failure()
        .says("\"closed/spill\": Permission denied")
        .says("help: DuckDB puts aside here what does not fit into memory")
        .statuses(["a error", "b skipped"])
        .rows("a", ["1"]);
    project.file("profiles.yml", &settings("1MB"));
    project
        .run_under(NO_RIGHTS, "build")
        .failure()
        .says("Out of Memory Error")
        .says("help: raise `settings: {memory_limit: …}` in the profile")
        .rows("a", ["1"]);
    project.file("profiles.yml", &settings("much"));
    project.run("build").refused().says("the profile's `settings` want memory_limit = much");
}

#[test]
fn files_that_are_no_database_are_left_alone() {
    let project = built();
    let of_the_future = |database: &[u8]| {
        // The version of the format, and over the header a sum like DuckDB's own.
        let mut file = database.to_vec();
        file[12..20].copy_from_slice(&999_u64.to_le_bytes());
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let sum = file[8..4096]
            .chunks(8)
            .fold(5381, |sum, bytes| sum ^ word(bytes).wrapping_mul(0xbf58_476d_1ce4_e5b9));
        file[..8].copy_from_slice(&sum.to_le_bytes());
        file
    };
    let path = project.path().join("shop.duckdb");
    let database = fs::read(&path).expect("it can be read");
    let damaged: Vec<u8> =
        database.iter().enumerate().map(|(at, byte)| if at < 4096 { *byte } else { 7 }).collect();
    for (content, help) in [
        (b"some text that is no database".to_vec(), "help: is it another kind of file?"),
        (damaged, "help: the file was damaged outside of DuckDB"),
        (of_the_future(&database), "help: rbt has DuckDB 1.5: take a newer rbt"),
    ] {
        fs::write(&path, &content).expect("it can be written");
        project.run("build").refused().says("the database shop.duckdb cannot be opened").says(help);
        assert_eq!(fs::read(&path).expect("it can be read"), content, "the file is as it was");
    }
    fs::write(&path, database).expect("it can be written");
    project.file("profiles.yml", &project.read("profiles.yml").replace("shop.duckdb", "no/such/shop.duckdb"));
    project.run("build").refused().says("there is no folder no/such").says("help: create the folder no/such");
}

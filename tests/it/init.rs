//! New projects.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::Project;

#[test]
fn a_new_project_builds_at_once() {
    let folder = Project::empty();
    folder
        .run("init my_shop")
        .success()
        .says("Your new dbt project \"my_shop\" was created!")
        .says("Profile my_shop written to");
    assert!(folder.read(".dbt/profiles.yml").contains("path: \"dev.duckdb\""));
    assert!(folder.exists("my_shop/.gitignore") && folder.exists("my_shop/macros/.gitkeep"));
    folder
        .run_in("my_shop", "build", &[])
        .success()
        .says("Done. PASS=8 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=8");
    folder.run_in("my_shop", "docs generate", &[]).success();
    // A second one beside it shares the file of profiles; one of the same name is refused.
    folder.run("init other").success();
    let profiles = folder.read(".dbt/profiles.yml");
    assert!(profiles.contains("my_shop:\n") && profiles.contains("\nother:\n"), "{profiles}");
    folder.run_in("other", "build", &[]).success();
    folder.run("init other").refused().says("A project called other already exists here.");
}

#[test]
fn scripts_get_no_questions() {
    let folder = Project::empty();
    folder.run("init").refused().says("the new project needs a name").says("rbt init my_project");
    folder.run("init 1up").refused().says("1up is not a valid project name.");
    folder.run("init plain --skip-profile-setup").success();
    assert!(!folder.exists(".dbt/profiles.yml"));
    folder.run("init with --profile nowhere").refused().says("Could not find profile named 'nowhere'");
}

#[test]
fn in_a_project_only_the_profile_is_set_up() {
    let folder = Project::empty();
    folder.file("dbt_project.yml", "name: shop\nprofile: till\n").model("a", "select 1 as x");
    folder.run("init --profiles-dir .").success().says("Setting up your profile.");
    folder.run("build").success().says("PASS=1");
    folder.run("init --profiles-dir .").success().says("The profile till already exists");
    // Flow style cannot be added to.
    folder.file("profiles.yml", "{other: {outputs: {}}}");
    folder.run("init --profiles-dir .").refused().says("add it by hand").says("till:");
}

#[test]
fn people_are_asked_on_a_terminal() {
    let folder = Project::empty();
    // `script` of util-linux gives the program a terminal.
    let line = format!("{} init --profiles-dir .", env!("CARGO_BIN_EXE_rbt"));
    let mut asked = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("script starts");
    let mut input = asked.stdin.take().expect("its input is a pipe");
    input.write_all(b"asked\nhere.duckdb\nraw\n2\n").expect("it reads");
    assert!(asked.wait().expect("it ends").success());
    drop(input);
    let profiles = folder.read("profiles.yml");
    for part in ["asked:", "here.duckdb", "raw", "threads: 2"] {
        assert!(profiles.contains(part), "{part}: {profiles}");
    }
    folder.run_in("asked", "build --profiles-dir ..", &[]).success();
}

//! `init`: a new project that builds at once, and the profile it needs.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};
use serde_json::Value as Json;

use crate::cli::Outcome;
use crate::error::{Error, Location, Result};
use crate::events::{Event, Events, Level};
use crate::flags::Flags;
use crate::project::profile::PROFILES_FILE;
use crate::project::yaml;

/// The files of a new project, with `{project_name}`, `{profile_name}` and `{program}` in their texts.
static STARTER: Dir = include_dir!("$CARGO_MANIFEST_DIR/starter");

/// Makes a project in a folder of its name, or, called in a project, only the profile that this asks for.
pub fn run(flags: &Flags, events: &Events) -> Result<Outcome> {
    let say = |text: String| events.emit(Event::note(Level::Info, text));
    let questions = Questions::new();
    let existing = flags.project_dir.join("dbt_project.yml");
    if existing.is_file() {
        say("Setting up your profile.".to_owned());
        let name = profile_of(&existing)?;
        return set_up_profile(flags, &questions, flags.profile.as_deref().unwrap_or(&name), say);
    }
    let name = project_name(flags, &questions)?;
    let folder = flags.project_dir.join(&name);
    if folder.exists() {
        return Err(Error::runtime(format!("A project called {name} already exists here."))
            .help(format!("choose another name, or go into {} and build it", folder.display())));
    }
    let profile = flags.profile.clone().unwrap_or_else(|| name.clone());
    let fill = |text: &str| {
        text.replace("{project_name}", &name)
            .replace("{profile_name}", &profile)
            .replace("{program}", &flags.program)
    };
    let outcome = set_up_profile(flags, &questions, &profile, say)?;
    unpack(&STARTER, &folder, &fill)?;
    let build = format!("  cd {name}\n  {} build", flags.program);
    let next = match flags.skip_profile_setup {
        false => format!("Build it:\n{build}"),
        true => format!("With a profile called {profile} in {PROFILES_FILE} you can build it:\n{build}"),
    };
    say(format!("Your new dbt project \"{name}\" was created!\n\n{next}"));
    Ok(outcome)
}

/// The project's name: as given, or asked for.
fn project_name(flags: &Flags, questions: &Questions) -> Result<String> {
    let name = match &flags.project_name {
        Some(name) => name.clone(),
        None => questions
            .ask("Enter a name for your project (letters, digits, underscore)", None)?
            .ok_or_else(|| {
                Error::usage("the new project needs a name")
                    .help(format!("give it on the command line: {} init my_project", flags.program))
            })?,
    };
    let mut letters = name.chars();
    let begins_well = letters.next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
    if !begins_well || !letters.all(|letter| letter.is_alphanumeric() || letter == '_') {
        return Err(Error::usage(format!("{name} is not a valid project name."))
            .help("use letters, digits and underscores, and begin with a letter: my_project"));
    }
    Ok(name)
}

/// The profile that a project file asks for.
fn profile_of(file: &Path) -> Result<String> {
    let name = read_yaml(file)?.and_then(|project| Some(project.get("profile")?.as_str()?.to_owned()));
    name.ok_or_else(|| {
        Error::runtime("no profile was specified for this dbt project")
            .at(Location::file(file))
            .help("add a line such as  profile: my_profile")
    })
}

fn read_yaml(file: &Path) -> Result<Option<Json>> {
    match std::fs::read_to_string(file) {
        Ok(text) => yaml::parse(&text, file).map(|tree| Some(tree.to_json())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", file, &error)),
    }
}

/// Writes the files of a folder; where the starter has an empty `.gitkeep`, the folder is empty.
fn unpack(dir: &Dir, root: &Path, fill: &impl Fn(&str) -> String) -> Result<()> {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => unpack(dir, root, fill)?,
            DirEntry::File(file) => {
                let path = match file.path().to_str() {
                    Some("gitignore") => root.join(".gitignore"),
                    _ => root.join(file.path()),
                };
                crate::compile::write_file(&path, &fill(file.contents_utf8().unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}

/// Adds a profile to `profiles.yml`, unless it is there, or is not to be set up.
fn set_up_profile(flags: &Flags, questions: &Questions, name: &str, say: impl Fn(String)) -> Result<Outcome> {
    let file = flags.profiles_dir.join(PROFILES_FILE);
    let profiles = read_yaml(&file)?;
    let is_there = profiles.as_ref().is_some_and(|profiles| profiles.get(name).is_some());
    if is_there {
        say(format!("The profile {name} already exists in {}: it is left as it is.", file.display()));
        return Ok(Outcome::Succeeded);
    }
    if flags.profile.is_some() {
        return Err(Error::runtime(format!("Could not find profile named '{name}'"))
            .at(Location::file(file))
            .help("--profile names a profile that exists; leave it out to get a new one"));
    }
    if flags.skip_profile_setup {
        return Ok(Outcome::Succeeded);
    }
    let path = questions.ask_or("The database file", "dev.duckdb")?;
    let schema = questions.ask_or("The schema to build in", "main")?;
    let threads = questions.ask_or("How many nodes run at once", "4")?;
    let threads: usize = threads.parse().ok().filter(|threads| *threads > 0).ok_or_else(|| {
        Error::usage(format!("'{threads}' is not a number of threads")).help("a whole number from 1 on: 4")
    })?;
    let quoted = |text: &str| Json::from(text).to_string();
    let profile = format!(
        "{}:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: {}\n      schema: {}\n      threads: {threads}\n",
        quoted(name).trim_matches('"'),
        quoted(&path),
        quoted(&schema)
    );
    add(&file, profiles.is_some_and(|profiles| !profiles.is_null()), &profile)?;
    say(format!("Profile {name} written to {}", file.display()));
    Ok(Outcome::Succeeded)
}

/// Adds a profile at the end of the file, which may be new.
fn add(file: &Path, is_filled: bool, profile: &str) -> Result<()> {
    let old = if is_filled {
        std::fs::read_to_string(file).map_err(|error| Error::io("read", file, &error))?
    } else {
        String::new()
    };
    let gap = if old.is_empty() { "" } else { "\n\n" };
    let text = format!("{}{gap}{profile}", old.trim_end());
    // A file in another style, such as `{...}`, cannot be added to.
    yaml::parse(&text, file).map_err(|_| {
        Error::runtime("the new profile cannot be added to this file")
            .at(Location::file(file))
            .help(format!("add it by hand:\n\n{profile}"))
    })?;
    let unfinished: PathBuf = file.with_extension("yml.part");
    crate::compile::write_file(&unfinished, &text)?;
    std::fs::rename(&unfinished, file).map_err(|error| Error::io("write", file, &error))
}

/// Asks people, where there is somebody to ask; in scripts the answers are the defaults.
struct Questions {
    there_is_somebody: bool,
}

impl Questions {
    fn new() -> Self {
        Questions { there_is_somebody: std::io::stdin().is_terminal() && std::io::stderr().is_terminal() }
    }

    /// The answer to a question; none if nobody is there.
    fn ask(&self, question: &str, default: Option<&str>) -> Result<Option<String>> {
        if !self.there_is_somebody {
            return Ok(default.map(str::to_owned));
        }
        let failed = |error: std::io::Error| Error::runtime(format!("the terminal cannot be asked: {error}"));
        let mut terminal = std::io::stderr();
        let hint = default.map_or(String::new(), |default| format!(" [{default}]"));
        write!(terminal, "{question}{hint}: ").and_then(|()| terminal.flush()).map_err(failed)?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(failed)?;
        let answer = answer.trim();
        Ok(if answer.is_empty() { default.map(str::to_owned) } else { Some(answer.to_owned()) })
    }

    fn ask_or(&self, question: &str, default: &str) -> Result<String> {
        Ok(self.ask(question, Some(default))?.unwrap_or_else(|| default.to_owned()))
    }
}

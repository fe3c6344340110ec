//! The clap command that parses and explains: options from the table, commands grouped by what they are for.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Arg, ArgAction, Command as Clap};

use crate::cli::args::{ALIASES, COMMANDS, Spec, clap_args};
use crate::cli::options::GLOBAL;
use crate::flags::Command;

/// The commands in groups: (heading, commands).
const TOPICS: &[(&str, &[Command])] = &[
    (
        "Build",
        &[
            Command::Build,
            Command::Run,
            Command::Test,
            Command::Seed,
            Command::Snapshot,
            Command::Extract,
            Command::Retry,
            Command::Clone,
            Command::RunOperation,
        ],
    ),
    (
        "Look",
        &[
            Command::List,
            Command::Show,
            Command::Compile,
            Command::Parse,
            Command::SourceFreshness,
            Command::DocsGenerate,
            Command::DocsServe,
        ],
    ),
    ("Set up", &[Command::Init, Command::Deps, Command::Debug, Command::Clean]),
];

const ROOT_TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n{after-help}\n\n{options}";

/// The whole command line of a program called `rbt` or `dbt`.
pub fn command(program: &'static str) -> Clap {
    let root = Clap::new(program)
        .about("Builds a dbt project - seeds, models, snapshots and their tests - in an embedded DuckDB")
        .override_usage(format!("{program} [OPTIONS] <COMMAND> [OPTIONS]"))
        .help_template(ROOT_TEMPLATE)
        .after_help(overview(program))
        .after_long_help(overview(program))
        .arg_required_else_help(true);
    let mut root = with_globals(root);
    for spec in COMMANDS {
        match spec.words {
            [name] => root = root.subcommand(leaf(program, name, spec)),
            [group, _] if root.find_subcommand(group).is_none() => {
                root = root.subcommand(branch(program, group))
            }
            _ => {}
        }
    }
    for (alias, words) in ALIASES {
        let spec = COMMANDS.iter().find(|spec| spec.words == *words);
        if let ([name], Some(spec)) = (alias, spec) {
            root = root.subcommand(leaf(program, name, spec).hide(true));
        }
    }
    root
}

/// A command that only holds others, such as `docs`.
fn branch(program: &'static str, name: &'static str) -> Clap {
    let about = match name {
        "docs" => "Document the project",
        _ => "Look after the sources of the project",
    };
    let mut branch = with_globals(Clap::new(name).about(about)).arg_required_else_help(true);
    for spec in COMMANDS {
        if let [group, sub] = spec.words
            && *group == name
        {
            branch = branch.subcommand(leaf(program, sub, spec));
        }
    }
    for (alias, words) in ALIASES {
        let spec = COMMANDS.iter().find(|spec| spec.words == *words);
        if let ([group, sub], Some(spec)) = (alias, spec)
            && *group == name
        {
            branch = branch.subcommand(leaf(program, sub, spec).hide(true));
        }
    }
    branch
}

fn leaf(program: &'static str, name: &'static str, spec: &'static Spec) -> Clap {
    let mut leaf = Clap::new(name).about(spec.about);
    if !spec.examples.is_empty() {
        leaf = leaf.after_help(examples(program, spec.examples));
    }
    if let Some((positional, required)) = spec.positional {
        let arg = match positional {
            "macro" => Arg::new("macro").value_name("MACRO").help("The macro's name, or package.name"),
            _ => Arg::new("project_name")
                .value_name("PROJECT_NAME")
                .help("The project's name, also its folder's"),
        };
        leaf = leaf.arg(arg.required(required));
    }
    leaf = leaf.args(spec.options.iter().flat_map(clap_args));
    with_globals(leaf)
}

fn with_globals(command: Clap) -> Clap {
    let version = Arg::new("version")
        .long("version")
        .short('V')
        .short_alias('v')
        .action(ArgAction::SetTrue)
        .overrides_with("version")
        .help_heading("Help")
        .help("Print the version");
    let help = Arg::new("help")
        .long("help")
        .short('h')
        .action(ArgAction::Help)
        .help_heading("Help")
        .help("Explain (-h in short)");
    command
        .styles(styles())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .args(GLOBAL.iter().flat_map(clap_args))
        .arg(version)
        .arg(help)
}

fn styles() -> Styles {
    Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
}

fn examples(program: &str, examples: &[(&str, &str)]) -> String {
    let mut text = String::from("Examples:");
    for (purpose, words) in examples {
        text.push_str(&format!("\n  # {purpose}\n  {program} {words}"));
    }
    text
}

/// What the root's help says of the commands.
fn overview(program: &str) -> String {
    let mut text = String::new();
    for (heading, commands) in TOPICS {
        text.push_str(&format!("{heading}:\n"));
        for spec in COMMANDS.iter().filter(|spec| commands.contains(&spec.command)) {
            let name =
                if spec.command == Command::List { "list, ls".to_owned() } else { spec.words.join(" ") };
            text.push_str(&format!("  {name:<17} {}\n", spec.about));
        }
        text.push('\n');
    }
    let first_steps = [
        ("Build and test everything in the current project", "build"),
        ("One model with all it needs", "build --select +orders"),
        ("What would that select?", "ls --select +orders"),
        ("More about a command", "build --help"),
    ];
    text.push_str(&examples(program, &first_steps));
    text
}

//! The clap command that parses and explains: options from the table, commands grouped by what they are for.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Arg, ArgAction, Command as Clap, ValueHint};

use crate::cli::args::{ALIASES, COMMANDS, Spec, options};
use crate::cli::complete;
use crate::cli::options::{GLOBAL, Group, Kind, Opt};
use crate::cli::version::RBT_VERSION;
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
    (
        "Set up",
        &[Command::Init, Command::Deps, Command::Debug, Command::Clean, Command::Completions, Command::Man],
    ),
];

/// The help of a command that only holds others: no options, they are explained with the commands.
const BRANCH_TEMPLATE: &str = "{about-with-newline}\n{usage-heading} {usage}{after-help}";

/// The whole command line of a program called `rbt` or `dbt`.
pub fn command(program: &'static str) -> Clap {
    let root = Clap::new(program)
        .about("Builds a dbt project - seeds, models, snapshots and their tests - in an embedded DuckDB")
        .override_usage(format!("{program} [OPTIONS] <COMMAND> [OPTIONS]"))
        .help_template(BRANCH_TEMPLATE)
        .after_help(overview(program))
        .arg_required_else_help(true);
    let mut root = with_help(root.version(RBT_VERSION)).args(global_args());
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
    let within = |words: &[&str]| matches!(words, [group, _] if *group == name);
    let mut commands = String::from("Commands:");
    for spec in COMMANDS.iter().filter(|spec| within(spec.words)) {
        commands.push_str(&format!("\n  {:<17} {}", spec.words.join(" "), spec.about));
    }
    let mut branch = with_help(Clap::new(name))
        .about(about)
        .override_usage(format!("{program} {name} [OPTIONS] <COMMAND> [OPTIONS]"))
        .help_template(BRANCH_TEMPLATE)
        .after_help(commands)
        .arg_required_else_help(true)
        .args(global_args());
    let aliases = ALIASES.iter().map(|(alias, words)| (*alias, *words, true));
    let names = COMMANDS.iter().map(|spec| (spec.words, spec.words, false)).chain(aliases);
    for (path, words, hidden) in names.filter(|(path, ..)| within(path)) {
        let spec = COMMANDS.iter().find(|spec| spec.words == words);
        if let ([_, sub], Some(spec)) = (path, spec) {
            branch = branch.subcommand(leaf(program, sub, spec).hide(hidden));
        }
    }
    branch
}

fn leaf(program: &'static str, name: &'static str, spec: &'static Spec) -> Clap {
    let usage = match spec.positional {
        Some((positional, true)) => format!(" <{}>", positional.to_uppercase()),
        Some((positional, false)) => format!(" [{}]", positional.to_uppercase()),
        None => String::new(),
    };
    let mut leaf = Clap::new(name)
        .about(spec.about)
        .override_usage(format!("{program} {} [OPTIONS]{usage}", spec.words.join(" ")));
    if !spec.examples.is_empty() {
        leaf = leaf.after_help(examples(program, spec.examples));
    }
    if let Some((positional, required)) = spec.positional {
        let arg = match positional {
            "macro" => Arg::new("macro").value_name("MACRO").help("The macro's name, or package.name"),
            "shell" => Arg::new("shell").value_name("SHELL").help("bash, zsh, fish, powershell or elvish"),
            "page" => Arg::new("page").value_name("COMMAND").help("A command: build, docs-generate"),
            _ => Arg::new("project_name")
                .value_name("PROJECT_NAME")
                .help("The project's name, also its folder's"),
        };
        let arg = match complete::values_of(positional) {
            Some(values) => arg.add(values),
            None => arg,
        };
        leaf = leaf.arg(arg.required(required));
    }
    with_help(leaf.args(sorted_args(options(spec))))
}

fn global_args() -> Vec<Arg> {
    sorted_args(GLOBAL.iter())
}

/// The arguments of options by their groups: headings stand in the order of their first option.
fn sorted_args(options: impl Iterator<Item = &'static Opt>) -> Vec<Arg> {
    let mut sorted: Vec<&'static Opt> = options.collect();
    sorted.sort_by_key(|opt| opt.group);
    sorted.into_iter().flat_map(clap_args).collect()
}

fn with_help(command: Clap) -> Clap {
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
        .action(ArgAction::HelpShort)
        .help_heading("Help")
        .help("Explain");
    command
        .styles(styles())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .arg(version)
        .arg(help)
}

/// The clap arguments of an option: one, or two if it has an opposite.
fn clap_args(opt: &'static Opt) -> Vec<Arg> {
    let arg = Arg::new(opt.name)
        .long(opt.long)
        .aliases(opt.aliases)
        .short_aliases(opt.short_aliases.iter().copied())
        .help_heading(opt.group.heading())
        .hide(opt.group == Group::Hidden)
        .help(help(opt));
    let arg = match opt.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    let arg = completed(arg, opt);
    let one = |name: &'static str| {
        // The last one counts; a value may begin with a dash.
        arg.clone().value_name(name).num_args(1).allow_hyphen_values(true).overrides_with(opt.name)
    };
    let several = |name: &'static str| arg.clone().value_name(name).num_args(1..).action(ArgAction::Append);
    let arg = match opt.kind {
        Kind::Switch | Kind::Toggle(_) => arg.action(ArgAction::SetTrue).overrides_with(opt.name),
        Kind::Words => several("NAME"),
        Kind::Choices(_) => several("TYPE"),
        Kind::Text => one("TEXT"),
        Kind::Integer | Kind::Count => one("NUMBER"),
        Kind::Path | Kind::ExistingPath | Kind::AbsolutePath => one("PATH"),
        Kind::Choice(_) => one("WORD"),
        Kind::Yaml | Kind::WarnErrorOptions => one("YAML"),
        Kind::DateTime => one("TIME"),
        Kind::Date => one("DAY"),
        Kind::Sample => one("WINDOW"),
        Kind::Package => one("PACKAGE"),
    };
    match opt.negation() {
        None => vec![arg],
        Some(no) => {
            let opposite = Arg::new(no).long(no).action(ArgAction::SetTrue).hide(true);
            let opposite = opposite.overrides_with(no).overrides_with(opt.name);
            vec![arg.overrides_with(no), opposite]
        }
    }
}

/// Tells the shell what may come behind an option.
fn completed(arg: Arg, opt: &'static Opt) -> Arg {
    match (complete::values_of(opt.name), opt.kind) {
        (Some(values), _) => arg.add(values),
        (None, Kind::Choice(words) | Kind::Choices(words)) => arg.add(complete::one_of(words)),
        (None, Kind::Path | Kind::ExistingPath | Kind::AbsolutePath) => arg.value_hint(ValueHint::AnyPath),
        _ => arg,
    }
}

/// What the help says of an option: what it is for, and what it takes.
fn help(opt: &Opt) -> String {
    match opt.kind {
        Kind::Toggle(no) => format!("{} [or --{no}]", opt.help),
        // The words are explained one by one.
        Kind::Choice(choices) if choices.iter().all(|choice| opt.help.contains(choice)) => {
            opt.help.to_owned()
        }
        Kind::Choice(choices) | Kind::Choices(choices) => format!("{}: {}", opt.help, choices.join(", ")),
        _ => opt.help.to_owned(),
    }
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
        for command in *commands {
            let Some(spec) = COMMANDS.iter().find(|spec| spec.command == *command) else { continue };
            let name = if *command == Command::List { "list, ls".to_owned() } else { spec.words.join(" ") };
            text.push_str(&format!("  {name:<17} {}\n", spec.about));
        }
        text.push('\n');
    }
    let first_steps = [
        ("Build and test everything in the current project", "build"),
        ("One model with all it needs", "build --select +orders"),
        ("What would that select?", "ls --select +orders"),
        ("The options of a command; those of all commands may also stand before its name", "build --help"),
    ];
    text.push_str(&examples(program, &first_steps));
    text
}

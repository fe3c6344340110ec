//! Who listens to events under which flags: the console, the log file, the CI service.

use std::io::{self, BufWriter, IsTerminal};
use std::sync::Arc;

use crate::cli::annotations::Annotations;
use crate::cli::lines::Style;
use crate::cli::logfile::RotatingFile;
use crate::cli::logs::{Form, Invocation, LogSink};
use crate::cli::terminal::Terminal;
use crate::events::{Level, Sink};
use crate::flags::{Flags, LogFormat, LogLevel};

/// The sinks of an invocation.
pub fn of(flags: &Flags) -> Vec<Box<dyn Sink>> {
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let invocation = Arc::new(Invocation::new(flags.invocation_id.clone(), env));
    let mut sinks = Vec::new();
    sinks.extend(console(flags, invocation.clone()));
    sinks.extend(log_file(flags, invocation));
    let on_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    if on_github && flags.log_format != LogFormat::Json {
        sinks.push(Box::new(Annotations::new(io::stdout())));
    }
    sinks
}

fn console(flags: &Flags, invocation: Arc<Invocation>) -> Option<Box<dyn Sink>> {
    let level = match flags.log_level {
        LogLevel::None => return None,
        _ if flags.quiet => Level::Error,
        _ if flags.debug => Level::Debug,
        level => least(level)?,
    };
    let terminal = io::stdout().is_terminal();
    let form = match flags.log_format {
        LogFormat::Json => Form::Json,
        LogFormat::Debug => Form::Debug,
        LogFormat::Text | LogFormat::Default => Form::Text,
    };
    let plain = form == Form::Json || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = if flags.is_given("use_colors") { flags.use_colors } else { terminal && !plain };
    let style = style(flags, level, color);
    let lines = LogSink::new(BufWriter::new(io::stdout()), form, style, true, invocation);
    let bar = terminal && form == Form::Text && !flags.quiet;
    Some(if bar { Box::new(Terminal::new(lines)) } else { Box::new(lines) })
}

fn log_file(flags: &Flags, invocation: Arc<Invocation>) -> Option<Box<dyn Sink>> {
    let level = if flags.debug { Level::Debug } else { least(flags.log_level_file)? };
    let path = flags.log_dir().join("dbt.log");
    let file = match RotatingFile::open(&path, flags.log_file_max_bytes) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("warning: there will be no log file: cannot write {}: {error}", path.display());
            return None;
        }
    };
    let form = match flags.log_format_file {
        LogFormat::Json => Form::Json,
        LogFormat::Text => Form::Text,
        LogFormat::Debug | LogFormat::Default => Form::Debug,
    };
    let given = flags.is_given("use_colors") || flags.is_given("use_colors_file");
    let style = style(flags, level, given && flags.use_colors_file);
    // Previews keep their heading in the log.
    let style = Style { quiet: false, ..style };
    Some(Box::new(LogSink::new(file, form, style, false, invocation)))
}

fn style(flags: &Flags, level: Level, color: bool) -> Style {
    Style {
        level,
        color,
        width: flags.printer_width,
        quiet: flags.quiet,
        print: flags.print,
        data: false,
        cache_events: flags.log_cache_events,
    }
}

fn least(level: LogLevel) -> Option<Level> {
    match level {
        LogLevel::Debug => Some(Level::Debug),
        LogLevel::Info => Some(Level::Info),
        LogLevel::Warn => Some(Level::Warn),
        LogLevel::Error => Some(Level::Error),
        LogLevel::None => None,
    }
}

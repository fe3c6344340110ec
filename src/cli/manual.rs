//! The pages for `man`.

use clap_mangen::Man;

use super::args::COMMANDS;
use super::help;

/// The page of the program, or of one of its commands: `build`, `docs-generate`. Fails where there is no such
/// command.
pub fn page(program: &'static str, command: Option<&str>) -> Result<String, String> {
    let root = help::command(program);
    let found = match command {
        None => root,
        Some(command) => {
            let spec = COMMANDS.iter().find(|spec| spec.words.join("-") == command);
            let words = spec.map(|spec| spec.words).ok_or_else(|| format!("No such command '{command}'."))?;
            let mut found = root;
            for word in words {
                let inner = found.find_subcommand(word).cloned();
                found = inner.ok_or_else(|| format!("No such command '{command}'."))?;
            }
            found.display_name(format!("{program}-{command}"))
        }
    };
    let mut text = Vec::new();
    Man::new(found).render(&mut text).map_err(|error| format!("the page cannot be written: {error}."))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

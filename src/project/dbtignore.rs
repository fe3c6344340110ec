//! `.dbtignore`: patterns in the manner of `.gitignore` that hide files from the project.

use regex::Regex;

/// The patterns of one file; the last that matches decides.
#[derive(Debug, Default)]
pub(super) struct IgnorePatterns {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    /// `!pattern` takes files back in.
    is_hiding: bool,
    regex: Regex,
}

impl IgnorePatterns {
    /// Reads the lines of the file. A pattern that has no meaning hides nothing.
    pub(super) fn parse(text: &str) -> Self {
        IgnorePatterns { patterns: text.lines().filter_map(parse_pattern).collect() }
    }

    /// Whether a file, by its path in the project with `/`, is hidden.
    pub(super) fn hides(&self, path: &str) -> bool {
        let last = self.patterns.iter().rev().find(|pattern| pattern.regex.is_match(path));
        last.is_some_and(|pattern| pattern.is_hiding)
    }
}

fn parse_pattern(line: &str) -> Option<Pattern> {
    let line = line.trim_start();
    let trimmed = line.trim_end();
    // An escaped blank at the end belongs to the pattern.
    let line =
        if trimmed.ends_with('\\') && trimmed.len() < line.len() { &line[..=trimmed.len()] } else { trimmed };
    let (is_hiding, pattern) = match line.strip_prefix('!') {
        Some(pattern) => (false, pattern),
        None => (true, line),
    };
    if pattern.is_empty() || line.starts_with('#') || pattern == "/" {
        return None;
    }
    let regex = Regex::new(&to_regex(pattern)).ok()?;
    Some(Pattern { is_hiding, regex })
}

/// A pattern with a slash before its end is anchored at the project; one that ends with a slash matches
/// folders; `**` stands for any folders.
fn to_regex(pattern: &str) -> String {
    let mut segments: Vec<&str> = pattern.split('/').collect();
    let is_folder = segments.last() == Some(&"") && segments.len() > 1;
    if is_folder {
        segments.pop();
    }
    if segments.first() == Some(&"") {
        segments.remove(0);
    } else if segments.len() == 1 && segments[0] != "**" {
        segments.insert(0, "**");
    }
    if is_folder {
        segments.push("**");
    }
    segments.dedup_by(|a, b| *a == "**" && *b == "**");

    let last = segments.len().saturating_sub(1);
    let mut regex = String::from("^");
    let mut needs_slash = false;
    for (index, segment) in segments.iter().enumerate() {
        match (*segment, index == 0, index == last) {
            ("**", true, true) => regex.push_str("[^/]+(?:/.*)?"),
            ("**", true, false) => regex.push_str("(?:.+/)?"),
            ("**", false, true) => regex.push_str("/.*"),
            ("**", false, false) => regex.push_str("(?:/.+)?"),
            (segment, _, is_last) => {
                if needs_slash {
                    regex.push('/');
                }
                regex.push_str(&glob_to_regex(segment));
                if is_last {
                    regex.push_str("(?:/.*)?");
                }
            }
        }
        needs_slash = !(*segment == "**" && index == 0);
    }
    regex.push('$');
    regex
}

fn glob_to_regex(glob: &str) -> String {
    if glob == "*" {
        return "[^/]+".to_owned();
    }
    let mut regex = String::new();
    let mut rest = glob.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '\\' => regex.push_str(&regex::escape(&rest.next().map(String::from).unwrap_or_default())),
            '[' => match rest.as_str().char_indices().skip(1).find(|(_, c)| *c == ']') {
                Some((end, _)) => {
                    let class = &rest.as_str()[..end];
                    let (sign, members) = match class.strip_prefix(['!', '^']) {
                        Some(members) => ("^", members),
                        None => ("", class),
                    };
                    let members = members.replace('\\', "\\\\").replace('[', "\\[").replace('&', "\\&");
                    regex.push_str(&format!("[{sign}{members}]"));
                    rest = rest.as_str()[end + 1..].chars();
                }
                None => regex.push_str("\\["),
            },
            c => regex.push_str(&regex::escape(&c.to_string())),
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_as_gitignore_does() {
        let cases = [
            ("*.bak.sql", "models/a.bak.sql", true),
            ("*.bak.sql", "models/a.sql", false),
            ("tmp", "models/tmp/a.sql", true),
            ("tmp", "models/tmp.sql", false),
            ("tmp/", "models/tmp/deep/a.sql", true),
            ("tmp/", "models/tmp", false),
            ("/models/x.sql", "models/x.sql", true),
            ("/x.sql", "models/x.sql", false),
            ("models/x.sql", "models/x.sql", true),
            ("x/y.sql", "models/x/y.sql", false),
            ("**/x/y.sql", "models/x/y.sql", true),
            ("models/**/y.sql", "models/y.sql", true),
            ("models/**/y.sql", "models/a/b/y.sql", true),
            ("models/**", "models/a/b.sql", true),
            ("models/*", "models/a/b.sql", true),
            ("models/*.sql", "models/a/b.sql", false),
            ("a?.sql", "models/ab.sql", true),
            ("a[0-9].sql", "models/a1.sql", true),
            ("a[!0-9].sql", "models/a1.sql", false),
            ("\\#a.sql", "models/#a.sql", true),
            ("# a.sql", "models/# a.sql", false),
            ("**", "models/a.sql", true),
            ("*.sql\n!keep.sql", "models/keep.sql", false),
            ("*.sql\n!keep.sql", "models/drop.sql", true),
        ];
        for (patterns, path, expected) in cases {
            assert_eq!(IgnorePatterns::parse(patterns).hides(path), expected, "{patterns} {path}");
        }
    }
}

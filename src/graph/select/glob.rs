//! Patterns with wildcards, as Python's `fnmatch` and `pathlib` read them.

/// A pattern of one name: `*` any characters, `?` any one, `[abc]`, `[a-z]`, `[!abc]` one of a set.
/// A `[` that is never closed stands for itself.
#[derive(Debug, Clone)]
pub(super) struct Glob(Vec<Token>);

#[derive(Debug, Clone)]
enum Token {
    One(char),
    AnyOne,
    Any,
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Glob {
        let chars: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::AnyOne,
                '[' => match set_end(&chars, at) {
                    Some(end) => {
                        let set = set(&chars[at..end]);
                        at = end + 1;
                        set
                    }
                    None => Token::One('['),
                },
                other => Token::One(other),
            });
        }
        Glob(tokens)
    }

    /// Whether the text holds characters that only a pattern has.
    pub(super) fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?', '[', ']'])
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let (mut token, mut at) = (0, 0);
        // Where to go on when what follows the last `*` does not fit: one character further.
        let mut retry = None;
        loop {
            let fits = match self.0.get(token) {
                None => at == chars.len(),
                Some(Token::Any) => {
                    retry = Some((token, at));
                    token += 1;
                    continue;
                }
                Some(one) => chars.get(at).is_some_and(|c| one.accepts(*c)),
            };
            match (fits, retry) {
                (true, _) if token == self.0.len() => return true,
                (true, _) => (token, at) = (token + 1, at + 1),
                (false, Some((star, from))) if from < chars.len() => {
                    retry = Some((star, from + 1));
                    (token, at) = (star + 1, from + 1);
                }
                (false, _) => return false,
            }
        }
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Token::One(own) => *own == c,
            Token::AnyOne | Token::Any => true,
            Token::Set { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

/// The index of the `]` that closes a set; a `]` in the first place is one of its characters.
fn set_end(chars: &[char], start: usize) -> Option<usize> {
    let negated = usize::from(chars.get(start) == Some(&'!'));
    let first = start + negated;
    let search_from = first + usize::from(chars.get(first) == Some(&']'));
    (search_from..chars.len()).find(|at| chars[*at] == ']')
}

fn set(chars: &[char]) -> Token {
    let (negated, chars) = match chars {
        ['!', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut ranges = Vec::new();
    let mut rest = chars;
    loop {
        rest = match rest {
            [] => return Token::Set { negated, ranges },
            [low, '-', high, tail @ ..] => {
                ranges.push((*low, *high));
                tail
            }
            [one, tail @ ..] => {
                ranges.push((*one, *one));
                tail
            }
        };
    }
}

/// A pattern of a path in the project: each part between slashes is a [`Glob`], and `**` stands for any
/// number of folders.
#[derive(Debug, Clone)]
pub(super) struct PathGlob {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Name(Glob),
    Folders,
}

impl PathGlob {
    pub(super) fn new(pattern: &str) -> PathGlob {
        let part = |part: &str| if part == "**" { Part::Folders } else { Part::Name(Glob::new(part)) };
        let mut parts: Vec<Part> = path_parts(pattern).map(part).collect();
        // Two `**` in a row say no more than one, and would take ever more tries.
        parts.dedup_by(|one, other| matches!((one, other), (Part::Folders, Part::Folders)));
        PathGlob { parts }
    }

    /// Whether the path of a file, relative to the project, is meant.
    pub(super) fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path_parts(path).collect();
        // `**` at the end stands for folders and not for the files in them.
        !matches!(self.parts.last(), Some(Part::Folders)) && fits(&self.parts, &parts)
    }

    /// The outermost folder of a file's path that is meant.
    pub(super) fn matching_folder(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path_parts(path).collect();
        let folder = (0..parts.len()).find(|length| fits(&self.parts, &parts[..*length]))?;
        Some(parts[..folder].join("/"))
    }
}

fn path_parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', std::path::MAIN_SEPARATOR]).filter(|part| !part.is_empty() && *part != ".")
}

fn fits(pattern: &[Part], parts: &[&str]) -> bool {
    match pattern {
        [] => parts.is_empty(),
        [Part::Folders, rest @ ..] => (0..=parts.len()).any(|skipped| fits(rest, &parts[skipped..])),
        [Part::Name(name), rest @ ..] => match parts {
            [first, tail @ ..] => name.matches(first) && fits(rest, tail),
            [] => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_fnmatch() {
        let cases = [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[ab]x", "bx", true),
            ("[!ab]x", "bx", false),
            ("[a-c]x", "cx", true),
            ("[]]x", "]x", true),
            ("[!]]x", "]x", false),
            ("[x", "[x", true),
            ("[z-a]", "m", false),
            ("[a-]", "-", true),
            ("", "", true),
            ("", "a", false),
            ("ü*", "über", true),
            ("A", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn paths_match_as_in_pathlib() {
        let file = "models/staging/stg_a.sql";
        let cases = [
            ("models/staging/stg_a.sql", true, None),
            ("./models//staging/*.sql", true, None),
            ("models/*", false, Some("models/staging")),
            ("models", false, Some("models")),
            ("models/", false, Some("models")),
            ("models/**", false, Some("models")),
            ("**/*.sql", true, None),
            ("models/**/stg_*", true, None),
            ("stag*", false, None),
            ("**/staging", false, Some("models/staging")),
            (".", false, Some("")),
        ];
        for (pattern, matches, folder) in cases {
            let glob = PathGlob::new(pattern);
            assert_eq!(glob.matches(file), matches, "{pattern}");
            assert_eq!(glob.matching_folder(file).as_deref(), folder, "{pattern}");
        }
    }
}

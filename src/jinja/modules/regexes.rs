//! `modules.re`: Python's regular expressions.

use std::fmt;
use std::sync::{Arc, OnceLock};

use fancy_regex::{Captures, Regex};
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

use crate::jinja::error::raise_message;
use crate::jinja::values::{
    Arguments, Dict, Undefined, check_defined, function, list, python_repr, python_str, tuple, type_name,
};

const IGNORE_CASE: i64 = 2;
const MULTI_LINE: i64 = 8;
const DOT_ALL: i64 = 16;
const VERBOSE: i64 = 64;
const ASCII: i64 = 256;

/// The value `modules.re`.
pub fn re() -> Value {
    let mut members = vec![
        (
            "compile",
            function("compile", |_, args| {
                let [pattern, flags] = args.bind(["pattern", "flags"], 1)?;
                let pattern = Pattern::of(&pattern.unwrap_or_default(), flags.as_ref())?;
                pattern.regex(Anchor::Anywhere)?;
                Ok(Value::from_object(pattern))
            }),
        ),
        (
            "escape",
            function("escape", |_, args| {
                let [text] = args.exactly()?;
                Ok(Value::from(escape(string(&text)?)))
            }),
        ),
        ("purge", function("purge", |_, _| Ok(Value::from(())))),
    ];
    for name in ["match", "search", "fullmatch", "findall", "finditer", "split", "sub", "subn"] {
        members.push((
            name,
            function(name, move |state, args| {
                let (pattern, rest, flags) = split_arguments(name, &args)?;
                let pattern = Pattern::of(&pattern, flags.as_ref())?;
                pattern.method(state, name, &rest)
            }),
        ));
    }
    let flags = [
        ("IGNORECASE", IGNORE_CASE),
        ("I", IGNORE_CASE),
        ("MULTILINE", MULTI_LINE),
        ("M", MULTI_LINE),
        ("DOTALL", DOT_ALL),
        ("S", DOT_ALL),
        ("VERBOSE", VERBOSE),
        ("X", VERBOSE),
        ("ASCII", ASCII),
        ("A", ASCII),
        ("UNICODE", 32),
        ("U", 32),
    ];
    members.extend(flags.map(|(name, flag)| (name, Value::from(flag))));
    Value::from_object(Dict::new(members.into_iter().map(|(name, value)| (Value::from(name), value))))
}

type SplitArguments = (Value, Vec<Option<Value>>, Option<Value>);

/// The pattern, the method's own arguments, and the flags.
fn split_arguments(name: &str, args: &Arguments<'_>) -> Result<SplitArguments, Error> {
    Ok(match name {
        "sub" | "subn" => {
            let [pattern, repl, string, count, flags] =
                args.bind(["pattern", "repl", "string", "count", "flags"], 3)?;
            (pattern.unwrap_or_default(), vec![repl, string, count], flags)
        }
        "split" => {
            let [pattern, string, limit, flags] = args.bind(["pattern", "string", "maxsplit", "flags"], 2)?;
            (pattern.unwrap_or_default(), vec![string, limit], flags)
        }
        _ => {
            let [pattern, string, flags] = args.bind(["pattern", "string", "flags"], 2)?;
            (pattern.unwrap_or_default(), vec![string], flags)
        }
    })
}

fn string(value: &Value) -> Result<&str, Error> {
    check_defined(&[value])?;
    let name = type_name(value);
    value.as_str().ok_or_else(|| raise_message(format!("expected string or bytes-like object, got '{name}'")))
}

/// Python escapes everything that may have a meaning, but not letters, digits and `_`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A regular expression with its flags, compiled when it is first used.
#[derive(Debug, Clone, Default)]
struct Pattern {
    source: String,
    flags: i64,
    anywhere: OnceLock<Regex>,
    at_start: OnceLock<Regex>,
    whole: OnceLock<Regex>,
}

/// Where in a text a match may be.
#[derive(Clone, Copy)]
enum Anchor {
    Anywhere,
    AtStart,
    Whole,
}

impl Pattern {
    /// The pattern of a string and flags, or a compiled one.
    ///
    /// Errors: the value is neither, or the expression is wrong.
    fn of(value: &Value, flags: Option<&Value>) -> Result<Pattern, Error> {
        if let Some(pattern) = value.downcast_object_ref::<Pattern>() {
            return Ok(pattern.clone());
        }
        let source = string(value)?.to_owned();
        let flags = flags.and_then(|flags| flags.as_i64()).unwrap_or(0);
        Ok(Pattern { source, flags, ..Pattern::default() })
    }

    fn regex(&self, anchor: Anchor) -> Result<&Regex, Error> {
        let cell = match anchor {
            Anchor::Anywhere => &self.anywhere,
            Anchor::AtStart => &self.at_start,
            Anchor::Whole => &self.whole,
        };
        if let Some(regex) = cell.get() {
            return Ok(regex);
        }
        let letters = [(IGNORE_CASE, "i"), (MULTI_LINE, "m"), (DOT_ALL, "s"), (VERBOSE, "x")];
        let letters: String =
            letters.iter().filter(|(flag, _)| self.flags & flag != 0).map(|(_, l)| *l).collect();
        let flags = if letters.is_empty() { String::new() } else { format!("(?{letters})") };
        let source = self.source.replace("\\Z", "\\z");
        let pattern = match anchor {
            Anchor::Anywhere => format!("{flags}{source}"),
            Anchor::AtStart => format!("{flags}\\A(?:{source})"),
            Anchor::Whole => format!("{flags}\\A(?:{source})\\z"),
        };
        let regex = Regex::new(&pattern).map_err(|error| {
            raise_message(format!("the regular expression '{}' is wrong: {error}", self.source))
        })?;
        Ok(cell.get_or_init(|| regex))
    }

    fn method(&self, state: &mut State<'_, '_>, name: &str, args: &[Option<Value>]) -> Result<Value, Error> {
        let text_at = usize::from(matches!(name, "sub" | "subn"));
        let text_value = args.get(text_at).cloned().flatten().unwrap_or_default();
        let text: Arc<str> = string(&text_value)?.into();
        let number = |index: usize| {
            let value = args.get(index).cloned().flatten();
            value.and_then(|value| value.as_usize()).filter(|count| *count > 0).unwrap_or(usize::MAX)
        };
        Ok(match name {
            "match" => self.first(Anchor::AtStart, &text)?,
            "fullmatch" => self.first(Anchor::Whole, &text)?,
            "search" => self.first(Anchor::Anywhere, &text)?,
            "finditer" => {
                let matches = self.all(&text)?;
                list(matches.into_iter().map(Value::from_object).collect())
            }
            "findall" => {
                let matches = self.all(&text)?;
                list(matches.iter().map(found_groups).collect())
            }
            "split" => list(self.split(&text, number(1))?),
            "sub" | "subn" => {
                let replacement = args.first().cloned().flatten().unwrap_or_default();
                let (text, count) = self.substitute(state, &text, &replacement, number(2))?;
                if name == "sub" {
                    Value::from(text)
                } else {
                    tuple(vec![Value::from(text), Value::from(count)])
                }
            }
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        })
    }

    fn first(&self, anchor: Anchor, text: &Arc<str>) -> Result<Value, Error> {
        let regex = self.regex(anchor)?;
        let captures = regex.captures(&**text).map_err(too_complex)?;
        Ok(captures.map_or_else(
            || Value::from(()),
            |captures| Value::from_object(Match::new(regex, text.clone(), &captures)),
        ))
    }

    fn all(&self, text: &Arc<str>) -> Result<Vec<Match>, Error> {
        let regex = self.regex(Anchor::Anywhere)?;
        let mut matches = Vec::new();
        for captures in regex.captures_iter(&**text) {
            matches.push(Match::new(regex, text.clone(), &captures.map_err(too_complex)?));
        }
        Ok(matches)
    }

    fn split(&self, text: &Arc<str>, limit: usize) -> Result<Vec<Value>, Error> {
        let mut parts = Vec::new();
        let mut from = 0;
        for found in self.all(text)?.iter().take(limit) {
            let (start, end) = found.groups[0].unwrap_or((from, from));
            parts.push(Value::from(&text[from..start]));
            parts.extend((1..found.groups.len()).map(|group| found.group(group)));
            from = end;
        }
        parts.push(Value::from(&text[from..]));
        Ok(parts)
    }

    fn substitute(
        &self,
        state: &mut State<'_, '_>,
        text: &Arc<str>,
        replacement: &Value,
        limit: usize,
    ) -> Result<(String, usize), Error> {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        let mut count = 0;
        for found in self.all(text)?.into_iter().take(limit) {
            let (start, end) = found.groups[0].unwrap_or((from, from));
            out.push_str(&text[from..start]);
            match replacement.as_str() {
                Some(template) => found.expand(template, &mut out)?,
                None => {
                    check_defined(&[replacement])?;
                    out.push_str(&python_str(&replacement.call(state, &[Value::from_object(found)])?));
                }
            }
            from = end;
            count += 1;
        }
        out.push_str(&text[from..]);
        Ok((out, count))
    }
}

fn too_complex(error: fancy_regex::Error) -> Error {
    raise_message(format!("this regular expression is too complex for its text: {error}"))
}

/// What `findall` gives of a match: the match, its only group, or all its groups.
fn found_groups(found: &Match) -> Value {
    let text = |group: usize| {
        let value = found.group(group);
        if value.is_none() { Value::from("") } else { value }
    };
    match found.groups.len() {
        1 => text(0),
        2 => text(1),
        count => tuple((1..count).map(text).collect()),
    }
}

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "pattern" => Some(Value::from(self.source.as_str())),
            "flags" => Some(Value::from(self.flags)),
            "groups" => Some(Value::from(self.regex(Anchor::Anywhere).ok()?.captures_len() - 1)),
            _ => None,
        }
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let args = Arguments::new(method, args)?;
        let bound = match method {
            "sub" | "subn" => args.bind(["repl", "string", "count"], 2)?.to_vec(),
            "split" => args.bind(["string", "maxsplit"], 1)?.to_vec(),
            _ => args.bind(["string"], 1)?.to_vec(),
        };
        Pattern::method(self, state, method, &bound)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "re.compile({})", python_repr(&Value::from(self.source.as_str())))
    }
}

/// A match: the places of its groups, of which the first is the whole.
#[derive(Debug)]
struct Match {
    text: Arc<str>,
    groups: Vec<Option<(usize, usize)>>,
    names: Vec<(String, usize)>,
}

impl Match {
    fn new(regex: &Regex, text: Arc<str>, captures: &Captures<'_, str>) -> Match {
        let groups =
            (0..captures.len()).map(|group| captures.get(group).map(|found| (found.start(), found.end())));
        let names = regex.capture_names().enumerate();
        let names = names.filter_map(|(index, name)| Some((name?.to_owned(), index)));
        Match { groups: groups.collect(), names: names.collect(), text }
    }

    fn group(&self, group: usize) -> Value {
        match self.groups.get(group).copied().flatten() {
            Some((start, end)) => Value::from(&self.text[start..end]),
            None => Value::from(()),
        }
    }

    /// The number of a group given by number or name.
    fn number(&self, group: &Value) -> Result<usize, Error> {
        let number = match group.as_str() {
            Some(name) => self.names.iter().find(|(known, _)| known == name).map(|(_, number)| *number),
            None => group.as_usize().filter(|number| *number < self.groups.len()),
        };
        number.ok_or_else(|| raise_message("no such group"))
    }

    /// Characters before a byte of the text: Python counts characters.
    fn characters(&self, byte: usize) -> Value {
        Value::from(self.text[..byte].chars().count())
    }

    fn place(&self, group: Option<Value>) -> Result<Option<(usize, usize)>, Error> {
        let number = group.map_or(Ok(0), |group| self.number(&group))?;
        Ok(self.groups[number])
    }

    /// Appends a replacement template: `\1`, `\g<name>` and the usual escapes.
    fn expand(&self, template: &str, out: &mut String) -> Result<(), Error> {
        let mut rest = template;
        while let Some(index) = rest.find('\\') {
            out.push_str(&rest[..index]);
            let escape = &rest[index + 1..];
            let digits = escape.bytes().take(2).take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                let number = escape[..digits].parse::<usize>().unwrap_or(0);
                let place = self.groups[self.number(&Value::from(number))?];
                out.push_str(place.map_or("", |(start, end)| &self.text[start..end]));
                rest = &escape[digits..];
            } else if let Some((name, after)) =
                escape.strip_prefix("g<").and_then(|name| name.split_once('>'))
            {
                let group = name.parse::<usize>().map_or_else(|_| Value::from(name), Value::from);
                let place = self.groups[self.number(&group)?];
                out.push_str(place.map_or("", |(start, end)| &self.text[start..end]));
                rest = after;
            } else {
                let c = escape.chars().next().unwrap_or('\\');
                out.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    c if c.is_ascii_alphabetic() => return Err(raise_message(format!("bad escape \\{c}"))),
                    c => c,
                });
                rest = escape.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        out.push_str(rest);
        Ok(())
    }

    fn method(&self, name: &str, args: &Arguments<'_>) -> Result<Value, Error> {
        Ok(match name {
            "group" => match args.positional {
                [] => self.group(0),
                [group] => self.group(self.number(group)?),
                groups => {
                    let groups = groups.iter().map(|group| Ok(self.group(self.number(group)?)));
                    tuple(groups.collect::<Result<Vec<_>, Error>>()?)
                }
            },
            "groups" => {
                let [default] = args.bind(["default"], 0)?;
                tuple((1..self.groups.len()).map(|group| self.group_or(group, &default)).collect())
            }
            "groupdict" => {
                let [default] = args.bind(["default"], 0)?;
                let pairs = self.names.iter();
                let pairs =
                    pairs.map(|(name, group)| (Value::from(name.as_str()), self.group_or(*group, &default)));
                Value::from_object(Dict::new(pairs))
            }
            "start" | "end" | "span" => {
                let [group] = args.bind(["group"], 0)?;
                let place = self.place(group)?;
                let [start, end] = match place {
                    Some((start, end)) => [self.characters(start), self.characters(end)],
                    None => [Value::from(-1), Value::from(-1)],
                };
                match name {
                    "start" => start,
                    "end" => end,
                    _ => tuple(vec![start, end]),
                }
            }
            "expand" => {
                let [template] = args.exactly()?;
                let mut out = String::new();
                self.expand(string(&template)?, &mut out)?;
                Value::from(out)
            }
            _ => return Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        })
    }

    fn group_or(&self, group: usize, default: &Option<Value>) -> Value {
        match (self.group(group), default) {
            (value, Some(default)) if value.is_none() => default.clone(),
            (value, _) => value,
        }
    }
}

impl Object for Match {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("string") => Some(Value::from(&*self.text)),
            Some("lastindex") => {
                let last = (1..self.groups.len()).rev().find(|group| self.groups[*group].is_some());
                Some(last.map_or_else(|| Value::from(()), Value::from))
            }
            _ => Some(match self.number(key) {
                Ok(number) => self.group(number),
                Err(_) => Undefined::value("no such group"),
            }),
        }
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        Match::method(self, method, &Arguments::new(method, args)?)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.groups[0].unwrap_or((0, 0));
        let matched = python_repr(&self.group(0));
        let span = (self.characters(start), self.characters(end));
        write!(f, "<re.Match object; span=({}, {}), match={matched}>", span.0, span.1)
    }
}

//! What a selection says, as a tree: criteria, joined by union, intersection and difference.

use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::graph::dag::ALL_GENERATIONS;

/// A part of a selection.
#[derive(Debug, Clone)]
pub(super) enum Spec {
    Criterion(Criterion),
    Group(Group),
}

/// Several parts as one.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub operator: Operator,
    pub parts: Vec<Spec>,
    /// What happens to tests whose tested nodes were found by different parts; `None`: as the command says.
    pub indirect: Option<IndirectSelection>,
    /// What the user typed, if it is to be warned that it matches nothing.
    pub typed: Option<String>,
}

/// How the parts of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Union,
    Intersection,
    /// The first part without the others.
    Difference,
}

/// A search, and which relatives of what it finds are wanted too.
#[derive(Debug, Clone)]
pub(super) struct Criterion {
    pub method: Method,
    /// What follows the method's name: `materialized` of `config.materialized:view`.
    pub arguments: Vec<String>,
    /// What is searched for: text, but in YAML any value.
    pub value: Json,
    /// `@`: the descendants, and all ancestors of these.
    pub childrens_parents: bool,
    /// How many generations of ancestors.
    pub parents: Option<usize>,
    /// How many generations of descendants.
    pub children: Option<usize>,
    /// Which tests of the nodes come along; `None`: as the command says.
    pub indirect: Option<IndirectSelection>,
}

/// Which tests come along with the nodes that they test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IndirectSelection {
    /// Those that touch any selected node.
    #[default]
    Eager,
    /// Those that touch selected nodes only.
    Cautious,
    /// Those that touch nothing but selected nodes and their ancestors.
    Buildable,
    /// None.
    Empty,
}

impl IndirectSelection {
    /// The mode of this name, in lower case.
    pub fn from_name(name: &str) -> Option<IndirectSelection> {
        match name {
            "eager" => Some(IndirectSelection::Eager),
            "cautious" => Some(IndirectSelection::Cautious),
            "buildable" => Some(IndirectSelection::Buildable),
            "empty" => Some(IndirectSelection::Empty),
            _ => None,
        }
    }
}

/// What a criterion looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Fqn,
    Tag,
    Group,
    Access,
    Source,
    Path,
    File,
    Package,
    Config,
    TestName,
    TestType,
    ResourceType,
    State,
    Exposure,
    Metric,
    Result,
    SourceStatus,
    Version,
    SemanticModel,
    SavedQuery,
    UnitTest,
    Function,
    Selector,
}

impl Method {
    const NAMES: [(Method, &'static str); 23] = [
        (Method::Fqn, "fqn"),
        (Method::Tag, "tag"),
        (Method::Group, "group"),
        (Method::Access, "access"),
        (Method::Source, "source"),
        (Method::Path, "path"),
        (Method::File, "file"),
        (Method::Package, "package"),
        (Method::Config, "config"),
        (Method::TestName, "test_name"),
        (Method::TestType, "test_type"),
        (Method::ResourceType, "resource_type"),
        (Method::State, "state"),
        (Method::Exposure, "exposure"),
        (Method::Metric, "metric"),
        (Method::Result, "result"),
        (Method::SourceStatus, "source_status"),
        (Method::Version, "version"),
        (Method::SemanticModel, "semantic_model"),
        (Method::SavedQuery, "saved_query"),
        (Method::UnitTest, "unit_test"),
        (Method::Function, "function"),
        (Method::Selector, "selector"),
    ];

    /// The word before the colon.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }

    /// A method and its arguments, from the words before the colon: `config.meta.owner`.
    pub(super) fn parse(text: &str) -> Result<(Method, Vec<String>)> {
        let mut words = text.split('.');
        let name = words.next().unwrap_or_default();
        match Self::NAMES.iter().find(|(_, known)| *known == name) {
            Some((method, _)) => Ok((*method, words.map(str::to_owned).collect())),
            None => {
                let names: Vec<&str> = Self::NAMES.iter().map(|(_, name)| *name).collect();
                Err(Error::runtime(format!("'{name}' is not a valid method name"))
                    .help(format!("the methods of selection are {}", names.join(", "))))
            }
        }
    }

    /// The method of a value that stands without one.
    fn of_value(value: &str) -> Method {
        let lower = value.to_lowercase();
        if value.contains(['/', std::path::MAIN_SEPARATOR]) {
            Method::Path
        } else if [".sql", ".py", ".csv"].iter().any(|ending| lower.ends_with(ending)) {
            Method::File
        } else {
            Method::Fqn
        }
    }
}

/// What is selected if nothing was asked for.
const EVERYTHING: [&str; 5] = ["fqn:*", "source:*", "exposure:*", "metric:*", "semantic_model:*"];

impl Spec {
    /// What `--select` and `--exclude` say.
    ///
    /// # Arguments
    /// - `select`: criteria, each of which may hold several, separated by spaces (union) and commas
    ///   (intersection); none selects all.
    /// - `exclude`: the same, to be taken away.
    ///
    /// # Errors
    /// A criterion that cannot be understood.
    pub(super) fn from_arguments(select: &[String], exclude: &[String]) -> Result<Spec> {
        let included = if select.is_empty() {
            let everything = EVERYTHING.map(|typed| intersection(typed, false));
            union(everything.into_iter().collect::<Result<_>>()?)
        } else {
            union_of_typed(select)?
        };
        let parts = vec![included, union_of_typed(exclude)?];
        let indirect = Some(IndirectSelection::Eager);
        Ok(Spec::Group(Group { operator: Operator::Difference, parts, indirect, typed: None }))
    }
}

fn union_of_typed(typed: &[String]) -> Result<Spec> {
    let words = typed.iter().flat_map(|typed| typed.split(' ')).filter(|word| !word.is_empty());
    Ok(union(words.map(|word| intersection(word, true)).collect::<Result<_>>()?))
}

fn union(parts: Vec<Spec>) -> Spec {
    Spec::Group(Group { operator: Operator::Union, parts, indirect: None, typed: None })
}

fn intersection(typed: &str, must_match: bool) -> Result<Spec> {
    let parts = typed.split(',').map(|part| Criterion::parse(part).map(Spec::Criterion));
    Ok(Spec::Group(Group {
        operator: Operator::Intersection,
        parts: parts.collect::<Result<_>>()?,
        indirect: None,
        typed: must_match.then(|| typed.to_owned()),
    }))
}

impl Criterion {
    /// Reads `@`, `2+`, `method.argument:`, value and `+1`; all but the value may be missing.
    ///
    /// # Errors
    /// A method that does not exist, or modifiers that exclude each other.
    pub(super) fn parse(typed: &str) -> Result<Criterion> {
        if typed.contains('\n') {
            return Err(Error::runtime(format!("Invalid selector spec \"{typed}\""))
                .help("a criterion is one line of text"));
        }
        let (childrens_parents, rest) = match typed.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, typed),
        };
        let (parents, rest) = leading_generations(rest);
        let (method, rest) = leading_method(rest);
        let (value, children) = trailing_generations(rest);
        let (method, arguments) = match method {
            Some(method) => Method::parse(method)?,
            None => (Method::of_value(value), Vec::new()),
        };
        let criterion = Criterion {
            method,
            arguments,
            value: Json::from(value),
            childrens_parents,
            parents,
            children,
            indirect: None,
        };
        criterion.checked(typed)
    }

    /// The criterion, if its modifiers go together.
    pub(super) fn checked(self, typed: &str) -> Result<Criterion> {
        if self.childrens_parents && self.children.is_some() {
            return Err(Error::runtime(format!(
                "Invalid node spec {typed} - \"@\" prefix and \"+\" suffix are incompatible"
            ))
            .help("'@' includes all descendants already: leave out the '+'"));
        }
        Ok(self)
    }

    /// The value as text; numbers and booleans as YAML writes them.
    pub(super) fn text(&self) -> Result<String> {
        match &self.value {
            Json::String(text) => Ok(text.clone()),
            Json::Number(number) => Ok(number.to_string()),
            Json::Bool(value) => Ok(value.to_string()),
            other => Err(Error::runtime(format!(
                "the value of the selection method '{}' must be text, but it is {other}",
                self.method.name()
            ))),
        }
    }
}

/// `2+rest`: a number of generations before a plus.
fn leading_generations(text: &str) -> (Option<usize>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[digits..].strip_prefix('+') {
        Some(rest) => (Some(generations(&text[..digits])), rest),
        None => (None, text),
    }
}

/// `rest+2`: a number of generations after the last plus.
fn trailing_generations(text: &str) -> (&str, Option<usize>) {
    match text.rsplit_once('+') {
        Some((value, digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            (value, Some(generations(digits)))
        }
        _ => (text, None),
    }
}

fn generations(digits: &str) -> usize {
    // A number too large to read is as good as no limit.
    digits.parse().unwrap_or(ALL_GENERATIONS)
}

/// `method:rest`: what stands before the first colon, if it is a word with dots.
fn leading_method(text: &str) -> (Option<&str>, &str) {
    let is_word = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    match text.split_once(':') {
        Some((method, rest)) if !method.is_empty() && is_word(method) => (Some(method), rest),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::{hold, texts};

    fn shown(typed: &str) -> String {
        match Criterion::parse(typed) {
            Err(error) => format!("error: {}", error.message()),
            Ok(c) => {
                let count = |generations: Option<usize>| match generations {
                    None => "-".to_owned(),
                    Some(ALL_GENERATIONS) => "all".to_owned(),
                    Some(n) => n.to_string(),
                };
                let arguments: String = c.arguments.iter().map(|argument| format!(".{argument}")).collect();
                let at = if c.childrens_parents { "@" } else { "" };
                let value = c.text().expect("the command line gives text");
                format!(
                    "{at}{} {}{arguments}:{value} {}",
                    count(c.parents),
                    c.method.name(),
                    count(c.children)
                )
            }
        }
    }

    #[test]
    fn criteria_are_read_as_dbt_reads_them() {
        let cases = [
            ("a", "- fqn:a -"),
            ("", "- fqn: -"),
            ("+a", "all fqn:a -"),
            ("2+a+3", "2 fqn:a 3"),
            ("0+a", "0 fqn:a -"),
            ("a+", "- fqn:a all"),
            ("a++", "- fqn:a+ all"),
            ("a+1+", "- fqn:a+1 all"),
            ("2a+b", "- fqn:2a+b -"),
            ("+", "all fqn: -"),
            ("@a", "@- fqn:a -"),
            ("@2+a", "@2 fqn:a -"),
            ("@a+", "error: Invalid node spec @a+ - \"@\" prefix and \"+\" suffix are incompatible"),
            ("tag:x", "- tag:x -"),
            ("+tag:x:y", "all tag:x:y -"),
            ("config.meta.owner:me", "- config.meta.owner:me -"),
            ("models/a", "- path:models/a -"),
            ("a.SQL", "- file:a.SQL -"),
            ("a.csv+", "- file:a.csv all"),
            ("nope:x", "error: 'nope' is not a valid method name"),
            (":x", "- fqn::x -"),
            ("a b:c", "- fqn:a b:c -"),
            ("99999999999999999999999+a", "all fqn:a -"),
        ];
        for (typed, expected) in cases {
            assert_eq!(shown(typed), expected, "{typed:?}");
        }
    }

    const WORDS: &[&str] = &[
        "a", "orders", "1", "2", "+", "@", ":", ".", ",", "/", "*", " ", "_", "-", "[", "]", "\n", "\"", "'",
        "tag:", "config.", "state:", "source:", "path:", "models/", ".sql", ".csv", "é",
    ];

    #[test]
    fn every_text_is_read_or_refused() {
        hold(texts(WORDS), |typed| {
            let typed = [typed];
            let read = Spec::from_arguments(&typed, &typed);
            // Only what splits on blanks and commas stands between the two.
            let parts = typed[0].split([' ', ',']).map(Criterion::parse);
            assert!(read.is_ok() || parts.into_iter().any(|part| part.is_err()), "{read:?}");
        });
    }

    #[test]
    fn a_criterion_written_out_is_the_same() {
        hold(texts(WORDS), |typed| {
            let Ok(read) = Criterion::parse(&typed) else { return };
            let count = |generations: Option<usize>| match generations {
                Some(ALL_GENERATIONS) => "+".to_owned(),
                Some(n) => n.to_string(),
                None => String::new(),
            };
            let before = read.parents.map(|_| format!("{}+", count(read.parents).trim_end_matches('+')));
            let after = read.children.map(|_| format!("+{}", count(read.children).trim_start_matches('+')));
            let arguments: String = read.arguments.iter().map(|argument| format!(".{argument}")).collect();
            let written = format!(
                "{}{}{}{arguments}:{}{}",
                if read.childrens_parents { "@" } else { "" },
                before.unwrap_or_default(),
                read.method.name(),
                read.text().expect("text"),
                after.unwrap_or_default(),
            );
            assert_eq!(shown(&written), shown(&typed), "{written:?}");
        });
    }
}

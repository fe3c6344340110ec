//! From the text of a file to the tree. The scanner of `saphyr-parser` gives a stream of events; the tree is
//! built over it without recursion, and within bounds, so that no input can exhaust the stack or the memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use super::{Mapping, Yaml, YamlValue, scalar};
use crate::error::{Error, Location, Result};

/// Mappings and lists may be nested this deep.
const MAX_DEPTH: usize = 200;

/// All aliases of a file together may stand for this many nodes.
const MAX_ALIASED_NODES: usize = 1_000_000;

/// A key that stands twice in one mapping; the later value counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicate {
    pub key: String,
    /// The line and column of the later key.
    pub line: u32,
    pub column: u32,
}

/// Reads the only document of a YAML text. A text without any node is null.
///
/// The error tells what is wrong in terms of the text, with the line and a caret. `path` is only told.
pub fn parse(text: &str, path: &Path) -> Result<Yaml> {
    parse_checked(text, path).map(|(root, _)| root)
}

/// Like [`parse`]; also tells of the keys that stand twice, about which dbt warns.
pub fn parse_checked(text: &str, path: &Path) -> Result<(Yaml, Vec<Duplicate>)> {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    builder
        .read(source)
        .map(|root| (root, builder.duplicates))
        .map_err(|problem| problem.into_error(source, path))
}

/// What is wrong and where, before the file's name and text are added.
struct Problem {
    message: String,
    help: Option<&'static str>,
    line: usize,
    column: usize,
}

impl Problem {
    fn new(message: impl Into<String>, line: u32, column: u32) -> Self {
        Problem { message: message.into(), help: None, line: line as usize, column: column as usize }
    }

    fn at(message: impl Into<String>, marker: &Marker) -> Self {
        let (line, column) = position(marker);
        Problem::new(message, line, column)
    }

    fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    fn into_error(self, source: &str, path: &Path) -> Error {
        let line = source.lines().nth(self.line.saturating_sub(1)).unwrap_or_default();
        let help = self.help.or_else(|| help_for(&self.message, line));
        let location = Location::new(path, self.line, self.column);
        let error = Error::parsing(self.message).at(location).excerpt_from(source);
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

impl From<ScanError> for Problem {
    fn from(error: ScanError) -> Self {
        Problem::at(format!("invalid YAML: {}", error.info()), error.marker())
    }
}

const QUOTE_JINJA: &str = "put Jinja in quotes: key: \"{{ ... }}\"";

/// What most often is behind a syntax error, guessed from the line where it was noticed.
fn help_for(message: &str, line: &str) -> Option<&'static str> {
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') {
        return Some("indent with spaces; YAML does not allow tabs there");
    }
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start().trim_start_matches("- ");
    if value.starts_with("{{") || value.starts_with("{%") {
        return Some(QUOTE_JINJA);
    }
    if message.contains("mapping values are not allowed") {
        return Some("put a text that contains ': ' in quotes, or check the indentation");
    }
    if value.starts_with(['@', '`', '%']) {
        return Some("put a text that starts with this character in quotes");
    }
    None
}

fn position(marker: &Marker) -> (u32, u32) {
    (u32::try_from(marker.line()).unwrap_or(u32::MAX), u32::try_from(marker.col() + 1).unwrap_or(u32::MAX))
}

/// A mapping or list that is still open.
struct Frame {
    content: Content,
    line: u32,
    column: u32,
    anchor: usize,
    /// How many levels are nested inside so far.
    height: usize,
    /// How many nodes are inside so far.
    nodes: usize,
}

enum Content {
    Seq(Vec<Yaml>),
    Map {
        entries: Vec<(Yaml, Yaml)>,
        key: Option<Key>,
        /// The values of `<<` keys.
        merges: Vec<Yaml>,
        /// A `!!set`: keys without values.
        is_set: bool,
    },
}

enum Key {
    Merge,
    Plain(Yaml),
}

/// A finished node with its measures, which bound what aliases can do.
#[derive(Clone)]
struct Node {
    yaml: Yaml,
    height: usize,
    nodes: usize,
    /// Whether it is an unquoted `<<`.
    is_merge_key: bool,
}

impl Node {
    fn scalar(yaml: Yaml) -> Self {
        Node { yaml, height: 0, nodes: 1, is_merge_key: false }
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Frame>,
    root: Option<Yaml>,
    anchors: HashMap<usize, Node>,
    aliased_nodes: usize,
    duplicates: Vec<Duplicate>,
}

impl Builder {
    fn read(&mut self, source: &str) -> Result<Yaml, Problem> {
        refuse_control_characters(source)?;
        let mut documents = 0;
        for event in Parser::new_from_str(source) {
            let (event, span) = event?;
            let (line, column) = position(&span.start);
            match event {
                Event::DocumentStart(_) if documents == 1 => {
                    return Err(Problem::new("a second YAML document starts here", line, column)
                        .help("keep one document in a file: remove the line '---'"));
                }
                Event::DocumentStart(_) => documents += 1,
                Event::Scalar(text, style, anchor, tag) => {
                    let node = scalar_node(&text, style, tag.as_deref(), line, column)?;
                    self.close_node(node, anchor)?;
                }
                Event::Alias(id) => {
                    let node = self.alias(id, line, column)?;
                    self.close_node(node, 0)?;
                }
                Event::SequenceStart(anchor, tag) => {
                    check_collection_tag(tag.as_deref(), &["seq"], line, column)?;
                    self.open(Content::Seq(Vec::new()), anchor, line, column)?;
                }
                Event::MappingStart(anchor, tag) => {
                    check_collection_tag(tag.as_deref(), &["map", "set"], line, column)?;
                    let is_set = tag.is_some_and(|tag| tag.suffix == "set");
                    let content = Content::Map { entries: Vec::new(), key: None, merges: Vec::new(), is_set };
                    self.open(content, anchor, line, column)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close_collection()?,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            }
        }
        Ok(self.root.take().unwrap_or_else(Yaml::null))
    }

    fn open(&mut self, content: Content, anchor: usize, line: u32, column: u32) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(line, column));
        }
        self.open.push(Frame { content, line, column, anchor, height: 0, nodes: 0 });
        Ok(())
    }

    fn alias(&mut self, id: usize, line: u32, column: u32) -> Result<Node, Problem> {
        let Some(node) = self.anchors.get(&id) else {
            return Err(Problem::new("this alias stands inside the node that it refers to", line, column)
                .help("a node cannot contain itself: write the content out"));
        };
        self.aliased_nodes += node.nodes;
        if self.aliased_nodes > MAX_ALIASED_NODES {
            let message = format!("the aliases of this file stand for more than {MAX_ALIASED_NODES} nodes");
            return Err(Problem::new(message, line, column));
        }
        Ok(node.clone())
    }

    fn close_collection(&mut self) -> Result<(), Problem> {
        // The parser balances starts and ends.
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::Seq(items) => YamlValue::Seq(items),
            Content::Map { entries, merges, .. } => {
                let entries = unique(entries, &mut self.duplicates);
                YamlValue::Map(Mapping { entries: merge(merges, entries)? })
            }
        };
        let yaml = Yaml { value, line: frame.line, column: frame.column };
        let node = Node { yaml, height: frame.height + 1, nodes: frame.nodes + 1, is_merge_key: false };
        self.close_node(node, frame.anchor)
    }

    /// Hands a finished node to the collection that is open around it.
    fn close_node(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let depth = self.open.len();
        let Some(frame) = self.open.last_mut() else {
            self.root = Some(node.yaml);
            return Ok(());
        };
        if depth + node.height > MAX_DEPTH {
            return Err(too_deep(node.yaml.line, node.yaml.column));
        }
        frame.height = frame.height.max(node.height);
        frame.nodes += node.nodes;
        match &mut frame.content {
            Content::Seq(items) => items.push(node.yaml),
            Content::Map { entries, key, merges, is_set } => match key.take() {
                None if node.is_merge_key => *key = Some(Key::Merge),
                None => {
                    check_key(&node.yaml)?;
                    *key = Some(Key::Plain(node.yaml));
                }
                Some(Key::Merge) => merges.push(node.yaml),
                Some(Key::Plain(_)) if *is_set && !node.yaml.is_null() => {
                    return Err(Problem::new("a set has keys only", node.yaml.line, node.yaml.column));
                }
                Some(Key::Plain(key)) => entries.push((key, node.yaml)),
            },
        }
        Ok(())
    }
}

fn too_deep(line: u32, column: u32) -> Problem {
    Problem::new(format!("mappings and lists are nested more than {MAX_DEPTH} levels deep"), line, column)
}

/// Characters that YAML does not allow and the scanner would not refuse.
fn refuse_control_characters(source: &str) -> Result<(), Problem> {
    let is_control = |b: u8| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r') || b == 0x7f;
    let Some(index) = source.bytes().position(is_control) else { return Ok(()) };
    let before = &source[..index];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    let message = format!("the control character 0x{:02x} is not allowed in YAML", source.as_bytes()[index]);
    Err(Problem { message, help: Some("is this a text file?"), line, column })
}

fn scalar_node(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    line: u32,
    column: u32,
) -> Result<Node, Problem> {
    let is_plain = style == ScalarStyle::Plain;
    let value = match tag {
        None if is_plain => scalar::resolve(text),
        None => Ok(YamlValue::Str(text.to_owned())),
        Some(tag) => tagged_scalar(text, tag),
    };
    let value = value.map_err(|message| {
        Problem::new(message, line, column).help("put it in quotes if it is meant as text")
    })?;
    let is_merge_key = is_plain && tag.is_none() && text == "<<";
    Ok(Node { is_merge_key, ..Node::scalar(Yaml { value, line, column }) })
}

fn is_core(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() || tag.handle == "!!"
}

fn tagged_scalar(text: &str, tag: &Tag) -> Result<YamlValue, String> {
    let misfit = || format!("'{text}' does not fit its tag !!{}", tag.suffix);
    if tag.handle.is_empty() && tag.suffix == "!" {
        return Ok(YamlValue::Str(text.to_owned()));
    }
    if !is_core(tag) {
        return Err(format!("unknown tag {tag}"));
    }
    match tag.suffix.as_str() {
        "str" => Ok(YamlValue::Str(text.to_owned())),
        "null" => Ok(YamlValue::Null),
        "timestamp" => scalar::timestamp(text).map(YamlValue::Timestamp),
        "bool" => scalar::word(text).filter(|value| matches!(value, YamlValue::Bool(_))).ok_or_else(misfit),
        "int" => match scalar::number(text) {
            Some(value @ YamlValue::Int(_)) => Ok(value),
            _ => Err(misfit()),
        },
        "float" => match scalar::number(text) {
            Some(YamlValue::Int(value)) => Ok(YamlValue::Float(value as f64)),
            Some(value @ YamlValue::Float(_)) => Ok(value),
            _ => text.parse().map(YamlValue::Float).map_err(|_| misfit()),
        },
        suffix => Err(format!("unknown tag !!{suffix}")),
    }
}

fn check_collection_tag(tag: Option<&Tag>, known: &[&str], line: u32, column: u32) -> Result<(), Problem> {
    match tag {
        Some(tag) if !(is_core(tag) && known.contains(&tag.suffix.as_str())) => {
            Err(Problem::new(format!("unknown tag {tag}"), line, column))
        }
        _ => Ok(()),
    }
}

fn check_key(key: &Yaml) -> Result<(), Problem> {
    match &key.value {
        YamlValue::Map(_) | YamlValue::Seq(_) => {
            let message = format!("{} cannot be a key", key.kind());
            Err(Problem::new(message, key.line, key.column).help(QUOTE_JINJA))
        }
        _ => Ok(()),
    }
}

/// What makes two keys the same: their type and their text.
fn identity(key: &Yaml) -> (std::mem::Discriminant<YamlValue>, Cow<'_, str>) {
    let text = match &key.value {
        YamlValue::Str(text) => Cow::Borrowed(text.as_str()),
        _ => Cow::Owned(key.key_text()),
    };
    (std::mem::discriminant(&key.value), text)
}

/// Mappings up to this size are searched key by key.
const SMALL: usize = 16;

/// Gives every key one entry: in the place of the first, with the value of the last.
fn unique(entries: Vec<(Yaml, Yaml)>, duplicates: &mut Vec<Duplicate>) -> Vec<(Yaml, Yaml)> {
    let repeated = repeated_keys(&entries);
    if repeated.is_empty() {
        return entries;
    }
    let mut kept: Vec<Option<(Yaml, Yaml)>> = entries.into_iter().map(Some).collect();
    for (index, first) in repeated {
        if let Some((key, value)) = kept[index].take() {
            duplicates.push(Duplicate { key: key.key_text(), line: key.line, column: key.column });
            if let Some((_, old)) = &mut kept[first] {
                *old = value;
            }
        }
    }
    kept.into_iter().flatten().collect()
}

/// The indexes of entries whose key stood before, each with the index of its first.
fn repeated_keys(entries: &[(Yaml, Yaml)]) -> Vec<(usize, usize)> {
    if entries.len() <= SMALL {
        let first_of =
            |index: usize| entries[..index].iter().position(|(k, _)| k.value == entries[index].0.value);
        return (1..entries.len()).filter_map(|index| Some((index, first_of(index)?))).collect();
    }
    let mut first = HashMap::with_capacity(entries.len());
    (0..entries.len())
        .filter_map(|index| {
            let found = *first.entry(identity(&entries[index].0)).or_insert(index);
            (found != index).then_some((index, found))
        })
        .collect()
}

/// Puts the content of `<<` values before the mapping's own entries, which win.
fn merge(merges: Vec<Yaml>, own: Vec<(Yaml, Yaml)>) -> Result<Vec<(Yaml, Yaml)>, Problem> {
    if merges.is_empty() {
        return Ok(own);
    }
    let mut all = Vec::new();
    for value in merges {
        match value.value {
            YamlValue::Map(map) => all.extend(map.entries),
            YamlValue::Seq(items) => {
                // Of several mappings the earlier wins, so it comes last.
                for item in items.into_iter().rev() {
                    let (line, column, kind) = (item.line, item.column, item.kind());
                    let YamlValue::Map(map) = item.value else {
                        return Err(cannot_merge(kind, line, column));
                    };
                    all.extend(map.entries);
                }
            }
            _ => return Err(cannot_merge(value.kind(), value.line, value.column)),
        }
    }
    all.extend(own);
    Ok(unique(all, &mut Vec::new()))
}

fn cannot_merge(kind: &str, line: u32, column: u32) -> Problem {
    Problem::new(format!("'<<' merges a mapping or a list of mappings, not {kind}"), line, column)
}

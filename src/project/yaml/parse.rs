//! From tokens to the tree, within bounds, so that no input can exhaust the stack or the memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use super::problem::{Problem, QUOTE_JINJA, lines};
use super::scan::{Scanner, Token, TokenKind};
use super::{Mapping, Yaml, YamlValue, scalar};
use crate::error::Result as PublicResult;

type Result<T> = std::result::Result<T, Problem>;

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
pub fn parse(text: &str, path: &Path) -> PublicResult<Yaml> {
    parse_checked(text, path).map(|(root, _)| root)
}

/// Like [`parse`]; also tells of the keys that stand twice, about which dbt warns.
pub fn parse_checked(text: &str, path: &Path) -> PublicResult<(Yaml, Vec<Duplicate>)> {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser {
        scanner: Scanner::new(source),
        anchors: HashMap::new(),
        aliased_nodes: 0,
        duplicates: Vec::new(),
    };
    let root = refuse_control_characters(source).and_then(|()| parser.document());
    root.map(|root| (root, parser.duplicates)).map_err(|problem| problem.into_error(source, path))
}

/// Characters that no YAML text has.
fn refuse_control_characters(source: &str) -> Result<()> {
    let is_control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f;
    let Some(index) = source.bytes().position(is_control) else { return Ok(()) };
    let before = &source[..index];
    let count = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
    let place =
        (count(lines(before).count() - 1), count(lines(before).last().unwrap_or_default().chars().count()));
    let message = format!("the control character 0x{:02x} is not allowed in YAML", source.as_bytes()[index]);
    Err(Problem::new(message, place).help("is this a text file?"))
}

/// A finished node with its measures, which bound what aliases can do.
#[derive(Clone)]
struct Node {
    yaml: Yaml,
    /// How many levels are inside.
    height: usize,
    /// How many nodes this is, with those inside.
    nodes: usize,
    /// Whether it is an unquoted `<<`.
    is_merge_key: bool,
}

impl Node {
    fn scalar(value: YamlValue, (line, column): (u32, u32)) -> Self {
        Node { yaml: Yaml { value, line, column }, height: 0, nodes: 1, is_merge_key: false }
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    /// The nodes with an anchor; `None` as long as the node is not finished.
    anchors: HashMap<&'a str, Option<Node>>,
    aliased_nodes: usize,
    duplicates: Vec<Duplicate>,
}

/// Where a node stands, which decides what it can be.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    Flow,
    Block,
    /// In a block mapping, where a list need not be indented.
    BlockValue,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Yaml> {
        self.take_if(&TokenKind::DocumentStart)?;
        let root = match self.scanner.peek()?.kind {
            TokenKind::StreamEnd => return Ok(Yaml::null()),
            // A document without content, with both of its marks.
            TokenKind::DocumentEnd => Node::scalar(YamlValue::Null, (1, 1)),
            _ => self.node(Context::Block, 0)?,
        };
        while self.take_if(&TokenKind::DocumentEnd)? {}
        let end = self.scanner.peek()?;
        match end.kind {
            TokenKind::StreamEnd => Ok(root.yaml),
            TokenKind::DocumentStart => Err(Problem::new("a second YAML document starts here", end.place)
                .help("keep one document in a file: remove the line '---'")),
            _ => Err(Problem::new("this does not belong to the value before it", end.place)
                .help("check the indentation")),
        }
    }

    fn take_if(&mut self, kind: &TokenKind) -> Result<bool> {
        let is_there = self.scanner.peek()?.kind == *kind;
        if is_there {
            self.scanner.next()?;
        }
        Ok(is_there)
    }

    fn next_is(&mut self, kinds: &[TokenKind]) -> Result<bool> {
        Ok(kinds.contains(&self.scanner.peek()?.kind))
    }

    /// A node, or the empty one if one of `ends` follows.
    fn node_unless(&mut self, ends: &[TokenKind], context: Context, depth: usize) -> Result<Node> {
        let next = self.scanner.peek()?;
        match ends.contains(&next.kind) {
            true => Ok(Node::scalar(YamlValue::Null, next.place)),
            false => self.node(context, depth),
        }
    }

    /// A node with its anchor and tag. `depth` counts the collections around it.
    fn node(&mut self, context: Context, depth: usize) -> Result<Node> {
        let mut anchor = None;
        let mut tag = None;
        let place = self.scanner.peek()?.place;
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::Anchor(name) if anchor.is_none() => anchor = Some(name),
                TokenKind::Tag(name) if tag.is_none() => tag = Some(name),
                _ => break,
            }
            self.scanner.next()?;
        }
        if let Some(name) = anchor {
            self.anchors.insert(name, None);
        }
        let properties = (anchor.is_some() || tag.is_some()).then_some(place);
        let mut node = self.content(context, depth, tag, properties)?;
        if let Some(place) = properties {
            (node.yaml.line, node.yaml.column) = place;
        }
        if let Some(name) = anchor {
            self.anchors.insert(name, Some(node.clone()));
        }
        if depth + node.height > MAX_DEPTH {
            return Err(too_deep(place));
        }
        Ok(node)
    }

    /// What stands behind anchor and tag, which start at `start` if there are any.
    fn content(
        &mut self,
        context: Context,
        depth: usize,
        tag: Option<&str>,
        properties: Option<(u32, u32)>,
    ) -> Result<Node> {
        let next = self.scanner.peek()?;
        let place = next.place;
        let is_collection = !matches!(next.kind, TokenKind::Scalar { .. } | TokenKind::Alias(_));
        if is_collection && depth >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        match next.kind {
            TokenKind::BlockEntry if context == Context::BlockValue => {
                check_collection_tag(tag, &["!!seq"], place)?;
                self.indentless_seq(place, depth + 1)
            }
            TokenKind::FlowSeqStart => {
                check_collection_tag(tag, &["!!seq"], place)?;
                self.flow_seq(depth + 1)
            }
            TokenKind::BlockSeqStart if context != Context::Flow => {
                check_collection_tag(tag, &["!!seq"], place)?;
                self.block_seq(depth + 1)
            }
            TokenKind::FlowMapStart => {
                check_collection_tag(tag, &["!!map", "!!set"], place)?;
                self.flow_map(depth + 1)
            }
            TokenKind::BlockMapStart if context != Context::Flow => {
                check_collection_tag(tag, &["!!map", "!!set"], place)?;
                self.block_map(depth + 1)
            }
            TokenKind::Alias(_) | TokenKind::Scalar { .. } => {
                let token = self.scanner.next()?;
                self.leaf(token, tag, properties)
            }
            _ if properties.is_some() => tagged_or_plain("", true, tag, place),
            _ => Err(unexpected(next)),
        }
    }

    /// An alias or a scalar.
    fn leaf(&mut self, token: Token<'a>, tag: Option<&str>, properties: Option<(u32, u32)>) -> Result<Node> {
        let place = properties.unwrap_or(token.place);
        match token.kind {
            TokenKind::Alias(_) if properties.is_some() => {
                Err(Problem::new("an alias has no anchor or tag of its own", token.place))
            }
            TokenKind::Alias(name) => self.alias(name, token.place),
            TokenKind::Scalar { text, is_plain } => tagged_or_plain(&text, is_plain, tag, place),
            _ => Err(unexpected(&token)),
        }
    }

    fn alias(&mut self, name: &str, place: (u32, u32)) -> Result<Node> {
        match self.anchors.get(name) {
            Some(Some(node)) => {
                self.aliased_nodes += node.nodes;
                if self.aliased_nodes > MAX_ALIASED_NODES {
                    let message =
                        format!("the aliases of this file stand for more than {MAX_ALIASED_NODES} nodes");
                    return Err(Problem::new(message, place));
                }
                Ok(node.clone())
            }
            Some(None) => Err(Problem::new("this alias stands inside the node that it refers to", place)
                .help("a node cannot contain itself: write the content out")),
            None => Err(Problem::new(format!("there is no anchor '&{name}' before this alias"), place)
                .help("put a text that starts with '*' in quotes")),
        }
    }

    fn block_seq(&mut self, depth: usize) -> Result<Node> {
        const ENDS: &[TokenKind] = &[TokenKind::BlockEntry, TokenKind::BlockEnd];
        let start = self.scanner.next()?;
        let mut items = Items::default();
        loop {
            if self.take_if(&TokenKind::BlockEntry)? {
                items.push(self.node_unless(ENDS, Context::Block, depth)?);
            } else if self.take_if(&TokenKind::BlockEnd)? {
                return Ok(items.finish(start.place));
            } else {
                let next = self.scanner.peek()?;
                return Err(Problem::new("expected '-' for the next item of the list", next.place)
                    .help("check the indentation"));
            }
        }
    }

    /// A list that is indented no more than the key it belongs to.
    fn indentless_seq(&mut self, place: (u32, u32), depth: usize) -> Result<Node> {
        const ENDS: &[TokenKind] =
            &[TokenKind::BlockEntry, TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd];
        let mut items = Items::default();
        while self.take_if(&TokenKind::BlockEntry)? {
            items.push(self.node_unless(ENDS, Context::Block, depth)?);
        }
        Ok(items.finish(place))
    }

    fn block_map(&mut self, depth: usize) -> Result<Node> {
        const ENDS: &[TokenKind] = &[TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd];
        let start = self.scanner.next()?;
        let mut entries = Entries::default();
        loop {
            if self.take_if(&TokenKind::BlockEnd)? {
                return entries.finish(start.place, &mut self.duplicates);
            }
            if !self.take_if(&TokenKind::Key)? {
                let next = self.scanner.peek()?;
                return Err(
                    Problem::new("expected a key of the mapping", next.place).help("check the indentation")
                );
            }
            let key = self.node_unless(ENDS, Context::BlockValue, depth)?;
            let place = self.scanner.peek()?.place;
            let value = match self.take_if(&TokenKind::Value)? {
                true => self.node_unless(ENDS, Context::BlockValue, depth)?,
                false => Node::scalar(YamlValue::Null, place),
            };
            entries.push(key, value)?;
        }
    }

    fn flow_seq(&mut self, depth: usize) -> Result<Node> {
        const ENDS: &[TokenKind] = &[TokenKind::Value, TokenKind::FlowEntry, TokenKind::FlowSeqEnd];
        let start = self.scanner.next()?;
        let mut items = Items::default();
        while !self.take_if(&TokenKind::FlowSeqEnd)? {
            if !items.items.is_empty() {
                self.comma("]", start.place)?;
                if self.take_if(&TokenKind::FlowSeqEnd)? {
                    break;
                }
            }
            let place = self.scanner.peek()?.place;
            if self.take_if(&TokenKind::Key)? {
                // A single pair is a mapping of its own.
                if depth >= MAX_DEPTH {
                    return Err(too_deep(place));
                }
                let mut entries = Entries::default();
                let key = self.node_unless(ENDS, Context::Flow, depth + 1)?;
                let value = self.flow_value(ENDS, depth + 1)?;
                entries.push(key, value)?;
                items.push(entries.finish(place, &mut self.duplicates)?);
            } else {
                items.push(self.node(Context::Flow, depth)?);
            }
        }
        Ok(items.finish(start.place))
    }

    fn flow_map(&mut self, depth: usize) -> Result<Node> {
        const ENDS: &[TokenKind] = &[TokenKind::Value, TokenKind::FlowEntry, TokenKind::FlowMapEnd];
        let start = self.scanner.next()?;
        let mut entries = Entries::default();
        while !self.take_if(&TokenKind::FlowMapEnd)? {
            if !entries.is_empty() {
                self.comma("}", start.place)?;
                if self.take_if(&TokenKind::FlowMapEnd)? {
                    break;
                }
            }
            let place = self.scanner.peek()?.place;
            if self.take_if(&TokenKind::Key)? {
                let key = self.node_unless(ENDS, Context::Flow, depth)?;
                let value = self.flow_value(ENDS, depth)?;
                entries.push(key, value)?;
            } else {
                let key = self.node(Context::Flow, depth)?;
                entries.push(key, Node::scalar(YamlValue::Null, place))?;
            }
        }
        entries.finish(start.place, &mut self.duplicates)
    }

    fn flow_value(&mut self, ends: &[TokenKind], depth: usize) -> Result<Node> {
        let place = self.scanner.peek()?.place;
        match self.take_if(&TokenKind::Value)? && !self.next_is(&ends[1..])? {
            true => self.node(Context::Flow, depth),
            false => Ok(Node::scalar(YamlValue::Null, place)),
        }
    }

    fn comma(&mut self, end: &str, start: (u32, u32)) -> Result<()> {
        if self.take_if(&TokenKind::FlowEntry)? {
            return Ok(());
        }
        let next = self.scanner.peek()?;
        match next.kind {
            TokenKind::StreamEnd | TokenKind::DocumentStart => {
                Err(Problem::new(format!("there is no '{end}' to close this"), start))
            }
            _ => Err(Problem::new(format!("expected ',' or '{end}'"), next.place)),
        }
    }
}

fn too_deep(place: (u32, u32)) -> Problem {
    Problem::new(format!("mappings and lists are nested more than {MAX_DEPTH} levels deep"), place)
}

fn unexpected(token: &Token) -> Problem {
    let message = match token.kind {
        TokenKind::FlowEntry => "unexpected ','",
        TokenKind::FlowSeqEnd => "unexpected ']'",
        TokenKind::FlowMapEnd => "unexpected '}'",
        TokenKind::BlockEntry => "a list cannot start here",
        TokenKind::StreamEnd => "the text ends where a value is expected",
        _ => "expected a value",
    };
    Problem::new(message, token.place)
}

fn tagged_or_plain(text: &str, is_plain: bool, tag: Option<&str>, place: (u32, u32)) -> Result<Node> {
    let value = match tag {
        None if is_plain => scalar::resolve(text),
        None => Ok(YamlValue::Str(text.to_owned())),
        Some(tag) => scalar::tagged(text, tag),
    };
    let value = value
        .map_err(|message| Problem::new(message, place).help("put it in quotes if it is meant as text"))?;
    let is_merge_key = is_plain && tag.is_none() && text == "<<";
    Ok(Node { is_merge_key, ..Node::scalar(value, place) })
}

fn check_collection_tag(tag: Option<&str>, known: &[&str], place: (u32, u32)) -> Result<()> {
    match tag {
        Some(tag) if tag != "!" && !known.contains(&scalar::short_tag(tag).as_ref()) => {
            Err(Problem::new(format!("unknown tag {tag}"), place))
        }
        _ => Ok(()),
    }
}

/// The items of a list that is being read.
#[derive(Default)]
struct Items {
    items: Vec<Yaml>,
    height: usize,
    nodes: usize,
}

impl Items {
    fn push(&mut self, node: Node) {
        self.height = self.height.max(node.height);
        self.nodes += node.nodes;
        self.items.push(node.yaml);
    }

    fn finish(self, (line, column): (u32, u32)) -> Node {
        let yaml = Yaml { value: YamlValue::Seq(self.items), line, column };
        Node { yaml, height: self.height + 1, nodes: self.nodes + 1, is_merge_key: false }
    }
}

/// The entries of a mapping that is being read.
#[derive(Default)]
struct Entries {
    own: Vec<(Yaml, Yaml)>,
    /// The values of `<<` keys.
    merges: Vec<Yaml>,
    height: usize,
    nodes: usize,
}

impl Entries {
    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.merges.is_empty()
    }

    fn push(&mut self, key: Node, value: Node) -> Result<()> {
        self.height = self.height.max(value.height);
        self.nodes += key.nodes + value.nodes;
        if key.is_merge_key {
            self.merges.push(value.yaml);
            return Ok(());
        }
        if matches!(key.yaml.value, YamlValue::Map(_) | YamlValue::Seq(_)) {
            let message = format!("{} cannot be a key", key.yaml.kind());
            return Err(Problem::new(message, (key.yaml.line, key.yaml.column)).help(QUOTE_JINJA));
        }
        self.own.push((key.yaml, value.yaml));
        Ok(())
    }

    fn finish(self, (line, column): (u32, u32), duplicates: &mut Vec<Duplicate>) -> Result<Node> {
        let entries = merge(self.merges, unique(self.own, duplicates))?;
        let yaml = Yaml { value: YamlValue::Map(Mapping { entries }), line, column };
        Ok(Node { yaml, height: self.height + 1, nodes: self.nodes + 1, is_merge_key: false })
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
            |index: usize| entries[..index].iter().position(|(key, _)| key.value == entries[index].0.value);
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
fn merge(merges: Vec<Yaml>, own: Vec<(Yaml, Yaml)>) -> Result<Vec<(Yaml, Yaml)>> {
    if merges.is_empty() {
        return Ok(own);
    }
    let mut all = Vec::new();
    for value in merges {
        let items = match value.value {
            YamlValue::Seq(items) => items,
            _ => vec![value],
        };
        // Of several mappings the earlier wins, so it comes last.
        for item in items.into_iter().rev() {
            let message = format!("'<<' merges a mapping or a list of mappings, not {}", item.kind());
            let YamlValue::Map(map) = item.value else {
                return Err(Problem::new(message, (item.line, item.column)));
            };
            all.extend(map.entries);
        }
    }
    all.extend(own);
    Ok(unique(all, &mut Vec::new()))
}

//! Rendering that keeps types, for values of YAML files.

use std::sync::Arc;

use minijinja::State;
use minijinja::value::{Object, ObjectRepr, Value};

use super::values::{Number, native_literal, python_str};
use crate::error::{Error, Result};

/// An output of a template: text (also that of constant expressions), or the value of an expression.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Value(Value),
}

/// The outputs that a running template has given so far.
#[derive(Debug, Default)]
struct Nodes(Vec<Node>);

/// Adds an output.
pub(super) fn push_node(state: &mut State<'_, '_>, node: Node) {
    state.get_or_insert_extension_with(Nodes::default).0.push(node);
}

/// The outputs of a template that was run.
pub(super) fn take_nodes(state: &mut State<'_, '_>) -> Vec<Node> {
    state.get_extension_mut::<Nodes>().map(|nodes| std::mem::take(&mut nodes.0)).unwrap_or_default()
}

/// What a value is to be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Text,
    Bool,
    Number,
    Native,
}

/// The text of a value, marked by one of the filters `as_text`, `as_bool`, `as_number` and `as_native`.
#[derive(Debug)]
struct Marked {
    marker: Marker,
    text: String,
}

impl Object for Marked {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text of a marked value: in Python it is a string.
pub(crate) fn marked_text(value: &Value) -> Option<&str> {
    value.downcast_object_ref::<Marked>().map(|marked| marked.text.as_str())
}

/// Marks a value.
pub(super) fn mark(marker: Marker, value: &Value) -> Value {
    Value::from_object(Marked { marker, text: python_str(value) })
}

/// The value of a rendered text: that of its only output, or all of them as one string.
///
/// Errors: a marked value is not of its type.
pub(super) fn concat(mut nodes: Vec<Node>) -> Result<Value> {
    if nodes.len() > 1 {
        let texts = nodes.into_iter().map(|node| match node {
            Node::Text(text) => text,
            Node::Value(value) => python_str(&value),
        });
        return Ok(Value::from(texts.collect::<String>()));
    }
    match nodes.pop() {
        None => Ok(Value::from("")),
        Some(Node::Text(text)) => Ok(Value::from(text)),
        Some(Node::Value(value)) => match value.downcast_object_ref::<Marked>() {
            Some(marked) => unmark(marked),
            None => Ok(value),
        },
    }
}

fn unmark(marked: &Marked) -> Result<Value> {
    let text = &marked.text;
    if marked.marker == Marker::Text {
        return Ok(Value::from(text.as_str()));
    }
    let value = native_literal(text).unwrap_or_else(|| Value::from(text.as_str()));
    let is_bool = matches!(value.kind(), minijinja::value::ValueKind::Bool);
    let fits = match marked.marker {
        Marker::Bool => is_bool,
        Marker::Number => !is_bool && Number::of(&value).is_some(),
        Marker::Text | Marker::Native => true,
    };
    let expected = if marked.marker == Marker::Bool { "bool" } else { "number" };
    match fits {
        true => Ok(value),
        false => Err(Error::compilation(format!("Could not convert value '{text}' into type '{expected}'"))),
    }
}

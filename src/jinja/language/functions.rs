//! The global functions of Jinja2.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use minijinja::functions::namespace;
use minijinja::value::{Object, ObjectRepr, Value, ValueOrKwargs};
use minijinja::{Error, State};

use crate::jinja::error::raise_message;
use crate::jinja::values::{Arguments, Dict, Range, function};

/// The functions by name.
pub fn globals() -> Vec<(&'static str, Value)> {
    vec![
        ("range", function("range", |_, args| Range::call(&args))),
        ("dict", function("dict", |_, args| make_dict(&args).map(Value::from_object))),
        ("namespace", function("namespace", make_namespace)),
        ("cycler", function("cycler", |_, args| Cycler::call(&args))),
        ("joiner", function("joiner", |_, args| Joiner::call(&args))),
    ]
}

fn make_dict(args: &Arguments<'_>) -> Result<Dict, Error> {
    let dict = Dict::default();
    dict.update(args)?;
    Ok(dict)
}

/// minijinja's namespace, since only that one can be assigned to.
fn make_namespace(_: &mut State<'_, '_>, args: Arguments<'_>) -> Result<Value, Error> {
    let fields = make_dict(&args)?;
    namespace(Some(ValueOrKwargs::from(Value::from_object(fields))))
}

/// Gives its items in turn, over and over.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    position: AtomicUsize,
}

impl Cycler {
    fn call(args: &Arguments<'_>) -> Result<Value, Error> {
        if args.positional.is_empty() {
            return Err(raise_message("at least one item has to be provided"));
        }
        let items = args.positional.to_vec();
        Ok(Value::from_object(Cycler { items, position: AtomicUsize::new(0) }))
    }

    fn item(&self, position: usize) -> Value {
        self.items[position % self.items.len()].clone()
    }
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == "current").then(|| self.item(self.position.load(Ordering::Relaxed)))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        _args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "next" => Ok(self.item(self.position.fetch_add(1, Ordering::Relaxed))),
            "reset" => {
                self.position.store(0, Ordering::Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<cycler>")
    }
}

/// Gives nothing on its first call and its separator on every later one.
#[derive(Debug)]
struct Joiner {
    separator: Value,
    used: AtomicBool,
}

impl Joiner {
    fn call(args: &Arguments<'_>) -> Result<Value, Error> {
        let [separator] = args.bind(["sep"], 0)?;
        let separator = separator.unwrap_or_else(|| Value::from(", "));
        Ok(Value::from_object(Joiner { separator, used: AtomicBool::new(false) }))
    }
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _args: &[Value]) -> Result<Value, Error> {
        let used = self.used.swap(true, Ordering::Relaxed);
        Ok(if used { self.separator.clone() } else { Value::from("") })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<joiner>")
    }
}

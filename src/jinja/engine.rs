//! Rendering: the engine, scopes, frames.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Environment;
use minijinja::value::{Object, ObjectRepr, Value};

use super::builtins::{self, environment};
use super::emit::{Emitted, Mode, emit, unmangle};
use super::error::{from_jinja, returned_value};
use super::macros::{Callable, MacroTemplate, Part};
use super::native;
use super::origin::{Origin, Source};
use super::syntax::{self, has_jinja, normalize};
use super::values::{Undefined, is_undefined, with_leniency};
use crate::error::{Error, Result};
use crate::interrupt;

/// What names mean during one rendering.
pub trait Scope: Debug + Send + Sync + 'static {
    /// The value of a name; `None` if it is undefined. Names of macros give what [`Engine::macro_value`] makes.
    /// The language's own globals (`range`, `dict`, `namespace`, `return` …) are found behind the scope.
    fn lookup(&self, name: &str) -> Option<Value>;

    /// Called before every call of a macro that belongs to the project (not of macros inside of a template).
    fn macro_entered(&self, _unique_id: &str) {}

    /// Called after every call of such a macro, however it ended.
    fn macro_left(&self, _unique_id: &str) {}

    /// Whether a text swallows what is undefined, as a node's own does at parse time: attributes, items and
    /// calls of an undefined value give it again. Macros are strict.
    fn lenient_undefined(&self) -> bool {
        false
    }

    /// The names that the scope knows, for the help about misspelled ones.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The template engine. It holds no state of a project: one serves every thread.
#[derive(Debug, Default)]
pub struct Engine(());

impl Engine {
    /// An engine.
    pub fn new() -> Engine {
        Engine(())
    }

    /// Renders a text: a model, a hook, a documentation block.
    ///
    /// Errors: syntax errors, undefined names, whatever functions of the scope raise; with their place in
    /// the file that `origin` names.
    pub fn render(&self, text: &str, origin: &Origin, scope: &Arc<dyn Scope>) -> Result<String> {
        if !has_jinja(text) {
            return Ok(text.to_owned());
        }
        let template = Template::parse(text, origin, Mode::Text, scope.lenient_undefined())?;
        template.render_once(scope)
    }

    /// Renders a value of a YAML file, which keeps its type: a text that is one expression gives that
    /// expression's value, and what the filters `as_number`, `as_bool` and `as_native` mark is read as a literal
    /// of Python. Everything else gives a string, which loses the line break at its end as in Jinja.
    ///
    /// Errors: as for [`Engine::render`], and a marked value that is not of its type.
    pub fn render_native(&self, text: &str, origin: &Origin, scope: &Arc<dyn Scope>) -> Result<Value> {
        if !has_jinja(text) {
            return Ok(Value::from(text.strip_suffix('\n').unwrap_or(text)));
        }
        let template = Template::parse(text, origin, Mode::Native, scope.lenient_undefined())?;
        let nodes = template.render_nodes(scope)?;
        native::concat(nodes).map_err(|error| template.source.place(error, Some(0)))
    }

    /// Calls a macro.
    ///
    /// Errors: wrong arguments, and as for [`Engine::render`].
    pub fn call_macro(
        &self,
        macro_: &Arc<MacroTemplate>,
        scope: &Arc<dyn Scope>,
        args: &[Value],
        kwargs: &[(&str, Value)],
    ) -> Result<Value> {
        let named: minijinja::value::Kwargs =
            kwargs.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut args = args.to_vec();
        if !kwargs.is_empty() {
            args.push(Value::from(named));
        }
        let callable = Callable::of_macro(macro_.clone(), scope.clone());
        callable.invoke(&args).map_err(|error| {
            let source = Source::empty(&macro_.origin);
            from_jinja(&error, &source, &|| known_names(scope))
        })
    }

    /// A macro as a value that templates can call with arguments, keyword arguments and a `caller`.
    pub fn macro_value(&self, macro_: &Arc<MacroTemplate>, scope: &Arc<dyn Scope>) -> Value {
        Value::from_object(Callable::of_macro(macro_.clone(), scope.clone()))
    }
}

/// How deep macros may call one another.
const MAX_CALL_DEPTH: usize = 300;
/// Stack that must be left before more is allocated, and how much.
const STACK_RED_ZONE: usize = 512 * 1024;
const STACK_GROWTH: usize = 4 * 1024 * 1024;

thread_local! {
    static CALL_DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Runs a step that needs a good part of the stack.
pub(super) fn with_stack<T>(step: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_RED_ZONE, STACK_GROWTH, step)
}

/// Runs a call one level deeper.
///
/// Errors: that is too deep, or the user has asked to stop.
pub(super) fn deeper<T>(call: impl FnOnce() -> Result<T, minijinja::Error>) -> Result<T, minijinja::Error> {
    interrupt::check().map_err(super::error::raise)?;
    let depth = CALL_DEPTH.get();
    if depth == MAX_CALL_DEPTH {
        let message = format!("macros call one another more than {MAX_CALL_DEPTH} levels deep");
        return Err(super::error::raise_message(message));
    }
    CALL_DEPTH.set(depth + 1);
    let result = with_stack(call);
    CALL_DEPTH.set(depth);
    result
}

/// Names that an undefined one may have meant.
pub(super) fn known_names(scope: &Arc<dyn Scope>) -> Vec<String> {
    let mut names = scope.names();
    names.extend(builtins::global_names().map(str::to_owned));
    names
}

/// A template that minijinja can run, with the way back to the user's text.
#[derive(Debug)]
pub(super) struct Template {
    emitted: String,
    pub(super) source: Source,
    pub(super) parts: Vec<Arc<Part>>,
    /// Whether it swallows what is undefined.
    lenient: bool,
}

impl Template {
    pub(super) fn parse(text: &str, origin: &Origin, mode: Mode, lenient: bool) -> Result<Arc<Template>> {
        let text: Arc<str> = normalize(text).into();
        let emitted = with_stack(|| {
            let body = syntax::parse(&text)?;
            emit(&body, &text, origin, mode)
        });
        let emitted = emitted.map_err(|error| origin.syntax_error(error, &text))?;
        Template::new(emitted, lenient).map(Arc::new)
    }

    pub(super) fn new(emitted: Emitted, lenient: bool) -> Result<Template> {
        let parts = emitted.parts.into_iter().map(|part| Part::new(part, lenient).map(Arc::new));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(Template { emitted: emitted.text, source: emitted.source, parts, lenient })
    }

    /// An environment of its own that holds the compiled template, for templates that are rendered often.
    pub(super) fn compile(&self) -> Result<Environment<'static>> {
        let mut own = environment(self.lenient).clone();
        let added = with_stack(|| own.add_template_owned(TEMPLATE_NAME, self.emitted.clone()));
        added.map_err(|error| from_jinja(&error, &self.source, &Vec::new))?;
        Ok(own)
    }

    /// Runs a step of the template with its rule for what is undefined.
    pub(super) fn run<T>(&self, step: impl FnOnce() -> T) -> T {
        with_leniency(self.lenient, || with_stack(step))
    }

    fn render_once(self: &Arc<Self>, scope: &Arc<dyn Scope>) -> Result<String> {
        let frame = Frame::new(self.clone(), scope.clone());
        let context = Value::from_object(frame);
        self.run(|| environment(self.lenient).render_named_str(TEMPLATE_NAME, &self.emitted, context))
            .or_else(|error| self.outermost_error(error, scope))
    }

    /// `return(x)` outside of a macro ends the template; what it returns is its text.
    fn outermost_error(&self, error: minijinja::Error, scope: &Arc<dyn Scope>) -> Result<String> {
        match returned_value(&error) {
            Some(value) => Ok(super::values::python_str(&value)),
            None => Err(from_jinja(&error, &self.source, &|| known_names(scope))),
        }
    }

    fn render_nodes(self: &Arc<Self>, scope: &Arc<dyn Scope>) -> Result<Vec<native::Node>> {
        let frame = Frame::new(self.clone(), scope.clone());
        let rendered = self.run(|| {
            let template = environment(self.lenient).template_from_named_str(TEMPLATE_NAME, &self.emitted)?;
            let mut captured = template.render_captured(Value::from_object(frame))?;
            Ok(captured.with_state_mut(native::take_nodes))
        });
        rendered.map_err(|error: minijinja::Error| from_jinja(&error, &self.source, &|| known_names(scope)))
    }
}

/// The name under which a template is known to minijinja.
pub(super) const TEMPLATE_NAME: &str = "template";

/// The names that local macros share with the template they are written in.
pub(super) type Module = Arc<Mutex<Vec<(String, Value)>>>;

/// What the names of one running template mean: its arguments, what it captured, and the scope.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) template: Arc<Template>,
    pub(super) scope: Arc<dyn Scope>,
    pub(super) arguments: Vec<(String, Value)>,
    pub(super) captured: Vec<(String, Value)>,
    pub(super) module: Module,
}

/// The name under which a frame finds itself; it is no name that a template can be written with.
pub(super) const FRAME_NAME: &str = "__frame";

impl Frame {
    fn new(template: Arc<Template>, scope: Arc<dyn Scope>) -> Frame {
        Frame { template, scope, arguments: Vec::new(), captured: Vec::new(), module: Module::default() }
    }

    /// Makes a name known to the local macros of the template.
    pub(super) fn export(&self, name: &str, value: Value) {
        let mut module = self.module.lock().unwrap_or_else(PoisonError::into_inner);
        match module.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => module.push((name.to_owned(), value)),
        }
    }

    fn find(&self, name: &str) -> Option<Value> {
        let own = self.arguments.iter().chain(&self.captured).find(|(known, _)| known == name);
        if let Some((_, value)) = own {
            return Some(value.clone());
        }
        let module = self.module.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = module.iter().find(|(known, _)| known == name) {
            return Some(value.clone());
        }
        drop(module);
        self.scope.lookup(name).or_else(|| builtins::global(name))
    }
}

impl Object for Frame {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if name.starts_with("__") {
            if name == FRAME_NAME {
                return Some(Value::from_dyn_object(self.clone()));
            }
            if let Some(unmangled) = unmangle(name) {
                return self.get_value_by_str(&unmangled);
            }
        }
        match self.find(name) {
            Some(value) if !value.is_undefined() => Some(value),
            _ => Some(Undefined::name(name)),
        }
    }
}

/// The frame of a running template.
///
/// Errors: the state is none of ours.
pub(super) fn current_frame(state: &minijinja::State<'_, '_>) -> Result<Arc<Frame>, minijinja::Error> {
    let frame = state.lookup(FRAME_NAME).and_then(|frame| frame.downcast_object::<Frame>());
    frame.ok_or_else(|| {
        let message = "a template was run without its frame";
        super::error::raise(Error::new(crate::error::ErrorKind::Internal, message))
    })
}

/// The values of some names as a running template sees them, for the macros and call blocks in it.
pub(super) fn capture(state: &minijinja::State<'_, '_>, names: &[String]) -> Vec<(String, Value)> {
    let value = |name: &String| state.lookup(&super::emit::mangle(name)).filter(|value| !is_undefined(value));
    names.iter().filter_map(|name| Some((name.clone(), value(name)?))).collect()
}

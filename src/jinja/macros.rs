//! Macros: their templates, and calls of them.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Environment, Error as JinjaError, State};

use super::blocks::Block;
use super::emit::{EmittedPart, emit_definition};
use super::engine::{Frame, Module, Scope, TEMPLATE_NAME, Template, deeper, known_names, with_stack};
use super::error::{from_jinja, raise, raise_message, returned_value};
use super::origin::Origin;
use super::syntax::ast::{Definition, Stmt};
use super::syntax::{self, normalize};
use super::values::{Dict, Undefined, tuple};
use crate::error::{Error, Result};
use crate::stored::{Input, Output, Stored};

/// A macro of the project: its text, compiled when it is first called.
#[derive(Debug)]
pub struct MacroTemplate {
    /// dbt's id, such as `macro.my_project.cents`.
    pub unique_id: String,
    /// The name that it is called by.
    pub name: String,
    /// Where its text starts.
    pub origin: Origin,
    text: String,
    compiled: OnceLock<Result<Arc<Part>>>,
}

/// Without what was compiled.
impl Stored for MacroTemplate {
    fn put(&self, out: &mut Output) {
        self.unique_id.put(out);
        self.name.put(out);
        self.origin.path.as_ref().put(out);
        self.origin.line.put(out);
        self.origin.column.put(out);
        self.text.put(out);
    }

    fn get(input: &mut Input) -> Option<Self> {
        let (unique_id, name) = (String::get(input)?, String::get(input)?);
        let origin = Origin::at(PathBuf::get(input)?, usize::get(input)?, usize::get(input)?);
        Some(MacroTemplate::new(unique_id, name, String::get(input)?, origin))
    }
}

impl MacroTemplate {
    /// The macro that a block defines.
    pub fn from_block(unique_id: impl Into<String>, block: &Block) -> MacroTemplate {
        MacroTemplate::new(unique_id, block.macro_name(), &block.text, block.origin.clone())
    }

    /// A macro from its text, tags and all, that starts at a place of a file.
    pub fn new(
        unique_id: impl Into<String>,
        name: impl Into<String>,
        text: impl Into<String>,
        origin: Origin,
    ) -> MacroTemplate {
        MacroTemplate {
            unique_id: unique_id.into(),
            name: name.into(),
            origin,
            text: text.into(),
            compiled: OnceLock::new(),
        }
    }

    /// Compiles the macro now, to find its syntax errors.
    pub fn check(&self) -> Result<()> {
        self.part().map(|_| ())
    }

    fn part(&self) -> Result<Arc<Part>> {
        self.compiled.get_or_init(|| self.compile()).clone()
    }

    fn compile(&self) -> Result<Arc<Part>> {
        let text: Arc<str> = normalize(&self.text).into();
        let emitted = with_stack(|| {
            let body = syntax::parse(&text)?;
            match only_definition(&body) {
                Some(definition) => emit_definition(definition, &text, &self.origin),
                None => Err(syntax::SyntaxError::new("expected the definition of one macro", 0)),
            }
        });
        let emitted = emitted.map_err(|error| self.origin.syntax_error(error, &text))?;
        Part::new(emitted, false).map(Arc::new)
    }
}

fn only_definition<'t, 's>(body: &'t [Stmt<'s>]) -> Option<&'t Definition<'s>> {
    let mut definitions = body.iter().filter_map(|statement| match statement {
        Stmt::Define(definition) => Some(definition),
        _ => None,
    });
    let first = definitions.next()?;
    definitions.next().is_none().then_some(first)
}

/// The compiled body of a macro or call block, and what calling it takes.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    params: Vec<(String, bool)>,
    takes_varargs: bool,
    takes_kwargs: bool,
    takes_caller: bool,
    pub(super) captures: Vec<String>,
    is_caller: bool,
    template: Arc<Template>,
    environment: Environment<'static>,
}

impl Part {
    pub(super) fn new(part: EmittedPart, lenient: bool) -> Result<Part> {
        let template = Template::new(part.emitted, lenient)?;
        let environment = template.compile()?;
        Ok(Part {
            name: part.name,
            params: part.params,
            takes_varargs: part.takes_varargs,
            takes_kwargs: part.takes_kwargs,
            takes_caller: part.takes_caller,
            captures: part.captures,
            is_caller: part.is_caller,
            template: Arc::new(template),
            environment,
        })
    }

    /// Binds the arguments of a call to names, with the rules and messages of Jinja2.
    fn bind(&self, args: &[Value]) -> Result<Vec<(String, Value)>, JinjaError> {
        let (positional, named) = from_args::<(&[Value], Kwargs)>(args)?;
        let mut rest: Vec<&str> = named.args().collect();
        let mut take = |name: &str| -> Result<Option<Value>, JinjaError> {
            match rest.iter().position(|known| *known == name) {
                Some(index) => {
                    rest.remove(index);
                    named.get(name).map(Some)
                }
                None => Ok(None),
            }
        };
        let mut bound = Vec::with_capacity(self.params.len() + 3);
        for (index, (name, has_default)) in self.params.iter().enumerate() {
            let value = match positional.get(index) {
                Some(value) => value.clone(),
                None => match take(name)? {
                    Some(value) => value,
                    None if *has_default => Value::from_object(Missing),
                    None => Undefined::value(format!("parameter '{name}' was not provided")),
                },
            };
            bound.push((name.clone(), value));
        }
        if self.takes_caller {
            let caller = take("caller")?.filter(|caller| !caller.is_none());
            bound.push(("caller".into(), caller.unwrap_or_else(|| Undefined::value("No caller defined"))));
        }
        if self.takes_kwargs {
            let pairs = rest.iter().map(|name| Ok((Value::from(*name), named.get::<Value>(name)?)));
            let pairs = pairs.collect::<Result<Vec<_>, JinjaError>>()?;
            bound.push(("kwargs".into(), Value::from_object(Dict::new(pairs))));
        } else if let Some(name) = rest.first() {
            return Err(self.unexpected_keyword(name));
        }
        let varargs = positional.get(self.params.len()..).unwrap_or_default();
        if self.takes_varargs {
            bound.push(("varargs".into(), tuple(varargs.to_vec())));
        } else if !varargs.is_empty() {
            let (name, count) = (self.shown_name(), self.params.len());
            return Err(raise_message(format!("macro '{name}' takes not more than {count} argument(s)")));
        }
        Ok(bound)
    }

    /// The name as dbt's messages have it, in whose templates macros go by another one.
    fn shown_name(&self) -> String {
        if self.is_caller { self.name.clone() } else { format!("dbt_macro__{}", self.name) }
    }

    fn unexpected_keyword(&self, keyword: &str) -> JinjaError {
        let name = self.shown_name();
        if keyword == "caller" {
            return raise_message(format!(
                "macro '{name}' was called by a call block, but does not use 'caller'"
            ));
        }
        raise_message(format!("macro '{name}' takes no keyword argument '{keyword}'"))
    }
}

/// Stands for an argument that was left out and has a default.
#[derive(Debug)]
pub(super) struct Missing;

impl Object for Missing {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// What a callable runs.
#[derive(Debug, Clone)]
enum Body {
    /// A macro of the project.
    Project(Arc<MacroTemplate>),
    /// A macro or call block inside of a template.
    Local(Arc<Part>),
}

/// A macro or call block that can be called: its body, and what names mean there.
#[derive(Debug)]
pub(super) struct Callable {
    body: Body,
    scope: Arc<dyn Scope>,
    captured: Vec<(String, Value)>,
    module: Module,
}

impl Callable {
    pub(super) fn of_macro(macro_: Arc<MacroTemplate>, scope: Arc<dyn Scope>) -> Callable {
        Callable { body: Body::Project(macro_), scope, captured: Vec::new(), module: Module::default() }
    }

    /// A local macro or call block of the template that a frame belongs to.
    pub(super) fn of_part(part: Arc<Part>, frame: &Frame, captured: Vec<(String, Value)>) -> Callable {
        let (scope, module) = (frame.scope.clone(), frame.module.clone());
        Callable { body: Body::Local(part), scope, captured, module }
    }

    fn name(&self) -> &str {
        match &self.body {
            Body::Project(macro_) => &macro_.name,
            Body::Local(part) => &part.name,
        }
    }

    /// Calls it: binds the arguments and runs the body up to its end or `return`.
    pub(super) fn invoke(&self, args: &[Value]) -> Result<Value, JinjaError> {
        match &self.body {
            Body::Local(part) => deeper(|| self.run(part, args)),
            Body::Project(macro_) => {
                let part = macro_.part().map_err(raise)?;
                self.scope.macro_entered(&macro_.unique_id);
                let result = deeper(|| self.run(&part, args));
                self.scope.macro_left(&macro_.unique_id);
                result
            }
        }
    }

    fn run(&self, part: &Arc<Part>, args: &[Value]) -> Result<Value, JinjaError> {
        let frame = Frame {
            template: part.template.clone(),
            scope: self.scope.clone(),
            arguments: part.bind(args)?,
            captured: self.captured.clone(),
            module: self.module.clone(),
        };
        let template = part.environment.get_template(TEMPLATE_NAME)?;
        match part.template.run(|| template.render(Value::from_object(frame))) {
            Ok(text) => Ok(Value::from(text)),
            Err(error) => match returned_value(&error) {
                // In a call block `return` goes on to the macro that called the block.
                Some(_) if part.is_caller => Err(error),
                Some(value) => Ok(value),
                None => Err(raise(self.traced(&error, part))),
            },
        }
    }

    /// An error from the body, placed there, with the step of this call.
    fn traced(&self, error: &JinjaError, part: &Part) -> Error {
        let error = from_jinja(error, &part.template.source, &|| known_names(&self.scope));
        let origin = &part.template.source.origin;
        let what = if part.is_caller { "a call block".to_owned() } else { format!("macro {}", part.name) };
        error.trace(format!("in {what} ({})", origin.path.display()))
    }
}

impl Object for Callable {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let part = match (&self.body, key.as_str()?) {
            (_, "name") => return Some(Value::from(self.name())),
            (Body::Local(part), _) => part.clone(),
            (Body::Project(macro_), _) => macro_.part().ok()?,
        };
        Some(match key.as_str()? {
            "arguments" => tuple(part.params.iter().map(|(name, _)| Value::from(name.as_str())).collect()),
            "catch_kwargs" => Value::from(part.takes_kwargs),
            "catch_varargs" => Value::from(part.takes_varargs),
            "caller" => Value::from(part.takes_caller),
            _ => return None,
        })
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, JinjaError> {
        self.invoke(args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.name())
    }
}

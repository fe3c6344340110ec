//! Arguments of functions written in Rust, bound to parameter names as Python does.

use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, State};

use crate::jinja::error::raise_message;

/// The arguments of one call: positional ones, then keyword ones.
pub struct Arguments<'a> {
    function: &'a str,
    pub positional: &'a [Value],
    pub named: Kwargs,
}

impl<'a> Arguments<'a> {
    /// Splits the raw arguments of a call to the function of this name.
    pub fn new(function: &'a str, args: &'a [Value]) -> Result<Self, Error> {
        let (positional, named) = from_args::<(&[Value], Kwargs)>(args)?;
        Ok(Arguments { function, positional, named })
    }

    /// Arguments that are split already.
    pub(crate) fn split(function: &'a str, positional: &'a [Value], named: Kwargs) -> Self {
        Arguments { function, positional, named }
    }

    /// Binds the arguments to parameters, of which the first `required` ones must be given.
    ///
    /// Errors: too many, unknown, doubled or missing arguments.
    pub fn bind<const N: usize>(
        &self,
        names: [&str; N],
        required: usize,
    ) -> Result<[Option<Value>; N], Error> {
        let function = self.function;
        if self.positional.len() > N {
            let given = self.positional.len();
            return Err(raise_message(match N {
                0 => format!("{function}() takes no arguments ({given} given)"),
                1 => format!("{function}() takes at most 1 argument ({given} given)"),
                _ => format!("{function}() takes at most {N} arguments ({given} given)"),
            }));
        }
        let mut bound: [Option<Value>; N] = std::array::from_fn(|index| self.positional.get(index).cloned());
        for name in self.named.args() {
            let Some(index) = names.iter().position(|known| *known == name) else {
                let message = format!("{function}() got an unexpected keyword argument '{name}'");
                return Err(raise_message(message));
            };
            if bound[index].is_some() {
                let message = format!("{function}() got multiple values for argument '{name}'");
                return Err(raise_message(message));
            }
            bound[index] = Some(self.named.get(name)?);
        }
        if let Some(index) = bound[..required.min(N)].iter().position(Option::is_none) {
            let name = names[index];
            return Err(raise_message(format!("{function}() missing required argument '{name}'")));
        }
        Ok(bound)
    }

    /// The only arguments of a function that takes exactly `N` positional ones.
    pub fn exactly<const N: usize>(&self) -> Result<[Value; N], Error> {
        let function = self.function;
        if let Some(name) = self.named.args().next() {
            return Err(raise_message(format!("{function}() got an unexpected keyword argument '{name}'")));
        }
        <[Value; N]>::try_from(self.positional.to_vec()).map_err(|given: Vec<Value>| {
            let plural = if N == 1 { "argument" } else { "arguments" };
            raise_message(format!("{function}() takes exactly {N} {plural} ({} given)", given.len()))
        })
    }
}

/// A function for templates: its name, as errors tell it, and what it does with its arguments.
pub fn function(
    name: &'static str,
    call: impl Fn(&mut State<'_, '_>, Arguments<'_>) -> Result<Value, Error> + Send + Sync + 'static,
) -> Value {
    Value::from_object(Function { name, call: Box::new(call) })
}

type Body = dyn Fn(&mut State<'_, '_>, Arguments<'_>) -> Result<Value, Error> + Send + Sync;

struct Function {
    name: &'static str,
    call: Box<Body>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<function {}>", self.name)
    }
}

impl minijinja::value::Object for Function {
    fn repr(self: &std::sync::Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn call(self: &std::sync::Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        (self.call)(state, Arguments::new(self.name, args)?)
    }
}

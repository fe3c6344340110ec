//! The parsed shape of a template. Text is borrowed from the source, places are byte offsets.

use std::borrow::Cow;

/// An expression, where it starts, and how deep it nests (which bounds every recursion over it).
#[derive(Debug)]
pub struct Expr<'s> {
    pub kind: ExprKind<'s>,
    pub at: u32,
    pub end: u32,
    pub depth: u16,
}

/// The kinds of expressions. Chains of one precedence are flat lists, so long ones do not nest.
#[derive(Debug)]
pub enum ExprKind<'s> {
    None,
    Bool(bool),
    Int(&'s str),
    Float(&'s str),
    Str(Cow<'s, str>),
    Name(&'s str),
    List(Vec<Expr<'s>>),
    Tuple(Vec<Expr<'s>>),
    Dict(Vec<(Expr<'s>, Expr<'s>)>),
    Attr(Box<Expr<'s>>, &'s str),
    Item(Box<Expr<'s>>, Box<Expr<'s>>),
    Slice(Box<Expr<'s>>, [Option<Box<Expr<'s>>>; 3]),
    Call(Box<Expr<'s>>, Args<'s>),
    Filter(Box<Expr<'s>>, &'s str, Args<'s>),
    /// A test by name, negated or not.
    Test(Box<Expr<'s>>, &'s str, Args<'s>, bool),
    Neg(Box<Expr<'s>>),
    Pos(Box<Expr<'s>>),
    Not(Box<Expr<'s>>),
    And(Vec<Expr<'s>>),
    Or(Vec<Expr<'s>>),
    /// Operands joined by operators of one precedence, evaluated from left to right.
    Arithmetic(Vec<Expr<'s>>, Vec<&'static str>),
    /// `a ~ b ~ c`
    Concat(Vec<Expr<'s>>),
    /// `a < b <= c`, with `in` and `not in`.
    Compare(Vec<Expr<'s>>, Vec<&'static str>),
    /// `value if condition else other`
    If {
        condition: Box<Expr<'s>>,
        value: Box<Expr<'s>>,
        otherwise: Option<Box<Expr<'s>>>,
    },
}

/// The arguments of a call, filter or test.
#[derive(Debug, Default)]
pub struct Args<'s> {
    pub positional: Vec<Expr<'s>>,
    pub star: Option<Box<Expr<'s>>>,
    pub named: Vec<(&'s str, Expr<'s>)>,
    pub double_star: Option<Box<Expr<'s>>>,
}

impl<'s> Args<'s> {
    /// All argument expressions, in the order in which Jinja2 finds them.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr<'s>> {
        self.positional
            .iter()
            .chain(self.named.iter().map(|(_, value)| value))
            .chain(self.star.as_deref())
            .chain(self.double_star.as_deref())
    }
}

/// A filter of a `{% filter %}` or `{% set %}…{% endset %}` chain.
#[derive(Debug)]
pub struct FilterCall<'s> {
    pub name: &'s str,
    pub args: Args<'s>,
    pub at: u32,
}

/// What can be assigned to.
#[derive(Debug)]
pub enum Target<'s> {
    Name(&'s str, u32),
    Attr(&'s str, &'s str, u32),
    Tuple(Vec<Target<'s>>, u32),
}

impl<'s> Target<'s> {
    /// The name of the object that an attribute is assigned to.
    pub fn object(&self) -> Option<&'s str> {
        match self {
            Target::Attr(name, ..) => Some(name),
            Target::Name(..) | Target::Tuple(..) => None,
        }
    }

    /// Calls a function with every name the target binds.
    pub fn each_name(&self, f: &mut impl FnMut(&'s str)) {
        match self {
            Target::Name(name, _) => f(name),
            Target::Attr(..) => {}
            Target::Tuple(items, _) => items.iter().for_each(|item| item.each_name(f)),
        }
    }
}

/// A parameter of a macro with its default.
#[derive(Debug)]
pub struct Param<'s> {
    pub name: &'s str,
    pub default: Option<Expr<'s>>,
}

/// What a definition tag defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionKind {
    Macro,
    Test,
    Materialization,
    Docs,
    Snapshot,
}

/// `{% macro %}` and its kin.
#[derive(Debug)]
pub struct Definition<'s> {
    pub kind: DefinitionKind,
    /// The name as written, except for materializations (`materialization_table_default`) and tests
    /// (`test_unique`).
    pub name: Cow<'s, str>,
    pub params: Vec<Param<'s>>,
    pub body: Vec<Stmt<'s>>,
    pub at: u32,
}

/// A statement: text, an output, or a tag.
#[derive(Debug)]
pub enum Stmt<'s> {
    Data(Cow<'s, str>, u32),
    Output(Expr<'s>),
    Do(Expr<'s>),
    Set { target: Target<'s>, value: Expr<'s> },
    SetBlock { target: Target<'s>, filters: Vec<FilterCall<'s>>, body: Vec<Stmt<'s>> },
    For(Box<For<'s>>),
    If { branches: Vec<(Expr<'s>, Vec<Stmt<'s>>)>, otherwise: Option<Vec<Stmt<'s>>> },
    With { bindings: Vec<(Target<'s>, Expr<'s>)>, body: Vec<Stmt<'s>> },
    Filter { filters: Vec<FilterCall<'s>>, body: Vec<Stmt<'s>> },
    CallBlock { params: Vec<Param<'s>>, call: Expr<'s>, body: Vec<Stmt<'s>>, at: u32 },
    Define(Definition<'s>),
    Break,
    Continue,
}

/// `{% for %}`
#[derive(Debug)]
pub struct For<'s> {
    pub target: Target<'s>,
    pub iterable: Expr<'s>,
    pub condition: Option<Expr<'s>>,
    pub recursive: bool,
    pub body: Vec<Stmt<'s>>,
    pub otherwise: Option<Vec<Stmt<'s>>>,
}

//! What a template says.

use super::Value;

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each of which gets what the one before it gave.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// Whether the variables were there before.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) struct Operand {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Dot,
    Nil,
    Constant(Value),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    Pipe(Pipe),
    /// Fields of what is in parentheses.
    Chain(Box<Operand>, Vec<String>),
}

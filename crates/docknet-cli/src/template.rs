//! The templates of `--format`: the part of Go's text/template that people use with the docker CLI, with docker's
//! functions.
//!
//! A template is [parsed](Template::parse) once and executed on any number of [values](Value). Values know their types in
//! Go, because what is printed depends on them: `<no value>`, `map[a:b]`, `{default map[] []}`.

mod call;
mod compare;
mod execute;
mod json;
mod lexer;
mod network;
mod number;
mod parser;
mod printf;
mod show;
mod time;
mod tree;
mod value;

use std::fmt;

pub(crate) use self::json::{indented, one_line};
pub(crate) use self::network::{network, raw};
pub(crate) use self::time::Time;
pub(crate) use self::value::{Entry, Field, Labels, Shape, Type, Value};

use self::tree::Node;

/// A template that was understood.
#[derive(Debug)]
pub(crate) struct Template {
    source: String,
    nodes: Vec<Node>,
}

/// What a template may do while it is executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What a map does not have prints as `<no value>`.
    #[default]
    Lenient,
    /// What a map does not have is an error.
    Strict,
    /// As docker prints the head of a table: functions that change a text leave the name of the column as it is.
    Header,
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateError {
    what: String,
    line: usize,
    column: usize,
}

impl Template {
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        let nodes = lexer::tokens(source).and_then(parser::parse);
        let nodes = nodes.map_err(|problem| problem.within(source))?;
        Ok(Self { source: source.to_owned(), nodes })
    }

    /// Appends what the template makes of the value, up to where it failed, if it does.
    pub(crate) fn execute(
        &self,
        value: &Value,
        mode: Mode,
        out: &mut String,
    ) -> Result<(), TemplateError> {
        execute::execute(&self.nodes, value, mode, out)
            .map_err(|problem| problem.within(&self.source))
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}, column {})", self.what, self.line, self.column)
    }
}

/// What is wrong, at this byte of the source.
#[derive(Debug)]
struct Problem {
    what: String,
    at: usize,
}

type Parsed<T> = Result<T, Problem>;

impl Problem {
    fn new(at: usize, what: impl Into<String>) -> Self {
        Self { what: what.into(), at }
    }

    fn within(self, source: &str) -> TemplateError {
        let before = source.get(..self.at).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TemplateError {
            what: self.what,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

#[cfg(test)]
mod tests;

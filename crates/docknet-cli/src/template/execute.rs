//! What a template makes of a value.

use super::tree::{Branch, Kind, Node, Operand, Pipe};
use super::{Mode, Parsed, Problem, Value, call, show};

pub(super) fn execute(nodes: &[Node], value: &Value, mode: Mode, out: &mut String) -> Parsed<()> {
    let variables = vec![("$", value.clone())];
    let mut run = Run { variables, mode, out };
    run.nodes(nodes, value).map(|_| ())
}

struct Run<'a> {
    /// The innermost last.
    variables: Vec<(&'a str, Value)>,
    mode: Mode,
    out: &'a mut String,
}

/// What is to be done next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// What the dot is inside of a branch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dot {
    /// What it was.
    Stays,
    /// The value that was looked at.
    Becomes,
}

impl<'a> Run<'a> {
    fn nodes(&mut self, nodes: &'a [Node], dot: &Value) -> Parsed<Flow> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::Next
                }
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        self.out.push_str(&show::printed(&value));
                    }
                    Flow::Next
                }
                Node::If(branch) => self.branch(branch, dot, Dot::Stays)?,
                Node::With(branch) => self.branch(branch, dot, Dot::Becomes)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// `if` or `with`.
    fn branch(&mut self, branch: &'a Branch, dot: &Value, inside: Dot) -> Parsed<Flow> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let flow = match value.is_true() {
            true => self.nodes(&branch.then, if inside == Dot::Becomes { &value } else { dot }),
            false => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(known);
        flow
    }

    fn range(&mut self, branch: &'a Branch, dot: &Value) -> Parsed<Flow> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let inner = self.variables.len();
        let mut empty = true;
        let items: Box<dyn Iterator<Item = (Value, Value)>> = match &value {
            Value::Nil => Box::new(std::iter::empty()),
            Value::Map(_, map) => {
                let entries = map.iter().flat_map(|map| map.iter());
                Box::new(entries.map(|(key, value)| (Value::text(key), value.clone())))
            }
            Value::List(_, list) => {
                let values = list.iter().flat_map(|list| list.iter());
                Box::new((0..).map(Value::Int).zip(values.cloned()))
            }
            Value::Int(_) if branch.pipe.variables.len() > 1 => {
                let what = "can't use a number to iterate over more than one variable";
                return Err(Problem::new(branch.pipe.at, what));
            }
            Value::Int(count) => {
                Box::new((0..*count).map(|number| (Value::Int(number), Value::Int(number))))
            }
            other => {
                let what = format!("range can't iterate over {}", other.type_name());
                return Err(Problem::new(branch.pipe.at, what));
            }
        };
        for (key, item) in items {
            empty = false;
            self.range_variables(&branch.pipe, key, &item)?;
            let flow = self.nodes(&branch.then, &item)?;
            self.variables.truncate(inner);
            if flow == Flow::Break {
                break;
            }
        }
        // What ends a round of an outer range may stand in the other branch.
        let flow = if empty { self.nodes(&branch.otherwise, dot)? } else { Flow::Next };
        self.variables.truncate(known);
        Ok(flow)
    }

    /// The first of two is the key; a single one is the item.
    fn range_variables(&mut self, pipe: &'a Pipe, key: Value, item: &Value) -> Parsed<()> {
        let values = match pipe.variables.len() {
            2 => vec![key, item.clone()],
            _ => vec![item.clone()],
        };
        for (name, value) in pipe.variables.iter().zip(values) {
            self.set(pipe, name, value)?;
        }
        Ok(())
    }

    fn set(&mut self, pipe: &Pipe, name: &'a str, value: Value) -> Parsed<()> {
        if !pipe.assigns {
            self.variables.push((name, value));
            return Ok(());
        }
        let there = self.variables.iter_mut().rev().find(|(known, _)| *known == name);
        let (_, variable) = there.ok_or_else(|| undefined(name, pipe.at))?;
        *variable = value;
        Ok(())
    }

    fn pipe(&mut self, pipe: &'a Pipe, dot: &Value) -> Parsed<Value> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value.as_ref())?);
        }
        let value = value.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            self.set(pipe, name, value.clone())?;
        }
        Ok(value)
    }

    /// A command, and the value of the one before it, which becomes its last argument.
    fn command(
        &mut self,
        operands: &'a [Operand],
        dot: &Value,
        piped: Option<&Value>,
    ) -> Parsed<Value> {
        let Some((first, args)) = operands.split_first() else {
            return Ok(Value::Nil);
        };
        match &first.kind {
            Kind::Function(name) => self.function(name, first.at, args, dot, piped),
            Kind::Field(path) => self.fields(dot.clone(), path, first.at, args, dot, piped),
            Kind::Variable(name, path) if !path.is_empty() => {
                let value = self.variable(name, first.at)?;
                self.fields(value, path, first.at, args, dot, piped)
            }
            Kind::Chain(inner, path) => {
                let value = self.operand(inner, dot)?;
                self.fields(value, path, first.at, args, dot, piped)
            }
            Kind::Nil => Err(Problem::new(first.at, "nil is not a command")),
            _ if !args.is_empty() || piped.is_some() => {
                Err(Problem::new(first.at, "can't give an argument to what is no function"))
            }
            _ => self.operand(first, dot),
        }
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Value) -> Parsed<Value> {
        match &operand.kind {
            Kind::Dot => Ok(dot.clone()),
            Kind::Nil => Ok(Value::Nil),
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Field(path) => self.fields(dot.clone(), path, operand.at, &[], dot, None),
            Kind::Variable(name, path) => {
                self.fields(self.variable(name, operand.at)?, path, operand.at, &[], dot, None)
            }
            Kind::Function(name) => self.function(name, operand.at, &[], dot, None),
            Kind::Pipe(pipe) => self.pipe(pipe, dot),
            Kind::Chain(inner, path) => {
                let value = self.operand(inner, dot)?;
                self.fields(value, path, operand.at, &[], dot, None)
            }
        }
    }

    fn variable(&self, name: &str, at: usize) -> Parsed<Value> {
        let found = self.variables.iter().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).ok_or_else(|| undefined(name, at))
    }

    fn function(
        &mut self,
        name: &str,
        at: usize,
        args: &'a [Operand],
        dot: &Value,
        piped: Option<&Value>,
    ) -> Parsed<Value> {
        if matches!(name, "and" | "or") {
            return self.first_that_decides(name == "or", at, args, dot, piped);
        }
        let values = self.values(args, dot, piped)?;
        call::call(name, &values, self.mode)
            .map_err(|error| Problem::new(at, format!("cannot call `{name}`: {error}")))
    }

    /// `or` is decided by what is true, `and` by what is not.
    fn first_that_decides(
        &mut self,
        decides: bool,
        at: usize,
        args: &'a [Operand],
        dot: &Value,
        piped: Option<&Value>,
    ) -> Parsed<Value> {
        let mut last = None;
        for arg in args {
            let value = self.operand(arg, dot)?;
            if value.is_true() == decides {
                return Ok(value);
            }
            last = Some(value);
        }
        piped
            .cloned()
            .or(last)
            .ok_or_else(|| Problem::new(at, "`and` and `or` want at least one argument"))
    }

    fn values(
        &mut self,
        args: &'a [Operand],
        dot: &Value,
        piped: Option<&Value>,
    ) -> Parsed<Vec<Value>> {
        let mut values = Vec::with_capacity(args.len() + 1);
        for arg in args {
            values.push(self.operand(arg, dot)?);
        }
        values.extend(piped.cloned());
        Ok(values)
    }

    /// A field of a field of a value; the last of them gets the arguments.
    fn fields(
        &mut self,
        value: Value,
        path: &[String],
        at: usize,
        args: &'a [Operand],
        dot: &Value,
        piped: Option<&Value>,
    ) -> Parsed<Value> {
        let Some((last, before)) = path.split_last() else { return Ok(value) };
        let mut value = value;
        for name in before {
            value = self.field(&value, name, &[], at)?;
        }
        let args = self.values(args, dot, piped)?;
        self.field(&value, last, &args, at)
    }

    fn field(&self, value: &Value, name: &str, args: &[Value], at: usize) -> Parsed<Value> {
        if let Some(result) = method(value, name, args) {
            return result.map_err(|error| Problem::new(at, error));
        }
        let missing = || match self.mode {
            Mode::Strict => Err(Problem::new(at, format!("there is no {name:?}"))),
            Mode::Lenient | Mode::Header => Ok(Value::Nil),
        };
        if !args.is_empty() && !matches!(value, Value::Nil) {
            let what = format!("`.{name}` is not a method but has arguments");
            return Err(Problem::new(at, what));
        }
        match value {
            Value::Nil => missing(),
            Value::Map(_, map) => match map.as_ref().and_then(|map| map.get(name)) {
                Some(value) => Ok(value.clone()),
                None => missing(),
            },
            Value::Struct(shape, fields) => {
                let mut pairs = shape.fields.iter().zip(fields.iter());
                match pairs.find(|(field, _)| field.name == name) {
                    Some((_, value)) => Ok(value.clone()),
                    None => Err(no_field(value, name, at)),
                }
            }
            Value::Entry(entry) => entry.field(name).ok_or_else(|| no_field(value, name, at)),
            value => Err(no_field(value, name, at)),
        }
    }
}

fn undefined(name: &str, at: usize) -> Problem {
    Problem::new(at, format!("undefined variable {name:?}"))
}

fn no_field(value: &Value, name: &str, at: usize) -> Problem {
    Problem::new(at, format!("can't evaluate field {name} in type {}", value.type_name()))
}

/// What a method gives, if the value has this one.
fn method(value: &Value, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    match (value, name, args) {
        (Value::Entry(entry), "Label", [Value::Text(label)]) => {
            Some(Ok(Value::text(entry.label(label))))
        }
        (Value::Entry(_), "Label", _) => {
            Some(Err("`.Label` wants the name of a label: `.Label \"name\"`".to_owned()))
        }
        (Value::Time(time), "String", []) => Some(Ok(Value::text(time.to_string()))),
        (Value::Time(time), "Format", [Value::Text(layout)]) => {
            Some(time.format(layout).map(Value::text))
        }
        (Value::Time(time), "Unix", []) => Some(Ok(Value::Int(time.unix()))),
        _ => None,
    }
}

//! From words to the tree.

use super::lexer::Token;
use super::number::number;
use super::tree::{Branch, Kind, Node, Operand, Pipe};
use super::{Parsed, Problem, Value, call};

/// How deep blocks and parentheses may be nested in each other.
const DEEPEST: usize = 64;

pub(super) fn parse(tokens: Vec<(Token, usize)>) -> Parsed<Vec<Node>> {
    let end = tokens.last().map_or(0, |(_, at)| *at);
    let variables = vec!["$".to_owned()];
    let mut parser =
        Parser { tokens: tokens.into_iter().peekable(), end, variables, depth: 0, ranges: 0 };
    match parser.block()? {
        (nodes, None) => Ok(nodes),
        (_, Some((End::End, at))) => Err(Problem::new(at, "unexpected `{{end}}`")),
        (_, Some((End::Else, at))) => Err(Problem::new(at, "unexpected `{{else}}`")),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<(Token, usize)>>,
    end: usize,
    /// Those that are known here.
    variables: Vec<String>,
    depth: usize,
    ranges: usize,
}

/// Nodes, and what ends them, if it is not the end of the template.
type Block = (Vec<Node>, Option<(End, usize)>);

/// What ends a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// `{{end}}`, all of it.
    End,
    /// `{{else`, and what follows is still to be read.
    Else,
}

impl Parser {
    /// The nodes up to an end, if there is one.
    fn block(&mut self) -> Parsed<Block> {
        let mut nodes = Vec::new();
        while let Some((token, at)) = self.tokens.next() {
            if let Token::Text(text) = token {
                nodes.push(Node::Text(text));
                continue;
            }
            self.skip_space();
            let keyword = match self.tokens.peek() {
                Some((Token::Word(word), _)) => word.as_str(),
                _ => "",
            };
            let node = match keyword {
                "end" => {
                    self.tokens.next();
                    self.close("end")?;
                    return Ok((nodes, Some((End::End, at))));
                }
                "else" => {
                    self.tokens.next();
                    return Ok((nodes, Some((End::Else, at))));
                }
                "if" => Node::If(self.branch("if", at)?),
                "with" => Node::With(self.branch("with", at)?),
                "range" => Node::Range(self.branch("range", at)?),
                "break" | "continue" => self.jump(at)?,
                "define" | "template" | "block" => {
                    let what = format!("`{keyword}` is not supported");
                    return Err(Problem::new(at, what));
                }
                _ => Node::Action(self.pipe("command", &Token::Close)?),
            };
            nodes.push(node);
        }
        Ok((nodes, None))
    }

    /// `{{break}}` or `{{continue}}`; they have an end, but no argument.
    fn jump(&mut self, at: usize) -> Parsed<Node> {
        let breaks = matches!(self.tokens.next(), Some((Token::Word(word), _)) if word == "break");
        let word = if breaks { "break" } else { "continue" };
        if self.ranges == 0 {
            return Err(Problem::new(at, format!("`{{{{{word}}}}}` outside `{{{{range}}}}`")));
        }
        self.close(word)?;
        Ok(if breaks { Node::Break } else { Node::Continue })
    }

    /// What begins with this keyword, up to and with its `{{end}}`.
    fn branch(&mut self, keyword: &'static str, at: usize) -> Parsed<Branch> {
        self.deeper(at)?;
        self.tokens.next();
        let known = self.variables.len();
        let pipe = self.pipe(keyword, &Token::Close)?;
        let ranges = usize::from(keyword == "range");
        self.ranges += ranges;
        let (then, end) = self.block()?;
        self.ranges -= ranges;
        let mut otherwise = Vec::new();
        match end {
            None => return Err(unfinished(keyword, at)),
            Some((End::End, _)) => {}
            Some((End::Else, place)) => otherwise = self.otherwise(keyword, place, at)?,
        }
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(Branch { pipe, then, otherwise })
    }

    /// What follows `{{else`.
    fn otherwise(&mut self, keyword: &'static str, at: usize, begun: usize) -> Parsed<Vec<Node>> {
        self.skip_space();
        match self.tokens.peek() {
            Some((Token::Word(word), _)) if word == "if" && keyword == "if" => {
                return Ok(vec![Node::If(self.branch("if", at)?)]);
            }
            Some((Token::Word(word), _)) if word == "with" && keyword == "with" => {
                return Ok(vec![Node::With(self.branch("with", at)?)]);
            }
            _ => {}
        }
        self.close("else")?;
        match self.block()? {
            (nodes, Some((End::End, _))) => Ok(nodes),
            (_, Some((End::Else, at))) => {
                Err(Problem::new(at, "expected `{{end}}`, not `{{else}}`"))
            }
            (_, None) => Err(unfinished(keyword, begun)),
        }
    }

    fn pipe(&mut self, context: &str, end: &Token) -> Parsed<Pipe> {
        self.skip_space();
        let mut pipe = Pipe { at: self.at(), ..Pipe::default() };
        let mut first = self.variables(context, &mut pipe)?;
        loop {
            self.skip_space();
            let at = self.at();
            match self.tokens.peek() {
                Some((token, _)) if token == end && first.is_none() => {
                    self.tokens.next();
                    if pipe.commands.is_empty() {
                        return Err(Problem::new(at, format!("missing value for {context}")));
                    }
                    return Ok(pipe);
                }
                None => return Err(Problem::new(at, "unclosed action: `}}` is missing")),
                Some(_) => {}
            }
            let command = self.command(first.take())?;
            let runs = |operand: &Operand| {
                !matches!(operand.kind, Kind::Dot | Kind::Nil | Kind::Constant(_))
            };
            if !pipe.commands.is_empty() && !command.first().is_some_and(runs) {
                let stage = pipe.commands.len() + 1;
                let what = format!("non executable command in pipeline stage {stage}");
                return Err(Problem::new(at, what));
            }
            pipe.commands.push(command);
        }
    }

    /// `$x :=`, `$x =` or `$k, $v :=`. A variable that turns out to be an operand is given back.
    fn variables(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<Option<Operand>> {
        while let Some((Token::Variable(_), _)) = self.tokens.peek() {
            let Some((Token::Variable(name), at)) = self.tokens.next() else { break };
            let spaced = self.skip_space();
            match self.tokens.peek() {
                Some((Token::Declare, _)) => {}
                Some((Token::Assign, _)) => pipe.assigns = true,
                Some((Token::Comma, _)) if context == "range" && pipe.variables.is_empty() => {
                    self.tokens.next();
                    self.skip_space();
                    self.declare(name, pipe);
                    match self.tokens.peek() {
                        Some((Token::Variable(_), _)) => continue,
                        _ => {
                            return Err(Problem::new(
                                self.at(),
                                "range can only initialize variables",
                            ));
                        }
                    }
                }
                _ if pipe.variables.is_empty() => {
                    self.known(&name, at)?;
                    let fields = if spaced { Vec::new() } else { self.fields() };
                    return Ok(Some(Operand { kind: Kind::Variable(name, fields), at }));
                }
                _ => return Err(Problem::new(at, "expected `:=` behind the variables")),
            }
            self.tokens.next();
            self.declare(name, pipe);
            break;
        }
        Ok(None)
    }

    /// Operands up to a `|`, which is read, or to what ends the pipeline, which is not.
    fn command(&mut self, first: Option<Operand>) -> Parsed<Vec<Operand>> {
        let mut operands = Vec::new();
        let mut given = first;
        loop {
            self.skip_space();
            let at = self.at();
            let (operand, was_given) = match given.take() {
                Some(operand) => (Some(operand), true),
                None => (self.operand()?, false),
            };
            if let Some(operand) = operand {
                operands.push(operand);
            }
            match self.tokens.peek() {
                Some((Token::Space, _)) => {
                    self.tokens.next();
                    if matches!(self.tokens.peek(), Some((Token::Pipe, _))) {
                        self.tokens.next();
                        break;
                    }
                    if matches!(self.tokens.peek(), Some((Token::Close | Token::RightParen, _))) {
                        break;
                    }
                }
                Some((Token::Pipe, _)) => {
                    self.tokens.next();
                    break;
                }
                Some((Token::Close | Token::RightParen, _)) => break,
                Some(_) if was_given => {}
                Some((token, at)) => {
                    return Err(Problem::new(
                        *at,
                        format!("unexpected {} in operand", name_of(token)),
                    ));
                }
                None => return Err(Problem::new(at, "unclosed action: `}}` is missing")),
            }
        }
        if operands.is_empty() {
            return Err(Problem::new(self.at(), "empty command"));
        }
        Ok(operands)
    }

    /// A term, and fields of it.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(operand) = self.term()? else { return Ok(None) };
        let fields = self.fields();
        if fields.is_empty() {
            return Ok(Some(operand));
        }
        let at = operand.at;
        let kind = match operand.kind {
            Kind::Field(mut all) => {
                all.extend(fields);
                Kind::Field(all)
            }
            Kind::Variable(name, mut all) => {
                all.extend(fields);
                Kind::Variable(name, all)
            }
            Kind::Dot | Kind::Nil | Kind::Constant(_) => {
                return Err(Problem::new(at, "unexpected `.` behind a value"));
            }
            kind => Kind::Chain(Box::new(Operand { kind, at }), fields),
        };
        Ok(Some(Operand { kind, at }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let operand = matches!(
            self.tokens.peek(),
            Some((
                Token::Dot
                    | Token::Field(_)
                    | Token::Variable(_)
                    | Token::Word(_)
                    | Token::Number(_)
                    | Token::Char(_)
                    | Token::Quoted(_)
                    | Token::LeftParen,
                _
            ))
        );
        if !operand {
            return Ok(None);
        }
        let Some((token, at)) = self.tokens.next() else { return Ok(None) };
        let kind = match token {
            Token::Dot => Kind::Dot,
            Token::Field(name) => Kind::Field(vec![name]),
            Token::Variable(name) => return self.variable(name, at).map(Some),
            Token::Number(text) => Kind::Constant(number(&text, at)?),
            Token::Char(char) => Kind::Constant(Value::Int(u32::from(char).into())),
            Token::Quoted(text) => Kind::Constant(Value::text(text)),
            Token::LeftParen => {
                self.deeper(at)?;
                let pipe = self.pipe("parenthesized pipeline", &Token::RightParen)?;
                self.depth -= 1;
                Kind::Pipe(pipe)
            }
            Token::Word(word) => match word.as_str() {
                "true" => Kind::Constant(Value::Bool(true)),
                "false" => Kind::Constant(Value::Bool(false)),
                "nil" => Kind::Nil,
                "break" | "continue" | "define" | "else" | "end" | "if" | "range" | "template"
                | "with" | "block" => {
                    return Err(Problem::new(at, format!("unexpected `{word}` in operand")));
                }
                name if call::is_function(name) => Kind::Function(word),
                _ => return Err(Problem::new(at, format!("function {word:?} not defined"))),
            },
            _ => return Ok(None),
        };
        Ok(Some(Operand { kind, at }))
    }

    fn variable(&mut self, name: String, at: usize) -> Parsed<Operand> {
        self.known(&name, at)?;
        Ok(Operand { kind: Kind::Variable(name, self.fields()), at })
    }

    /// From here on it is known, even to what it is set to, and even if it was to be known before: as in Go, only the
    /// execution tells.
    fn declare(&mut self, name: String, pipe: &mut Pipe) {
        self.variables.push(name.clone());
        pipe.variables.push(name);
    }

    fn known(&self, name: &str, at: usize) -> Parsed<()> {
        match self.variables.iter().any(|known| known == name) {
            true => Ok(()),
            false => Err(Problem::new(at, format!("undefined variable {name:?}"))),
        }
    }

    fn fields(&mut self) -> Vec<String> {
        let mut fields = Vec::new();
        while let Some((Token::Field(name), _)) =
            self.tokens.next_if(|(token, _)| matches!(token, Token::Field(_)))
        {
            fields.push(name);
        }
        fields
    }

    fn close(&mut self, context: &str) -> Parsed<()> {
        self.skip_space();
        let at = self.at();
        match self.tokens.next() {
            Some((Token::Close, _)) => Ok(()),
            Some((token, at)) => {
                Err(Problem::new(at, format!("unexpected {} in {context}", name_of(&token))))
            }
            None => Err(Problem::new(at, "unclosed action: `}}` is missing")),
        }
    }

    fn deeper(&mut self, at: usize) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::new(at, format!("nested deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    fn skip_space(&mut self) -> bool {
        self.tokens.next_if(|(token, _)| *token == Token::Space).is_some()
    }

    fn at(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |(_, at)| *at)
    }
}

fn unfinished(keyword: &str, at: usize) -> Problem {
    Problem::new(at, format!("`{{{{{keyword}}}}}` has no `{{{{end}}}}`"))
}

fn name_of(token: &Token) -> String {
    match token {
        Token::Text(_) => "text".to_owned(),
        Token::Open => "`{{`".to_owned(),
        Token::Close => "`}}`".to_owned(),
        Token::Space => "space".to_owned(),
        Token::Dot => "`.`".to_owned(),
        Token::Field(name) => format!("`.{name}`"),
        Token::Variable(name) | Token::Word(name) | Token::Number(name) => format!("`{name}`"),
        Token::Char(char) => format!("{char:?}"),
        Token::Quoted(text) => format!("{text:?}"),
        Token::Declare => "`:=`".to_owned(),
        Token::Assign => "`=`".to_owned(),
        Token::Pipe => "`|`".to_owned(),
        Token::Comma => "`,`".to_owned(),
        Token::LeftParen => "`(`".to_owned(),
        Token::RightParen => "`)`".to_owned(),
    }
}

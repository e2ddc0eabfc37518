//! YAML, and so JSON, as a tree that knows where everything stands.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// How many nodes a file may have once its aliases are followed, and how deep they may be nested.
const MOST_NODES: usize = 50_000;
const MOST_LEVELS: usize = 64;

/// Line and column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl From<&Marker> for Place {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) what: String,
}

impl Problem {
    pub(super) fn new(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Rc<Node>,
}

/// The one document of a file.
pub(super) fn parse(text: &str) -> Result<Rc<Node>, Problem> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
        let (event, span) =
            event.map_err(|error| Problem::new(error.marker().into(), error.info().to_owned()))?;
        reader.take(event, (&span.start).into())?;
    }
    let empty = || Rc::new(Node { place: Place { line: 1, column: 1 }, value: Value::Null });
    Ok(reader.document.unwrap_or_else(empty))
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, (Rc<Node>, usize)>,
    document: Option<Rc<Node>>,
    /// Nodes so far, those behind aliases included.
    nodes: usize,
}

/// A list or a map whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    nodes_before: usize,
    value: Value,
    /// The key of a map whose value comes next.
    key: Option<(String, Place)>,
    /// Where the keys of a map are that were written, not merged.
    written: HashMap<String, Place>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(_) if self.document.is_some() => {
                Err(Problem::new(place, "a second document begins here, and a file has one"))
            }
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                let value = if null { Value::Null } else { Value::Text(text.into_owned()) };
                let before = self.nodes;
                // A long text weighs as much as many short ones: aliases may repeat it.
                let weight = if let Value::Text(text) = &value { 1 + text.len() / 1024 } else { 1 };
                self.count(weight, place)?;
                self.add(Node { place, value }, anchor, before)
            }
            Event::SequenceStart(anchor, _) => self.begin(Value::List(Vec::new()), anchor, place),
            Event::MappingStart(anchor, _) => self.begin(Value::Map(Vec::new()), anchor, place),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { place, anchor, nodes_before, value, .. }) => {
                    self.add(Node { place, value }, anchor, nodes_before)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::new(place, "this alias is inside of what it stands for"));
                };
                self.count(nodes, place)?;
                self.put(node)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, value: Value, anchor: usize, place: Place) -> Result<(), Problem> {
        if self.open.len() >= MOST_LEVELS {
            return Err(Problem::new(
                place,
                format!("this is nested deeper than {MOST_LEVELS} levels"),
            ));
        }
        let nodes_before = self.nodes;
        self.count(1, place)?;
        let written = HashMap::new();
        self.open.push(Open { place, anchor, nodes_before, value, key: None, written });
        Ok(())
    }

    fn count(&mut self, nodes: usize, place: Place) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MOST_NODES {
            let what = format!("with its aliases the file has more than {MOST_NODES} values");
            return Err(Problem::new(place, what));
        }
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize, nodes_before: usize) -> Result<(), Problem> {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), self.nodes - nodes_before));
        }
        self.put(node)
    }

    fn put(&mut self, node: Rc<Node>) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.document = Some(node);
            return Ok(());
        };
        match &mut open.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => {
                    let Value::Text(key) = &node.value else {
                        return Err(Problem::new(node.place, "a key has to be a text"));
                    };
                    if let Some(first) = open.written.get(key) {
                        let what = format!("`{key}` is here twice: first in line {}", first.line);
                        return Err(Problem::new(node.place, what));
                    }
                    open.key = Some((key.clone(), node.place));
                }
                Some((key, place)) if key == "<<" => merge(entries, &node, place)?,
                Some((key, place)) => {
                    // What a `<<` brought gives way.
                    if open.written.len() < entries.len() {
                        entries.retain(|entry| entry.key != key);
                    }
                    open.written.insert(key.clone(), place);
                    entries.push(Entry { key, place, value: node });
                }
            },
            Value::Null | Value::Text(_) => {}
        }
        Ok(())
    }
}

/// `<<: *base`: the entries of another map, or of several, that are not here.
fn merge(entries: &mut Vec<Entry>, node: &Node, place: Place) -> Result<(), Problem> {
    match &node.value {
        Value::Map(others) => {
            for other in others {
                if !entries.iter().any(|entry| entry.key == other.key) {
                    entries.push(other.clone());
                }
            }
            Ok(())
        }
        Value::List(nodes) => nodes.iter().try_for_each(|node| match &node.value {
            Value::Map(_) => merge(entries, node, place),
            _ => Err(Problem::new(place, "`<<` takes maps")),
        }),
        _ => Err(Problem::new(place, "`<<` takes a map")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let problem = parse(text).unwrap_err();
        format!("{}: {}", problem.place, problem.what)
    }

    #[test]
    fn a_tree_knows_where_things_stand() {
        let node = parse("a:\n  b: [1, two]\n").unwrap();
        let Value::Map(entries) = &node.value else { panic!("{node:?}") };
        let Value::Map(inner) = &entries[0].value.value else { panic!("{node:?}") };
        assert_eq!((inner[0].key.as_str(), inner[0].place.to_string()), ("b", "2:3".to_owned()));
        let Value::List(items) = &inner[0].value.value else { panic!("{node:?}") };
        assert_eq!(items[1].place.to_string(), "2:10");
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        assert_eq!(error("a: 1\nb: 2\na: 3\n"), "3:1: `a` is here twice: first in line 1");
        assert_eq!(
            error("a: 1\n---\nb: 1\n"),
            "2:1: a second document begins here, and a file has one"
        );
        assert_eq!(error("a: &x [*x]\n"), "1:8: this alias is inside of what it stands for");
        assert!(error("a: [1\n").starts_with("2:1: "), "{}", error("a: [1\n"));
        assert!(error(&"[".repeat(65)).contains("deeper than 64"));
    }

    #[test]
    fn aliases_cannot_make_a_file_large() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert!(error(&bomb).contains("more than 50000 values"));
    }

    #[test]
    fn merged_keys_give_way_to_those_that_are_written() {
        for text in
            ["b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}", "b: &b {x: 1, y: 2}\nc: {y: 3, <<: [*b]}"]
        {
            let node = parse(text).unwrap();
            let Value::Map(entries) = &node.value else { panic!("{node:?}") };
            let Value::Map(merged) = &entries[1].value.value else { panic!("{node:?}") };
            let mut merged: Vec<_> = merged
                .iter()
                .map(|entry| match &entry.value.value {
                    Value::Text(text) => format!("{}={text}", entry.key),
                    other => format!("{other:?}"),
                })
                .collect();
            merged.sort();
            assert_eq!(merged, ["x=1", "y=3"]);
        }
    }
}

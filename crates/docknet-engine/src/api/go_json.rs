//! JSON as Go reads it. A client's bodies go through here before serde sees them: Go takes keys of any case, keys that come
//! twice and bytes that are no UTF-8, and what it refuses, it refuses in words that clients show to people.

mod content_type;
mod decode;
mod node;
mod scan;
pub(crate) mod shapes;
pub(crate) mod text;

use serde::de::DeserializeOwned;

pub(crate) use self::content_type::check_content_type;
use self::scan::Syntax;
use crate::Profile;

/// Reads a request's body. `None` is an empty one, which Docker takes for a value with nothing in it, where it does. An
/// error is the whole message for the client.
pub(crate) fn read<T: DeserializeOwned>(
    shape: &'static Shape,
    body: &[u8],
    dialect: Dialect,
) -> Result<Option<T>, String> {
    let nothing_is_fine = matches!(shape.empty, EmptyBody::NothingRead);
    if body.is_empty() && nothing_is_fine && dialect.takes_empty_bodies() {
        return Ok(None);
    }
    let (start, end) = scan::first_value(body, dialect.words()).map_err(|syntax| {
        dialect.refusal(&match syntax {
            Syntax::Nothing => dialect.nothing_to_read().to_owned(),
            Syntax::CutOff => "unexpected EOF".to_owned(),
            Syntax::Wrong(message) => message,
        })
    })?;
    let value = body.get(start..end).unwrap_or_default();
    let node = decode::body(shape, value, dialect).map_err(|message| dialect.refusal(&message))?;
    if dialect.looks_behind_the_value()
        && scan::next_byte(body, end).is_some_and(|byte| byte != b']' && byte != b'}')
    {
        return Err("unexpected content after JSON".into());
    }
    T::deserialize(node).map(Some).map_err(|error| dialect.refusal(&error.to_string()))
}

/// Reads a text that is one JSON value and nothing else, as Go's `json.Unmarshal` does. The error is Go's alone, with
/// nothing before it.
pub(crate) fn unmarshal<T: DeserializeOwned>(
    kind: &'static Kind,
    text: &str,
    dialect: Dialect,
) -> Result<T, String> {
    let bytes = text.as_bytes();
    let (start, end) =
        scan::first_value(bytes, dialect.words()).map_err(|syntax| match syntax {
            Syntax::Nothing | Syntax::CutOff => "unexpected end of JSON input".to_owned(),
            Syntax::Wrong(message) => message,
        })?;
    if let Some(message) = scan::after_top_level(bytes, end, dialect.words()) {
        return Err(message);
    }
    let node = decode::value(kind, bytes.get(start..end).unwrap_or_default(), dialect)?;
    T::deserialize(node).map_err(|error| error.to_string())
}

/// Whose Go reads: engines differ in the version that they were built with, and in what they do around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Go 1.19.
    Docker20_10,
    /// Go 1.24.
    Docker26,
    /// Go 1.27, whose package is written anew.
    Docker28,
    /// Go 1.24.
    Podman5,
}

impl From<Profile> for Dialect {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Docker20_10 => Self::Docker20_10,
            Profile::Docker26 => Self::Docker26,
            Profile::Docker28 => Self::Docker28,
            Profile::Podman5 => Self::Podman5,
        }
    }
}

impl Dialect {
    fn words(self) -> Words {
        match self {
            Self::Docker28 => Words::Modern,
            Self::Docker20_10 | Self::Docker26 | Self::Podman5 => Words::Classic,
        }
    }

    fn refusal(self, message: &str) -> String {
        match self {
            Self::Docker20_10 => message.to_owned(),
            Self::Docker26 | Self::Docker28 => format!("invalid JSON: {message}"),
            Self::Podman5 => format!("Decode(): {message}"),
        }
    }

    fn takes_empty_bodies(self) -> bool {
        matches!(self, Self::Docker26 | Self::Docker28)
    }

    fn nothing_to_read(self) -> &'static str {
        match self {
            Self::Podman5 => "EOF",
            Self::Docker20_10 | Self::Docker26 | Self::Docker28 => {
                "got EOF while reading request body"
            }
        }
    }

    fn looks_behind_the_value(self) -> bool {
        matches!(self, Self::Docker26 | Self::Docker28)
    }
}

/// How errors are worded: by Go up to 1.26, and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    Classic,
    Modern,
}

/// A struct of Go: its name and its fields.
#[derive(Debug)]
pub(crate) struct Shape {
    name: &'static str,
    /// What it was called before 28.
    earlier: &'static str,
    fields: &'static [Field],
    unknown: Unknown,
    empty: EmptyBody,
    through_interface: bool,
}

/// What happens to keys that are no field's.
#[derive(Clone, Copy, Debug)]
enum Unknown {
    Ignored,
    /// They are handed on as they are.
    Kept,
}

/// What an empty body is.
#[derive(Clone, Copy, Debug)]
enum EmptyBody {
    NothingRead,
    Refused,
}

impl Shape {
    const fn new(name: &'static str, fields: &'static [Field]) -> Self {
        Self {
            name,
            earlier: name,
            fields,
            unknown: Unknown::Ignored,
            empty: EmptyBody::NothingRead,
            through_interface: false,
        }
    }

    const fn earlier(mut self, name: &'static str) -> Self {
        self.earlier = name;
        self
    }

    const fn keeping_unknown(mut self) -> Self {
        self.unknown = Unknown::Kept;
        self
    }

    const fn refusing_empty_bodies(mut self) -> Self {
        self.empty = EmptyBody::Refused;
        self
    }

    /// Docker decodes it through a pointer to an interface, which has no name to tell.
    const fn through_interface(mut self) -> Self {
        self.through_interface = true;
        self
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    fn name(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Docker28 => self.name,
            Dialect::Docker20_10 | Dialect::Docker26 | Dialect::Podman5 => self.earlier,
        }
    }
}

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    name: &'static str,
    kind: Kind,
    /// The struct it comes from by embedding, in engines before 28.
    embedded_in: Option<&'static str>,
    since: Since,
}

/// The first engine that knows a field.
#[derive(Clone, Copy, Debug)]
enum Since {
    Ever,
    Docker26,
    Docker28,
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, embedded_in: None, since: Since::Ever }
    }

    const fn embedded_in(mut self, name: &'static str) -> Self {
        self.embedded_in = Some(name);
        self
    }

    const fn since(mut self, since: Since) -> Self {
        self.since = since;
        self
    }

    fn is_known(&self, dialect: Dialect) -> bool {
        match self.since {
            Since::Ever => true,
            Since::Docker26 => !matches!(dialect, Dialect::Docker20_10),
            Since::Docker28 => matches!(dialect, Dialect::Docker28),
        }
    }
}

/// A type of Go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Bool,
    String,
    Int,
    Int64,
    Uint,
    Struct(&'static Shape),
    /// `struct{}`: an object, and nothing in it matters.
    Unit,
    Slice(&'static Self),
    /// A map with keys that are strings.
    Map(&'static Self),
    Pointer(&'static Self),
    /// `strslice.StrSlice`: a string, or a list of them.
    Words,
    /// A type with a name of its own.
    Named(&'static str, &'static Self),
    /// Whatever it is, it goes on untouched.
    Any,
}

#[cfg(test)]
mod tests;

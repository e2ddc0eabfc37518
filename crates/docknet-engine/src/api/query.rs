//! Parameters of a request, as Go reads them.

use super::go_json::text::{lossy, quote};

/// What comes behind the question mark of a request's target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    problem: Option<String>,
}

impl Query {
    /// Reads what it can. What it cannot is left out, and is [`Self::problem`].
    pub(crate) fn parse(raw: &str) -> Self {
        let mut query = Self::default();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            match pair(part) {
                Ok(pair) => query.pairs.push(pair),
                Err(problem) => drop(query.problem.get_or_insert(problem)),
            }
        }
        query
    }

    /// What Docker refuses a request for, with status 400, where it reads parameters at all. Podman only leaves out what
    /// is wrong.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The first value of that name.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of that name.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of that name, or nothing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default()
    }

    /// Whether a value is there that does not say no: what Docker takes for yes in most places.
    pub(crate) fn bool(&self, name: &str) -> bool {
        !matches!(
            self.text(name).trim().to_lowercase().as_str(),
            "" | "0" | "no" | "false" | "none"
        )
    }

    /// A truth value where Docker is strict about it. `None` where there is none, or an empty one.
    pub(crate) fn parse_bool(&self, name: &str) -> Result<Option<bool>, String> {
        self.filled(name).map(parse_bool).transpose()
    }

    /// A number that Docker reads with `strconv.Atoi`. `None` where there is none, or an empty one.
    pub(crate) fn parse_int(&self, name: &str) -> Result<Option<i64>, String> {
        self.filled(name).map(atoi).transpose()
    }

    fn filled(&self, name: &str) -> Option<&str> {
        self.first(name).filter(|value| !value.is_empty())
    }
}

/// Go's `strconv.ParseBool`, its error included.
pub(crate) fn parse_bool(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quote(value))),
    }
}

/// Go's `strconv.Atoi`, its error included.
pub(crate) fn atoi(value: &str) -> Result<i64, String> {
    integer("Atoi", value)
}

/// Go's `strconv.ParseInt` to the base of ten, its error included.
pub(crate) fn parse_int(value: &str) -> Result<i64, String> {
    integer("ParseInt", value)
}

fn integer(function: &str, value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| {
        let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let cause = if is_number { "value out of range" } else { "invalid syntax" };
        format!("strconv.{function}: parsing {}: {cause}", quote(value))
    })
}

fn pair(part: &str) -> Result<(String, String), String> {
    if part.contains(';') {
        return Err("invalid semicolon separator in query".into());
    }
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    Ok((unescape(name)?, unescape(value)?))
}

/// Percent signs and plus signs undone. Bytes that are no UTF-8 are replaced, for they could not come out anyhow.
fn unescape(escaped: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = after.get(..2).and_then(hex_byte).ok_or_else(|| {
                    let bad: Vec<u8> =
                        std::iter::once(b'%').chain(after.iter().copied().take(2)).collect();
                    format!("invalid URL escape {}", quote(&lossy(&bad)))
                })?;
                bytes.push(digits);
                rest = after.get(2..).unwrap_or_default();
            }
            other => bytes.push(other),
        }
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| lossy(error.as_bytes()).into_owned()))
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |sum, &digit| {
        let digit = u8::try_from(char::from(digit).to_digit(16)?).ok()?;
        Some(sum << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_value_wins() {
        let query = Query::parse("filters=%7B%7D&filters=x&a=1&filters=y");
        assert_eq!(query.first("filters"), Some("{}"));
        assert_eq!(query.first("nosuch"), None);
        assert_eq!(query.text("nosuch"), "");
        assert_eq!(query.problem(), None);
    }

    #[test]
    fn names_and_values_are_unescaped() {
        let query = Query::parse("a+b=c%20d%2B&=x&e&&f==g&%ff=%FF");
        assert_eq!(query.first("a b"), Some("c d+"));
        assert_eq!(query.first(""), Some("x"));
        assert_eq!(query.first("e"), Some(""));
        assert_eq!(query.first("f"), Some("=g"));
        assert_eq!(query.first("\u{fffd}"), Some("\u{fffd}"));
    }

    #[test]
    fn what_is_malformed_is_left_out_and_named_in_gos_words() {
        for (raw, problem) in [
            ("b=1&a=%zz&c=%", r#"invalid URL escape "%zz""#),
            ("b=1&%", r#"invalid URL escape "%""#),
            ("b=1&a=%1", r#"invalid URL escape "%1""#),
            ("a;c&b=1", "invalid semicolon separator in query"),
        ] {
            let query = Query::parse(raw);
            assert_eq!(query.problem(), Some(problem), "{raw}");
            assert_eq!(query.first("b"), Some("1"));
            assert_eq!(query.first("a"), None);
        }
    }

    #[test]
    fn what_does_not_say_no_is_yes() {
        for no in ["", "0", "no", "No", "false", "FALSE", "none", " false "] {
            assert!(
                !Query { pairs: vec![("v".into(), no.into())], problem: None }.bool("v"),
                "{no}"
            );
        }
        for yes in ["1", "true", "yes", "garbage", "f", "2"] {
            assert!(
                Query { pairs: vec![("v".into(), yes.into())], problem: None }.bool("v"),
                "{yes}"
            );
        }
        assert!(!Query::default().bool("v"));
    }

    #[test]
    fn strict_values_are_refused_in_gos_words() {
        let query = Query::parse("verbose=garbage&t=T&empty=&n=x&big=99999999999999999999&m=-5");
        assert_eq!(query.parse_bool("t"), Ok(Some(true)));
        assert_eq!(query.parse_bool("empty"), Ok(None));
        assert_eq!(query.parse_bool("nosuch"), Ok(None));
        assert_eq!(
            query.parse_bool("verbose"),
            Err(r#"strconv.ParseBool: parsing "garbage": invalid syntax"#.into())
        );
        assert_eq!(query.parse_int("m"), Ok(Some(-5)));
        assert_eq!(
            query.parse_int("n"),
            Err(r#"strconv.Atoi: parsing "x": invalid syntax"#.into())
        );
        assert_eq!(
            query.parse_int("big"),
            Err(r#"strconv.Atoi: parsing "99999999999999999999": value out of range"#.into())
        );
        assert_eq!(parse_int("-"), Err(r#"strconv.ParseInt: parsing "-": invalid syntax"#.into()));
    }

    proptest! {
        #[test]
        fn what_was_escaped_is_read_back(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..5)) {
            let raw = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let query = Query::parse(&raw);
            prop_assert_eq!(query.problem(), None);
            prop_assert_eq!(query.pairs, pairs);
        }

        #[test]
        fn any_text_is_read(raw in "[a-f0-9%+=&;é]{0,20}") {
            let query = Query::parse(&raw);
            if !raw.contains(['%', ';']) {
                prop_assert_eq!(query.problem(), None);
            }
        }
    }
}

//! Values of flags that several commands take.

use std::fmt::Display;
use std::str::FromStr;

use docknet::Filters;

use crate::failure::{Failure, Outcome};

/// `key=value`, as a filter is given.
pub(crate) fn filter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_lowercase(), value.trim().to_owned())),
        None => Err("a filter is KEY=VALUE, as in `driver=bridge`".to_owned()),
    }
}

pub(crate) fn filters(given: &[(String, String)]) -> Filters {
    given.iter().fold(Filters::new(), |filters, (key, value)| filters.raw(key, value))
}

/// `key=value`, or a key alone, whose value is empty.
pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    if key.trim().is_empty() {
        return Err("there is no name before the `=`".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// A value that clap took as text. Docker's CLI leaves such values to the engine, so a wrong one is no mistake of usage.
pub(crate) fn value<T: FromStr<Err: Display>>(flag: &str, text: &str, example: &str) -> Outcome<T> {
    text.trim().parse().map_err(|error: T::Err| {
        Failure::new(format!("`{flag} {text}`: {error}")).hint(format!("as in `{flag} {example}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_docker_reads_them() {
        assert_eq!(filter(" Driver = bridge").unwrap(), ("driver".to_owned(), "bridge".to_owned()));
        assert_eq!(filter("label=a=b").unwrap(), ("label".to_owned(), "a=b".to_owned()));
        assert!(filter("driver").is_err());
    }

    #[test]
    fn a_setting_may_have_no_value_but_has_a_name() {
        assert_eq!(setting("a").unwrap(), ("a".to_owned(), String::new()));
        assert_eq!(setting("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert!(setting("=b").is_err());
    }
}

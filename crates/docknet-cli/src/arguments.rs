//! Values of flags that several commands take.

use std::fmt::Display;
use std::str::FromStr;

use docknet::Filters;

use crate::failure::{Failure, Outcome};

/// `key=value`, several times. `keys` says which there are, for who got it wrong.
pub(crate) fn filters(given: &[String], keys: &str) -> Outcome<Filters> {
    let mut filters = Filters::new();
    for filter in given.iter().filter(|filter| !filter.is_empty()) {
        let Some((key, value)) = filter.split_once('=') else {
            let what = format!("`--filter {filter}` is not KEY=VALUE");
            // docker's exit code for flags that it does not understand.
            return Err(Failure::new(what).hint(format!("the keys are {keys}")).code(125));
        };
        filters = filters.raw(key.trim().to_lowercase(), value.trim());
    }
    Ok(filters)
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
        let given = ["", "Driver = bridge ", "label=a=b", "label=c"].map(str::to_owned);
        assert_eq!(
            filters(&given, "").unwrap().to_json(),
            r#"{"driver":{"bridge":true},"label":{"a=b":true,"c":true}}"#
        );
        assert!(filters(&["foo".to_owned()], "").is_err());
    }

    #[test]
    fn a_setting_may_have_no_value_but_has_a_name() {
        assert_eq!(setting("a").unwrap(), ("a".to_owned(), String::new()));
        assert_eq!(setting("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert!(setting("=b").is_err());
    }
}

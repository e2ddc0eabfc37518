//! What an engine answered, as the recorder writes it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// The answers of one engine, in the order in which it gave them.
#[derive(Debug)]
pub(super) struct Recording {
    version: String,
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// `GROUP/CASE`; a later answer of the same case is `GROUP/CASE > WHICH`.
    pub(super) case: String,
    /// Empty where the entry is a fact worked out from several answers.
    pub(super) request: String,
    pub(super) status: Option<u64>,
    /// The media type of the body.
    pub(super) media: String,
    pub(super) body: Value,
}

impl Recording {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("golden: cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("golden: {} is no recording", file.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut document: Value = serde_json::from_str(text)?;
        let version = document["engine"]["Version"].as_str().unwrap_or("?").to_owned();
        let Value::Array(entries) = document["entries"].take() else {
            anyhow::bail!("it has no entries");
        };
        let entries = entries.into_iter().map(Entry::of).collect::<Result<_>>()?;
        Ok(Self { version, entries })
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Each once, in the order of the recording.
    pub(super) fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for entry in &self.entries {
            if groups.last().is_none_or(|last| last != entry.group()) {
                groups.push(entry.group().to_owned());
            }
        }
        groups
    }
}

impl Entry {
    fn of(mut value: Value) -> Result<Self> {
        let text = |value: &Value, key: &str| {
            value[key].as_str().map(str::to_owned).with_context(|| format!("{value}: no {key}"))
        };
        Ok(Self {
            case: text(&value, "case")?,
            request: text(&value, "request")?,
            status: value["status"].as_u64(),
            media: text(&value, "type")?,
            body: value["body"].take(),
        })
    }

    pub(super) fn group(&self) -> &str {
        self.case.split('/').next().unwrap_or_default()
    }

    /// What it says: of a refusal the words, of a fact all of it, of a success only that.
    pub(super) fn words(&self) -> Option<&Value> {
        match self.status {
            Some(200..400) => None,
            _ => Some(self.body.get("message").unwrap_or(&self.body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_refusal_count_and_those_of_a_success_do_not() {
        let recording = Recording::parse(
            r#"{"engine":{"Version":"1"},"entries":[
                {"case":"a/x","request":"GET /","status":404,"type":"","body":{"message":"no"}},
                {"case":"a/y","request":"GET /","status":200,"type":"","body":{"message":"yes"}},
                {"case":"b/z","request":"","status":null,"type":"","body":[1]}]}"#,
        )
        .unwrap();
        let words: Vec<_> = recording.entries.iter().map(Entry::words).collect();
        assert_eq!(words[0].unwrap(), "no");
        assert_eq!(words[1], None);
        assert_eq!(words[2].unwrap(), &serde_json::json!([1]));
        assert_eq!(recording.groups(), ["a", "b"]);
    }
}

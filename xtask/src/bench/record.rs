//! What the benchmarks have written, a JSON object a line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

#[derive(Debug)]
pub(super) struct Record(Value);

pub(super) fn read(file: &Path) -> Result<Vec<Record>> {
    let text = fs::read_to_string(file).context("bench: nothing was reported")?;
    text.lines().map(Record::parse).collect()
}

impl Record {
    pub(super) fn parse(line: &str) -> Result<Self> {
        Ok(Self(serde_json::from_str(line)?))
    }

    pub(super) fn is(&self, chapter: &str, kind: &str) -> bool {
        self.text("chapter") == Some(chapter) && self.text("kind") == Some(kind)
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.0[field].as_str()
    }

    pub(super) fn number(&self, field: &str) -> Option<f64> {
        self.0[field].as_f64()
    }

    /// Its name, and whether its goal was reached; none if it has no goal.
    pub(super) fn verdict(&self) -> Option<(&str, bool)> {
        Some((self.text("name")?, self.text("verdict")? == "ok"))
    }
}

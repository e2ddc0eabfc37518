//! How much memory this process has.

use anyhow::{Context, Result};

/// What of its memory is resident, in bytes.
pub fn resident() -> Result<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = statm.split_whitespace().nth(1).context("statm has no such field")?.parse()?;
    Ok(pages * rustix::param::page_size() as f64)
}

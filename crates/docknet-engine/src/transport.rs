//! The SDK on an engine in the same process.

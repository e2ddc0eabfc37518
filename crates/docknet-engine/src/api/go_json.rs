//! JSON as Go reads it.

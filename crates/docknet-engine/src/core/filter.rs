//! Filters of a request.

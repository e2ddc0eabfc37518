//! Who listens to events.

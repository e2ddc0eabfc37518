//! What clients see, over every way to an engine.

mod client;
mod limits;
mod same;
mod shutdown;
mod tiny;
mod upgrade;

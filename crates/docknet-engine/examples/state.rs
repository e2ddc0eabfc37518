//! What an engine keeps, as JSON, whether it runs or not:
//!
//! ```sh
//! cargo run -p docknet-engine --example state -- /var/lib/docknet
//! ```
#![expect(clippy::print_stdout, reason = "a program that prints a state")]

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("state: of which directory?")?;
    println!("{:#}", docknet_engine::dump_state(Path::new(&dir))?);
    Ok(())
}

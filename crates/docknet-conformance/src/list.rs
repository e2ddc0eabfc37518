//! To come.

use crate::{behaviours, lab};
use docknet::{Client, Result};

/// A network can be made.
pub async fn stub(client: &Client) -> Result<()> {
    lab::network(client, |spec| spec).await?;
    Ok(())
}

behaviours!(list: stub);

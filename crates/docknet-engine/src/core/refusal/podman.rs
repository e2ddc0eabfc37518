//! How Podman words refusals.

use super::Refusal;
use crate::Profile;

pub(super) fn answer(refusal: &Refusal) -> (u16, String) {
    super::docker::answer(refusal, Profile::Podman5)
}

//! Random things, for real or from a seed.

use docknet_types::MacAddr;
use fastrand::Rng;

use crate::core::tx::Draw;

pub(super) struct Dice(pub(super) Rng);

impl Draw for Dice {
    fn id(&mut self) -> String {
        format!("{:032x}{:032x}", self.0.u128(..), self.0.u128(..))
    }

    fn mac(&mut self) -> MacAddr {
        let mut octets = [0; 6];
        self.0.fill(&mut octets);
        // Locally administered, and of one station.
        octets[0] = octets[0] & 0xfc | 0x02;
        MacAddr::new(octets)
    }

    fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.0.usize(..limit) }
    }
}

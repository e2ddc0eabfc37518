//! What a host reaches by itself.

use ipnet::IpNet;

use super::intervals::Intervals;
use super::number::{Family, span};

/// Where the routes of the host lead, and what a default subnet must therefore not hide.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostRoutes {
    v4: Intervals,
    v6: Intervals,
}

impl HostRoutes {
    pub(crate) fn overlap(&self, net: IpNet) -> bool {
        let (first, last) = span(&net);
        self.routes(Family::of_net(&net)).overlapping(first, last).is_some()
    }

    /// Those of one family, as numbers.
    pub(super) fn routes(&self, family: Family) -> &Intervals {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl FromIterator<IpNet> for HostRoutes {
    /// Default routes are left out, as there would be nothing left to give.
    fn from_iter<T: IntoIterator<Item = IpNet>>(routes: T) -> Self {
        let mut all = Self::default();
        for net in routes.into_iter().filter(|net| !net.network().is_unspecified()) {
            let (first, last) = span(&net);
            match net {
                IpNet::V4(_) => all.v4.insert(first, last),
                IpNet::V6(_) => all.v6.insert(first, last),
            }
        }
        all
    }
}

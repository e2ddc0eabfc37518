//! One thing an engine must do.

use docknet::{BoxFuture, Client, Result};

/// How a behaviour is run. It fails by an error or by a panic.
pub type Run = for<'a> fn(&'a Client) -> BoxFuture<'a, Result<()>>;

/// One thing an engine must do: a function that makes what it needs, looks, and panics if it is not so.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Behaviour {
    /// The chapter and the function, as in `create::static_gateway`.
    pub name: &'static str,
    /// The chapter.
    pub group: &'static str,
    /// What must be there for it to be looked at.
    pub needs: &'static [Needs],
    /// The function.
    pub run: Run,
    pub(crate) source: &'static str,
}

/// What a behaviour needs of an engine. Where it is missing, the behaviour is not applicable, and is shown as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Needs {
    /// Containers of the image [`lab::IMAGE`](crate::lab::IMAGE).
    Containers,
    /// The engine for itself: what it does shows everywhere, so that it is run alone, at the end.
    Exclusive,
    /// A node that is in no swarm.
    NoSwarm,
    /// A link beside the engine, for macvlan networks: see [`lab::parent`](crate::lab::parent).
    Parent,
    /// Containers with programs that run in them: traffic, name servers, routes. An engine in memory has none.
    Processes,
    /// A manager of a swarm.
    Swarm,
    /// A swarm with a second node that can be talked to: see [`lab::nodes`](crate::lab::nodes).
    TwoNodes,
    /// The words of Docker 28: it, or an engine that plays it.
    Wording,
}

impl Needs {
    /// Every need that an engine may not meet.
    pub const ALL: &'static [Self] = &[
        Self::Containers,
        Self::NoSwarm,
        Self::Parent,
        Self::Processes,
        Self::Swarm,
        Self::TwoNodes,
        Self::Wording,
    ];

    /// Whether it is about swarms.
    #[must_use]
    pub const fn is_of_swarm(self) -> bool {
        matches!(self, Self::Swarm | Self::TwoNodes)
    }

    /// Why a behaviour with this need does not apply.
    #[must_use]
    pub const fn missing(self) -> &'static str {
        match self {
            Self::Containers => "the image busybox is not there",
            Self::Exclusive => "others use the engine",
            Self::NoSwarm => "the node is in a swarm",
            Self::Parent => "DOCKNET_MACVLAN_PARENT names no link for macvlan networks",
            Self::Processes => "its containers have no processes",
            Self::Swarm => "the node manages no swarm",
            Self::TwoNodes => "there is no second node of a swarm",
            Self::Wording => "the words that are asked for are those of Docker 28",
        }
    }
}

impl Behaviour {
    /// What must hold: the first paragraph of the function's documentation.
    #[must_use]
    pub fn sentence(&self) -> String {
        let function = self.name.rsplit("::").next().unwrap_or(self.name);
        let head = format!("pub async fn {function}(");
        let before = self.source.split(&head).next().unwrap_or_default();
        let lines: Vec<_> = before
            .lines()
            .rev()
            .map_while(|line| line.strip_prefix("///"))
            .map(str::trim)
            .collect();
        let paragraph = lines.into_iter().rev().take_while(|line| !line.is_empty());
        paragraph.collect::<Vec<_>>().join(" ")
    }

    /// Whether it needs the engine for itself.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.needs.contains(&Needs::Exclusive)
    }
}

/// Registers the behaviours of a chapter, which is the module's name: `behaviours!(create: one, two [Containers])`.
macro_rules! behaviours {
    ($group:ident: $($name:ident $([$($need:ident),+])?),+ $(,)?) => {
        pub(crate) const BEHAVIOURS: &[$crate::Behaviour] = &[$($crate::Behaviour {
            name: concat!(stringify!($group), "::", stringify!($name)),
            group: stringify!($group),
            needs: &[$($($crate::Needs::$need),+)?],
            run: |client| Box::pin($name(client)),
            source: include_str!(concat!(stringify!($group), ".rs")),
        }),+];
    };
}
pub(crate) use behaviours;

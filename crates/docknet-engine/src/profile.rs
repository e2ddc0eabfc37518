//! Whose engine to be like.

/// The engine whose answers are given, where engines differ.
///
/// ```
/// use docknet_engine::Profile;
///
/// assert_eq!(Profile::default(), Profile::Docker28);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Docker Engine 20.10, API 1.41.
    Docker20_10,
    /// Docker Engine 26.1, API 1.45.
    Docker26,
    /// Docker Engine 28.5, API 1.51.
    #[default]
    Docker28,
    /// Podman 5.4, API 1.41.
    Podman5,
}

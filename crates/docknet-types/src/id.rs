//! Ids as engines give them: 64 hexadecimal digits, or 25 letters and digits for what a swarm allocates.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How many characters of an id people read: docker prints twelve.
const SHORT: usize = 12;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as the engine gave it.
            #[must_use]
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The whole id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Its first twelve characters, as docker prints it.
            #[must_use]
            pub fn short(&self) -> &str {
                let end = self.0.char_indices().nth(SHORT).map_or(self.0.len(), |(at, _)| at);
                &self.0[..end]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    };
}

id! {
    /// The id of a network.
    ///
    /// ```
    /// use docknet_types::NetworkId;
    ///
    /// let id = NetworkId::new("8dc8b98ebcbf4d8a1e7e9c1c2d3a44b3f1a09b5c7be92df1b0e0f4a6c5d7e812");
    /// assert_eq!(id.short(), "8dc8b98ebcbf");
    /// ```
    NetworkId
}

id! {
    /// The id of a container.
    ///
    /// ```
    /// use docknet_types::ContainerId;
    ///
    /// assert_eq!(ContainerId::new("4f66ad9a0b2e60f1").short(), "4f66ad9a0b2e");
    /// ```
    ContainerId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_never_splits_a_character_nor_needs_twelve() {
        assert_eq!(NetworkId::new("").short(), "");
        assert_eq!(NetworkId::new("abc").short(), "abc");
        assert_eq!(NetworkId::new("éééééééééééééé").short().chars().count(), 12);
    }
}

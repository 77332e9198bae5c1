//! Newtype identities: what selection, subscriptions and plans refer to, never a row number.

use std::fmt;
use std::sync::Arc;

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl $name {
            /// The identity for this text.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text of the identity.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

identity! {
    /// One engine endpoint quarterdeck talks to (a Docker host, a cluster, the demo world).
    ConnectionId
}
identity! {
    /// A workload's name, unique within its environment.
    WorkloadId
}
identity! {
    /// An instance as the engine names it (a container id, a task id, `namespace/pod`).
    InstanceId
}
identity! {
    /// One operation: sortable by start time, unique across hosts.
    OperationId
}

identity! {
    /// An endpoint that is scraped, unique within its environment.
    TargetId
}

/// An environment, unique over all connections: two endpoints may each have one of the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentId {
    /// The endpoint it lives on.
    pub connection: ConnectionId,
    /// Its name there.
    pub name: Arc<str>,
}

impl EnvironmentId {
    /// The environment `name` of `connection`.
    #[must_use]
    pub fn new(connection: impl Into<ConnectionId>, name: impl Into<Arc<str>>) -> Self {
        Self { connection: connection.into(), name: name.into() }
    }
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

//! The kinds of objects that are watched, and where they are.

/// A kind that is watched; the order is that of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Pod,
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    ReplicaSet,
    Node,
    Scaler,
    ControllerRevision,
    Lease,
    ConfigMap,
    Service,
    EndpointSlice,
    Budget,
    Ingress,
    Event,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Pod,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
        Self::ReplicaSet,
        Self::Node,
        Self::Scaler,
        Self::ControllerRevision,
        Self::Lease,
        Self::ConfigMap,
        Self::Service,
        Self::EndpointSlice,
        Self::Budget,
        Self::Ingress,
        Self::Event,
    ];

    /// Its group's path and its plural.
    #[must_use]
    pub fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Pod => ("/api/v1", "pods"),
            Self::Deployment => ("/apis/apps/v1", "deployments"),
            Self::StatefulSet => ("/apis/apps/v1", "statefulsets"),
            Self::DaemonSet => ("/apis/apps/v1", "daemonsets"),
            Self::Job => ("/apis/batch/v1", "jobs"),
            Self::CronJob => ("/apis/batch/v1", "cronjobs"),
            Self::ReplicaSet => ("/apis/apps/v1", "replicasets"),
            Self::Node => ("/api/v1", "nodes"),
            Self::Scaler => ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
            Self::ControllerRevision => ("/apis/apps/v1", "controllerrevisions"),
            Self::Lease => ("/apis/coordination.k8s.io/v1", "leases"),
            Self::ConfigMap => ("/api/v1", "configmaps"),
            Self::Service => ("/api/v1", "services"),
            Self::EndpointSlice => ("/apis/discovery.k8s.io/v1", "endpointslices"),
            Self::Budget => ("/apis/policy/v1", "poddisruptionbudgets"),
            Self::Ingress => ("/apis/networking.k8s.io/v1", "ingresses"),
            Self::Event => ("/api/v1", "events"),
        }
    }

    /// `replicasets`.
    #[must_use]
    pub fn plural(self) -> &'static str {
        self.place().1
    }

    /// Whether its objects are in no namespace.
    #[must_use]
    pub fn is_of_cluster(self) -> bool {
        self == Self::Node
    }

    /// Whether what is planned rests on it.
    #[must_use]
    pub fn is_planned_on(self) -> bool {
        match self {
            Self::Pod
            | Self::Deployment
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::Job
            | Self::CronJob
            | Self::ReplicaSet
            | Self::ControllerRevision
            | Self::Scaler
            | Self::Lease
            | Self::ConfigMap => true,
            Self::Node | Self::Service | Self::EndpointSlice | Self::Budget | Self::Ingress | Self::Event => false,
        }
    }

    /// Whether nothing is said where it may not be listed: the other one of the two may hold the lock.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        matches!(self, Self::ConfigMap | Self::Lease)
    }

    /// The path of its objects, with what narrows them down.
    #[must_use]
    pub fn path(self, namespace: Option<&str>) -> String {
        let (group, plural) = self.place();
        let place = match namespace.filter(|_| !self.is_of_cluster()) {
            Some(namespace) => format!("{group}/namespaces/{}/{plural}", super::super::place::encoded(namespace)),
            None => format!("{group}/{plural}"),
        };
        if self.is_quiet() { format!("{place}?fieldSelector=metadata.name%3D{}", super::super::lock_note::NAME) } else { place }
    }
}

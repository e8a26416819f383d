//! What is told to whom: receivers, integrations, notifications, and the verdict on an attempt to deliver one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Alert, AlertStatus, LabelSet, Timestamp};

/// One configured way out: `<receiver>/<kind>/<index>`, where the index counts from 0 within its kind, in file order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrationId {
    pub receiver: Arc<str>,
    /// `email`, `slack`, `pagerduty`, `webhook`, …
    pub kind: &'static str,
    pub index: usize,
}

impl fmt::Display for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.receiver, self.kind, self.index)
    }
}

/// A receiver as the router sees it: a name and the ways out that it has, which may be none (a black hole).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    pub name: Arc<str>,
    /// For `receiver_matchers` in the API; always holds `name`.
    pub labels: LabelSet,
    pub ways: Vec<Way>,
}

/// An integration as the router sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    pub id: IntegrationId,
    pub send_resolved: bool,
    /// Bounds one attempt, if the integration sets one.
    pub timeout: Option<Duration>,
}

/// The text of a group on the wire: route key, `:`, group labels (contract alertmanager §3). Not the group's identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey(Arc<str>);

impl GroupKey {
    pub fn new(route_key: &str, group_labels: &LabelSet) -> Self {
        GroupKey(format!("{route_key}:{group_labels}").into())
    }

    /// As it was stored.
    pub fn stored(text: &str) -> Self {
        GroupKey(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lower-case hex SHA-256 of the text: PagerDuty's `dedup_key`, Opsgenie's alias, and so on.
    pub fn hash(&self) -> String {
        super::sha256_hex(self.0.as_bytes())
    }
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a notification is sent (contract alertmanager §5.2); the texts are on the wire as `notification_reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationReason {
    FirstNotification,
    NewAlertsAdded,
    AllAlertsResolved,
    SomeAlertsResolved,
    RepeatIntervalElapsed,
}

impl NotificationReason {
    pub const ALL: [NotificationReason; 5] = [
        NotificationReason::FirstNotification,
        NotificationReason::NewAlertsAdded,
        NotificationReason::AllAlertsResolved,
        NotificationReason::SomeAlertsResolved,
        NotificationReason::RepeatIntervalElapsed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            NotificationReason::FirstNotification => "first notification",
            NotificationReason::NewAlertsAdded => "new alerts added",
            NotificationReason::AllAlertsResolved => "all alerts resolved",
            NotificationReason::SomeAlertsResolved => "some alerts resolved",
            NotificationReason::RepeatIntervalElapsed => "repeat interval elapsed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        NotificationReason::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl fmt::Display for NotificationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One alert of a notification: the status and times are those that were decided; labels, annotations and the generator
/// URL are the newest stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NotifiedAlert {
    pub alert: Arc<Alert>,
    pub status: AlertStatus,
    pub starts_at: Timestamp,
    /// `None` while firing: a firing alert is carried with no end, so that it cannot turn resolved on the way.
    pub ends_at: Option<Timestamp>,
}

/// What an integration remembers of a group between notifications (slack's `threadTs`, `channelId`).
pub type ReceiverData = BTreeMap<String, DataValue>;

/// One remembered value.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum DataValue {
    Int(i64),
    Float(f64),
    Text(String),
}

/// A notification to be rendered and delivered: one group, one integration.
#[derive(Debug, Clone)]
pub struct Notification {
    pub integration: IntegrationId,
    pub group_key: GroupKey,
    pub group_labels: LabelSet,
    /// Names and their templates, merged down the route tree; rendered with the notification.
    pub route_labels: Arc<[(String, String)]>,
    pub reason: NotificationReason,
    /// In flush order; without the resolved ones if the integration takes none. Never empty.
    pub alerts: Vec<NotifiedAlert>,
    /// The tick of the decision: `now` in templates.
    pub tick: Timestamp,
    /// The same for every attempt at this notification and never used for another (HTTP `Idempotency-Key`, email
    /// `Message-ID`).
    pub idempotency_key: Arc<str>,
    pub receiver_data: ReceiverData,
}

impl Notification {
    /// `firing` if any alert is, else `resolved`.
    pub fn status(&self) -> AlertStatus {
        match self.alerts.iter().any(|alert| alert.status == AlertStatus::Firing) {
            true => AlertStatus::Firing,
            false => AlertStatus::Resolved,
        }
    }
}

/// Why an attempt failed: the metric label of contract alertmanager §5.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    ClientError,
    ServerError,
    AuthError,
    RateLimited,
    ContextCanceled,
    ContextDeadlineExceeded,
    Other,
}

impl FailureReason {
    pub const ALL: [FailureReason; 7] = [
        FailureReason::ClientError,
        FailureReason::ServerError,
        FailureReason::AuthError,
        FailureReason::RateLimited,
        FailureReason::ContextCanceled,
        FailureReason::ContextDeadlineExceeded,
        FailureReason::Other,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            FailureReason::ClientError => "clientError",
            FailureReason::ServerError => "serverError",
            FailureReason::AuthError => "authError",
            FailureReason::RateLimited => "rateLimited",
            FailureReason::ContextCanceled => "contextCanceled",
            FailureReason::ContextDeadlineExceeded => "contextDeadlineExceeded",
            FailureReason::Other => "other",
        }
    }
}

/// What went wrong in an attempt. `detail` holds no secret and no URL with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    pub detail: String,
}

/// The verdict on one attempt. The router decides when to try again; an integration only classifies.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    /// The peer took it. `receiver_data` replaces what was remembered, if it is given.
    Delivered { receiver_data: Option<ReceiverData> },
    /// Worth another try, not before `after` if the peer named a time.
    Retry { after: Option<Duration>, failure: Failure },
    /// There was no whole answer after the request began: worth another try, and the peer may have heard this one.
    Unanswered { failure: Failure },
    /// The peer will never take this one; retrying would only annoy it.
    Rejected { failure: Failure },
}

/// One way out: renders a notification, makes one attempt at delivering it and classifies the outcome.
///
/// An attempt keeps its own deadlines on every step, but the caller also drops it when time is up, so it must be safe to
/// cancel anywhere.
pub trait Integration: Send + Sync {
    fn attempt<'a>(&'a self, notification: &'a Notification) -> BoxFuture<'a, Attempt>;
}

//! What templates of notifications see (contract alertmanager §8.2).

use std::collections::HashMap;
use std::sync::Arc;

use gotmpl::Value;

use super::templates::Templates;
use super::value::{ZERO_TIME, instant, labels, list, tagged, text, time};
use crate::model::{AlertStatus, LabelSet, Notification, NotifiedAlert, Timestamp};

/// The data of one notification, with its route labels rendered.
#[derive(Clone)]
pub struct Data {
    pub(super) value: Value,
    pub(super) now: Timestamp,
    pub(super) external_url: Arc<str>,
    pub(super) rendered: Arc<HashMap<String, String>>,
    route_labels: LabelSet,
}

impl Data {
    /// The data of `notification`. Route labels are rendered against the same data with the reason `unknown`; one that
    /// fails is left out, with a warning.
    pub fn new(notification: &Notification, external_url: &str, templates: &Templates) -> Data {
        let mut data = Data {
            value: value(notification, external_url, "unknown", &LabelSet::empty()),
            now: notification.tick,
            external_url: external_url.into(),
            rendered: Arc::default(),
            route_labels: LabelSet::empty(),
        };
        data.route_labels = templates.render_route_labels(&notification.route_labels, &data);
        let rendered = data.route_labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        data.rendered = Arc::new(rendered.collect());
        data.value = value(notification, external_url, notification.reason.as_str(), &data.route_labels);
        data
    }

    /// The rendered route labels.
    pub fn route_labels(&self) -> &LabelSet {
        &self.route_labels
    }
}

fn value(notification: &Notification, external_url: &str, reason: &str, route_labels: &LabelSet) -> Value {
    let alerts = &notification.alerts;
    tagged(
        "data",
        [
            ("Receiver", text(quote_regex(&notification.integration.receiver))),
            ("Status", status(notification.status())),
            ("Alerts", list(alerts.iter().map(alert))),
            ("NotificationReason", text(reason)),
            ("GroupLabels", labels(&notification.group_labels)),
            ("CommonLabels", labels(&common(alerts.iter().map(|alert| &alert.alert.labels)))),
            ("CommonAnnotations", labels(&common(alerts.iter().map(|alert| &alert.alert.annotations)))),
            ("RouteLabels", labels(route_labels)),
            ("ExternalURL", text(external_url.trim_end_matches('/'))),
        ],
    )
}

fn alert(notified: &NotifiedAlert) -> Value {
    tagged(
        "alert",
        [
            ("Status", status(notified.status)),
            ("Labels", labels(&notified.alert.labels)),
            ("Annotations", labels(&notified.alert.annotations)),
            ("StartsAt", instant(notified.starts_at)),
            ("EndsAt", notified.ends_at.map_or_else(|| time(ZERO_TIME, 0, "UTC"), instant)),
            ("GeneratorURL", text(&notified.alert.generator_url)),
            ("Fingerprint", text(notified.alert.labels.fingerprint().to_string())),
        ],
    )
}

fn status(status: AlertStatus) -> Value {
    text(match status {
        AlertStatus::Firing => "firing",
        AlertStatus::Resolved => "resolved",
    })
}

/// What is the same in all.
fn common<'a>(mut sets: impl Iterator<Item = &'a LabelSet>) -> LabelSet {
    let Some(first) = sets.next() else { return LabelSet::empty() };
    let mut shared: Vec<_> = first.iter().collect();
    sets.for_each(|set| shared.retain(|(name, value)| set.get(name) == Some(value)));
    LabelSet::from_pairs(shared)
}

/// Go's `regexp.QuoteMeta`.
fn quote_regex(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

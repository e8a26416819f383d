//! What templates of notifications see (contract alertmanager §8.2).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use gotmpl::Value;

use crate::model::{LabelSet, Notification, NotifiedAlert, Timestamp};
use crate::template::engine::run::About;
use crate::template::engine::value::{ListKind, MapKind, Object, StructKind, text};
use crate::template::golang::escape::quote_regex;
use crate::template::golang::time::Time;

use super::Templates;

/// What stands for a reason while route labels are rendered.
const UNKNOWN_REASON: &str = "unknown";

/// The data of one notification, route labels rendered. Cheap to clone.
#[derive(Clone)]
pub struct Data {
    value: Value,
    now: Timestamp,
    external_url: Arc<str>,
    route_labels: LabelSet,
    templates: Templates,
}

impl Data {
    /// The data of `notification`. Route labels are rendered against it with the reason `unknown`; one that fails is left
    /// out and logged.
    pub fn new(notification: &Notification, external_url: &str, templates: &Templates) -> Data {
        let external_url = external_url.trim_end_matches('/');
        let parts = Parts::new(notification, external_url);
        let mut data = Data {
            value: parts.value(UNKNOWN_REASON, &LabelSet::empty()),
            now: notification.tick,
            external_url: external_url.into(),
            route_labels: LabelSet::empty(),
            templates: templates.clone(),
        };
        data.route_labels = templates.render_route_labels(&notification.route_labels, &data);
        data.value = parts.value(notification.reason.as_str(), &data.route_labels);
        data
    }

    /// The route labels that could be rendered.
    pub fn route_labels(&self) -> &LabelSet {
        &self.route_labels
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// What functions of a rendering may ask for.
    pub(super) fn about(&self) -> About {
        let route_labels = self.route_labels.clone();
        About {
            now: self.now,
            external_url: Rc::from(&*self.external_url),
            asking: None,
            route_label: Some(Rc::new(move |name: &str| Ok(route_labels.get(name).map(str::to_owned)))),
        }
    }
}

/// Route labels while they are rendered, each when another or the caller needs it. Renderings do not nest: one that needs
/// a label which is not there yet is broken off, and tried again once it is.
#[derive(Clone)]
pub(super) struct RouteLabels(Rc<Rendering>);

struct Rendering {
    data: Data,
    texts: BTreeMap<String, String>,
    done: RefCell<BTreeMap<String, Result<String, String>>>,
    /// What the last rendering was broken off for.
    needed: RefCell<Option<String>>,
}

impl RouteLabels {
    pub(super) fn new(data: &Data, labels: &[(String, String)]) -> Self {
        RouteLabels(Rc::new(Rendering {
            data: data.clone(),
            texts: labels.iter().cloned().collect(),
            done: RefCell::default(),
            needed: RefCell::default(),
        }))
    }

    /// The rendered value; `None` for a label that is not there.
    ///
    /// # Errors
    /// Its text fails, or it is needed by a label that it needs itself.
    pub(super) fn render(&self, name: &str) -> Result<Option<String>, String> {
        // Outermost first; each but the first is needed by the one before.
        let mut open = vec![name.to_owned()];
        while let Some(top) = open.last() {
            let Some(text) = self.0.texts.get(top) else { return Ok(None) };
            let rendered = match self.0.done.borrow().get(top) {
                Some(done) => done.clone(),
                None => self.attempt(text),
            };
            let needed = self.0.needed.take();
            let rendered = match needed {
                Some(needed) if !open.contains(&needed) => {
                    open.push(needed);
                    continue;
                }
                Some(needed) => Err(format!("route labels need each other: {} -> {needed}", open.join(" -> "))),
                None => rendered,
            };
            self.0.done.borrow_mut().insert(top.clone(), rendered);
            open.pop();
        }
        self.0.done.borrow().get(name).cloned().transpose()
    }

    fn attempt(&self, text: &str) -> Result<String, String> {
        let Rendering { data, .. } = &*self.0;
        let labels = self.clone();
        let about = About { route_label: Some(Rc::new(move |name: &str| labels.known(name))), ..data.about() };
        data.templates.render_with(text, data.value(), about).map_err(|error| error.to_string())
    }

    /// A label as far as it is rendered; one that is not yet breaks the rendering off.
    fn known(&self, name: &str) -> Result<Option<String>, String> {
        if !self.0.texts.contains_key(name) {
            return Ok(None);
        }
        if let Some(done) = self.0.done.borrow().get(name) {
            return done.clone().map(Some);
        }
        self.0.needed.replace(Some(name.to_owned()));
        Err("it is not rendered yet".to_owned())
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").field("now", &self.now).field("route_labels", &self.route_labels).finish_non_exhaustive()
    }
}

/// What does not depend on route labels.
struct Parts {
    receiver: Value,
    status: Value,
    alerts: Value,
    group_labels: Value,
    common_labels: Value,
    common_annotations: Value,
    external_url: Value,
}

impl Parts {
    fn new(notification: &Notification, external_url: &str) -> Self {
        let alerts = &notification.alerts;
        Parts {
            receiver: text(&quote_regex(&notification.integration.receiver)),
            status: text(notification.status().as_str()),
            alerts: Object::list(ListKind::Alerts, alerts.iter().map(alert)),
            group_labels: Object::map(MapKind::Kv, &notification.group_labels),
            common_labels: Object::map(MapKind::Kv, &common(alerts.iter().map(|alert| &alert.alert.labels))),
            common_annotations: Object::map(MapKind::Kv, &common(alerts.iter().map(|alert| &alert.alert.annotations))),
            external_url: text(external_url),
        }
    }

    fn value(&self, reason: &str, route_labels: &LabelSet) -> Value {
        Object::record(
            StructKind::Data,
            vec![
                ("Receiver", self.receiver.clone()),
                ("Status", self.status.clone()),
                ("Alerts", self.alerts.clone()),
                ("NotificationReason", text(reason)),
                ("GroupLabels", self.group_labels.clone()),
                ("CommonLabels", self.common_labels.clone()),
                ("CommonAnnotations", self.common_annotations.clone()),
                ("RouteLabels", Object::map(MapKind::Kv, route_labels)),
                ("ExternalURL", self.external_url.clone()),
            ],
        )
    }
}

fn alert(alert: &NotifiedAlert) -> Value {
    Object::record(
        StructKind::Alert,
        vec![
            ("Status", text(alert.status.as_str())),
            ("Labels", Object::map(MapKind::Kv, &alert.alert.labels)),
            ("Annotations", Object::map(MapKind::Kv, &alert.alert.annotations)),
            ("StartsAt", Object::time(Time::from_timestamp(alert.starts_at))),
            ("EndsAt", Object::time(alert.ends_at.map_or_else(Time::zero, Time::from_timestamp))),
            ("GeneratorURL", text(&alert.alert.generator_url)),
            ("Fingerprint", text(&alert.alert.labels.fingerprint().to_string())),
        ],
    )
}

/// The pairs that every set has.
fn common<'a>(mut sets: impl Iterator<Item = &'a LabelSet>) -> LabelSet {
    let Some(first) = sets.next() else { return LabelSet::empty() };
    let mut pairs: Vec<(&str, &str)> = first.iter().collect();
    for set in sets {
        pairs.retain(|(name, value)| set.get(name) == Some(value));
    }
    LabelSet::from_pairs(pairs)
}

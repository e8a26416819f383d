//! `receivers` (contract alertmanager §1.5).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::{IntegrationId, LabelSet, Receiver, Way};
use crate::yaml::{Findings, Node, Position, Section};

use super::kinds::{KindTable, TABLES};
use super::reader::{Reader, TemplateText};
use super::scalar::format_go_duration;
use super::shown::Shown;
use super::{EmailConfig, Globals, OtherConfig, PagerDutyConfig, SlackConfig, WebhookConfig};

/// A receiver as its file has it, completed from the globals.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiverConfig {
    pub name: Arc<str>,
    /// Always holds `name`.
    pub labels: LabelSet,
    /// Kind by kind, within a kind in file order.
    pub integrations: Vec<IntegrationConfig>,
    pub position: Position,
}

/// One integration of a receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationConfig {
    pub id: IntegrationId,
    pub send_resolved: bool,
    /// Bounds one attempt, if the kind has such a key and it is not 0.
    pub timeout: Option<Duration>,
    pub position: Position,
    pub kind: Kind,
    /// The templates in its texts. Reading does not check them, since they may call named ones.
    pub templates: Vec<TemplateText>,
}

/// What is done, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Email(Box<EmailConfig>),
    Slack(Box<SlackConfig>),
    PagerDuty(Box<PagerDutyConfig>),
    Webhook(Box<WebhookConfig>),
    Other(OtherConfig),
}

/// The list of one kind in a receiver.
pub(super) struct KindList {
    pub kind: &'static str,
    /// `slack_configs`
    pub section: &'static str,
    send_resolved: bool,
    read: ReadKind,
}

#[derive(Clone, Copy)]
enum ReadKind {
    Email,
    Slack,
    PagerDuty,
    Webhook,
    Other(&'static KindTable),
}

impl KindList {
    /// All kinds, in the order in which a receiver's integrations are listed.
    pub fn all() -> impl Iterator<Item = KindList> {
        let sendable = [
            KindList { kind: "webhook", section: "webhook_configs", send_resolved: true, read: ReadKind::Webhook },
            KindList { kind: "email", section: "email_configs", send_resolved: false, read: ReadKind::Email },
            KindList { kind: "slack", section: "slack_configs", send_resolved: false, read: ReadKind::Slack },
            KindList {
                kind: "pagerduty",
                section: "pagerduty_configs",
                send_resolved: true,
                read: ReadKind::PagerDuty,
            },
        ];
        sendable.into_iter().chain(TABLES.iter().map(|table| KindList {
            kind: table.kind,
            section: table.section,
            send_resolved: table.send_resolved,
            read: ReadKind::Other(table),
        }))
    }
}

/// Reads the list of receivers. Those of which a part is refused are left out or lack it; the findings say so.
///
/// Paths in `http_config` start at `dir`, all others are used as written.
pub fn read_receivers(node: &Node, globals: &Globals, dir: &Path, findings: &mut Findings) -> Vec<ReceiverConfig> {
    let items = match node.items() {
        Ok(items) => items,
        Err(message) => {
            findings.error(node.position, format!("receivers: {message}"));
            return Vec::new();
        }
    };
    let mut receivers = Vec::new();
    let mut named = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        if item.is_null() {
            findings.warning(item.position, format!("receivers[{index}] is empty: nothing can use it"));
            continue;
        }
        let Some((receiver, name_at)) = ReceiverConfig::read(item, index, globals, dir, findings) else { continue };
        if let Some(first) = named.insert(receiver.name.clone(), name_at) {
            let message = format!("receiver {:?}: the name is not unique", receiver.name);
            findings.error_with_help(name_at, message, format!("the first of that name is at {first}"));
        }
        receivers.push(receiver);
    }
    receivers
}

impl ReceiverConfig {
    fn read(
        node: &Node,
        index: usize,
        globals: &Globals,
        dir: &Path,
        findings: &mut Findings,
    ) -> Option<(ReceiverConfig, Position)> {
        let mut section = Section::open(node, format!("receivers[{index}]"), findings)?;
        let mut reader = Reader::new(&mut section, dir, findings);
        let name: Arc<str> = reader.text("name", "").into();
        let name_at = reader.position_of("name");
        if !name.is_empty() {
            reader.section.rename(format!("receiver {name:?}"));
        } else if reader.section.take("name").is_none_or(|node| node.text().is_ok()) {
            reader.missing("name", "");
        }
        let labels = labels(&mut reader, &name);
        let mut integrations = Vec::new();
        for list in KindList::all() {
            let nodes = match reader.section.some(list.section).map(Node::items) {
                None => continue,
                Some(Ok(nodes)) => nodes,
                Some(Err(message)) => {
                    let at = reader.position_of(list.section);
                    reader.error(at, &format!("{}: {message}", list.section));
                    continue;
                }
            };
            for (index, node) in nodes.iter().enumerate() {
                let what = format!("{}: {}[{index}]", reader.section.name(), list.section);
                let id = IntegrationId { receiver: name.clone(), kind: list.kind, index };
                if node.is_null() {
                    let message = format!("{what}: missing {} config", list.kind);
                    reader.findings.error_with_help(node.position, message, "write its keys, or remove the item");
                } else if let Some(mut section) = Section::open(node, what, reader.findings) {
                    let mut nested = Reader::new(&mut section, dir, reader.findings);
                    integrations.extend(IntegrationConfig::read(&mut nested, id, &list, globals));
                    section.finish(reader.findings);
                }
            }
        }
        let position = reader.section.position();
        section.finish(findings);
        match name.is_empty() {
            true => None,
            false => Some((ReceiverConfig { name, labels, integrations, position }, name_at)),
        }
    }

    /// The receiver as the router sees it.
    pub fn receiver(&self) -> Receiver {
        let way = |integration: &IntegrationConfig| Way {
            id: integration.id.clone(),
            send_resolved: integration.send_resolved,
            timeout: integration.timeout,
        };
        Receiver {
            name: self.name.clone(),
            labels: self.labels.clone(),
            ways: self.integrations.iter().map(way).collect(),
        }
    }

    /// The receiver as it is in effect (contract alertmanager §1.12).
    pub fn shown(&self) -> Value {
        let mut shown = Shown::default();
        shown.put("name", &*self.name);
        let labels: Map<String, Value> =
            self.labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        shown.put("labels", labels);
        for list in KindList::all() {
            let of_kind = self.integrations.iter().filter(|integration| integration.id.kind == list.kind);
            shown.list(list.section, of_kind.map(IntegrationConfig::shown).collect());
        }
        shown.into_value()
    }
}

fn labels(reader: &mut Reader<'_, '_>, name: &str) -> LabelSet {
    let labels = reader.text_map("labels");
    if let Some(other) = labels.get("name").filter(|other| *other != name && !name.is_empty()) {
        let at = reader.entry_position("labels", "name");
        let message = format!("labels: name must be the receiver's own, found {other:?}");
        reader.error_with_help(at, &message, "leave it out: it is always there");
    }
    let own = [("name", name)];
    LabelSet::from_pairs(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(own))
}

impl IntegrationConfig {
    fn read(
        reader: &mut Reader<'_, '_>,
        id: IntegrationId,
        list: &KindList,
        globals: &Globals,
    ) -> Option<IntegrationConfig> {
        let position = reader.section.position();
        let send_resolved = reader.boolean("send_resolved", list.send_resolved);
        let (kind, timeout) = match list.read {
            ReadKind::Email => (EmailConfig::read(reader, globals).map(|email| Kind::Email(Box::new(email))), None),
            ReadKind::Slack => {
                let timeout = reader.timeout();
                (SlackConfig::read(reader, globals).map(|slack| Kind::Slack(Box::new(slack))), timeout)
            }
            ReadKind::PagerDuty => {
                let timeout = reader.timeout();
                let pager_duty = PagerDutyConfig::read(reader, globals);
                (pager_duty.map(|pager_duty| Kind::PagerDuty(Box::new(pager_duty))), timeout)
            }
            ReadKind::Webhook => {
                let timeout = reader.timeout();
                (WebhookConfig::read(reader, globals).map(|webhook| Kind::Webhook(Box::new(webhook))), timeout)
            }
            ReadKind::Other(table) => {
                let (values, timeout) = table.shape.read(reader, globals, table.http);
                (Some(Kind::Other(OtherConfig { kind: table.kind, values: Value::Object(values) })), timeout)
            }
        };
        let templates = std::mem::take(&mut reader.templates);
        Some(IntegrationConfig { id, send_resolved, timeout, position, kind: kind?, templates })
    }

    /// The integration as it is in effect (contract alertmanager §1.12).
    pub fn shown(&self) -> Value {
        let mut shown = Shown::default();
        match &self.kind {
            Kind::Email(email) => email.show(&mut shown),
            Kind::Slack(slack) => slack.show(&mut shown),
            Kind::PagerDuty(pager_duty) => pager_duty.show(&mut shown),
            Kind::Webhook(webhook) => webhook.show(&mut shown),
            Kind::Other(other) => {
                for (key, value) in other.values.as_object().into_iter().flatten() {
                    shown.put(key, value.clone());
                }
            }
        }
        if matches!(self.kind, Kind::Slack(_) | Kind::PagerDuty(_) | Kind::Webhook(_)) {
            shown.put("timeout", format_go_duration(self.timeout.unwrap_or_default()));
        }
        shown.put("send_resolved", self.send_resolved);
        shown.into_value()
    }
}

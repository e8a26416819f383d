//! What the delivery core knows: alerts, groups, and for each group and way the log and the outbox row.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::{
    Alert, AlertEnd, AlertStatus, Fingerprint, GroupKey, IntegrationId, LabelSet, NotificationReason, ReceiverData,
    Timestamp, Way,
};
use crate::router::RouteId;

use super::set::FingerprintSet;

/// A group's own identity: route key, ordinal among routes with the same route key, group labels. Never sibling indices,
/// which would rename every later group when a route is inserted. A hash of the three, since it is a key of the database
/// and labels may be long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(Arc<str>);

impl GroupId {
    pub fn new(route_key: &str, ordinal: usize, labels: &LabelSet) -> Self {
        GroupId(crate::model::sha256_hex(format!("{route_key}#{ordinal}:{labels}").as_bytes()).into())
    }

    /// The text under which it is stored.
    pub fn from_stored(text: &str) -> Self {
        GroupId(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Index of a group in the core; never leaves it.
pub(super) type GroupIx = u32;
/// Index of a way in the core; never leaves it.
pub(super) type WayIx = usize;

/// An alert and the groups that have it.
#[derive(Debug)]
pub(super) struct Stored {
    pub alert: Arc<Alert>,
    pub groups: Vec<GroupIx>,
    /// The earliest entry of the lease queue that stands for it; a heartbeat moves the lease, not the entry.
    pub armed: Option<Timestamp>,
    /// When annotations, generator URL and lease were last written: they go along at most every five minutes.
    pub saved_at: Timestamp,
}

impl Stored {
    pub fn status(&self) -> AlertStatus {
        match self.alert.end {
            AlertEnd::Lease { .. } => AlertStatus::Firing,
            AlertEnd::Resolved { .. } => AlertStatus::Resolved,
        }
    }
}

/// A group: one route and one set of group labels.
#[derive(Debug)]
pub(super) struct Group {
    pub id: GroupId,
    pub key: GroupKey,
    pub labels: LabelSet,
    /// The route that forms it; `None` if no route does any more.
    pub route: Option<RouteId>,
    /// Members; whether a route puts the alert here, or it stays as an orphan only.
    pub members: HashMap<Fingerprint, Membership>,
    /// `None` while it has no members.
    pub next_flush: Option<Timestamp>,
    /// It has been flushed since it was made.
    pub flushed: bool,
    pub pairs: Vec<Pair>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    Ordinary,
    Orphan,
}

impl Group {
    pub fn pair(&self, way: WayIx) -> Option<&Pair> {
        self.pairs.iter().find(|pair| pair.way == way)
    }

    pub fn pair_mut(&mut self, way: WayIx) -> &mut Pair {
        let at = match self.pairs.iter().position(|pair| pair.way == way) {
            Some(at) => at,
            None => {
                self.pairs.push(Pair::new(way));
                self.pairs.len() - 1
            }
        };
        &mut self.pairs[at]
    }

    /// Whether any way was told of it or is owed it.
    pub fn is_named(&self, fingerprint: Fingerprint, ways: &[WayState]) -> bool {
        self.pairs.iter().any(|pair| ways[pair.way].living && pair.holds_firing(fingerprint))
    }
}

/// One group and one way.
#[derive(Debug)]
pub(super) struct Pair {
    pub way: WayIx,
    pub log: Option<Log>,
    pub row: Option<Row>,
    pub busy: bool,
    pub recheck: bool,
    /// Resolved members about which this way has nothing more to hear.
    pub settled: FingerprintSet,
    /// The highest number used, so that none is used twice while the process lives.
    pub last_seq: u64,
    /// Flushes running at which an `all/some alerts resolved` was rejected.
    pub rejected_resolves: u32,
}

impl Pair {
    fn new(way: WayIx) -> Self {
        Pair {
            way,
            log: None,
            row: None,
            busy: false,
            recheck: false,
            settled: FingerprintSet::default(),
            last_seq: 0,
            rejected_resolves: 0,
        }
    }

    pub fn next_seq(&mut self) -> u64 {
        let logged = self.log.as_ref().map_or(0, |log| log.seq);
        self.last_seq = self.last_seq.max(logged).max(self.row.as_ref().map_or(0, |row| row.seq)) + 1;
        self.last_seq
    }

    pub fn told_firing(&self, fingerprint: Fingerprint) -> bool {
        self.log.as_ref().is_some_and(|log| log.firing.contains(fingerprint))
    }

    /// In `L.firing` or `P.firing`.
    pub fn holds_firing(&self, fingerprint: Fingerprint) -> bool {
        self.told_firing(fingerprint) || self.row.as_ref().is_some_and(|row| row.firing.contains(fingerprint))
    }

    pub fn row_names(&self, fingerprint: Fingerprint) -> bool {
        self.row.as_ref().is_some_and(|row| row.names(fingerprint))
    }
}

/// `L`: what a way is known to have been told.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    pub firing: FingerprintSet,
    /// The part of `firing` of which it is not sure: the way may have heard otherwise.
    pub unsure: FingerprintSet,
    pub resolved: FingerprintSet,
    /// The tick of what was told.
    pub told: Timestamp,
    pub written: Timestamp,
    pub expires: Timestamp,
    pub seq: u64,
    pub data: ReceiverData,
}

/// `P`: what is decided and not yet confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub seq: u64,
    pub key: Arc<str>,
    /// In flush order.
    pub alerts: Vec<RowAlert>,
    pub firing: FingerprintSet,
    pub resolved: FingerprintSet,
    pub reason: NotificationReason,
    pub tick: Timestamp,
    /// An attempt at it ended without an answer.
    pub uncertain: bool,
    pub attempts: u32,
    pub last_tried: Timestamp,
}

/// One alert as it was decided.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowAlert {
    #[serde(with = "hex")]
    pub fingerprint: Fingerprint,
    pub firing: bool,
    pub start: i64,
    /// Of a resolved one.
    pub end: Option<i64>,
}

mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::Fingerprint;

    pub fn serialize<S: Serializer>(fingerprint: &Fingerprint, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(fingerprint)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Fingerprint, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
        u64::from_str_radix(&text, 16).map(Fingerprint::from_u64).map_err(D::Error::custom)
    }
}

impl Row {
    /// The sets follow from the alerts; the key from all that is committed.
    pub fn new(
        group: &GroupId,
        way: &str,
        seq: u64,
        alerts: Vec<RowAlert>,
        reason: NotificationReason,
        tick: Timestamp,
    ) -> Self {
        let mut facts = format!("{}\0{way}\0{seq}\0{}\0{reason}", group.as_str(), tick.as_millis());
        for alert in &alerts {
            facts.push_str(&format!("\0{} {} {} {:?}", alert.fingerprint, alert.firing, alert.start, alert.end));
        }
        let key = crate::model::sha256_hex(facts.as_bytes()).into();
        Row::stored(seq, key, alerts, reason, tick)
    }

    /// As it was committed, under the key that it had.
    pub fn stored(seq: u64, key: Arc<str>, alerts: Vec<RowAlert>, reason: NotificationReason, tick: Timestamp) -> Self {
        let set = |firing| alerts.iter().filter(|a| a.firing == firing).map(|a| a.fingerprint).collect();
        Row {
            firing: set(true),
            resolved: set(false),
            seq,
            key,
            alerts,
            reason,
            tick,
            uncertain: false,
            attempts: 0,
            last_tried: Timestamp::EPOCH,
        }
    }

    pub fn names(&self, fingerprint: Fingerprint) -> bool {
        self.firing.contains(fingerprint) || self.resolved.contains(fingerprint)
    }

    /// What it would tell for the first time: firing, and not known to be told.
    pub fn owes<'a>(&'a self, log: Option<&'a Log>) -> impl Iterator<Item = Fingerprint> + 'a {
        self.firing.iter().filter(move |fingerprint| !log.is_some_and(|log| log.firing.contains(*fingerprint)))
    }
}

/// A way out: its backoff and what waits for it.
#[derive(Debug)]
pub(super) struct WayState {
    pub key: Arc<str>,
    pub way: Way,
    /// The configuration has it.
    pub living: bool,
    /// Failures running.
    pub failures: u32,
    pub not_before: Timestamp,
    pub in_flight: usize,
    /// Rows that wait for an attempt, the least recently tried first.
    pub ready: BTreeSet<(Timestamp, u64, GroupIx)>,
}

impl WayState {
    /// A way that something stored speaks of and the configuration does not have.
    pub fn gone(key: &str) -> Self {
        let id = IntegrationId { receiver: key.into(), kind: "gone", index: 0 };
        let way = Way { id, send_resolved: true, timeout: None };
        WayState { key: key.into(), living: false, ..WayState::new(way) }
    }

    pub fn new(way: Way) -> Self {
        WayState {
            key: way.id.to_string().into(),
            way,
            living: true,
            failures: 0,
            not_before: Timestamp::EPOCH,
            in_flight: 0,
            ready: BTreeSet::new(),
        }
    }
}

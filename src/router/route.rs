//! The route tree: which groups an alert belongs to (contract alertmanager §3).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{LabelSet, MatchOp, Matcher, matchers_text};

/// A node of a [`RouteTree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(usize);

impl RouteId {
    /// Where it stands in the list that its tree was made of.
    pub(super) const fn position(self) -> usize {
        self.0
    }
}

/// By which labels a route groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// `['...']`
    All,
    Labels(Vec<Arc<str>>),
}

/// A route with everything that it inherits.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its own, sorted.
    pub matchers: Vec<Matcher>,
    pub receiver: Arc<str>,
    pub group_by: GroupBy,
    pub group_wait: Duration,
    pub group_interval: Duration,
    pub repeat_interval: Duration,
    pub continues: bool,
    /// Names and templates, merged down the tree, sorted by name.
    pub labels: Arc<[(String, String)]>,
    pub mute_time_intervals: Vec<Arc<str>>,
    pub active_time_intervals: Vec<Arc<str>>,
    /// The matchers' text from the root: what reaches the wire.
    pub route_key: Arc<str>,
    /// Among routes with the same key, in file order.
    pub ordinal: usize,
    pub children: Vec<RouteId>,
}

impl Route {
    /// Those labels of an alert by which its group is named; only labels that it has.
    pub fn group_labels(&self, labels: &LabelSet) -> LabelSet {
        match &self.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => names.iter().filter_map(|name| Some((&**name, labels.get(name)?))).collect(),
        }
    }
}

/// All routes; the first is the root.
#[derive(Debug, Clone)]
pub struct RouteTree {
    routes: Vec<Route>,
    /// For each route, how to find those of its children that can match.
    indexes: Vec<ChildIndex>,
}

/// Children by a label that they want to equal something; those that want nothing of the kind are tried for every alert.
#[derive(Debug, Clone, Default)]
struct ChildIndex {
    /// Label name to value to positions among the children.
    by_label: HashMap<Arc<str>, HashMap<Arc<str>, Vec<usize>>>,
    others: Vec<usize>,
}

/// Fewer children than this are simply tried in order.
const INDEX_FROM: usize = 16;

impl RouteTree {
    /// From routes in file order, parents first, the root at 0; children are positions in the list. Keys and ordinals are
    /// worked out here.
    pub fn new(mut routes: Vec<Route>) -> Self {
        let mut keys: Vec<Option<String>> = vec![None; routes.len()];
        for index in 0..routes.len() {
            let own = matchers_text(&routes[index].matchers);
            let key = match keys[index].take() {
                Some(parent) => format!("{parent}/{own}"),
                None => own,
            };
            for child in routes[index].children.clone() {
                keys[child.0] = Some(key.clone());
            }
            routes[index].route_key = key.into();
        }
        let mut seen: HashMap<Arc<str>, usize> = HashMap::new();
        for route in &mut routes {
            let count = seen.entry(route.route_key.clone()).or_default();
            route.ordinal = *count;
            *count += 1;
        }
        let indexes = routes.iter().map(|route| ChildIndex::new(&route.children, &routes)).collect();
        RouteTree { routes, indexes }
    }

    /// Position in the list given to [`RouteTree::new`].
    pub(super) const fn id(position: usize) -> RouteId {
        RouteId(position)
    }

    pub fn root(&self) -> RouteId {
        RouteId(0)
    }

    pub fn get(&self, id: RouteId) -> &Route {
        &self.routes[id.0]
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (RouteId, &Route)> {
        self.routes.iter().enumerate().map(|(index, route)| (RouteId(index), route))
    }

    /// Depth first, in file order: a route's matching children, up to the first without `continue`; itself if none
    /// matches. Never empty, since the root matches everything.
    pub fn matching(&self, labels: &LabelSet) -> Vec<RouteId> {
        let mut found = Vec::with_capacity(1);
        self.visit(self.root(), labels, &mut found);
        found
    }

    /// Whether the route or something below it matched.
    fn visit(&self, id: RouteId, labels: &LabelSet, found: &mut Vec<RouteId>) -> bool {
        let route = self.get(id);
        if !route.matchers.iter().all(|matcher| matcher.matches(labels)) {
            return false;
        }
        let before = found.len();
        let index = &self.indexes[id.0];
        if route.children.len() < INDEX_FROM {
            self.try_children(route, 0..route.children.len(), labels, found);
        } else {
            self.try_children(route, index.candidates(labels), labels, found);
        }
        if found.len() == before {
            found.push(id);
        }
        true
    }

    fn try_children(
        &self,
        route: &Route,
        positions: impl IntoIterator<Item = usize>,
        labels: &LabelSet,
        found: &mut Vec<RouteId>,
    ) {
        for position in positions {
            let child = route.children[position];
            if self.visit(child, labels, found) && !self.get(child).continues {
                return;
            }
        }
    }
}

impl ChildIndex {
    fn new(children: &[RouteId], routes: &[Route]) -> Self {
        let mut index = ChildIndex::default();
        for (position, child) in children.iter().enumerate() {
            let equality = routes[child.0]
                .matchers
                .iter()
                .find(|matcher| matcher.op() == MatchOp::Equal && !matcher.value().is_empty());
            match equality {
                Some(matcher) => {
                    let values = index.by_label.entry(matcher.name().into()).or_default();
                    values.entry(matcher.value().into()).or_default().push(position);
                }
                None => index.others.push(position),
            }
        }
        index
    }

    /// In file order.
    fn candidates(&self, labels: &LabelSet) -> Vec<usize> {
        let mut positions = self.others.clone();
        for (name, values) in &self.by_label {
            if let Some(found) = labels.get(name).and_then(|value| values.get(value)) {
                positions.extend(found);
            }
        }
        positions.sort_unstable();
        positions
    }
}

//! The sources that rules ask, by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::Source;

/// All sources, and which one is asked by rules that name none.
#[derive(Clone, Default)]
pub struct Sources {
    by_name: BTreeMap<String, Arc<dyn Source>>,
    default: Option<String>,
}

impl Sources {
    /// The default is `default`, or else the only one.
    pub fn new(sources: impl IntoIterator<Item = Arc<dyn Source>>, default: Option<&str>) -> Self {
        let by_name: BTreeMap<String, Arc<dyn Source>> =
            sources.into_iter().map(|source| (source.name().to_owned(), source)).collect();
        let only = by_name.keys().next().filter(|_| by_name.len() == 1);
        let default = default.map(str::to_owned).or_else(|| only.cloned());
        Sources { by_name, default }
    }

    /// The source of this name, or the default one.
    pub fn get(&self, name: Option<&str>) -> Option<&Arc<dyn Source>> {
        self.by_name.get(name.or(self.default.as_deref())?)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("names", &self.by_name.keys()).field("default", &self.default).finish()
    }
}

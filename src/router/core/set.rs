//! Sets of fingerprints: sorted, so that they are compact, compare at once and are written the same way each time.

use crate::model::Fingerprint;

/// A sorted set of fingerprints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FingerprintSet(Vec<Fingerprint>);

impl FingerprintSet {
    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.0.binary_search(&fingerprint).is_ok()
    }

    pub fn insert(&mut self, fingerprint: Fingerprint) -> bool {
        match self.0.binary_search(&fingerprint) {
            Ok(_) => false,
            Err(at) => {
                self.0.insert(at, fingerprint);
                true
            }
        }
    }

    pub fn remove(&mut self, fingerprint: Fingerprint) -> bool {
        match self.0.binary_search(&fingerprint) {
            Ok(at) => {
                self.0.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Keeps what `keep` says; whether anything went.
    pub fn retain(&mut self, keep: impl FnMut(&Fingerprint) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(keep);
        self.0.len() != before
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Fingerprint> + '_ {
        self.0.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_subset(&self, other: &FingerprintSet) -> bool {
        self.iter().all(|fingerprint| other.contains(fingerprint))
    }
}

impl FromIterator<Fingerprint> for FingerprintSet {
    fn from_iter<I: IntoIterator<Item = Fingerprint>>(items: I) -> Self {
        let mut list: Vec<Fingerprint> = items.into_iter().collect();
        list.sort_unstable();
        list.dedup();
        FingerprintSet(list)
    }
}

impl Extend<Fingerprint> for FingerprintSet {
    fn extend<I: IntoIterator<Item = Fingerprint>>(&mut self, items: I) {
        self.0.extend(items);
        self.0.sort_unstable();
        self.0.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_sorted_and_holds_each_once() {
        let of = |list: &[u64]| list.iter().map(|n| Fingerprint::from_u64(*n)).collect::<FingerprintSet>();
        let mut set = of(&[3, 1, 3, 2]);
        assert_eq!(set, of(&[1, 2, 3]));
        assert!(!set.insert(Fingerprint::from_u64(2)) && set.insert(Fingerprint::from_u64(0)));
        assert!(set.remove(Fingerprint::from_u64(3)) && !set.remove(Fingerprint::from_u64(3)));
        assert!(of(&[0, 1]).is_subset(&set) && !of(&[3]).is_subset(&set));
    }
}

//! Label sets: sorted, unique names with values, and Prometheus' fingerprint of them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Sorted, unique name/value pairs. Cheap to clone; all text lies in one allocation, since a busy router holds
/// hundreds of thousands of these.
///
/// Values may be empty (annotations keep empty ones; whoever builds alert labels leaves them out).
#[derive(Clone)]
pub struct LabelSet {
    text: Arc<str>,
    /// End offsets in `text`: of name 0, value 0, name 1, value 1, …
    ends: Arc<[u32]>,
}

impl LabelSet {
    pub fn empty() -> Self {
        LabelSet { text: Arc::from(""), ends: Arc::from([]) }
    }

    /// From pairs in any order; of equal names the last wins.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(N, V)> = pairs.into_iter().collect();
        // Stable, so that among equal names the order given decides.
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        let mut text = String::with_capacity(pairs.iter().map(|(n, v)| n.as_ref().len() + v.as_ref().len()).sum());
        let mut ends = Vec::with_capacity(pairs.len() * 2);
        for (index, (name, value)) in pairs.iter().enumerate() {
            if pairs.get(index + 1).is_some_and(|next| next.0.as_ref() == name.as_ref()) {
                continue;
            }
            text.push_str(name.as_ref());
            ends.push(offset(&text));
            text.push_str(value.as_ref());
            ends.push(offset(&text));
        }
        LabelSet { text: text.into(), ends: ends.into() }
    }

    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Pairs in name order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> + ExactSizeIterator + Clone {
        (0..self.len()).map(|index| (self.part(2 * index), self.part(2 * index + 1)))
    }

    /// The value of `name`, if the label is there (possibly empty).
    pub fn get(&self, name: &str) -> Option<&str> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.part(2 * middle).cmp(name) {
                Ordering::Equal => return Some(self.part(2 * middle + 1)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The value of `name`; a label that is missing equals the empty string.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// 64-bit FNV-1a over name, 0xFF, value, 0xFF of each pair in name order (contract alertmanager §3).
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = FNV_OFFSET;
        for index in 0..self.ends.len() {
            for byte in self.part(index).bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
            }
            hash = (hash ^ 0xFF).wrapping_mul(FNV_PRIME);
        }
        Fingerprint(hash)
    }

    fn part(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Label sets are bounded far below 4 GiB at every door; saturating here can only happen past those limits.
fn offset(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

impl Default for LabelSet {
    fn default() -> Self {
        LabelSet::empty()
    }
}

impl PartialEq for LabelSet {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

impl Eq for LabelSet {}

impl Hash for LabelSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.ends.hash(state);
    }
}

/// Alertmanager's order of label sets: fewer labels first, then pairwise by name and value (contract alertmanager §4.3).
impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.len().cmp(&other.len()).then_with(|| self.iter().cmp(other.iter()))
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `{}` or `{name="value", …}`: sorted, comma and space, values quoted as Go quotes them, names raw (the group-labels
/// text of contract alertmanager §3).
impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}={}", super::go_quote(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for LabelSet {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        LabelSet::from_pairs(pairs)
    }
}

impl serde::Serialize for LabelSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> serde::Deserialize<'de> for LabelSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> serde::de::Visitor<'de> for Pairs {
            type Value = LabelSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<LabelSet, A::Error> {
                let mut pairs: Vec<(std::borrow::Cow<'de, str>, std::borrow::Cow<'de, str>)> = Vec::with_capacity(12);
                while let Some(pair) = map.next_entry::<CowStr<'de>, CowStr<'de>>()? {
                    pairs.push((pair.0.0, pair.1.0));
                }
                Ok(LabelSet::from_pairs(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A string that borrows from the input where it can: serde's own `Cow` always copies.
#[derive(serde::Deserialize)]
struct CowStr<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// Hash of a [`LabelSet`]: an index, no proof of equality. Shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    pub const fn from_u64(hash: u64) -> Self {
        Fingerprint(hash)
    }

    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_prometheus_own() {
        let cases: [(&[(&str, &str)], &str); 4] = [
            (&[("severity", "warning"), ("job", "foo")], "9266ef3da838ad95"),
            (&[("alertname", "Watchdog")], "003b0a0f7d3fa569"),
            (&[("a", ""), ("alertname", "é\n\"")], "0eb46851319d2085"),
            (&[], "cbf29ce484222325"),
        ];
        for (pairs, want) in cases {
            assert_eq!(LabelSet::from_pairs(pairs.iter().copied()).fingerprint().to_string(), want);
        }
    }

    #[test]
    fn pairs_are_sorted_and_the_last_of_equal_names_wins() {
        let set = LabelSet::from_pairs([("b", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!(set.get("b"), Some("3"));
        assert_eq!(set.get("c"), None);
        assert_eq!(set.to_string(), r#"{a="2", b="3"}"#);
    }

    #[test]
    fn moving_a_character_between_name_and_value_is_another_set() {
        assert_ne!(LabelSet::from_pairs([("ab", "c")]), LabelSet::from_pairs([("a", "bc")]));
    }

    #[test]
    fn json_round_trips() {
        let set = LabelSet::from_pairs([("b", "x\"y"), ("a", "")]);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"{"a":"","b":"x\"y"}"#);
        assert_eq!(serde_json::from_str::<LabelSet>(&json).unwrap(), set);
    }

    #[test]
    fn fewer_labels_come_first() {
        let short = LabelSet::from_pairs([("z", "z")]);
        let long = LabelSet::from_pairs([("a", "a"), ("b", "b")]);
        assert!(short < long);
    }
}

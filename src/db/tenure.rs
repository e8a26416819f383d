//! Tenure: this process' turn at the state. It has a never reused incarnation, a row in `replicas`, and a counter of
//! commits that the first statement of every transaction raises.
//!
//! Pure: what was read from the counter comes in, a verdict goes out.
//!
//! Whoever deposes a tenure deletes its row or raises its counter by at least two: by one is what a commit of its own
//! does, and how one with a lost answer is recognised.

use std::sync::Arc;

/// Incarnation and counter of every row of `replicas`, in the order of incarnations.
pub(super) type Replicas = Vec<(Arc<str>, i64)>;

#[derive(Debug)]
pub(super) struct Tenure {
    incarnation: Arc<str>,
    started_at: i64,
    standing: Standing,
    /// A `COMMIT` was sent and its answer lost.
    unsettled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has no row yet. The state may be claimed only from those seen when it was read.
    Unclaimed {
        seen: Replicas,
    },
    Claimed {
        counter: i64,
    },
}

/// What the counter says of a commit with a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settlement {
    Committed,
    /// Not so far: unless the database still works on it.
    NotCommitted,
    Deposed,
}

impl Tenure {
    pub(super) fn new(incarnation: Arc<str>, started_at: i64, seen: Replicas) -> Self {
        Tenure { incarnation, started_at, standing: Standing::Unclaimed { seen }, unsettled: false }
    }

    pub(super) fn incarnation(&self) -> &Arc<str> {
        &self.incarnation
    }

    pub(super) fn started_at(&self) -> i64 {
        self.started_at
    }

    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// The counter as the next commit leaves it.
    pub(super) fn next(&self) -> i64 {
        match self.standing {
            Standing::Unclaimed { .. } => 1,
            Standing::Claimed { counter } => counter + 1,
        }
    }

    /// The first statement of a transaction changed its row. It could not have done so while an earlier commit was under
    /// way (it would have waited for it) nor after it (the counter would have been another): so that one failed.
    pub(super) fn fenced(&mut self) {
        self.unsettled = false;
    }

    /// `COMMIT` was sent, and there is no good answer.
    pub(super) fn lost_answer(&mut self) {
        self.unsettled = true;
    }

    /// The commit is known to be durable.
    pub(super) fn committed(&mut self) {
        self.standing = Standing::Claimed { counter: self.next() };
        self.unsettled = false;
    }

    /// Judges by the counter that `replicas` holds of this incarnation, `None` if there is no row.
    pub(super) fn settle(&self, found: Option<i64>) -> Settlement {
        match (&self.standing, found) {
            (_, Some(found)) if found == self.next() => Settlement::Committed,
            (Standing::Unclaimed { .. }, None) => Settlement::NotCommitted,
            (Standing::Claimed { counter }, Some(found)) if found == *counter => Settlement::NotCommitted,
            _ => Settlement::Deposed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unclaimed() -> Tenure {
        Tenure::new("me".into(), 0, Vec::new())
    }

    fn claimed(counter: i64) -> Tenure {
        let mut tenure = unclaimed();
        for _ in 0..counter {
            tenure.committed();
        }
        tenure
    }

    #[test]
    fn a_lost_answer_is_settled_by_the_counter() {
        let cases = [
            (unclaimed(), None, Settlement::NotCommitted),
            (unclaimed(), Some(1), Settlement::Committed),
            (unclaimed(), Some(2), Settlement::Deposed),
            (claimed(7), Some(7), Settlement::NotCommitted),
            (claimed(7), Some(8), Settlement::Committed),
            (claimed(7), Some(9), Settlement::Deposed),
            (claimed(7), Some(6), Settlement::Deposed),
            (claimed(7), None, Settlement::Deposed),
        ];
        for (tenure, found, want) in cases {
            assert_eq!(tenure.settle(found), want, "{:?} finds {found:?}", tenure.standing());
        }
    }

    #[test]
    fn an_answer_stays_lost_until_a_later_transaction_begins_or_the_counter_tells() {
        let mut tenure = claimed(1);
        tenure.lost_answer();
        assert!(tenure.is_unsettled());
        tenure.fenced();
        assert!(!tenure.is_unsettled());
        assert_eq!(tenure.next(), 2);
        tenure.lost_answer();
        tenure.committed();
        assert!(!tenure.is_unsettled());
        assert_eq!(tenure.next(), 3);
    }
}

//! The table of rejects: what could not become a reading, counted by its reason.

use crate::RejectRow;
use hashbrown::HashMap;
use schemas::{Reason, Reject, Time};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What makes two rejects the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    source: Arc<str>,
    topic: Arc<str>,
    hash: u64,
    reason: Reason,
    field: Arc<str>,
}

impl Key {
    fn of(reject: &Reject) -> Key {
        Key {
            source: reject.source.clone(),
            topic: reject.topic.clone(),
            hash: reject.hash,
            reason: reject.reason,
            field: reject.field.clone(),
        }
    }
}

/// Rejects by key, up to a bound; past it those seen longest ago go.
#[derive(Debug)]
pub(crate) struct Rejects {
    most: usize,
    payload_bytes: usize,
    rows: HashMap<Key, RejectRow>,
    by_age: BTreeSet<(Time, Key)>,
}

impl Rejects {
    /// An empty table of at most `most` rows that keeps so many bytes of each payload.
    pub(crate) fn new(most: usize, payload_bytes: usize) -> Rejects {
        Rejects { most, payload_bytes, rows: HashMap::new(), by_age: BTreeSet::new() }
    }

    /// Counts a reject.
    pub(crate) fn add(&mut self, mut reject: Reject) {
        reject.payload.truncate(self.payload_bytes);
        let seen = reject.time;
        self.insert(RejectRow { first: reject, last_seen: seen, count: 1 });
    }

    /// Adds a row, to that of its key if there is one.
    pub(crate) fn insert(&mut self, row: RejectRow) {
        let key = Key::of(&row.first);
        match self.rows.get_mut(&key) {
            None => {
                self.by_age.insert((row.last_seen, key.clone()));
                self.rows.insert(key, row);
            }
            Some(known) => {
                let age = (known.last_seen, key);
                self.by_age.remove(&age);
                known.last_seen = known.last_seen.max(row.last_seen);
                known.count += row.count;
                self.by_age.insert((known.last_seen, age.1));
            }
        }
        while self.rows.len() > self.most {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.rows.remove(&oldest);
        }
    }

    /// All rows, newest last seen first.
    pub(crate) fn rows(&self) -> Vec<RejectRow> {
        self.by_age.iter().rev().filter_map(|(_, key)| self.rows.get(key).cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(topic: &str, time: i64) -> Reject {
        Reject {
            source: "d/0".into(),
            topic: topic.into(),
            hash: 1,
            reason: Reason::OutOfRange,
            field: "f0".into(),
            detail: "too much".into(),
            payload: vec![7; 10],
            time: Time(time),
        }
    }

    #[test]
    fn equal_rejects_are_counted_and_the_oldest_go_past_the_bound() {
        let mut rejects = Rejects::new(2, 4);
        for (topic, time) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            rejects.add(reject(topic, time));
        }
        let rows = rejects.rows();
        let told: Vec<_> = rows.iter().map(|r| (&*r.first.topic, r.first.time.0, r.last_seen.0, r.count)).collect();
        assert_eq!(told, [("c", 4, 4, 1), ("a", 1, 3, 2)]);
        assert_eq!(rows[0].first.payload.len(), 4);
    }
}

//! What was rejected, by its sort, each with an example and what to do.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Reader;

/// Characters of a rejected payload shown.
const SHOWN: usize = 200;

/// Rejects of one source, reason and field.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rejected {
    /// The source: `air_quality/0`; empty when none matched.
    pub source: String,
    /// The reason's word.
    pub reason: String,
    /// The field; empty for a whole reading or message.
    pub field: String,
    /// Different messages.
    pub messages: u64,
    /// How often, repetitions included.
    pub count: u64,
    /// Topic of the newest.
    pub topic: String,
    /// What was wrong with it.
    pub detail: String,
    /// The beginning of its payload.
    pub payload: String,
    /// When the first was seen.
    pub first_seen: String,
    /// When the newest was seen.
    pub last_seen: String,
    /// What to do about it.
    pub remedy: String,
}

/// Rejects by source, reason and field.
pub fn rejects(reader: &Reader) -> Vec<Rejected> {
    let mut sorts: BTreeMap<_, Rejected> = BTreeMap::new();
    // Newest first: the first of each sort is the example.
    for row in reader.rejects() {
        let first = &row.first;
        let seen = first.time.to_string();
        let sort = (first.source.clone(), first.reason, first.field.clone());
        let entry = sorts.entry(sort).or_insert_with(|| Rejected {
            source: first.source.to_string(),
            reason: first.reason.name().to_owned(),
            field: first.field.to_string(),
            messages: 0,
            count: 0,
            topic: first.topic.to_string(),
            detail: first.detail.clone(),
            payload: String::from_utf8_lossy(&first.payload).chars().take(SHOWN).collect(),
            first_seen: seen.clone(),
            last_seen: row.last_seen.to_string(),
            remedy: first.reason.remedy().to_owned(),
        });
        entry.first_seen = seen.min(std::mem::take(&mut entry.first_seen));
        entry.messages += 1;
        entry.count += row.count;
    }
    let mut rejects: Vec<Rejected> = sorts.into_values().collect();
    rejects.sort_by_key(|rejected| std::cmp::Reverse(rejected.count));
    rejects
}

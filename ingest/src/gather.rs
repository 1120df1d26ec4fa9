//! What a cycle of the intake has gathered for one append.

use crate::normalize::Refusal;
use crate::parcel::{Outcome, Refused};
use schemas::{Batch, Dataset, Reject};
use std::sync::Arc;
use store::Append;

/// Batches and rejects of the messages of one cycle.
#[derive(Debug)]
pub struct Gather {
    /// Number of the cycle, counted from 1.
    pub(crate) number: u64,
    /// One batch per dataset of the catalog.
    pub(crate) batches: Vec<Batch>,
    /// Rejects of all messages.
    pub(crate) rejects: Vec<Reject>,
    /// What the rejects weigh, in bytes.
    weight: usize,
    /// Values known and deliberately not taken (`ignore` of long mappings).
    pub(crate) ignored: u64,
    /// What became of the submission under way, where its door wants to know.
    pub(crate) outcome: Option<Outcome>,
}

impl Gather {
    /// An empty gather of these datasets.
    pub fn new(number: u64, datasets: &[Arc<Dataset>]) -> Gather {
        let batches = datasets.iter().map(|dataset| Batch::new(dataset.clone())).collect();
        Gather { number, batches, rejects: Vec::new(), weight: 0, ignored: 0, outcome: None }
    }

    /// Its batches, one per dataset of the catalog, empty ones included.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Its rejects, in order of arrival.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// Adds a reject. `at` and `route` say what of a submission it is, for its outcome.
    pub(crate) fn refuse(&mut self, reject: Reject, (at, route): (u32, Option<usize>)) {
        if let Some(outcome) = &mut self.outcome {
            let refusal = || Refusal { reason: reject.reason, detail: reject.detail.clone() };
            outcome.refuse(|| Refused { at, route, field: reject.field.clone(), refusal: refusal() });
        }
        self.weight += reject.topic.len() + reject.detail.len() + reject.payload.len() + size_of::<Reject>();
        self.rejects.push(reject);
    }

    /// Readings gathered.
    pub(crate) fn readings(&self) -> u64 {
        self.batches.iter().map(|batch| batch.len() as u64).sum()
    }

    /// What its rejects weigh, in bytes: a small message may give rise to a hundred times its size.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// What to hand to the store.
    pub fn into_append(self) -> Append {
        let batches = self.batches.into_iter().filter(|batch| !batch.is_empty()).collect();
        Append { batches, rejects: self.rejects }
    }
}

//! One turn of the intake: what was gathered for an append, and who waits for it.

use super::{Group, Load, refused};
use crate::metrics::{ByDataset, ByReason, Metrics};
use crate::pipeline::Past;
use crate::sheaf::Sheaf;
use crate::topics::Topics;
use crate::{Error, Gather, Outcome, Pipeline};
use schemas::Time;
use std::time::Duration;
use store::{Append, Kind, Writer};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// The first and the longest wait before an append that was put off is tried again.
const WAITS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// Who waits for a group, what they are told, and its room in the queue until then.
pub(super) struct Waiting {
    pub(super) durable: oneshot::Sender<Outcome>,
    pub(super) outcome: Outcome,
    _room: OwnedSemaphorePermit,
}

/// What has been gathered, and who waits for it.
pub(super) struct Cycle {
    gather: Gather,
    waiting: Vec<Waiting>,
    oldest: Time,
    /// Bytes of messages gathered.
    messages: usize,
}

impl Cycle {
    /// A cycle with nothing in it.
    pub(super) fn new(gather: Gather) -> Cycle {
        Cycle { gather, waiting: Vec::new(), oldest: Time(i64::MAX), messages: 0 }
    }

    /// How many submissions wait for it.
    pub(super) fn groups(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes gathered: messages, and the rejects they gave rise to.
    pub(super) fn weight(&self) -> usize {
        self.messages + self.gather.weight()
    }

    /// Takes a group's messages through the pipeline.
    pub(super) fn take(&mut self, group: Group, pipeline: &mut Pipeline, writer: &Writer, now: Time) {
        let mark = |hash| writer.mark(hash);
        let too_old = |dataset: &str, time| writer.too_old(dataset, time);
        let past = Past { mark: &mark, too_old: &too_old };
        let before = group.asked.then(|| self.gather.readings());
        self.gather.outcome = group.asked.then(Outcome::default);
        let messages = match group.load {
            Load::Messages(messages) => messages,
            Load::Parcel(parcel) => {
                self.messages += parcel.weight();
                self.oldest = self.oldest.min(now);
                pipeline.take_parcel(parcel, now, past, &mut self.gather);
                Vec::new()
            }
            Load::Readings(batch, otherwise) => {
                self.messages += batch.len() * 8 * (2 + batch.columns.len());
                match pipeline.take_readings(batch, past, &mut self.gather) {
                    true => Vec::new(),
                    false => otherwise(),
                }
            }
        };
        for message in &messages {
            match group.route {
                Some(route) => pipeline.take_for(route, message, now, past, &mut self.gather),
                None => pipeline.take(message, now, past, &mut self.gather),
            }
            self.messages += message.weight();
            self.oldest = self.oldest.min(message.arrived);
        }
        let mut outcome = self.gather.outcome.take().unwrap_or_default();
        outcome.taken = before.map_or(0, |before| self.gather.readings() - before);
        self.waiting.push(Waiting { durable: group.durable, outcome, _room: group._room });
    }

    /// Takes what a door connection has read through the pipeline.
    pub(super) fn take_sheaf(
        &mut self,
        (sheaf, topics): (&mut Sheaf, &mut Topics),
        (room, durable): (OwnedSemaphorePermit, oneshot::Sender<Outcome>),
        pipeline: &mut Pipeline,
        writer: &Writer,
        now: Time,
    ) {
        let mark = |hash| writer.mark(hash);
        let too_old = |dataset: &str, time| writer.too_old(dataset, time);
        self.messages += sheaf.weight();
        self.oldest = self.oldest.min(sheaf.arrived().unwrap_or(now));
        pipeline.take_sheaf(sheaf, topics, now, Past { mark: &mark, too_old: &too_old }, &mut self.gather);
        self.waiting.push(Waiting { durable, outcome: Outcome::default(), _room: room });
    }

    /// The append of what was gathered, who waits for it, and when the oldest message arrived.
    pub(super) fn finish(self, metrics: &Metrics) -> (Append, Vec<Waiting>, Time) {
        metrics.ignored.inc_by(self.gather.ignored);
        for batch in self.gather.batches().iter().filter(|batch| !batch.time.is_empty()) {
            let dataset = ByDataset { dataset: batch.dataset.id.to_string() };
            metrics.readings.get_or_create(&dataset).inc_by(batch.len() as u64);
        }
        for reject in self.gather.rejects() {
            let by = ByReason { source: reject.source.to_string(), reason: reject.reason.name() };
            metrics.rejects.get_or_create(&by).inc();
        }
        (self.gather.into_append(), self.waiting, self.oldest)
    }
}

/// Appends, trying again while the store is busy, full, or in trouble with its disk.
pub(super) async fn deliver(writer: &Writer, append: Append, metrics: &Metrics) -> Result<(), Error> {
    let mut wait = WAITS.0;
    let mut told = None;
    loop {
        metrics.appends.inc();
        let error = match writer.append(append.clone()).await {
            Ok(_) => {
                if told.is_some() {
                    tracing::info!("the store takes readings again");
                }
                return Ok(());
            }
            Err(error) if matches!(error.kind, Kind::Busy | Kind::Full | Kind::Io) => error,
            Err(error) => return Err(refused(&error)),
        };
        metrics.put_off.inc();
        // Being busy for a moment is how pressure works; anything longer is news, once.
        if told != Some(error.kind) && (error.kind != Kind::Busy || wait == WAITS.1) {
            tracing::warn!(%error, "the store takes nothing for now; doors hold and nothing is acknowledged");
            told = Some(error.kind);
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAITS.1);
    }
}

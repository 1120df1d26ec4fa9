//! History straight into a dataset: rows of a file take a source's mapping without a door in between.

use crate::intake::Otherwise;
use crate::{Error, Intake, Kind, Message, Ticket};
use bytes::Bytes;
use schemas::Batch;
use std::collections::VecDeque;
use std::sync::Arc;

/// Payloads gathered into one submission.
const GROUP: usize = 1024;
/// Submissions under way at once.
const AHEAD: usize = 8;

/// Feeds payloads to one source of one dataset, in order, as fast as the store takes them.
#[derive(Debug)]
pub struct Import {
    intake: Intake,
    route: usize,
    group: Vec<Message>,
    tickets: VecDeque<(Ticket, u64)>,
    durable: u64,
}

impl Import {
    /// An import into the source of that index of that dataset; `Kind::Setting` when there is no such.
    pub fn new(intake: Intake, dataset: &str, source: usize) -> Result<Import, Error> {
        let Some(route) = intake.catalog().route(dataset, source) else {
            let detail = format!("no dataset {dataset:?} with a source {source}, counted from 0, among the contracts");
            return Err(Error::new(Kind::Setting, detail));
        };
        Ok(Import { intake, route, group: Vec::new(), tickets: VecDeque::new(), durable: 0 })
    }

    /// Takes one payload. `topic` fills the topic holes of the sensor template; it may be empty when there are none.
    /// Waits when too much is under way.
    pub async fn push(&mut self, topic: &Arc<str>, payload: impl Into<Bytes>) -> Result<(), Error> {
        let arrived = self.intake.now();
        self.group.push(Message::new(topic.clone(), payload.into(), arrived));
        if self.group.len() >= GROUP { self.send().await } else { Ok(()) }
    }

    /// Takes readings that were read from so many payloads; `otherwise` makes the messages of these, should a sensor not be
    /// welcome. Waits when too much is under way.
    pub async fn push_readings(&mut self, batch: Batch, payloads: u64, otherwise: Otherwise) -> Result<(), Error> {
        self.send().await?;
        while self.tickets.len() >= AHEAD {
            self.settle().await?;
        }
        let weight = batch.len() * 8 * (2 + batch.columns.len());
        let room = self.intake.room(weight).await?;
        let door = self.intake.metrics().door("import");
        door.messages.inc_by(payloads);
        door.bytes.inc_by(weight as u64);
        self.tickets.push_back((self.intake.submit_readings(room, self.route, batch, otherwise), payloads));
        Ok(())
    }

    /// The instant that bounds how far ahead a stamp may be.
    pub fn now(&self) -> schemas::Time {
        self.intake.now()
    }

    /// How many payloads are durable (as readings or rejects): where to start again after an interruption.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Waits until everything pushed is durable, and gives their number.
    pub async fn finish(mut self) -> Result<u64, Error> {
        self.send().await?;
        while !self.tickets.is_empty() {
            self.settle().await?;
        }
        Ok(self.durable)
    }

    async fn send(&mut self) -> Result<(), Error> {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(());
        }
        while self.tickets.len() >= AHEAD {
            self.settle().await?;
        }
        let door = self.intake.metrics().door("import");
        let (count, bytes) = (group.len() as u64, group.iter().map(|message| message.size as u64).sum());
        let room = self.intake.room(group.iter().map(Message::weight).sum()).await?;
        let ticket = self.intake.submit_for(room, group, Some(self.route));
        door.messages.inc_by(count);
        door.bytes.inc_by(bytes);
        self.tickets.push_back((ticket, count));
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), Error> {
        if let Some((ticket, count)) = self.tickets.pop_front() {
            ticket.await?;
            self.durable += count;
        }
        Ok(())
    }
}

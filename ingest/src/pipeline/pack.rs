//! Messages that are SenML packs.

use super::{Past, Pipeline};
use crate::decode::points::{Format, Names};
use crate::decode::senml::{self, Pack};
use crate::refusals::Refusals;
use crate::{Gather, Message, hash};
use schemas::{Mark, Time};

impl Pipeline {
    /// Takes a pack for those of the routes its topic leads to that are of packs: each record for the sources whose pattern
    /// its name has.
    pub(super) fn take_pack(
        &mut self,
        routes: &[usize],
        message: &Message,
        now: Time,
        past: Past<'_>,
        gather: &mut Gather,
    ) {
        let catalog = self.catalog.clone();
        let routes: Box<[usize]> = routes.iter().copied().filter(|route| catalog.routes[*route].packs).collect();
        let Some(&first) = routes.first() else { return };
        if let Err(refusal) = self.fits(message) {
            let name = &catalog.source(first).name;
            return Refusals::new(message, name, now, self.config.reject_bytes).whole(gather, refusal);
        }
        let most = self.config.max_topics;
        let made = || Names::new(catalog.clone(), Format::Senml, routes.to_vec(), most);
        let mut names = self.names.remove(&routes).unwrap_or_else(made);
        let read = |names: &mut Names, now| {
            let (topic, body) = (&*message.topic, message.payload.clone());
            senml::read(names, &Pack { topic, body, now, retained: message.retained })
        };
        let (mut parcel, relative) = read(&mut names, message.arrived);
        if relative {
            // Sent again, it has the time of its first arrival.
            let time = self.arrival(message, 1, past);
            let mark = Mark { hash: hash::message(message), time };
            gather.batches[catalog.routes[first].dataset].marks.push(mark);
            if time != message.arrived {
                parcel = read(&mut names, time).0;
            }
        }
        self.names.insert(routes, names);
        self.take_parcel(parcel, now, past, gather);
    }
}

//! The working half of the intake: hands what was gathered to the store, one append after the other.

use super::abandoned;
use super::cycle::{self, Cycle, Waiting};
use super::desk::{Alive, Shared};
use crate::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often it is looked, while an append waits, whether anybody is left who submits.
const LOOK: Duration = Duration::from_secs(1);

/// The working half of the intake.
#[derive(Debug)]
pub struct Gathering {
    shared: Arc<Shared>,
    handles: Weak<Alive>,
}

/// An append on its way.
type Flying = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl Drop for Gathering {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl Gathering {
    /// Of an intake whose handles are all clones of one.
    pub(super) fn new(shared: Arc<Shared>, alive: &Arc<Alive>) -> Gathering {
        Gathering { shared, handles: Arc::downgrade(alive) }
    }

    /// Works until every [`super::Intake`] is gone and all they submitted is durable. An error of the store that waiting cannot
    /// cure ends it early, and so does a store that still takes nothing (a full disk) a while after the last of them went;
    /// tickets then resolve to `Kind::Closed`, so nothing more is acknowledged.
    pub async fn run(self) -> Result<(), Error> {
        let (shared, config) = (&self.shared, &self.shared.config);
        let mut flying: Option<Flying> = None;
        // Those who waited for the last append are likely to come again: they are waited for, but not for long.
        let (mut wanted, mut until) = (1, Instant::now());
        loop {
            let alone = self.handles.strong_count() == 0;
            if flying.is_none() {
                if alone || Instant::now() >= until {
                    wanted = 1;
                }
                flying = shared.full(wanted).map(|full| {
                    wanted = full.groups();
                    self.launch(full)
                });
            }
            if alone && flying.is_none() {
                return Ok(());
            }
            let patience = if alone { config.farewell } else { LOOK };
            tokio::select! {
                biased;
                landed = land(&mut flying), if flying.is_some() => {
                    flying = None;
                    shared.backlog.set_oldest(None);
                    landed?;
                    wanted += shared.groups();
                    until = Instant::now() + config.gather_wait;
                }
                () = shared.wake.notified(), if !alone => {}
                () = sleep_until(until), if flying.is_none() && wanted > 1 => {}
                () = sleep(patience), if flying.is_some() => {
                    if alone {
                        return Err(abandoned(patience));
                    }
                }
            }
        }
    }

    /// Hands a cycle to the store.
    fn launch(&self, cycle: Cycle) -> Flying {
        let (append, waiting, oldest) = cycle.finish(&self.shared.metrics);
        self.shared.backlog.set_oldest(Some(oldest));
        let shared = self.shared.clone();
        Box::pin(async move {
            // A cycle of nothing but ignored values leaves nothing to log.
            if !append.batches.is_empty() || !append.rejects.is_empty() {
                cycle::deliver(&shared.writer, append, &shared.metrics).await?;
            }
            for Waiting { durable, outcome, .. } in waiting {
                let _ = durable.send(outcome);
            }
            Ok(())
        })
    }
}

/// Waits for the append on its way, if there is one.
async fn land(flying: &mut Option<Flying>) -> Result<(), Error> {
    match flying {
        Some(flying) => flying.await,
        None => Ok(()),
    }
}

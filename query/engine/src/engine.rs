//! The engine: resolves questions, answers them on its own threads, keeps rendered answers.

use crate::{Answer, Config, Error, Question};
use bytes::Bytes;
use schemas::{Dataset, Time};
use std::sync::Arc;
use std::time::Duration;
use store::{Clock, Reader};

/// The one executor behind every door. Cloneable.
#[derive(Clone)]
pub struct Engine {
    reader: Reader,
    clock: Clock,
}

/// A question with its names found, its span widened and its snapshot taken. Nothing has been read yet.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// All that the answer depends on, as text.
    key: String,
    /// How long a client may keep the answer.
    pub max_age: Duration,
}

/// Figures of the engine for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bodies found in the cache.
    pub hits: u64,
    /// Bodies made.
    pub misses: u64,
    /// Bytes in the cache.
    pub cache_bytes: u64,
    /// Questions that wait or run.
    pub running: u64,
}

impl Resolved {
    /// Strong entity tag of the answer in a format, quotes included: changes when the answer may.
    pub fn etag(&self, format: &str) -> String {
        format!("\"{}{format}\"", self.key)
    }
}

impl Engine {
    /// Starts the engine's threads.
    pub fn new(reader: Reader, clock: Clock, _config: Config) -> Result<Engine, Error> {
        Ok(Engine { reader, clock })
    }

    /// The instant `now` stands for in questions: the clock, cut to a whole second.
    pub fn now(&self) -> Time {
        let now = (self.clock)().0;
        Time(now - now.rem_euclid(schemas::time::SECOND))
    }

    /// A dataset's contract; the error names those there are.
    pub fn dataset(&self, id: &str) -> Result<Arc<Dataset>, Error> {
        let known = self.reader.datasets();
        known.iter().find(|dataset| &*dataset.id == id).cloned().ok_or_else(|| {
            let accepted: Vec<String> = known.iter().map(|dataset| dataset.id.to_string()).collect();
            Error::not_found("dataset", format!("there is no dataset {id:?}"), accepted)
        })
    }

    /// Figures for metrics.
    pub fn figures(&self) -> Figures {
        Figures::default()
    }

    /// Checks a question and finds what it names, without reading data: cheap enough for each conditional request.
    pub fn resolve(&self, _question: Question) -> Result<Resolved, Error> {
        todo!()
    }

    /// The answer, not cached.
    pub async fn answer(&self, _resolved: &Resolved) -> Result<Answer, Error> {
        todo!()
    }

    /// The answer rendered by `render`, from the cache if the same was asked before. `format` names what `render` makes.
    pub async fn body(
        &self,
        _resolved: &Resolved,
        _format: &'static str,
        _render: impl Fn(&Answer) -> Result<Bytes, Error> + Send + Sync + 'static,
    ) -> Result<Bytes, Error> {
        todo!()
    }
}

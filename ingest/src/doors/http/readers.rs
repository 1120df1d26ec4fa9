//! Readers of lines, which know the series they have read: kept from body to body.

use crate::decode::News;
use crate::decode::line::{Bounds, Measures, Reader};
use std::sync::{Arc, Mutex, PoisonError};

/// Readers that are idle. One that is missing is made: as many are at work as there are threads.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Mutex<Vec<Reader>>,
    most: usize,
    measures: Arc<Measures>,
    bounds: Bounds,
    /// What they know of what was said of sensors.
    pub(super) news: News,
}

impl Readers {
    pub(super) fn new(measures: Arc<Measures>, bounds: Bounds, most: usize) -> Readers {
        Readers { idle: Mutex::default(), most, measures, bounds, news: News::default() }
    }

    /// Works with a reader; the one that worked last, as it knows most.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Reader) -> T) -> T {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = idle.unwrap_or_else(|| Reader::new(self.measures.clone(), &self.news, self.bounds));
        let done = work(&mut reader);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most {
            idle.push(reader);
        }
        done
    }
}

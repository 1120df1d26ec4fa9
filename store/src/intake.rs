//! Durable records, taken over into what readers see.

use crate::book::Book;
use crate::holding::Floors;
use crate::log::{Entry, Record};
use crate::marks::Marks;
use crate::rejects::Rejects;
use crate::{Act, Clock, Config, Error, LogId, Position};
use hashbrown::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks. A panic elsewhere leaves what it guards readable: each change of it is whole before the next.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rejects and marks: what belongs to no dataset's table.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) rejects: Rejects,
    pub(crate) marks: Marks,
    /// Acts that are not in the audit log yet, or were met again in the log.
    pub(crate) acts: Vec<Act>,
    /// Last record that changed it.
    pub(crate) position: Position,
    /// Up to where it is saved.
    pub(crate) saved: Position,
}

/// What the log thread feeds.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) books: Vec<Book>,
    index: HashMap<Arc<str>, usize>,
    pub(crate) desk: Mutex<Desk>,
    /// Every record up to here has been applied everywhere.
    applied: AtomicU64,
    clock: IntakeClock,
    hot_bytes: usize,
    /// Wakes maintenance.
    pub(crate) wake: tokio::sync::Notify,
}

/// A clock that can be shown.
struct IntakeClock(Clock);

impl std::fmt::Debug for IntakeClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("clock")
    }
}

impl Intake {
    /// An intake for the datasets of `books`.
    pub(crate) fn new(books: Vec<Book>, desk: Desk, clock: Clock, config: &Config) -> Intake {
        let index = books.iter().enumerate().map(|(i, book)| (book.dataset.id.clone(), i)).collect();
        Intake {
            books,
            index,
            desk: Mutex::new(desk),
            applied: AtomicU64::new(0),
            clock: IntakeClock(clock),
            hot_bytes: config.hot_bytes,
            wake: tokio::sync::Notify::new(),
        }
    }

    /// The book of a dataset.
    pub(crate) fn book(&self, dataset: &str) -> Option<&Book> {
        self.index.get(dataset).map(|&i| &self.books[i])
    }

    /// Every record up to here has been applied everywhere.
    pub(crate) fn applied(&self) -> Position {
        Position(self.applied.load(Ordering::Acquire))
    }

    /// The clock's instant.
    pub(crate) fn now(&self) -> schemas::Time {
        (self.clock.0)()
    }

    /// Bytes of rows in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.books.iter().map(Book::bytes).sum()
    }

    /// Names the log that the next records are of, and with it what is known of them.
    pub(crate) fn begin(&self, log: LogId) {
        for book in &self.books {
            let floors = book.floors(log);
            let mut holding = lock(&book.holding);
            holding.log = log;
            holding.flushed = floors.filed;
            holding.saved = floors.known;
        }
    }

    /// Takes over a record of the log that is being replayed. `known`: up to where rejects and marks are saved.
    pub(crate) fn replay(&self, log: LogId, record: Record, known: Position) -> Result<(), Error> {
        match record.entry {
            Entry::Foreign { ref dataset, why } => {
                // Filed records of a field that is gone are no loss; those of a dataset that is gone are asked for before.
                match self.book(dataset) {
                    Some(book) if record.position <= book.floors(log).filed => Ok(()),
                    _ => Err(why),
                }
            }
            _ => {
                let position = record.position;
                self.apply(record, &|book| book.floors(log), known);
                self.applied.store(position.0, Ordering::Release);
                Ok(())
            }
        }
    }

    /// Takes over a group that has just become durable.
    pub(crate) fn durable(&self, group: Vec<Record>) {
        let Some(last) = group.last().map(|r| r.position) else { return };
        group.into_iter().for_each(|record| self.apply(record, &|_| Floors::default(), Position(0)));
        self.applied.store(last.0, Ordering::Release);
        if self.bytes() > self.hot_bytes {
            self.wake.notify_one();
        }
    }

    fn apply(&self, record: Record, floors: &dyn Fn(&Book) -> Floors, known: Position) {
        let position = record.position;
        match record.entry {
            Entry::Batch(batch) => {
                if !batch.marks.is_empty() && position > known {
                    let mut desk = lock(&self.desk);
                    batch.marks.iter().for_each(|mark| desk.marks.push(*mark));
                    desk.position = position;
                }
                if let Some(book) = self.book(&batch.dataset.id) {
                    book.change(|holding| holding.apply(batch, position, (self.clock.0)(), floors(book)));
                }
            }
            Entry::Rejects(rejects) if position > known => {
                let mut desk = lock(&self.desk);
                rejects.into_iter().for_each(|reject| desk.rejects.add(reject));
                desk.position = position;
            }
            Entry::Erase(erasure) => {
                if let Some(book) = self.book(&erasure.dataset) {
                    let log = book.change(|holding| {
                        holding.erase(&erasure, position, (self.clock.0)(), floors(book));
                        holding.log
                    });
                    lock(&self.desk).acts.push(Act::new(&erasure, log, position));
                }
            }
            Entry::Going(going) => {
                if let Some(book) = self.book(&going.dataset) {
                    let refused = book.change(|holding| {
                        holding.go(&going.days, position, floors(book));
                        holding.refused()
                    });
                    book.refused.set(refused);
                }
            }
            Entry::Rejects(_) | Entry::Foreign { .. } => {}
        }
    }
}

//! Rows in memory that are sorted when somebody first asks for them, or when they are sealed, and then once for all.

use super::sort::{Arrived, sort};
use super::{Run, merge};
use crate::{Error, Kind};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// Rows of hot or sealed readings, in no order yet or sorted. Shared by the snapshots that show them.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Rows as they arrived; a key may come twice.
    pub(crate) rows: usize,
    /// Memory of the rows, in bytes.
    pub(crate) bytes: usize,
    fields: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// As they arrived.
    Loose(Vec<Arc<Arrived>>),
    /// Segments in ascending precedence.
    Several(Vec<Arc<Segment>>),
    Sorted(Run),
    /// Being sorted. Whoever finds this came after a panic.
    Taken,
}

/// Some rows of a segment.
enum Piece {
    Loose(Arc<Arrived>),
    Sorted(Run),
}

impl Segment {
    fn new(rows: usize, bytes: usize, fields: usize, state: State) -> Arc<Segment> {
        Arc::new(Segment { rows, bytes, fields, state: Mutex::new(state) })
    }

    /// Rows as they arrived, part after part.
    pub(crate) fn loose(parts: Vec<Arc<Arrived>>, fields: usize) -> Arc<Segment> {
        let (rows, bytes) = parts.iter().fold((0, 0), |(rows, bytes), part| (rows + part.len(), bytes + part.bytes()));
        Segment::new(rows, bytes, fields, State::Loose(parts))
    }

    /// Segments in ascending precedence as one. Nothing is sorted yet.
    pub(crate) fn several(segments: Vec<Arc<Segment>>, fields: usize) -> Arc<Segment> {
        let (rows, bytes) = segments.iter().fold((0, 0), |(rows, bytes), one| (rows + one.rows, bytes + one.bytes));
        Segment::new(rows, bytes, fields, State::Several(segments))
    }

    /// Sorted rows.
    pub(crate) fn sorted(run: Run) -> Arc<Segment> {
        Segment::new(run.len(), run.bytes(), run.columns.len(), State::Sorted(run))
    }

    /// The rows as a run; the first call sorts them, others wait for it. CPU work.
    pub(crate) fn run(&self) -> Result<Run, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let run = match std::mem::replace(&mut *state, State::Taken) {
            State::Taken => {
                let message = "sorting hot rows has failed; the log holds them: restart";
                return Err(Error::new(Kind::Io, message));
            }
            State::Sorted(run) => run,
            State::Loose(parts) => sort(parts, self.fields),
            State::Several(segments) => {
                let mut pieces = Vec::new();
                for segment in segments {
                    take(segment, &mut pieces)?;
                }
                join(pieces, self.fields)
            }
        };
        *state = State::Sorted(run.clone());
        Ok(run)
    }

    /// The run, if it is there and nobody is at it.
    fn ready(&self) -> Option<Run> {
        let state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(state)) => state.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if let State::Sorted(run) = &*state { Some(run.clone()) } else { None }
    }
}

/// The runs of segments. What is to be sorted is sorted on a blocking thread.
pub(crate) async fn runs(segments: &[Arc<Segment>]) -> Result<Vec<Run>, Error> {
    let ready: Option<Vec<Run>> = segments.iter().map(|segment| segment.ready()).collect();
    match ready {
        Some(runs) => Ok(runs),
        None => {
            let segments = segments.to_vec();
            crate::seal::blocking(move || segments.iter().map(|segment| segment.run()).collect()).await
        }
    }
}

/// The pieces of a segment; those that nobody else holds are taken out of it.
fn take(segment: Arc<Segment>, pieces: &mut Vec<Piece>) -> Result<(), Error> {
    let state = match Arc::try_unwrap(segment) {
        Ok(own) => own.state.into_inner().unwrap_or_else(PoisonError::into_inner),
        Err(shared) => match &*shared.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Loose(parts) => State::Loose(parts.clone()),
            State::Several(segments) => State::Several(segments.clone()),
            State::Sorted(run) => State::Sorted(run.clone()),
            State::Taken => State::Taken,
        },
    };
    match state {
        State::Loose(parts) => pieces.extend(parts.into_iter().map(Piece::Loose)),
        State::Several(segments) => {
            for segment in segments {
                take(segment, pieces)?;
            }
        }
        State::Sorted(run) => pieces.push(Piece::Sorted(run)),
        State::Taken => return Err(Error::new(Kind::Io, "sorting hot rows has failed; the log holds them: restart")),
    }
    Ok(())
}

/// Sorts what is loose, neighbours together, and merges it with what is sorted.
fn join(pieces: Vec<Piece>, fields: usize) -> Run {
    let (mut runs, mut loose) = (Vec::new(), Vec::new());
    for piece in pieces {
        match piece {
            Piece::Loose(part) => loose.push(part),
            Piece::Sorted(run) => {
                if !loose.is_empty() {
                    runs.push(sort(std::mem::take(&mut loose), fields));
                }
                runs.push(run);
            }
        }
    }
    if !loose.is_empty() {
        runs.push(sort(loose, fields));
    }
    merge(&runs, fields)
}

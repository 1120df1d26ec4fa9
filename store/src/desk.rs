//! Saved rejects and marks, of the store as a whole.

use crate::intake::Desk;
use crate::marks::Marks;
use crate::rejects::Rejects;
use crate::state::{Positions, read, write};
use crate::{Config, Error, Position, RejectRow};
use object_store::ObjectStore;
use object_store::path::Path;
use schemas::Mark;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Saved {
    positions: Positions,
    /// Oldest first. Payloads stand apart: as JSON arrays of numbers they would be four times as long.
    rejects: Vec<(RejectRow, String)>,
    marks: Vec<Mark>,
}

/// Beside the datasets: none has such a name.
fn place() -> Path {
    Path::from("_store/rejects.json")
}

/// Reads rejects and marks, and up to where they have seen each log.
pub(crate) async fn load(objects: &dyn ObjectStore, config: &Config) -> Result<(Desk, Positions), Error> {
    let mut rejects = Rejects::new(config.max_rejects, config.reject_bytes);
    let mut marks = Marks::new(config.max_marks);
    let saved = read::<Saved>(objects, &place()).await?;
    let Some(saved) = saved else { return Ok((desk(rejects, marks), Positions::new())) };
    for (mut row, payload) in saved.rejects {
        row.first.payload = unhex(&payload);
        rejects.insert(row);
    }
    saved.marks.into_iter().for_each(|mark| marks.push(mark));
    Ok((desk(rejects, marks), saved.positions))
}

fn desk(rejects: Rejects, marks: Marks) -> Desk {
    Desk { rejects, marks, acts: Vec::new(), position: Position(0), saved: Position(0) }
}

/// Saves rejects and marks, durably.
pub(crate) async fn save(
    objects: &dyn ObjectStore,
    positions: Positions,
    rows: Vec<RejectRow>,
    marks: Vec<Mark>,
) -> Result<(), Error> {
    let apart = |mut row: RejectRow| {
        let payload = hex(&std::mem::take(&mut row.first.payload));
        (row, payload)
    };
    let saved = Saved { positions, rejects: rows.into_iter().rev().map(apart).collect(), marks };
    write(objects, &place(), &saved).await
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble)] as char;
    bytes.iter().flat_map(|&b| [digit(b >> 4), digit(b & 15)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).unwrap_or(0) as u8;
    text.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_byte_for_byte() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), all);
    }
}

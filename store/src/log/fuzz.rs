//! Any bytes as what a log holds: nothing panics, what can be read is what would be written, and a walk stays within the bytes.
//!
//! The first byte says how the rest is taken: even, as one body, whose kind is the second byte; odd, as the making of a segment.
//! Checksums are put right there, or no mutation would get past them: each record is [kind, position, note, length, body], with
//! position and note as distances from what would come next; what is left over is the segment's damaged end.

use super::body;
use super::frame::{self, Seed};
use super::segment::{HEADER, Header};
use super::walk::{any_record, walk, was_durable};
use crate::{LogId, Position};
use schemas::{Dataset, contract};
use std::sync::{Arc, LazyLock};

/// The dataset that records are of: the shipped one of noise, without its registry file.
static DATASETS: LazyLock<Vec<Arc<Dataset>>> = LazyLock::new(|| {
    let shipped = include_str!("../../../schemas/datasets/noise.toml");
    let lines: Vec<&str> = shipped.lines().filter(|line| !line.starts_with("sensors = ")).collect();
    let text = contract::Text { file: "noise.toml".into(), toml: lines.join("\n"), registry: None };
    contract::parse(&[text]).unwrap_or_else(|faults| panic!("the shipped contract of noise: {faults}"))
});

/// Takes bytes as the head of the file says.
pub(crate) fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((mode, [kind, body @ ..])) if mode % 2 == 0 => one(*kind, body),
        Some((_, rest)) => {
            segment(rest);
            raw(rest);
        }
        None => {}
    }
}

/// One body: what is read is written and read again as the same bytes.
fn one(kind: u8, bytes: &[u8]) {
    let Ok(entry) = body::take(kind, bytes, &DATASETS) else { return };
    let Some(kind) = body::kind(&entry) else { return };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    body::put(&mut first, &entry);
    let again =
        body::take(kind, &first, &DATASETS).unwrap_or_else(|why| panic!("what was written cannot be read: {why:?}"));
    body::put(&mut second, &again);
    assert!(first == second, "what was read is not what was written");
}

/// A segment made of records with right checksums: the walk gives a run of them from the first, without a gap.
fn segment(mut rest: &[u8]) {
    let header = Header { log: LogId(7), first: Position(11), previous: Position(9) };
    let seed = Seed::new(header.log, header.first);
    let mut bytes = header.bytes();
    let mut next = header.first.0;
    while let [kind, position, note, length, after @ ..] = rest {
        let (body, left) = after.split_at((*length as usize).min(after.len()));
        let place = Position(next.wrapping_add(u64::from(*position)).wrapping_sub(u64::from(*kind == body::NOTE)));
        let noted = Position((next - 1).saturating_sub(u64::from(*note)));
        let base = bytes.len() as u64;
        let mut record = Vec::new();
        frame::put(&mut record, base, seed, (place, noted, *kind), |out| {
            out.extend_from_slice(if *kind == body::NOTE { &[] } else { body });
        });
        bytes.append(&mut record);
        next += u64::from(*kind != body::NOTE);
        rest = left;
    }
    bytes.extend_from_slice(rest);
    walked(&bytes, header);
}

/// Bytes as a whole segment, and as one behind a good header.
fn raw(rest: &[u8]) {
    let header = Header { log: LogId(7), first: Position(11), previous: Position(9) };
    if let Ok(Some(read)) = Header::read(rest) {
        assert!(rest[..HEADER] == read.bytes(), "a header is read as it would be written");
        walked(rest, read);
    }
    walked(&[&header.bytes(), rest].concat(), header);
    any_record(rest, header.log, header.first);
}

fn walked(bytes: &[u8], header: Header) {
    let (mut expected, mut ends) = (header.first, HEADER);
    let walk = walk(bytes, header, None, &mut |at, frame| {
        assert!(frame.position == expected && frame.noted < frame.position, "the record that comes next");
        assert!(at >= ends && frame.body.end <= bytes.len(), "records do not overlap");
        (expected, ends) = (Position(expected.0 + 1), frame.body.end);
        let _ = body::take(frame.kind, &bytes[frame.body], &DATASETS);
        Ok(())
    });
    let Ok(walk) = walk else { return };
    assert!(walk.next == expected && (HEADER..=bytes.len()).contains(&walk.end) && walk.unsure <= walk.end);
    assert!(walk.bad.is_some() || walk.end == bytes.len(), "what is not read has a reason");
    if walk.bad.is_some() {
        was_durable(bytes, header, walk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The corpus that the fuzzer begins with runs in every `./check`.
    #[test]
    fn the_corpus_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/log_records");
        let mut kinds = [0; 5];
        let mut files = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            run(&bytes);
            files += 1;
            if let [mode, kind, body @ ..] = &bytes[..]
                && mode % 2 == 0
                && body::take(*kind, body, &DATASETS).is_ok()
            {
                kinds[*kind as usize] += 1;
            }
        }
        assert!(files >= 10, "{files} files");
        assert!(kinds[1..].iter().all(|count| *count > 0), "a good record of each kind: {kinds:?}");
    }

    /// What a fuzzer would try first, seeded: bytes of the corpus changed, cut, doubled and joined.
    #[test]
    fn changes_of_the_corpus_hold() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/log_records");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let corpus: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
        let mut dice = crate::testing::Dice(1);
        for _ in 0..20_000 {
            let mut bytes = corpus[dice.below(corpus.len() as u64) as usize].clone();
            for _ in 0..1 + dice.below(4) {
                let at = dice.below(bytes.len() as u64) as usize;
                match dice.below(5) {
                    0 => bytes[at] = dice.roll() as u8,
                    1 => bytes[at] ^= 1 << dice.below(8),
                    2 => bytes.truncate(at.max(2)),
                    3 => drop(bytes.splice(at..at, bytes[at..].to_vec())),
                    _ => bytes.extend_from_slice(&corpus[dice.below(corpus.len() as u64) as usize]),
                }
                bytes.truncate(4096);
            }
            run(&bytes);
        }
    }

    /// Writes the first corpus anew: by hand, after a change of the format.
    #[test]
    #[ignore = "writes the corpus"]
    fn write_the_corpus() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/log_records");
        std::fs::create_dir_all(&folder).unwrap();
        let noise = DATASETS[0].clone();
        let mut segment = vec![1];
        for (i, entry) in
            crate::log::tests::torture::kinds(&mut crate::log::tests::Numbers(1), &noise).iter().enumerate()
        {
            let kind = body::kind(entry).unwrap();
            let mut body = vec![0, kind];
            body::put(&mut body, entry);
            std::fs::write(folder.join(format!("body-{i}")), &body).unwrap();
            if let Ok(length) = u8::try_from(body.len() - 2) {
                segment.extend_from_slice(&[kind, 0, i as u8 % 2, length]);
                segment.extend_from_slice(&body[2..]);
                segment.extend_from_slice(&[body::NOTE, 0, 0, 0]);
            }
            std::fs::write(folder.join(format!("segment-{i}")), &segment).unwrap();
        }
        segment.extend_from_slice(&[0; 700]);
        std::fs::write(folder.join("zero-tail"), &segment).unwrap();
    }
}

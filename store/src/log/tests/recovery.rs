//! Opening after damage: exactly the records below it, or a stop that names the place.

use super::*;
use crate::log::body::REJECTS;
use crate::log::frame::{self, Seed};
use crate::log::segment::HEADER;
use std::ops::Range;

/// A log as after SIGKILL, its records, and where each lies in the newest segment.
struct Crashed {
    folder: tempfile::TempDir,
    records: Vec<Told>,
    newest: PathBuf,
    /// Of the newest segment's records, in order.
    places: Vec<Range<usize>>,
}

/// `older` segments of one record, then `records` in the newest, each a group of its own. Nothing notes the last.
fn crashed(older: usize, records: usize) -> Crashed {
    let live = tempfile::tempdir().unwrap();
    for seed in 0..older {
        let handle = run(live.path(), settings());
        put(&handle, append(&mut Numbers(seed as u64), &air())).unwrap();
        handle.close();
    }
    let handle = run(live.path(), settings());
    let mut places = Vec::new();
    let mut end = HEADER;
    for seed in 0..records {
        put(&handle, append(&mut Numbers(100 + seed as u64), &air())).unwrap();
        let newest = segments(live.path()).pop().unwrap();
        let length = fs::metadata(newest).unwrap().len() as usize;
        places.push(end..length);
        end = length;
    }
    let folder = image(live.path());
    let (records, found) = read(image(live.path()).path()).unwrap();
    assert_eq!((records.len(), found.cut.len()), (older + places.len(), 0));
    let newest = segments(folder.path()).pop().unwrap();
    Crashed { folder, records, newest, places }
}

impl Crashed {
    /// Opens a copy whose newest segment has been damaged.
    fn damaged(&self, damage: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, Result<(Vec<Told>, Recovered), Error>) {
        let copy = image(self.folder.path());
        let newest = copy.path().join(self.newest.file_name().unwrap());
        let mut bytes = fs::read(&newest).unwrap();
        damage(&mut bytes);
        fs::write(newest, bytes).unwrap();
        let opened = read(copy.path());
        (copy, opened)
    }

    /// Asserts that damage stops the start, and that the message names segment and offset.
    fn stops(&self, at: usize, damage: impl FnOnce(&mut Vec<u8>)) {
        let error = self.damaged(damage).1.map(|(_, found)| found).unwrap_err();
        assert_eq!(error.kind, Kind::Corrupt, "{error}");
        let place = format!("{}, offset {at}:", self.newest.file_name().unwrap().to_str().unwrap());
        assert!(error.message.contains(&place) && error.message.contains("backup"), "{error}");
    }
}

#[test]
fn a_log_cut_at_any_byte_gives_the_records_below() {
    let log = crashed(2, 3);
    let length = log.places[2].end;
    for length in 0..length {
        let (folder, opened) = log.damaged(|bytes| bytes.truncate(length));
        if length < HEADER {
            // The segment had been noted, so its header was on disk.
            log.stops(0, |bytes| bytes.truncate(length));
            continue;
        }
        let (records, found) = opened.unwrap();
        let whole = log.places.iter().filter(|place| place.end <= length).count();
        assert_eq!(records, log.records[..2 + whole], "cut to {length}");
        let clean = length == HEADER || log.places.iter().any(|place| place.end == length);
        assert_eq!(found.cut.is_empty(), clean, "cut to {length}: {:?}", found.cut);
        let again = read(folder.path()).unwrap();
        assert_eq!((again.0, again.1.cut.len()), (records, 0), "cut to {length}, opened again");
    }
}

#[test]
fn each_bit_at_or_below_the_note_stops_the_start_and_each_above_is_cut() {
    let log = crashed(1, 3);
    for (i, place) in log.places.iter().enumerate() {
        // Every bit of the record's head, one of each byte of its body: each case costs several fsyncs.
        let head = place.start * 8..(place.start + frame::HEAD) * 8;
        let body = (place.start + frame::HEAD..place.end).map(|byte| byte * 8 + byte % 8);
        for bit in head.chain(body) {
            let flip = |bytes: &mut Vec<u8>| bytes[bit / 8] ^= 1 << (bit % 8);
            if i < 2 {
                log.stops(place.start, flip);
                continue;
            }
            let (folder, opened) = log.damaged(flip);
            let (records, found) = opened.unwrap();
            assert_eq!(records, log.records[..3], "bit {bit}");
            assert_eq!(found.cut.len(), 1, "bit {bit}");
            let aside = log.newest.with_extension(format!("{}.cut", place.start));
            let aside = folder.path().join(aside.file_name().unwrap());
            assert_eq!(fs::read(aside).unwrap().len(), place.len(), "bit {bit}");
        }
    }
}

#[test]
fn each_bit_of_a_header_with_records_behind_it_stops_the_start() {
    let log = crashed(1, 1);
    for bit in 0..HEADER * 8 {
        log.stops(0, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
    }
}

#[test]
fn a_closed_log_has_all_noted() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), settings());
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    handle.close();
    let newest = segments(folder.path()).pop().unwrap();
    let good = fs::read(&newest).unwrap();
    let note = good.len() - frame::HEAD;
    for at in HEADER..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        fs::write(&newest, bytes).unwrap();
        match read(folder.path()) {
            Err(e) => assert!(at < note && e.kind == Kind::Corrupt, "byte {at}: {e}"),
            Ok((records, found)) => assert!(at >= note && records.len() == 1 && found.cut.len() == 1, "byte {at}"),
        }
    }
}

#[test]
fn a_quiet_log_notes_its_last_group() {
    let live = tempfile::tempdir().unwrap();
    let handle = run(live.path(), Settings { quiet: Duration::from_millis(1), ..settings() });
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    let newest = segments(live.path()).pop().unwrap();
    let mut record = HEADER;
    until(|| {
        let bytes = fs::read(&newest).unwrap();
        let length = frame::number(&bytes[HEADER..HEADER + 4]) as usize;
        record = HEADER + 8 + length;
        bytes.len() == record + frame::HEAD
    });
    let crash = image(live.path());
    let newest = segments(crash.path()).pop().unwrap();
    let mut bytes = fs::read(&newest).unwrap();
    bytes[record - 1] ^= 1;
    fs::write(&newest, bytes).unwrap();
    assert_eq!(read(crash.path()).unwrap_err().kind, Kind::Corrupt);
}

#[test]
fn a_damaged_note_with_records_behind_it_stops_the_start() {
    let live = tempfile::tempdir().unwrap();
    let handle = run(live.path(), Settings { quiet: Duration::from_millis(1), ..settings() });
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    let newest = segments(live.path()).pop().unwrap();
    // The note may be there already.
    let bytes = fs::read(&newest).unwrap();
    let record = HEADER as u64 + 8 + frame::number(&bytes[HEADER..HEADER + 4]);
    until(|| fs::metadata(&newest).unwrap().len() > record);
    let noted = fs::metadata(&newest).unwrap().len();
    put(&handle, append(&mut Numbers(2), &air())).unwrap();
    let crash = image(live.path());
    let newest = segments(crash.path()).pop().unwrap();
    let good = fs::read(&newest).unwrap();
    for at in record as usize..noted as usize {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&newest, bytes).unwrap();
        let error = read(crash.path()).map(|(records, _)| records).unwrap_err();
        assert_eq!(error.kind, Kind::Corrupt, "byte {at}: {error}");
    }
}

#[test]
fn a_tail_of_zeros_is_cut_and_a_noted_record_of_zeros_stops() {
    let log = crashed(1, 3);
    let (_, opened) = log.damaged(|bytes| bytes.resize(bytes.len() + 4096, 0));
    let (records, found) = opened.unwrap();
    assert_eq!((records, found.cut.len()), (log.records.clone(), 1));
    let (_, opened) = log.damaged(|bytes| bytes[log.places[2].clone()].fill(0));
    assert_eq!(opened.unwrap().0, log.records[..3]);
    log.stops(log.places[1].start, |bytes| bytes[log.places[1].clone()].fill(0));
}

#[test]
fn a_lost_a_doubled_and_a_foreign_segment_stop_the_start() {
    let log = crashed(3, 1);
    let paths = segments(log.folder.path());
    let stops = |damage: &dyn Fn(&Path)| {
        let copy = image(log.folder.path());
        damage(copy.path());
        let error = read(copy.path()).map(|(records, _)| records).unwrap_err();
        assert_eq!(error.kind, Kind::Corrupt);
        error.message
    };
    let name = |i: usize| paths[i].file_name().unwrap();
    let copy = |from: &Path, to: PathBuf| assert!(fs::copy(from, to).unwrap() > 0);
    let message = stops(&|folder| fs::remove_file(folder.join(name(1))).unwrap());
    assert!(message.contains(name(0).to_str().unwrap()) && message.contains(name(2).to_str().unwrap()), "{message}");
    stops(&|folder| copy(&folder.join(name(1)), folder.join("00000000000000000007.log")));
    stops(&|folder| copy(&folder.join(name(1)), folder.join(name(2))));
    stops(&|folder| copy(&folder.join(name(1)), folder.join("copy.log")));
    let other = crashed(3, 1);
    stops(&|folder| copy(&other.folder.path().join(name(1)), folder.join(name(1))));
    stops(&|folder| fs::remove_file(folder.join("id")).unwrap());
}

#[test]
fn an_older_segment_must_be_whole() {
    let log = crashed(2, 1);
    let oldest = segments(log.folder.path()).remove(0);
    let good = fs::read(&oldest).unwrap();
    // The closing note at its end is of no use to a segment that another follows.
    let needed = good.len() - frame::HEAD;
    for length in 0..good.len() {
        let copy = image(log.folder.path());
        fs::write(copy.path().join(oldest.file_name().unwrap()), &good[..length]).unwrap();
        match read(copy.path()) {
            Err(e) => assert!(length < needed && e.kind == Kind::Corrupt, "cut to {length}: {e}"),
            Ok((records, found)) => {
                assert!(length >= needed, "cut to {length}");
                assert_eq!((records, found.cut.len()), (log.records.clone(), 0));
            }
        }
    }
}

#[test]
fn an_unfinished_segment_is_no_damage() {
    let log = crashed(1, 1);
    for length in 0..HEADER {
        let copy = image(log.folder.path());
        let half = copy.path().join("00000000000000000009.log");
        fs::write(&half, &fs::read(&log.newest).unwrap()[..length]).unwrap();
        let (records, found) = read(copy.path()).unwrap();
        assert_eq!((records, found.cut.len()), (log.records.clone(), 1));
        assert!(found.cut[0].contains("without records"), "{:?}", found.cut);
    }
}

#[test]
fn positions_of_cut_records_are_not_given_again() {
    let log = crashed(1, 3);
    let (folder, opened) = log.damaged(|bytes| bytes[log.places[2].end - 1] ^= 1);
    assert_eq!(opened.unwrap().1.last, Position(3));
    // The cut was one start ago; this one finds only the file it left.
    let handle = run(folder.path(), settings());
    let position = put(&handle, append(&mut Numbers(9), &air())).unwrap();
    assert!(position > 4, "{position} may have been the cut record's");
    handle.close();
    let (records, _) = read(folder.path()).unwrap();
    assert_eq!(records.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [1, 2, 3, position]);
}

#[test]
fn what_looks_like_a_record_in_a_payload_is_none() {
    let live = tempfile::tempdir().unwrap();
    let handle = run(live.path(), settings());
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    let id = u64::from_str_radix(fs::read_to_string(live.path().join("id")).unwrap().trim(), 16).unwrap();
    let mut payload = Vec::new();
    let seed = Seed::new(LogId(id), Position(1));
    frame::put(&mut payload, 0, seed, (Position(2), Position(99), REJECTS), |_| {});
    let reject = Reject { payload, ..reject(&mut Numbers(2)) };
    put(&handle, Append { batches: Vec::new(), rejects: vec![reject] }).unwrap();
    let crash = image(live.path());
    let newest = segments(crash.path()).pop().unwrap();
    let length = fs::metadata(&newest).unwrap().len();
    File::options().write(true).open(&newest).unwrap().set_len(length - 1).unwrap();
    let (records, found) = read(crash.path()).unwrap();
    assert_eq!((records.len(), found.cut.len()), (1, 1));
}

#[test]
fn what_nobody_noted_is_written_again() {
    let log = crashed(1, 3);
    let disk = Faulty::new();
    let settings = Settings { disk: disk.clone(), ..settings() };
    Log::open(log.folder.path(), settings, &[air()], &mut |_, _| Ok(())).unwrap();
    assert_eq!(disk.written.load(Ordering::SeqCst), log.places[2].len() as u64);
}

#[test]
fn a_folder_is_for_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), settings());
    let error = read(folder.path()).map(|(records, _)| records).unwrap_err();
    assert_eq!(error.kind, Kind::Locked);
    assert!(error.message.contains(&std::process::id().to_string()), "{error}");
    handle.close();
    read(folder.path()).unwrap();
}

//! The log at work: order, groups, receipts, segments, pressure, failing disks.

use super::*;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

/// Segments of two or three records.
fn small() -> Settings {
    Settings { segment_bytes: 300, ..settings() }
}

/// Positions of all records of a closed log.
fn positions(folder: &Path) -> Vec<u64> {
    read(folder).unwrap().0.into_iter().map(|(position, _)| position).collect()
}

#[test]
fn many_at_once_get_positions_in_the_order_of_their_calls() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { segment_bytes: 20_000, group_bytes: 5_000, ..settings() };
    let (log, _) = Log::open(folder.path(), settings, &[air()], &mut |_, _| Ok(())).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (groups, sink) = (Arc::new(AtomicU64::new(0)), seen.clone());
    let counted = groups.clone();
    let durable = move |records: Vec<Record>| {
        counted.fetch_add(1, Ordering::SeqCst);
        sink.lock().unwrap().extend(records.iter().map(|record| (record.position.0, told(&record.entry))));
    };
    let handle = log.start(Position(0), Box::new(durable)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (handle, seen) = (handle.clone(), seen.clone());
            scope.spawn(move || {
                let mut numbers = Numbers(thread);
                let wait = |receiver: oneshot::Receiver<Result<Receipt, Error>>| {
                    let position = receiver.blocking_recv().unwrap().unwrap().position.0;
                    let published = seen.lock().unwrap().last().unwrap().0;
                    assert!(position <= published, "receipt {position} went out after {published} was published");
                    position
                };
                let receivers: Vec<_> =
                    (0..200).map(|_| handle.append(append(&mut numbers, &air())).unwrap()).collect();
                let positions: Vec<u64> = receivers.into_iter().map(wait).collect();
                assert!(positions.is_sorted_by(|a, b| a < b));
            });
        }
    });
    handle.close();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.iter().map(|(position, _)| *position).collect::<Vec<_>>(), (1..=1600).collect::<Vec<_>>());
    let groups = groups.load(Ordering::SeqCst);
    assert!(groups < 800, "{groups} groups for 1600 appends");
    assert!(segments(folder.path()).len() > 2);
    assert_eq!(read(folder.path()).unwrap().0, *seen);
}

#[test]
fn an_append_is_one_receipt_for_all_it_carries() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), settings());
    let mut numbers = Numbers(1);
    let mut append = append(&mut numbers, &air());
    append.batches.push(Batch::new(air()));
    append.rejects = vec![reject(&mut numbers)];
    assert_eq!(put(&handle, append).unwrap(), 2);
    assert_eq!(put(&handle, Append::default()).unwrap(), 2);
    let mut mark = Batch::new(air());
    mark.marks.push(Mark { hash: 7, time: Time(8) });
    assert_eq!(put(&handle, Append { batches: vec![mark], rejects: Vec::new() }).unwrap(), 3);
    handle.close();
    assert_eq!(positions(folder.path()), [1, 2, 3]);
}

#[test]
fn the_floor_lifts_positions_and_leaves_a_legal_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (floor, position) in [(1000, 1001), (5, 1002), (1002, 1003), (5000, 5001)] {
        let (log, found) = Log::open(folder.path(), settings(), &[air()], &mut |_, _| Ok(())).unwrap();
        assert_eq!((found.last.0, found.above.0), (expected.last().copied().unwrap_or(0), 0));
        let handle = log.start(Position(floor), Box::new(|_| {})).unwrap();
        assert_eq!(put(&handle, append(&mut Numbers(floor), &air())).unwrap(), position);
        handle.close();
        expected.push(position);
        assert_eq!(positions(folder.path()), expected);
    }
}

#[test]
fn starts_without_appends_leave_one_segment() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        run(folder.path(), settings()).close();
    }
    assert_eq!(segments(folder.path()).len(), 1);
    let handle = run(folder.path(), settings());
    assert_eq!(put(&handle, append(&mut Numbers(1), &air())).unwrap(), 1);
}

#[test]
fn release_takes_only_whole_segments_and_never_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), small());
    for seed in 0..20 {
        put(&handle, append(&mut Numbers(seed), &air())).unwrap();
    }
    let before = segments(folder.path());
    let firsts: Vec<u64> = segment::list(folder.path()).unwrap().into_iter().map(|first| first.0).collect();
    assert!(before.len() > 4);
    // The second segment ends one below the third's first.
    let end = Position(firsts[2] - 1);
    handle.release(Position(end.0 - 1)).unwrap();
    assert_eq!(segments(folder.path()), before[1..]);
    handle.release(end).unwrap();
    assert_eq!(segments(folder.path()), before[2..]);
    assert_eq!(handle.stats().segments as usize, before.len() - 2);
    handle.release(Position(u64::MAX)).unwrap();
    assert_eq!(segments(folder.path()), before[before.len() - 1..]);
    put(&handle, append(&mut Numbers(20), &air())).unwrap();
    handle.close();
    let (_, found) = read(folder.path()).unwrap();
    assert_eq!((found.above.0 + 1, found.last.0), (firsts[firsts.len() - 1], 21));
    assert_eq!(positions(folder.path()).last(), Some(&21));
}

#[test]
fn a_full_queue_is_busy_and_takes_more_when_it_drains() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { queue_bytes: 2_000, ..settings() };
    let (log, _) = Log::open(folder.path(), settings, &[air()], &mut |_, _| Ok(())).unwrap();
    let (go, gate) = mpsc::channel::<()>();
    let wait = move |_| gate.recv_timeout(Duration::from_secs(10)).unwrap_or_default();
    let handle = log.start(Position(0), Box::new(wait)).unwrap();
    let mut receivers = Vec::new();
    let mut numbers = Numbers(1);
    let error = loop {
        match handle.append(append(&mut numbers, &air())) {
            Ok(receiver) => receivers.push(receiver),
            Err(error) => break error,
        }
        assert!(receivers.len() < 100, "never busy");
    };
    assert_eq!(error.kind, Kind::Busy);
    drop(go);
    for receiver in receivers {
        receiver.blocking_recv().unwrap().unwrap();
    }
    let large = Append { batches: vec![batch(&mut numbers, &air(), 5_000)], rejects: Vec::new() };
    until(|| handle.append(large.clone()).is_ok());
    handle.close();
    assert_eq!(handle.append(large).unwrap_err().kind, Kind::Closed);
}

#[test]
fn a_full_disk_stops_intake_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Faulty::new();
    let settings = Settings { disk: disk.clone(), reserve_bytes: 1000, quiet: Duration::from_millis(1), ..settings() };
    let handle = run(folder.path(), settings);
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    disk.room.store(999, Ordering::SeqCst);
    let error = put(&handle, append(&mut Numbers(2), &air())).unwrap_err();
    assert_eq!(error.kind, Kind::Full);
    assert!(error.message.contains("999") && error.message.contains("1000"), "{error}");
    assert_eq!(handle.append(Append::default()).unwrap_err().kind, Kind::Full);
    assert!(handle.stats().stopped.is_some());
    disk.room.store(1000, Ordering::SeqCst);
    until(|| handle.stats().stopped.is_none());
    assert_eq!(put(&handle, append(&mut Numbers(3), &air())).unwrap(), 2);
    handle.close();
    assert_eq!(positions(folder.path()), [1, 2]);
}

/// Whatever operation fails, each receipt that went out stands for a record that is there after a crash, and a failed append
/// is not there once a later one has been acknowledged.
#[test]
fn a_disk_that_fails_once_loses_nothing_acknowledged() {
    for fuse in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let disk = Faulty::new();
        let settings = Settings { disk: disk.clone(), quiet: Duration::from_millis(1), ..small() };
        let handle = run(folder.path(), settings);
        disk.fuse.store(fuse, Ordering::SeqCst);
        let mut acknowledged = Vec::new();
        for seed in 0..10 {
            until(|| handle.stats().stopped.is_none());
            match put(&handle, append(&mut Numbers(seed), &air())) {
                Ok(position) => acknowledged.push(position),
                Err(error) => assert_eq!(error.kind, Kind::Io, "fuse {fuse}: {error}"),
            }
            let crash = image(folder.path());
            let found = positions(crash.path());
            assert!(found.starts_with(&acknowledged), "fuse {fuse}: {acknowledged:?} acknowledged, {found:?} found");
            assert!(
                found.len() <= acknowledged.len() + 1,
                "fuse {fuse}: {acknowledged:?} acknowledged, {found:?} found"
            );
        }
        assert!(acknowledged.len() >= 9, "fuse {fuse}: {acknowledged:?}");
        assert!(acknowledged.is_sorted_by(|a, b| a < b), "fuse {fuse}: {acknowledged:?}");
        handle.close();
        assert_eq!(positions(folder.path()), acknowledged, "fuse {fuse}");
    }
}

#[test]
fn a_disk_that_fails_for_a_while_stops_intake_that_long() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Dead(AtomicBool::new(false)));
    let handle = run(folder.path(), Settings { disk: disk.clone(), quiet: Duration::from_millis(1), ..settings() });
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    disk.0.store(true, Ordering::SeqCst);
    assert_eq!(put(&handle, append(&mut Numbers(2), &air())).unwrap_err().kind, Kind::Io);
    let error = handle.append(append(&mut Numbers(3), &air())).unwrap_err();
    assert!(error.message.contains("input/output"), "{error}");
    until(|| segments(folder.path()).len() > 3);
    disk.0.store(false, Ordering::SeqCst);
    until(|| handle.stats().stopped.is_none());
    let position = put(&handle, append(&mut Numbers(4), &air())).unwrap();
    handle.close();
    assert_eq!(positions(folder.path()), [1, position]);
}

#[test]
fn a_failed_append_may_come_back_if_nothing_followed() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Dead(AtomicBool::new(false)));
    let handle = run(folder.path(), Settings { disk: disk.clone(), ..settings() });
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    disk.0.store(true, Ordering::SeqCst);
    put(&handle, append(&mut Numbers(2), &air())).unwrap_err();
    handle.close();
    for segment in segments(folder.path()).split_off(1) {
        fs::remove_file(segment).unwrap();
    }
    assert_eq!(positions(folder.path()), [1, 2]);
}

/// A disk whose fsync fails while told so, and that removes nothing.
#[derive(Debug)]
struct Dead(AtomicBool);

impl Disk for Dead {
    fn sync(&self, file: &File) -> io::Result<()> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(io::Error::other("input/output error")),
            false => Real.sync(file),
        }
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::Error::other("input/output error"))
    }
}

#[test]
fn what_could_not_be_read_again_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), settings());
    let whole = batch(&mut Numbers(1), &air(), 4);
    let mut short = whole.clone();
    short.columns[1].pop();
    let mut stray = whole.clone();
    stray.sensor[0] = 99;
    let mut timeless = whole.clone();
    timeless.time[3] = ABSENT;
    let mut unknown = whole.clone();
    unknown.dataset = dataset("noise", &["co2", "temperature", "humidity"]);
    for (batch, kind) in [(short, Kind::Io), (stray, Kind::Io), (timeless, Kind::Io), (unknown, Kind::Unknown)] {
        let error = handle.append(Append { batches: vec![batch], rejects: Vec::new() }).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
    assert_eq!(put(&handle, Append { batches: vec![whole], rejects: Vec::new() }).unwrap(), 1);
}

#[test]
fn the_last_handle_that_goes_closes_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), settings());
    put(&handle, append(&mut Numbers(1), &air())).unwrap();
    drop(handle);
    until(|| read(folder.path()).is_ok());
    assert_eq!(positions(folder.path()), [1]);
}

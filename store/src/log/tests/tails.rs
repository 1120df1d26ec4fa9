//! Tails: every durable record once, in order, whatever happens to segments meanwhile.

use super::*;

/// Reads a tail to its end: positions and contents, and what it lost.
fn drain(tail: &mut Tail) -> (Vec<Told>, u64) {
    let (mut records, mut lost) = (Vec::new(), 0);
    loop {
        let group = tail.next_group().unwrap();
        lost += group.lost;
        if group.records.is_empty() {
            return (records, lost);
        }
        records.extend(group.records.iter().map(|record| (record.position.0, told(&record.entry))));
    }
}

#[test]
fn a_tail_reads_what_recovery_reads() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings { segment_bytes: 300, quiet: Duration::from_millis(1), ..settings() };
    let handle = run(folder.path(), small.clone());
    let mut tail = handle.tail(Position(0));
    let mut behind = handle.tail(Position(7));
    assert!(tail.next_group().unwrap().records.is_empty());
    let mut seen = Vec::new();
    for seed in 0..20 {
        put(&handle, append(&mut Numbers(seed), &air())).unwrap();
        let (records, lost) = drain(&mut tail);
        assert_eq!((records.len(), lost), (1, 0), "after append {seed}");
        seen.extend(records);
    }
    let large = Append { batches: vec![batch(&mut Numbers(99), &air(), 100_000)], rejects: Vec::new() };
    put(&handle, large).unwrap();
    put(&handle, append(&mut Numbers(100), &air())).unwrap();
    seen.extend(drain(&mut tail).0);
    assert_eq!(drain(&mut behind), (seen[7..].to_vec(), 0));
    handle.close();
    assert_eq!(read(folder.path()).unwrap().0, seen);
}

#[test]
fn a_tail_holds_segments_back_until_it_has_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), Settings { segment_bytes: 300, ..settings() });
    let mut tail = handle.tail(Position(0));
    for seed in 0..20 {
        put(&handle, append(&mut Numbers(seed), &air())).unwrap();
    }
    let before = segments(folder.path());
    handle.release(Position(20)).unwrap();
    assert_eq!(segments(folder.path()), before);
    let first = tail.next_group().unwrap();
    handle.release(Position(20)).unwrap();
    assert_eq!(segments(folder.path()), before, "the group is not yet dealt with");
    tail.next_group().unwrap();
    handle.release(Position(20)).unwrap();
    let gone = before.len() - segments(folder.path()).len();
    assert!(gone >= 1 && gone <= first.records.len(), "{gone} segments went");
    let rest = drain(&mut tail);
    assert_eq!((rest.0.last().unwrap().0, rest.1), (20, 0));
    drop(tail);
    handle.release(Position(20)).unwrap();
    assert_eq!(segments(folder.path()).len(), 1);
}

#[test]
fn past_its_share_a_tail_loses_the_oldest_and_counts_them() {
    let folder = tempfile::tempdir().unwrap();
    let handle = run(folder.path(), Settings { segment_bytes: 300, tail_bytes: 1500, ..settings() });
    let mut tail = handle.tail(Position(0));
    for seed in 0..20 {
        put(&handle, append(&mut Numbers(seed), &air())).unwrap();
    }
    handle.release(Position(20)).unwrap();
    let stats = handle.stats();
    assert!(stats.bytes <= 1500 && stats.segments > 1, "{stats:?}");
    let (records, lost) = drain(&mut tail);
    let expected: Vec<u64> = (lost + 1..=20).collect();
    assert!(lost > 0);
    assert_eq!(records.iter().map(|(position, _)| *position).collect::<Vec<_>>(), expected);
}

#[test]
fn a_tail_does_not_see_what_failed() {
    for fuse in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let disk = Faulty::new();
        let settings =
            Settings { disk: disk.clone(), segment_bytes: 300, quiet: Duration::from_millis(1), ..settings() };
        let handle = run(folder.path(), settings);
        let mut tail = handle.tail(Position(0));
        disk.fuse.store(fuse, Ordering::SeqCst);
        let (mut acknowledged, mut seen) = (Vec::new(), Vec::new());
        for seed in 0..8 {
            until(|| handle.stats().stopped.is_none());
            acknowledged.extend(put(&handle, append(&mut Numbers(seed), &air())));
            seen.extend(drain(&mut tail).0.into_iter().map(|(position, _)| position));
            assert_eq!(seen, acknowledged, "fuse {fuse}");
        }
    }
}

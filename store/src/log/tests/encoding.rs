//! Bodies and columns: what is written is read, whatever the numbers; what is damaged is refused, never a panic.

use super::*;
use crate::log::body::{self, BATCH, ERASURE, REJECTS, Unread};
use crate::log::column;
use crate::log::wire::Bytes;

#[test]
fn batches_come_back_as_they_were() {
    let (mut numbers, dataset) = (Numbers(1), air());
    for round in 0..400 {
        let rows = numbers.below(if round % 10 == 0 { 3000 } else { 40 }) as usize;
        let mut batch = batch(&mut numbers, &dataset, rows);
        batch.notes = (0..numbers.below(3)).map(|_| note(&mut numbers)).collect();
        batch.marks = (0..numbers.below(3)).map(|_| Mark { hash: numbers.next(), time: Time(-7) }).collect();
        let mut bytes = Vec::new();
        body::put_batch(&mut bytes, &batch);
        let back = body::take(BATCH, &bytes, std::slice::from_ref(&dataset)).unwrap();
        assert_eq!(told(&back), told(&Entry::Batch(batch)), "round {round}");
    }
}

#[test]
fn rejects_come_back_as_they_were() {
    let mut numbers = Numbers(2);
    let rejects: Vec<_> = (0..5).map(|_| reject(&mut numbers)).collect();
    let mut bytes = Vec::new();
    body::put_rejects(&mut bytes, &rejects);
    match body::take(REJECTS, &bytes, &[]).unwrap() {
        Entry::Rejects(back) => assert_eq!(back, rejects),
        other => panic!("{other:?}"),
    }
}

fn erasure(fields: &[&str]) -> Erasure {
    Erasure {
        dataset: "air".into(),
        sensor: "sensor-0".into(),
        span: schemas::Span { from: Time(-5), to: Time(i64::MAX) },
        fields: fields.iter().map(|field| Arc::from(*field)).collect(),
        at: Time(7),
        who: "key abc (Jana)".into(),
        rows: 3,
    }
}

#[test]
fn erasures_come_back_as_they_were() {
    for fields in [&[][..], &["co2"], &["co2", "humidity"]] {
        let mut bytes = Vec::new();
        body::put(&mut bytes, &Entry::Erase(erasure(fields)));
        match body::take(ERASURE, &bytes, &[air()]).unwrap() {
            Entry::Erase(back) => assert_eq!(back, erasure(fields)),
            other => panic!("{other:?}"),
        }
        for end in 0..bytes.len() {
            assert!(body::take(ERASURE, &bytes[..end], &[air()]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn an_erasure_of_a_field_that_is_gone_is_no_erasure_of_all() {
    let mut bytes = Vec::new();
    body::put(&mut bytes, &Entry::Erase(erasure(&["co2"])));
    for datasets in [vec![], vec![dataset("air", &["temperature"])]] {
        assert!(matches!(body::take(ERASURE, &bytes, &datasets), Ok(Entry::Foreign { .. })));
    }
}

#[test]
fn the_bytes_of_an_erasure_stay_what_they_are() {
    let mut bytes = Vec::new();
    body::put(&mut bytes, &Entry::Erase(erasure(&["co2"])));
    let mut golden = b"\x03air\x08sensor-0".to_vec();
    golden.extend_from_slice(&(-5_i64).to_le_bytes());
    golden.extend_from_slice(&i64::MAX.to_le_bytes());
    golden.extend_from_slice(b"\x01\x03co2");
    golden.extend_from_slice(&7_i64.to_le_bytes());
    golden.extend_from_slice(b"\x0ekey abc (Jana)");
    golden.extend_from_slice(&3_u64.to_le_bytes());
    assert_eq!(bytes, golden);
}

#[test]
fn columns_are_narrow() {
    let widths = [(0, 0), (255, 1), (256, 2), (65_536, 4), (1 << 32, 8)];
    for (spread, width) in widths {
        for low in [0, -5_000_000_000, i64::MAX - spread] {
            let mut bytes = Vec::new();
            let values = [low, low + spread];
            column::put(&mut bytes, values.iter().copied());
            assert_eq!(bytes.len(), 9 + 2 * width, "spread {spread}");
            assert_eq!(column::take(&mut Bytes(&bytes), 2).unwrap(), values);
        }
    }
}

#[test]
fn extremes_of_one_column_do_not_overflow() {
    let values = [i64::MAX, i64::MIN + 1, ABSENT, 0];
    let mut bytes = Vec::new();
    column::put(&mut bytes, values.iter().copied());
    assert_eq!(column::take(&mut Bytes(&bytes), 4).unwrap(), values);
}

#[test]
fn damaged_bodies_are_refused_or_read_but_never_panic() {
    let (mut numbers, dataset) = (Numbers(3), air());
    let mut refused = 0;
    for round in 0..4000 {
        let mut bytes = Vec::new();
        let kind = if round % 4 == 0 { REJECTS } else { BATCH };
        match kind {
            REJECTS => body::put_rejects(&mut bytes, &[reject(&mut numbers), reject(&mut numbers)]),
            _ => {
                let mut batch = batch(&mut numbers, &dataset, 5);
                batch.notes.push(note(&mut numbers));
                body::put_batch(&mut bytes, &batch);
            }
        }
        for _ in 0..1 + numbers.below(3) {
            let at = numbers.below(bytes.len() as u64) as usize;
            bytes[at] = numbers.next() as u8;
        }
        bytes.truncate(bytes.len() - numbers.below(3) as usize);
        refused +=
            usize::from(matches!(body::take(kind, &bytes, std::slice::from_ref(&dataset)), Err(Unread::Malformed(_))));
    }
    assert!(refused > 1000, "only {refused} of 4000 refused");
}

#[test]
fn a_count_reserves_no_more_than_the_record_could_hold() {
    // A batch of no sensors that claims four billion rows.
    let mut bytes = b"\x03air\x00".to_vec();
    bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0]);
    assert!(matches!(body::take(BATCH, &bytes, &[air()]), Err(Unread::Malformed(_))));
}

#[test]
fn fields_are_found_by_name() {
    let mut batch = batch(&mut Numbers(4), &air(), 10);
    batch.columns = vec![vec![1; 10], vec![2; 10], vec![ABSENT; 10]];
    let mut bytes = Vec::new();
    body::put_batch(&mut bytes, &batch);
    let turned = dataset("air", &["noise", "temperature", "co2"]);
    match body::take(BATCH, &bytes, &[turned]).unwrap() {
        Entry::Batch(back) => assert_eq!(back.columns, [vec![ABSENT; 10], vec![2; 10], vec![1; 10]]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_contracts_lack_is_named() {
    let mut batch = batch(&mut Numbers(5), &air(), 10);
    batch.columns[0] = vec![1; 10];
    let mut bytes = Vec::new();
    body::put_batch(&mut bytes, &batch);
    for (datasets, named) in
        [(vec![], "dataset air"), (vec![dataset("air", &["temperature", "humidity"])], "field co2")]
    {
        match body::take(BATCH, &bytes, &datasets).unwrap() {
            Entry::Foreign { dataset, why } => {
                assert_eq!((dataset.as_str(), why.kind), ("air", Kind::Mismatch));
                assert!(why.message.contains(named), "{}", why.message);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(body::take(77, &bytes, &[]), Err(Unread::Kind(77))));
}

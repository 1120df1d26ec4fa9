//! Messages survive their frames, and broken frames are errors.

use super::*;
use crate::sql::message::{Ask, Failure, Fault, Format, Limits, Scan};
use crate::sql::{Catalog, Column, ColumnType, Table};

fn back(frame: &[u8]) -> (u8, &[u8]) {
    let (first, body) = frame.split_first_chunk().expect("a head");
    let (length, tag) = head(*first).expect("a fair head");
    assert_eq!(length, body.len());
    (tag, body)
}

#[test]
fn what_is_sent_to_a_worker_arrives() {
    let column = Column { name: "co2".into(), kind: ColumnType::Decimal { scale: 1 }, comment: "CO2, ppm".into() };
    let state = Column {
        name: "state".into(),
        kind: ColumnType::State { states: vec!["free".into(), "taken".into()] },
        comment: String::new(),
    };
    let table = Table { name: "air".into(), comment: "Air".into(), columns: vec![column, state], series: true };
    let limits = Limits { rows: 10, bytes: 20, memory: 30 };
    let ask = Ask {
        text: "SELECT 'ž'".into(),
        now: -1,
        catalog: Catalog { tables: vec![table] },
        limits,
        format: Format::Csv,
    };
    let rows = Rows { scan: 7, rows: 2, runs: vec![(3, 2)], columns: vec![vec![1, i64::MIN], vec![-2, i64::MAX]] };
    let empty = Rows { scan: 1, rows: 9, ..Rows::default() };
    let failure = Failure { fault: Fault::TooMuch, message: "gone".into(), accepted: Vec::new() };
    for sent in [
        ToWorker::Ask(Box::new(ask)),
        ToWorker::Names { scan: 1, ids: vec!["a,b".into()] },
        ToWorker::Rows(rows),
        ToWorker::Rows(empty),
        ToWorker::Records { scan: 2, rows: vec![vec![json!("x"), json!(1.5), json!(null)]] },
        ToWorker::End { scan: 2, error: Some(failure) },
    ] {
        let frame = sent.encode();
        let (tag, body) = back(&frame);
        assert_eq!(ToWorker::decode(tag, body).expect("a message"), sent);
    }
}

#[test]
fn what_a_worker_says_arrives() {
    let scan = Scan {
        scan: 1,
        table: "air".into(),
        columns: vec![0, 2],
        sensors: Some(vec!["a".into()]),
        from: Some(0),
        to: None,
        limit: Some(5),
    };
    let failure = Failure { fault: Fault::NoColumn, message: "no".into(), accepted: vec!["co2".into()] };
    for sent in [
        FromWorker::Ready,
        FromWorker::Scan(scan),
        FromWorker::More { scan: 1 },
        FromWorker::Close { scan: 1 },
        FromWorker::Head { columns: vec![("n".into(), "bigint".into())] },
        FromWorker::Body(Bytes::from_static(b"1\r\n")),
        FromWorker::Done { rows: 1 },
        FromWorker::Failed(failure),
    ] {
        let frame = sent.encode();
        let (tag, body) = back(&frame);
        assert_eq!(FromWorker::decode(tag, Bytes::copy_from_slice(body)).expect("a message"), sent);
    }
}

#[test]
fn a_broken_frame_is_an_error() {
    let rows = Rows { scan: 7, rows: 2, runs: vec![(3, 2)], columns: vec![vec![1, 2]] };
    let frame = ToWorker::Rows(rows).encode();
    for cut in HEAD..frame.len() {
        assert!(ToWorker::decode(b'R', &frame[HEAD..cut]).is_err(), "{cut}");
    }
    assert!(ToWorker::decode(b'?', b"null").is_err());
    assert!(FromWorker::decode(b'd', Bytes::from_static(b"x")).is_err());
    assert!(head([255, 255, 255, 255, b'R']).is_err());
}

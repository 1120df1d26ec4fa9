//! The other end of the pipe: a server with a few tables, that notes which scans it was asked for.

use crate::worker;
use engine::sql::frame::{self, HEAD};
use engine::sql::{Ask, Catalog, Column, ColumnType, Failure, Format, FromWorker, Limits, Rows, Scan, Table, ToWorker};
use schemas::ABSENT;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

/// 2026-11-20T00:00:00Z.
pub(crate) const MIDNIGHT: i64 = 1_795_132_800_000_000;
/// An hour.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// What a worker answered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) rows: u64,
}

impl Answer {
    /// The rows as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        serde_json::from_str(&format!("[{}]", self.body)).expect("JSON rows")
    }
}

/// A worker and the server's end of its pipe.
pub(crate) struct Town {
    to: PipeWriter,
    from: PipeReader,
    pub(crate) limits: Limits,
    pub(crate) format: Format,
    pub(crate) scans: Vec<Scan>,
    /// Rows of the dataset `air`: sensor, time, co2 (scale 0), temperature (scale 1), state.
    pub(crate) air: Vec<(&'static str, [i64; 4])>,
}

/// Tables: readings of the air, and the sensors.
pub(crate) fn catalog() -> Catalog {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind, comment: String::new() };
    let states = ["open", "closed", "a state with a long name"].map(Into::into).to_vec();
    let air = vec![
        column("sensor", ColumnType::Text),
        column("time", ColumnType::Time),
        column("co2", ColumnType::Decimal { scale: 0 }),
        column("temperature", ColumnType::Decimal { scale: 1 }),
        column("window", ColumnType::State { states }),
    ];
    let sensors = vec![
        column("sensor", ColumnType::Text),
        column("lon", ColumnType::Float),
        column("seen", ColumnType::Time),
        column("readings", ColumnType::Int),
        column("height", ColumnType::Decimal { scale: 2 }),
        column("registered", ColumnType::Bool),
    ];
    let table = |name: &str, columns, series| Table { name: name.to_owned(), comment: String::new(), columns, series };
    Catalog { tables: vec![table("air", air, true), table("sensors", sensors, false)] }
}

impl Town {
    /// A worker that has said that it is ready.
    pub(crate) fn start() -> Town {
        let (worker_in, to) = pipe().expect("a pipe");
        let (from, worker_out) = pipe().expect("a pipe");
        std::thread::spawn(|| worker::serve(worker_in, worker_out, |_| {}));
        let limits = Limits { rows: 1000, bytes: 1 << 20, memory: 256 << 20 };
        let air = vec![
            ("a", [MIDNIGHT, 400, 205, 0]),
            ("a", [MIDNIGHT + HOUR, 401, 210, 1]),
            ("a", [MIDNIGHT + 2 * HOUR, 403, ABSENT, 2]),
            ("b", [MIDNIGHT, 500, -5, ABSENT]),
            ("b", [MIDNIGHT + HOUR, ABSENT, -10, 0]),
        ];
        let mut town = Town { to, from, limits, format: Format::Json, scans: Vec::new(), air };
        assert_eq!(town.receive(), FromWorker::Ready);
        town
    }

    /// Asks, and plays the server until the worker is done.
    pub(crate) fn ask(&mut self, text: &str) -> Result<Answer, Failure> {
        let (limits, format) = (self.limits, self.format);
        let ask = Ask { text: text.to_owned(), now: MIDNIGHT + 12 * HOUR, catalog: catalog(), limits, format };
        self.send(&ToWorker::Ask(Box::new(ask)));
        let mut answer = Answer::default();
        let mut waiting: HashMap<u32, Vec<ToWorker>> = HashMap::new();
        loop {
            match self.receive() {
                FromWorker::Ready => panic!("ready a second time"),
                FromWorker::Scan(scan) => {
                    let pieces = self.pieces(&scan);
                    waiting.insert(scan.scan, pieces);
                    self.give(scan.scan, &mut waiting);
                    self.scans.push(scan);
                }
                FromWorker::More { scan } => self.give(scan, &mut waiting),
                FromWorker::Close { scan } => drop(waiting.remove(&scan)),
                FromWorker::Head { columns } => answer.columns = columns,
                FromWorker::Body(bytes) => answer.body.push_str(std::str::from_utf8(&bytes).expect("UTF-8")),
                FromWorker::Done { rows } => {
                    answer.rows = rows;
                    return Ok(answer);
                }
                FromWorker::Failed(failure) => return Err(failure),
            }
        }
    }

    /// The rows of a question as JSON.
    pub(crate) fn rows(&mut self, text: &str) -> Vec<Value> {
        match self.ask(text) {
            Ok(answer) => answer.json(),
            Err(failure) => panic!("{text}\n{failure:?}"),
        }
    }

    /// The one value of a question: an expression, and if wanted ` FROM air` and what follows.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let at = expression.find(" FROM air").unwrap_or(expression.len());
        let rows = self.rows(&format!("SELECT {} AS it{}", &expression[..at], &expression[at..]));
        rows[0]["it"].clone()
    }

    /// The scan of the last question, which had one.
    pub(crate) fn scan(&mut self, text: &str) -> Scan {
        self.scans.clear();
        self.rows(text);
        assert_eq!(self.scans.len(), 1, "{text}: {:?}", self.scans);
        self.scans.remove(0)
    }

    /// All messages of a scan: a piece per sensor, last the end.
    fn pieces(&self, scan: &Scan) -> Vec<ToWorker> {
        let number = scan.scan;
        let mut pieces = Vec::new();
        if scan.table == "sensors" {
            let all = [
                [json!("a"), json!(14.15), json!(MIDNIGHT), json!(3), json!(2.5), json!(true)],
                [json!("b"), json!(null), json!(null), json!(2), json!(-0.25), json!(false)],
            ];
            let rows = all.iter().map(|row| scan.columns.iter().map(|at| row[*at].clone()).collect()).collect();
            pieces.push(ToWorker::Records { scan: number, rows });
        } else {
            let keep = |sensor: &str, time: i64| {
                scan.sensors.as_ref().is_none_or(|sensors| sensors.iter().any(|wanted| wanted == sensor))
                    && scan.from.is_none_or(|from| from <= time)
                    && scan.to.is_none_or(|to| time < to)
            };
            for sensor in ["a", "b"] {
                let kept = self.air.iter().filter(|(id, row)| *id == sensor && keep(id, row[0]));
                let rows: Vec<&[i64; 4]> = kept.map(|(_, row)| row).collect();
                if rows.is_empty() {
                    continue;
                }
                let named = scan.columns.contains(&0);
                if named {
                    pieces.push(ToWorker::Names { scan: number, ids: vec!["unused".into(), sensor.into()] });
                }
                let columns = scan.columns.iter().filter(|at| **at > 0);
                pieces.push(ToWorker::Rows(Rows {
                    scan: number,
                    rows: rows.len() as u32,
                    runs: if named { vec![(1, rows.len() as u32)] } else { Vec::new() },
                    columns: columns.map(|at| rows.iter().map(|row| row[at - 1]).collect()).collect(),
                }));
            }
        }
        pieces.push(ToWorker::End { scan: number, error: None });
        pieces.reverse();
        pieces
    }

    /// Sends one piece for one credit; names and the end cost none.
    fn give(&mut self, scan: u32, waiting: &mut HashMap<u32, Vec<ToWorker>>) {
        let Some(pieces) = waiting.get_mut(&scan) else { return };
        while let Some(piece) = pieces.pop() {
            self.send(&piece);
            if matches!(piece, ToWorker::Rows(_) | ToWorker::Records { .. }) {
                break;
            }
        }
        if matches!(pieces.last(), Some(ToWorker::End { .. })) && pieces.len() == 1 {
            self.send(&ToWorker::End { scan, error: None });
            waiting.remove(&scan);
        }
    }

    pub(crate) fn send(&mut self, message: &ToWorker) {
        self.send_frame(&message.encode());
    }

    pub(crate) fn send_frame(&mut self, frame: &[u8]) {
        self.to.write_all(frame).expect("the worker reads");
    }

    /// The first message that is not the head of an answer.
    pub(crate) fn receive_after_head(&mut self) -> FromWorker {
        loop {
            match self.receive() {
                FromWorker::Head { .. } => {}
                other => return other,
            }
        }
    }

    pub(crate) fn receive(&mut self) -> FromWorker {
        let mut head = [0; HEAD];
        self.from.read_exact(&mut head).expect("the worker speaks");
        let (length, tag) = frame::head(head).expect("a head");
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).expect("a body");
        FromWorker::decode(tag, body.into()).expect("a message")
    }
}

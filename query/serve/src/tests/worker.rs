//! A SQL worker for tests of the door: a shell script that gives every question the same answer. The real one is tested
//! with the whole binary.

use engine::Engine;
use engine::sql::{Config, FromWorker, Pool, Start};

/// A pool of workers that answer every question with the numbers 1 and 2.
pub(super) fn pool(engine: &Engine) -> Pool {
    let columns = vec![("number".to_owned(), "bigint".to_owned())];
    let body = FromWorker::Body(bytes::Bytes::from_static(b"{\"number\":1},\n{\"number\":2}"));
    scripted(engine, &[FromWorker::Head { columns }, body, FromWorker::Done { rows: 2 }])
}

/// A pool of workers that say this to every question.
pub(super) fn scripted(engine: &Engine, messages: &[FromWorker]) -> Pool {
    let (ready, answer) = (said(&[FromWorker::Ready]), said(messages));
    let hear = "n=$(head -c 4 | od -An -tu4) && [ -n \"$n\" ] && head -c $((n+1)) >/dev/null";
    let script = format!("{ready}; while {hear}; do {answer}; done");
    let arguments = vec!["-c".into(), script.into()];
    let start = Start { program: "/bin/sh".into(), arguments, environment: Vec::new() };
    Pool::new(engine.clone(), Config::default(), start).expect("a pool")
}

/// A command that says messages.
fn said(messages: &[FromWorker]) -> String {
    let bytes = messages.iter().flat_map(FromWorker::encode);
    format!("printf '{}'", bytes.map(|byte| format!("\\{byte:03o}")).collect::<String>())
}

//! The pool with workers that are shell scripts: what goes wrong with a worker ends a question and leaves nothing behind.

use super::*;
use crate::sql::FromWorker;
use crate::testing::{Bench, time};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Takes one frame from standard input; fails at its end.
const HEAR: &str = "n=$(head -c 4 | od -An -tu4) && [ -n \"$n\" ] && head -c $((n+1)) >/dev/null";

/// A command that says messages.
fn say(messages: &[FromWorker]) -> String {
    let bytes = messages.iter().flat_map(FromWorker::encode);
    format!("printf '{}'", bytes.map(|byte| format!("\\{byte:03o}")).collect::<String>())
}

/// A pool whose workers run a script, that leave their process ids in a file.
struct Scripted {
    pool: Pool,
    ids: PathBuf,
    /// Milliseconds that questions had a worker.
    spent: Arc<AtomicU64>,
    _bench: Bench,
    _folder: tempfile::TempDir,
}

impl Scripted {
    async fn new(script: &str, config: Config) -> Scripted {
        let bench = Bench::new(time("2026-11-20T09:00:00Z"), crate::Config::default()).await;
        let folder = tempfile::tempdir().unwrap();
        let ids = folder.path().join("ids");
        let script = format!("echo $$ >> \"$0\"\n{script}");
        let start = Start {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into(), ids.clone().into()],
            environment: Vec::new(),
        };
        let pool = Pool::new(bench.engine.clone(), config, start).unwrap();
        Scripted { pool, ids, spent: Arc::default(), _bench: bench, _folder: folder }
    }

    async fn ask(&self) -> Result<Answer, Kind> {
        let question = Question { text: "SELECT 1".to_owned(), format: Format::Json, datasets: Vec::new() };
        let spent = self.spent.clone();
        let answered = self.pool.ask(question, move |took| {
            spent.fetch_add(took.as_millis() as u64, Ordering::Relaxed);
        });
        answered.await.map_err(|error| error.kind)
    }

    /// Waits until no worker is left, not even a zombie.
    async fn deserted(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        let ids = std::fs::read_to_string(&self.ids).unwrap_or_default();
        while self.pool.figures().workers > 0 || ids.lines().any(|id| Path::new("/proc").join(id).exists()) {
            assert!(Instant::now() < until, "left behind: {ids} {:?}", self.pool.figures());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn config() -> Config {
    Config { workers: 1, seconds: 1, bytes: 100, ..Config::default() }
}

/// A script that is ready and then does something with each question.
fn ready(then: &str) -> String {
    format!("{}\nwhile {HEAR}; do\n{then}\ndone", say(&[FromWorker::Ready]))
}

fn answer() -> String {
    let columns = vec![("one".to_owned(), "bigint".to_owned())];
    let body = FromWorker::Body(bytes::Bytes::from_static(b"{\"one\":1}"));
    say(&[FromWorker::Head { columns }, body, FromWorker::Done { rows: 1 }])
}

#[tokio::test]
async fn a_worker_answers_many_questions_and_goes_when_there_are_none() {
    let scripted = Scripted::new(&ready(&answer()), Config { idle: Duration::from_millis(500), ..config() }).await;
    assert_eq!(scripted.pool.figures(), Figures::default(), "no worker before the first question");
    for _ in 0..3 {
        let told = scripted.ask().await.unwrap();
        assert_eq!((told.rows, &*told.body), (1, &b"{\"one\":1}"[..]));
    }
    let figures = scripted.pool.figures();
    assert_eq!((figures.started, figures.workers, figures.questions.get("answered")), (1, 1, Some(&3)));
    scripted.deserted().await;
    assert_eq!(scripted.pool.figures().killed, 0, "an unused worker is not a killed one");
    assert!(scripted.ask().await.is_ok(), "the next question starts another");
}

#[tokio::test]
async fn whatever_becomes_of_a_worker_the_question_is_told_and_nothing_stays() {
    let failure = Failure::new(Fault::NoTable, "no", &[]);
    let long = FromWorker::Body(bytes::Bytes::from_static(&[b'x'; 101]));
    for (fate, script, kind, killed) in [
        ("never ready", "exec sleep 100".to_owned(), Kind::Sql(Fault::Timeout), 1),
        ("silent", ready("exec sleep 100"), Kind::Sql(Fault::Timeout), 1),
        ("failed", ready(&say(&[FromWorker::Failed(failure)])), Kind::Sql(Fault::NoTable), 0),
        ("garbage", ready("echo garbage, and more of it; exec sleep 100"), Kind::Internal, 1),
        ("a cut frame", ready("printf '\\377\\000\\000\\000b'; exit"), Kind::Internal, 0),
        ("too long", ready(&format!("{}; exec sleep 100", say(&[long]))), Kind::Internal, 1),
        ("out of turn", ready(&format!("{}; exec sleep 100", say(&[FromWorker::Ready]))), Kind::Internal, 1),
        ("ended", ready("exit 3"), Kind::Internal, 0),
        ("ended early", "exit 3".to_owned(), Kind::Internal, 0),
        ("aborted", ready("echo memory allocation of 9 bytes failed >&2; kill -ABRT $$"), Kind::Sql(Fault::Memory), 0),
        ("killed", ready("kill -KILL $$"), Kind::Sql(Fault::Memory), 0),
        ("deep", ready("echo thread main has overflowed its stack >&2; kill -ABRT $$"), Kind::TooMuch, 0),
        ("endless words", ready("exec yes >&2"), Kind::Sql(Fault::Timeout), 1),
    ] {
        let scripted = Scripted::new(&script, Config { idle: Duration::ZERO, ..config() }).await;
        assert_eq!(scripted.ask().await, Err(kind), "{fate}");
        scripted.deserted().await;
        assert_eq!((scripted.pool.figures().killed, scripted.pool.figures().running), (killed, 0), "{fate}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_the_servers_fault() {
    let bench = Bench::new(time("2026-11-20T09:00:00Z"), crate::Config::default()).await;
    let start = Start { program: "/nowhere/lamppost".into(), arguments: Vec::new(), environment: Vec::new() };
    let pool = Pool::new(bench.engine.clone(), config(), start).unwrap();
    let question = Question { text: String::new(), format: Format::Csv, datasets: Vec::new() };
    for _ in 0..3 {
        assert_eq!(pool.ask(question.clone(), |_| ()).await.map_err(|error| error.kind), Err(Kind::Internal));
    }
    assert_eq!(pool.figures().workers, 0);
}

#[tokio::test]
async fn a_caller_that_leaves_takes_its_worker_along() {
    let scripted = Scripted::new(&ready("exec sleep 100"), Config { seconds: 100, ..config() }).await;
    let left = tokio::time::timeout(Duration::from_millis(500), scripted.ask()).await;
    assert!(left.is_err());
    scripted.deserted().await;
    let figures = scripted.pool.figures();
    assert_eq!((figures.killed, figures.running, figures.questions.get("left")), (1, 0, Some(&1)));
    assert!(scripted.spent.load(Ordering::Relaxed) >= 300, "what was spent is told though nobody waits for it");
}

#[tokio::test]
async fn those_who_would_wait_too_long_are_told_to_come_again() {
    let scripted = Scripted::new(&ready("exec sleep 100"), Config { waiting: 1, ..config() }).await;
    let began = Instant::now();
    let ended = tokio::join!(scripted.ask(), scripted.ask(), async {
        let told = scripted.ask().await;
        (told, began.elapsed())
    });
    assert_eq!(ended.0, Err(Kind::Sql(Fault::Timeout)));
    assert_eq!(ended.1, Err(Kind::Sql(Fault::Timeout)), "it waited for the first one's end and got its place");
    assert_eq!(ended.2.0, Err(Kind::Busy));
    assert!(ended.2.1 < Duration::from_millis(900), "at once, not after {:?}", ended.2.1);
    assert!(scripted.spent.load(Ordering::Relaxed) < 2500, "who only waits spends nothing");
    scripted.deserted().await;
}

#[tokio::test]
async fn the_last_clone_takes_all_workers_along() {
    let scripted = Scripted::new(&ready(&answer()), config()).await;
    assert!(scripted.ask().await.is_ok());
    let id = std::fs::read_to_string(&scripted.ids).unwrap();
    let stat = Path::new("/proc").join(id.trim());
    assert!(stat.exists());
    drop(scripted);
    let until = Instant::now() + Duration::from_secs(20);
    while stat.exists() {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

//! The cache and entity tags over a real store.

use super::*;
use crate::question::{Aggregates, BucketChoice, Fill, Group};
use crate::testing::*;
use schemas::Bucket;
use schemas::time::{DAY, HOUR, SECOND};

const FORMAT: &str = "text";

fn question(from: Time, to: Time) -> Question {
    Question::Aggregates(Aggregates {
        dataset: "town".to_owned(),
        from,
        to,
        bucket: BucketChoice::Fixed(Bucket::Duration(HOUR)),
        fields: vec!["cars_sum".to_owned(), "cars_coverage".to_owned()],
        group: Group::None,
        tz: None,
        sensors: Vec::new(),
        attributes: Vec::new(),
        fill: Fill::None,
        order: None,
        limit: None,
    })
}

/// Entity tag and body of a question.
async fn body(bench: &Bench, question: Question) -> (String, Bytes) {
    let resolved = bench.engine.resolve(question).expect("a plan");
    let render = |answer: &Answer| Ok(Bytes::from(table(answer, &["start", "cars_sum", "cars_coverage"]).join("\n")));
    (resolved.etag(FORMAT), bench.engine.body(&resolved, FORMAT, render, |_| ()).await.expect("a body"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_is_not_computed_again() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(5 * DAY), Config::default()).await;
    bench.put(&[("a", start, &[(CARS, 5)]), ("a", start.plus(3 * DAY), &[(CARS, 6)])]).await;
    let first = body(&bench, question(start, start.plus(HOUR))).await;
    assert_eq!(&first.1[..], b"2026-11-02T09:00:00+01:00 5 0.0167");
    assert_eq!(body(&bench, question(start, start.plus(HOUR))).await, first);
    // The same buckets asked for otherwise are the same question only if meta says the same.
    assert_ne!(body(&bench, question(start.plus(1), start.plus(HOUR))).await.0, first.0);
    let figures = bench.engine.figures();
    assert_eq!((figures.hits, figures.misses, figures.running), (1, 2, 0));
    // A write to another day leaves it alone, one within the day does not.
    bench.put(&[("a", start.plus(3 * DAY + SECOND), &[(CARS, 1)])]).await;
    assert_eq!(body(&bench, question(start, start.plus(HOUR))).await, first);
    bench.put(&[("a", start.plus(SECOND), &[(CARS, 1)])]).await;
    let second = body(&bench, question(start, start.plus(HOUR))).await;
    assert_ne!(second.0, first.0);
    assert_eq!(&second.1[..], b"2026-11-02T09:00:00+01:00 6 0.0333");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_store_at_the_old_address_has_tags_of_its_own() {
    let start = time("2026-11-02T08:00:00Z");
    let sensors = crate::question::Sensors { dataset: "town".to_owned(), ..Default::default() };
    let mut tags = Vec::new();
    for sensor in ["a", "b"] {
        let bench = Bench::new(start.plus(HOUR), Config::default()).await;
        bench.put(&[(sensor, start, &[(CARS, 5)])]).await;
        let questions = [
            Question::Sensors(sensors.clone()),
            Question::Datasets { ids: vec!["town".into()] },
            question(start, start.plus(HOUR)),
        ];
        tags.push(questions.map(|question| bench.engine.resolve(question).expect("a plan").etag(FORMAT)));
    }
    assert!(tags[0].iter().zip(&tags[1]).all(|(a, b)| a != b), "{tags:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_stay_over_flushes_and_folds_and_while_nothing_can_change() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(HOUR), Config::default()).await;
    let tag = |from, to, format| bench.engine.resolve(question(from, to)).expect("a plan").etag(format);
    bench.put(&[("a", start, &[(CARS, 5)])]).await;
    let (open, closed) = ((start, start.plus(2 * HOUR)), (start.plus(-HOUR), start));
    let tags = (tag(open.0, open.1, "json"), tag(closed.0, closed.1, "json"));
    assert_ne!(tags.0, tag(open.0, open.1, "csv"));
    bench.writer.settle().await.expect("a flush");
    assert_eq!(tags, (tag(open.0, open.1, "json"), tag(closed.0, closed.1, "json")));
    bench.put(&[("a", start.plus(-DAY), &[(CARS, 5)])]).await;
    bench.writer.settle().await.expect("a fold");
    // That moved the sensor's first reading back: what is expected of it changed everywhere.
    let tags = (tag(open.0, open.1, "json"), tag(closed.0, closed.1, "json"));
    bench.put(&[("a", start.plus(-DAY + SECOND), &[(CARS, 5)])]).await;
    bench.writer.settle().await.expect("a fold");
    assert_eq!(tags, (tag(open.0, open.1, "json"), tag(closed.0, closed.1, "json")));
    // The clock counts where the span reaches past complete_until, cut to a reading's minute.
    bench.set(start.plus(HOUR + 59 * SECOND));
    assert_eq!(tags, (tag(open.0, open.1, "json"), tag(closed.0, closed.1, "json")));
    bench.set(start.plus(HOUR + 61 * SECOND));
    assert_ne!(tags.0, tag(open.0, open.1, "json"));
    assert_eq!(tags.1, tag(closed.0, closed.1, "json"));
    let age = |(from, to)| bench.engine.resolve(question(from, to)).expect("a plan").max_age().as_secs();
    assert_eq!((age(open), age(closed)), (30, 60));
}

#[tokio::test(flavor = "multi_thread")]
async fn askers_who_leave_keep_nobody_waiting() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(DAY), Config { threads: 1, ..Config::default() }).await;
    bench.put(&[("a", start, &[(CARS, 5)])]).await;
    let resolved = bench.engine.resolve(question(start, start.plus(HOUR))).expect("a plan");
    let (entered, wait) = std::sync::mpsc::channel();
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let slow = move |_: &Answer| {
        entered.send(()).expect("a test that waits");
        gate.recv().expect("a test that goes on");
        Ok(Bytes::from_static(b"slow"))
    };
    let engine = bench.engine.clone();
    let asked = resolved.clone();
    let leader = tokio::spawn(async move { engine.body(&asked, FORMAT, slow, |_| ()).await });
    tokio::task::spawn_blocking(move || wait.recv().expect("a render that begins")).await.expect("a thread");
    leader.abort();
    let follower = bench.engine.body(&resolved, FORMAT, |_: &Answer| Ok(Bytes::from_static(b"quick")), |_| ());
    go.send(()).expect("a render that waits");
    assert_eq!(follower.await.expect("a body"), Bytes::from_static(b"slow"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_render_is_told_and_not_kept() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(DAY), Config { max_waiting: 1, ..Config::default() }).await;
    let resolved = bench.engine.resolve(question(start, start.plus(HOUR))).expect("a plan");
    let failed = bench.engine.body(&resolved, FORMAT, |_: &Answer| Err(Error::internal("no ink")), |_| ()).await;
    assert_eq!(failed.expect_err("an error").message, "no ink");
    let panicked = bench.engine.body(&resolved, FORMAT, |_: &Answer| panic!("no paper"), |_| ()).await;
    assert_eq!(panicked.expect_err("an error").kind, Kind::Internal);
    let made = bench.engine.body(&resolved, FORMAT, |_: &Answer| Ok(Bytes::from_static(b"page")), |_| ()).await;
    assert_eq!(made.expect("a body"), Bytes::from_static(b"page"));
    assert_eq!(bench.engine.figures().running, 0);
}

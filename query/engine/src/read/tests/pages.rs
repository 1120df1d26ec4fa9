//! Readings page by page.

use super::{MINUTE, filled, readings};
use crate::question::Readings;
use crate::testing::*;
use crate::{Config, Error, Kind, Question};
use schemas::time::{DAY, HOUR};
use schemas::{Time, Zone};

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_whatever_arrives_between() {
    let from = time("2026-10-23T00:00:00Z");
    let config = Config { default_readings: 137, ..Config::default() };
    let bench = Bench::new(from.plus(10 * DAY), config).await;
    let mut known = filled(&bench, from, 3).await;
    let (mut question, mut seen) = (readings(from.plus(HOUR), from.plus(3 * DAY)), Vec::new());
    let mut late = 0;
    loop {
        let answer = bench.ask(Question::Readings(question.clone())).await.expect("a page");
        assert!(answer.rows <= 137);
        seen.extend(table(&answer, &["time", "sensor", "temperature", "door", "energy"]));
        question.cursor = answer.meta.next;
        if question.cursor.is_none() {
            break;
        }
        // A row before the cursor moves nothing; it is not among what was asked for either.
        late += 1;
        bench.put(&[("a", from.plus(HOUR + late), &[(CARS, 1)])]).await;
    }
    known.retain(|(_, t), _| (from.plus(HOUR).0..from.plus(3 * DAY).0).contains(t));
    let zone = Zone::parse("Europe/Prague").expect("a zone");
    let mut expected: Vec<(i64, String, String)> = Vec::new();
    for ((sensor, t), values) in &known {
        let value = |field: usize| values.iter().find(|(f, _)| *f == field).map(|(_, v)| *v);
        let decimal = |field, scale| value(field).map_or("-".to_owned(), |v| schemas::decimal::text(v.into(), scale));
        let door = value(DOOR).map_or("-", |v| ["open", "closed"][v as usize]);
        let text =
            format!("{} {sensor} {} {door} {}", zone.format(Time(*t)), decimal(TEMPERATURE, 1), decimal(ENERGY, 2));
        expected.push((*t, sensor.clone(), text));
    }
    expected.sort();
    let expected: Vec<String> = expected.into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(seen.len(), expected.len());
    assert_eq!(seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_from_that_moves_with_the_clock_skips_nothing_between_pages() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(HOUR), Config::default()).await;
    for m in 0..6 {
        bench.put(&[("a", start.plus(m * MINUTE), &[(CARS, m)])]).await;
    }
    let mut question = Readings { limit: Some(2), ..readings(start, start.plus(HOUR)) };
    let first = bench.ask(Question::Readings(question.clone())).await.expect("a page");
    assert_eq!(table(&first, &["cars"]), ["0", "1"]);
    // The next page of `from=now-1h` is asked for so late that the hour begins past its rows.
    (question.from, question.cursor) = (start.plus(5 * MINUTE), first.meta.next);
    let second = bench.ask(Question::Readings(question)).await.expect("a page");
    assert_eq!(table(&second, &["cars"]), ["2", "3"]);
    assert!(second.meta.from <= Some(start.plus(2 * MINUTE)), "{:?}", second.meta.from);
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_can_be_narrowed() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(DAY), Config::default()).await;
    bench
        .put(&[("a", start, &[(CARS, 5)]), ("a", start.plus(1), &[(DOOR, 1)]), ("b", start, &[(CARS, 7), (WIND, 90)])])
        .await;
    let mut question = readings(start, start.plus(HOUR));
    question.fields = vec!["cars".to_owned()];
    question.tz = Some(Zone::utc());
    let answer = bench.ask(Question::Readings(question.clone())).await.expect("a page");
    assert_eq!(table(&answer, &["time", "sensor", "cars"]), ["2026-11-02T08:00:00Z a 5", "2026-11-02T08:00:00Z b 7"]);
    assert_eq!((answer.columns.len(), answer.meta.next), (3, None));
    question.sensors = vec!["b".to_owned(), "b".to_owned()];
    let answer = bench.ask(Question::Readings(question.clone())).await.expect("a page");
    assert_eq!(table(&answer, &["sensor", "cars"]), ["b 7"]);
    let refused = async |change: fn(&mut Readings)| {
        let mut asked = question.clone();
        change(&mut asked);
        let error: Error = bench.ask(Question::Readings(asked)).await.expect_err("an error");
        assert_eq!(error.kind, Kind::Invalid);
        error.parameter.expect("a parameter")
    };
    assert_eq!(refused(|q| q.sensors = vec!["z".to_owned()]).await, "sensor");
    assert_eq!(refused(|q| q.limit = Some(10_001)).await, "limit");
    assert_eq!(refused(|q| q.limit = Some(0)).await, "limit");
    assert_eq!(refused(|q| q.cursor = Some("zz".to_owned())).await, "cursor");
    assert_eq!(refused(|q| q.fields = vec!["cars_sum".to_owned()]).await, "fields");
    assert_eq!(refused(|q| q.to = q.from).await, "to");
}

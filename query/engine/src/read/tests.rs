//! Answers over a real store against plain loops over the same readings.

use crate::question::{Aggregates, BucketChoice, Fill, Group, Latest, Near, Readings, Sensors};
use crate::testing::*;
use crate::{Config, Error, Kind, Question};
use schemas::time::{DAY, HOUR, SECOND};
use schemas::{Bucket, Place, Span, Time, Zone};
use std::collections::BTreeMap;

mod law;
mod pages;
mod speed;
mod town;

const MINUTE: i64 = 60 * SECOND;

/// Readings by (sensor, time): values by field.
type Known = BTreeMap<(String, i64), Vec<(usize, i64)>>;

fn ask(from: Time, to: Time, bucket: Bucket, group: Group, fields: &[&str]) -> Aggregates {
    Aggregates {
        dataset: "town".to_owned(),
        from,
        to,
        bucket: BucketChoice::Fixed(bucket),
        fields: fields.iter().map(|name| name.to_string()).collect(),
        group,
        tz: None,
        sensors: Vec::new(),
        attributes: Vec::new(),
        fill: Fill::None,
        order: None,
        limit: None,
    }
}

fn readings(from: Time, to: Time) -> Readings {
    Readings {
        dataset: "town".to_owned(),
        sensors: Vec::new(),
        from,
        to,
        fields: Vec::new(),
        cursor: None,
        limit: None,
        tz: None,
    }
}

/// Sensor, instant, values by field.
type Reading = (String, Time, Vec<(usize, i64)>);

/// Some days of readings of four sensors about the end of summer time, shuffled, with gaps, resets and corrections.
fn history(random: &mut Random, from: Time, days: i64) -> Vec<Reading> {
    let mut rows = Vec::new();
    for sensor in ["a", "b", "c", "d"] {
        let mut meter = 0;
        let mut at = from.0 + random.below(3 * 3600) * SECOND;
        while at < from.0 + days * DAY {
            let mut values = vec![(TEMPERATURE, random.below(400) - 100), (CARS, random.below(50))];
            meter = if random.below(60) == 0 { random.below(10) } else { meter + random.below(30) };
            values.push((ENERGY, meter));
            values.push((DOOR, random.below(2)));
            values.push((NOISE, 300 + random.below(500)));
            values.push((WIND, random.below(360)));
            values.retain(|_| random.below(10) > 0);
            rows.push((sensor.to_owned(), Time(at), values));
            at += (1 + random.below(40)) * 30 * SECOND;
        }
    }
    for i in (1..rows.len()).rev() {
        let other = random.below(i as u64 + 1) as usize;
        rows.swap(i, other);
    }
    rows
}

/// Appends rows in batches, seals and folds a part of them, and gives what is known at the end.
async fn filled(bench: &Bench, from: Time, days: i64) -> Known {
    let mut random = Random(11);
    let rows = history(&mut random, from, days);
    let mut known = Known::new();
    for (i, chunk) in rows.chunks(400).enumerate() {
        let rows: Vec<Row<'_>> = chunk.iter().map(|(s, t, v)| (s.as_str(), *t, v.as_slice())).collect();
        bench.put(&rows).await;
        if i % 5 == 2 {
            bench.writer.settle().await.expect("a flush");
        }
        for (sensor, time, values) in chunk {
            let row = known.entry((sensor.clone(), time.0)).or_default();
            for (field, value) in values {
                row.retain(|(f, _)| f != field);
                row.push((*field, *value));
            }
        }
    }
    known
}

/// One sensor's values of a field, by time.
fn column(known: &Known, sensor: &str, field: usize) -> Vec<(i64, i64)> {
    let of = |values: &Vec<(usize, i64)>| values.iter().find(|(f, _)| *f == field).map(|(_, value)| *value);
    known.iter().filter(|((s, _), _)| s == sensor).filter_map(|((_, t), v)| Some((*t, of(v)?))).collect()
}

/// What a row must hold: mean and n of temperatures, sum and coverage of cars, increase, time the door was open.
fn looped(known: &Known, sensors: &[&str], (start, end): (i64, i64), now: i64) -> String {
    let inside = |field: usize| -> Vec<i64> {
        let all = sensors.iter().flat_map(|sensor| column(known, sensor, field));
        all.filter(|(t, _)| (start..end).contains(t)).map(|(_, value)| value).collect()
    };
    let text = |value: Option<i128>, scale| value.map_or("-".to_owned(), |v| schemas::decimal::text(v, scale));
    let over = |sum: i128, n: i128| (n > 0).then(|| (sum.abs() * 2 + n) / (2 * n) * sum.signum());
    let sum = |values: &[i64]| values.iter().map(|v| i128::from(*v)).sum::<i128>();
    let (temperatures, cars) = (inside(TEMPERATURE), inside(CARS));
    let (mut got, mut due, mut increase, mut open, mut stood) = (0_i128, 0_i128, 0, 0_i128, 0_i128);
    for sensor in sensors {
        let since = known.keys().find(|(s, _)| s == sensor).expect("a reading").1;
        let mine = i128::from((end.min(now) - start.max(since)).max(0));
        let n = column(known, sensor, CARS).iter().filter(|(t, _)| (start..end).contains(t)).count();
        got += (n as i128 * i128::from(MINUTE)).min(mine);
        due += mine;
        for pair in column(known, sensor, ENERGY).windows(2).filter(|pair| (start..end).contains(&pair[1].0)) {
            increase += i128::from(if pair[1].1 >= pair[0].1 { pair[1].1 - pair[0].1 } else { pair[1].1 });
        }
        let doors = column(known, sensor, DOOR);
        for (i, (time, value)) in doors.iter().enumerate() {
            let next = doors.get(i + 1).map_or(i64::MAX, |(next, _)| *next);
            let until = next.min(time + 10 * MINUTE).min(end).min(now);
            let micros = i128::from((until - (*time).max(start)).max(0));
            stood += micros;
            open += if *value == 0 { micros } else { 0 };
        }
    }
    [
        text(over(sum(&temperatures) * 10_000, temperatures.len() as i128), 5),
        temperatures.len().to_string(),
        text((!cars.is_empty()).then(|| sum(&cars)), 0),
        text(over(got * 10_000, due), 4),
        text((!inside(ENERGY).is_empty()).then_some(increase), 2),
        text(over(open * 10_000, stood), 4),
    ]
    .join(" ")
}

const COLUMNS: [&str; 6] =
    ["temperature_mean", "temperature_n", "cars_sum", "cars_coverage", "energy_increase", "door_share_open"];

#[tokio::test(flavor = "multi_thread")]
async fn aggregates_are_those_of_plain_loops() {
    // The night of 25 October 2026 has 25 hours in Prague; the clock stands in the middle of the last day.
    let (from, now) = (time("2026-10-23T00:00:00Z"), time("2026-10-26T13:30:00Z"));
    let bench = Bench::new(now, Config::default()).await;
    let known = filled(&bench, from, 4).await;
    let zone = Zone::parse("Europe/Prague").expect("a zone");
    let buckets =
        [Bucket::Duration(15 * MINUTE), Bucket::Duration(HOUR), Bucket::Duration(7 * HOUR), Bucket::Day, Bucket::Month];
    for bucket in buckets {
        // Not on the edge of a bucket, and after the first readings: meters and doors are looked back for.
        for (first, last) in
            [("2026-10-22T22:00:01Z", "2026-10-27T02:00:00Z"), ("2026-10-24T17:17:00Z", "2026-10-25T03:00:00Z")]
        {
            let span = bucket.widen(Span { from: time(first), to: time(last) }, &zone);
            let edges = bucket.edges(span, &zone, 10_000).expect("few buckets");
            for together in [true, false] {
                let group = if together { Group::None } else { Group::Sensor };
                let question = ask(time(first), time(last), bucket, group, &COLUMNS);
                let answer = bench.ask(Question::Aggregates(question)).await.expect("an answer");
                assert_eq!((answer.meta.from, answer.meta.to), (Some(span.from), Some(span.to)));
                assert!(answer.meta.widened);
                let mut expected = Vec::new();
                for pair in edges.windows(2) {
                    let span = (pair[0].0, pair[1].0);
                    let sets: Vec<Vec<&str>> = if together {
                        vec![vec!["a", "b", "c", "d"]]
                    } else {
                        ["a", "b", "c", "d"].map(|s| vec![s]).to_vec()
                    };
                    for sensors in sets {
                        let values = looped(&known, &sensors, span, now.0);
                        let any = known.iter().any(|((s, t), v)| {
                            let asked = v.iter().any(|(field, _)| *field <= DOOR);
                            sensors.contains(&s.as_str()) && (span.0..span.1).contains(t) && asked
                        });
                        if any {
                            expected.push(format!("{} {} {values}", zone.format(pair[0]), zone.format(pair[1])));
                        }
                    }
                }
                let found = table(
                    &answer,
                    &["start", "end", COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3], COLUMNS[4], COLUMNS[5]],
                );
                assert_eq!(found.len(), expected.len(), "{bucket} {together}");
                for (found, expected) in found.iter().zip(&expected) {
                    assert_eq!(found, expected, "{bucket} {together}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_moves_counts_where_it_was() {
    let (start, now) = (time("2026-11-02T08:00:00Z"), time("2026-11-03T00:00:00Z"));
    let bench = Bench::new(now, Config::default()).await;
    bench.note("a", start, &[("street", "North")]).await;
    bench.note("b", start, &[("street", "South")]).await;
    let rows: Vec<Row<'_>> = (0..240).map(|m| ("a", start.plus(m * MINUTE), &[(CARS, 1)][..])).collect();
    bench.put(&rows).await;
    let rows: Vec<Row<'_>> = (0..120).map(|m| ("b", start.plus(m * MINUTE), &[(CARS, 100)][..])).collect();
    bench.put(&rows).await;
    // Said at 09:20, so it takes effect at 10:00.
    bench.note("a", start.plus(80 * MINUTE), &[("street", "South")]).await;
    let street = Group::Attribute("street".to_owned());
    let fields = ["cars_sum", "cars_n", "cars_coverage"];
    let mut question = ask(start, start.plus(4 * HOUR), Bucket::Duration(HOUR), street.clone(), &fields);
    let answer = bench.ask(Question::Aggregates(question.clone())).await.expect("an answer");
    let columns = ["start", "street", "cars_sum", "cars_n", "cars_coverage"];
    let expected = [
        "2026-11-02T09:00:00+01:00 North 60 60 1",
        "2026-11-02T09:00:00+01:00 South 6000 60 1",
        "2026-11-02T10:00:00+01:00 North 60 60 1",
        "2026-11-02T10:00:00+01:00 South 6000 60 1",
        // b is silent: half of what South expects is there.
        "2026-11-02T11:00:00+01:00 South 60 60 0.5",
        "2026-11-02T12:00:00+01:00 South 60 60 0.5",
    ];
    assert_eq!(table(&answer, &columns), expected);
    // A bucket that contains the move is split by it.
    question.bucket = BucketChoice::Fixed(Bucket::Duration(4 * HOUR));
    let answer = bench.ask(Question::Aggregates(question.clone())).await.expect("an answer");
    let expected = ["2026-11-02T09:00:00+01:00 North 120 120 1", "2026-11-02T09:00:00+01:00 South 12120 240 0.6667"];
    assert_eq!(table(&answer, &columns), expected);
    // Filtered by it, too.
    question.group = Group::None;
    question.attributes = vec![("street".to_owned(), "North".to_owned())];
    let answer = bench.ask(Question::Aggregates(question.clone())).await.expect("an answer");
    assert_eq!(table(&answer, &["cars_sum", "cars_coverage"]), ["120 1"]);
    question.group = Group::Attribute("colour".to_owned());
    let error = bench.ask(Question::Aggregates(question)).await.expect_err("no such attribute");
    assert_eq!(
        (error.parameter, error.accepted),
        (Some("group"), ["sensor", "none", "street"].map(str::to_owned).to_vec())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_buckets_are_rows_when_asked_for() {
    let (start, now) = (time("2026-11-02T08:00:00Z"), time("2026-11-02T10:30:00Z"));
    let bench = Bench::new(now, Config::default()).await;
    bench.put(&[("a", start, &[(CARS, 5)]), ("b", start.plus(HOUR), &[(DOOR, 1)])]).await;
    let mut question = ask(
        start,
        start.plus(4 * HOUR),
        Bucket::Duration(HOUR),
        Group::Sensor,
        &["cars_sum", "cars_n", "cars_coverage", "cars_rate"],
    );
    question.fill = Fill::Null;
    let answer = bench.ask(Question::Aggregates(question.clone())).await.expect("an answer");
    let expected = [
        "a 5 1 0.0167 5",
        "b - 0 - -",
        "a - 0 0 -",
        "b - 0 0 -",
        "a - 0 0 -",
        "b - 0 0 -",
        // In the hour to come nothing is expected.
        "a - 0 - -",
        "b - 0 - -",
    ];
    assert_eq!(table(&answer, &["sensor", "cars_sum", "cars_n", "cars_coverage", "cars_rate"]), expected);
    question.fill = Fill::None;
    let answer = bench.ask(Question::Aggregates(question.clone())).await.expect("an answer");
    assert_eq!(table(&answer, &["sensor", "cars_sum"]), ["a 5"]);
    question.group = Group::None;
    question.fill = Fill::Null;
    let answer = bench.ask(Question::Aggregates(question)).await.expect("an answer");
    // Dead sensors show: a alone in the first hour, both in the second, both in half of the third.
    assert_eq!(table(&answer, &["cars_n", "cars_coverage"]), ["1 0.0167", "0 0", "0 0", "0 -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_may_have_a_cadence_of_its_own() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(DAY), Config::default()).await;
    let rows: Vec<Row<'_>> = (0..60).map(|m| ("a", start.plus(m * MINUTE), &[(CARS, 1)][..])).collect();
    bench.put(&rows).await;
    bench.put(&[("b", start, &[(CARS, 1)]), ("b", start.plus(15 * MINUTE), &[(CARS, 1)])]).await;
    let mut batch = schemas::Batch::new(bench.dataset.clone());
    let every = Some(schemas::Cadence::Every(15 * MINUTE));
    let attributes = Default::default();
    batch.notes.push(schemas::Note { sensor: "b".into(), time: start, place: None, attributes, every });
    bench.append(batch).await;
    let asked = async |bucket, group| {
        let question = ask(start, start.plus(HOUR), Bucket::Duration(bucket), group, &["cars_n", "cars_coverage"]);
        let answer = bench.ask(Question::Aggregates(question)).await.expect("an answer");
        table(&answer, &["cars_n", "cars_coverage"])
    };
    assert_eq!(asked(HOUR, Group::Sensor).await, ["60 1", "2 0.5"]);
    // 60 + 4 expected.
    assert_eq!(asked(HOUR, Group::None).await, ["62 0.9688"]);
    // Buckets shorter than a sensor's cadence say nothing of it.
    assert_eq!(asked(5 * MINUTE, Group::Sensor).await[..3], ["5 1", "1 -", "5 1"]);
    assert_eq!(asked(5 * MINUTE, Group::None).await[..2], ["6 1", "5 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_chooses_a_bucket_that_fits() {
    let (start, now) = (time("2026-11-02T00:00:00Z"), time("2026-11-20T00:00:00Z"));
    let bench = Bench::new(now, Config::default()).await;
    let bucket = async |days: i64, max_points| {
        let mut question = ask(start, start.plus(days * DAY), Bucket::Day, Group::None, &[]);
        question.bucket = BucketChoice::Auto { max_points };
        bench.ask(Question::Aggregates(question)).await.expect("an answer").meta.bucket.expect("a bucket")
    };
    assert_eq!(bucket(1, 500).await, "5m");
    assert_eq!(bucket(7, 500).await, "30m");
    assert_eq!(bucket(7, 100).await, "3h");
    assert_eq!(bucket(400, 500).await, "day");
    assert_eq!(bucket(400, 10).await, "year");
    // Not narrower than a reading a minute.
    assert_eq!(bucket(1, 50_000).await, "1m");
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_values_sensors_and_datasets() {
    let start = time("2026-11-02T08:00:00Z");
    let bench = Bench::new(start.plus(DAY), Config::default()).await;
    bench.put(&[("a", start, &[(CARS, 5), (DOOR, 0)]), ("b", start.plus(MINUTE), &[(CARS, 7)])]).await;
    bench.put(&[("a", start.plus(MINUTE), &[(CARS, 6)]), ("a", start.plus(-MINUTE), &[(DOOR, 1)])]).await;
    let mut note = schemas::Batch::new(bench.dataset.clone());
    let place = Place::new(14.15, 49.3);
    let attributes = [("street".to_owned(), "Na Výstavišti".to_owned())].into();
    note.notes.push(schemas::Note { sensor: "b".into(), time: start, place, attributes, every: None });
    bench.append(note).await;
    let latest = Latest {
        dataset: "town".to_owned(),
        sensors: Vec::new(),
        attributes: Vec::new(),
        fields: vec!["cars".to_owned(), "door".to_owned()],
        order: None,
        limit: None,
        tz: None,
    };
    let answer = bench.ask(Question::Latest(latest.clone())).await.expect("newest values");
    let columns = ["sensor", "lon", "lat", "cars", "cars_time", "door", "door_time"];
    let expected = [
        "a - - 6 2026-11-02T09:01:00+01:00 open 2026-11-02T09:00:00+01:00",
        "b 14.15 49.3 7 2026-11-02T09:01:00+01:00 - -",
    ];
    assert_eq!(table(&answer, &columns), expected);
    let street = |value: &str| vec![("street".to_owned(), value.to_owned())];
    let there = Latest { attributes: street("Na Výstavišti"), ..latest.clone() };
    assert_eq!(table(&bench.ask(Question::Latest(there)).await.expect("newest values"), &columns), expected[1..]);
    let elsewhere = Latest { attributes: street("elsewhere"), ..latest };
    assert_eq!(bench.ask(Question::Latest(elsewhere)).await.expect("no values").rows, 0);
    let sensors = async |change: fn(&mut Sensors)| {
        let mut asked = Sensors { dataset: "town".to_owned(), ..Sensors::default() };
        change(&mut asked);
        let answer = bench.ask(Question::Sensors(asked)).await.expect("sensors");
        table(&answer, &["sensor"]).concat()
    };
    assert_eq!(sensors(|_| ()).await, "ab");
    assert_eq!(sensors(|q| q.bbox = Some([14.0, 49.0, 15.0, 50.0])).await, "b");
    assert_eq!(sensors(|q| q.bbox = Some([15.0, 49.0, 16.0, 50.0])).await, "");
    assert_eq!(sensors(|q| q.near = Some(Near { place: Place { lon: 14.15, lat: 49.301 }, metres: 120.0 })).await, "b");
    assert_eq!(sensors(|q| q.near = Some(Near { place: Place { lon: 14.15, lat: 49.301 }, metres: 100.0 })).await, "");
    assert_eq!(sensors(|q| q.q = Some("VÝSTAV".to_owned())).await, "b");
    assert_eq!(sensors(|q| q.attributes = vec![("street".to_owned(), "elsewhere".to_owned())]).await, "");
    let answer = bench.ask(Question::Datasets { ids: vec!["town".into()] }).await.expect("datasets");
    let row = table(&answer, &["id", "license", "zone", "every_seconds", "sensors", "last"]);
    assert_eq!(row, ["town CC0-1.0 Europe/Prague 60 2 2026-11-02T08:01:00Z"]);
    let error = bench.ask(Question::Dataset("city".to_owned())).await.expect_err("no such dataset");
    assert_eq!(
        (error.kind, error.parameter, error.accepted),
        (Kind::NotFound, Some("dataset"), vec!["town".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_cost_too_much_is_refused_naming_what_would_not() {
    let (start, now) = (time("2026-10-01T00:00:00Z"), time("2026-11-20T00:00:00Z"));
    let config = Config { max_buckets: 1_000, max_rows: 300, max_cost_rows: 3_000, ..Config::default() };
    let bench = Bench::new(now, config).await;
    let rows: Vec<Row<'_>> = (0..2_000).map(|i| ("a", start.plus(i * 15 * MINUTE), &[(CARS, 1)][..])).collect();
    bench.put(&rows).await;
    let rows: Vec<Row<'_>> = (0..2_000).map(|i| ("b", start.plus(i * 15 * MINUTE), &[(CARS, 1)][..])).collect();
    bench.put(&rows).await;
    let refused = async |bucket, to, group| {
        let question = ask(start, to, bucket, group, &["cars_sum"]);
        let error: Error = bench.ask(Question::Aggregates(question)).await.expect_err("too much");
        assert_eq!(error.kind, Kind::TooMuch);
        (error.parameter.expect("a parameter"), error.accepted)
    };
    let (parameter, accepted) = refused(Bucket::Duration(SECOND), start.plus(DAY), Group::Sensor).await;
    assert_eq!((parameter, &accepted[0][..]), ("bucket", "bucket=5m"));
    assert!(accepted[1].starts_with("to=2026-10-01T00:16"), "{accepted:?}");
    let (parameter, accepted) = refused(Bucket::Duration(HOUR), start.plus(14 * DAY), Group::Sensor).await;
    assert_eq!((parameter, &accepted[0][..]), ("bucket", "bucket=3h"));
    let (parameter, accepted) = refused(Bucket::Day, start.plus(30 * DAY), Group::None).await;
    assert_eq!(parameter, "to");
    let to = accepted[0].strip_prefix("to=").map(time).expect("a span that is accepted");
    bench.ask(Question::Aggregates(ask(start, to, Bucket::Day, Group::None, &["cars_sum"]))).await.expect("an answer");
    let mut limited = ask(start, start.plus(2 * DAY), Bucket::Day, Group::Sensor, &["cars_sum"]);
    limited.limit = Some(3);
    let error = bench.ask(Question::Aggregates(limited)).await.expect_err("more rows than wanted");
    assert_eq!((error.kind, error.parameter), (Kind::TooMuch, Some("limit")));
    let reversed = ask(now, start, Bucket::Day, Group::None, &[]);
    assert_eq!(bench.ask(Question::Aggregates(reversed)).await.expect_err("reversed").parameter, Some("to"));
    let ancient = ask(Time(-9_000_000_000_000_000), start, Bucket::Year, Group::None, &[]);
    assert_eq!(bench.ask(Question::Aggregates(ancient)).await.expect_err("too early").parameter, Some("from"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_named_in_a_refusal_is_accepted_where_readings_are_sparse() {
    let start = time("2026-10-01T00:00:00Z");
    let config = Config { max_buckets: 1_000, max_rows: 300, ..Config::default() };
    let bench = Bench::new(start.plus(50 * DAY), config).await;
    let ids: Vec<String> = (0..10).map(|i| format!("s{i}")).collect();
    let days = ids.iter().flat_map(|id| (0..40).map(move |day| (id, day)));
    let rows: Vec<Row<'_>> = days.map(|(id, day)| (id.as_str(), start.plus(day * DAY), &[(CARS, 1)][..])).collect();
    bench.put(&rows).await;
    // 400 readings in 960 hours: fewer rows than hours, but of ten sensors.
    let question =
        |bucket| Question::Aggregates(ask(start, start.plus(40 * DAY), bucket, Group::Sensor, &["cars_sum"]));
    let error = bench.ask(question(Bucket::Duration(HOUR))).await.expect_err("too many rows");
    let named = error.accepted[0].strip_prefix("bucket=").and_then(|text| Bucket::parse(text).ok()).expect("a bucket");
    assert_eq!(named, Bucket::Week);
    bench.ask(question(named)).await.expect("an answer");
}

//! The law of tiers, in answers: a store that closes windows answers as one does that has all its readings in memory, whatever
//! came late, twice or corrected, and whatever state its rows and tiers are in.

use super::*;
use crate::{Answer, Values};
use schemas::Dataset;
use std::sync::Arc;
use std::time::Duration;

const ZONES: [&str; 4] = ["Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
/// Middles of days on which clocks change: in Prague, New York and Lord Howe, spring and autumn of 2026.
const CHANGES: [&str; 6] = [
    "2026-03-29T12:00:00Z",
    "2026-03-08T12:00:00Z",
    "2026-04-04T12:00:00Z",
    "2026-10-25T12:00:00Z",
    "2026-11-01T12:00:00Z",
    "2026-10-03T12:00:00Z",
];
/// Columns asked for together; some can only be answered from raw rows or days.
const ASKED: [&[&str]; 7] = [
    &["temperature_mean", "temperature_min", "cars_sum", "cars_max", "cars_rate", "cars_n"],
    &["temperature", "cars", "cars_mean_of_sensors", "noise", "wind", "door_last"],
    &["energy_increase", "energy_last", "energy_n", "door_share", "door_n"],
    &["temperature_last", "noise_last", "wind_last", "cars_sum"],
    &["temperature_p95", "noise_p5", "temperature_p50_sketch"],
    &["temperature_p95_sketch", "temperature_p5_sketch", "noise_p50_sketch", "noise_max"],
    &["wind_mean", "door_share_open", "energy_increase", "noise_mean"],
];

/// The same readings in a store with tiers and in one that keeps them in memory.
struct Twins {
    tiers: Bench,
    memory: Bench,
    from: Time,
    random: Random,
    /// Tiers that answers were read from.
    read: BTreeMap<&'static str, usize>,
}

impl Twins {
    async fn new(seed: u64, zone: &str, from: Time, now: Time) -> Twins {
        let mut dataset: Dataset = (*dataset("town")).clone();
        dataset.zone = Zone::parse(zone).expect("a zone");
        dataset.fields[TEMPERATURE].quantiles = true;
        dataset.fields[NOISE].quantiles = true;
        let dataset = Arc::new(dataset);
        let bench = |age| Bench::flushed(dataset.clone(), now, Config::default(), age);
        let (tiers, memory) = (bench(Duration::from_millis(40)).await, bench(Duration::from_secs(86_400)).await);
        Twins { tiers, memory, from, random: Random(seed), read: BTreeMap::new() }
    }

    async fn put(&self, readings: &[Reading]) {
        for chunk in readings.chunks(500) {
            let rows: Vec<Row<'_>> = chunk.iter().map(|(s, t, v)| (s.as_str(), *t, v.as_slice())).collect();
            self.tiers.put(&rows).await;
            self.memory.put(&rows).await;
        }
    }

    async fn note(&self, sensor: &str, time: Time, street: &str) {
        self.tiers.note(sensor, time, &[("street", street)]).await;
        self.memory.note(sensor, time, &[("street", street)]).await;
    }

    /// Readings of the past: new ones, corrections and duplicates.
    fn late(&mut self, known: &[Reading]) -> Vec<Reading> {
        let mut late = history(&mut self.random, self.from, 2);
        late.truncate(25);
        for _ in 0..25 {
            let mut again = known[self.random.below(known.len() as u64) as usize].clone();
            let value = self.random.below(300);
            again
                .2
                .iter_mut()
                .filter(|_| value > 100)
                .for_each(|(field, v)| *v = if *field == DOOR { 1 - *v } else { value });
            late.push(again);
        }
        late
    }

    /// Some question about the days there are.
    fn question(&mut self) -> Aggregates {
        let mut below = |n: usize| self.random.below(n as u64) as usize;
        let minutes = |minutes: i64| Bucket::Duration(minutes * MINUTE);
        let buckets = [
            minutes(7),
            minutes(15),
            minutes(60),
            minutes(180),
            minutes(1440),
            Bucket::Day,
            Bucket::Week,
            Bucket::Month,
        ];
        let groups = [Group::Sensor, Group::None, Group::Attribute("street".to_owned())];
        let bucket = buckets[below(8)];
        let group = groups[below(3)].clone();
        let first = self.from.plus(below(4 * 24 * 4) as i64 * 15 * MINUTE - 12 * HOUR);
        let last = first.plus((1 + below(60)) as i64 * HOUR * if bucket == minutes(7) { 1 } else { 2 });
        let mut question = ask(first, last, bucket, group, ASKED[below(ASKED.len())]);
        question.tz = (below(2) == 0).then(|| Zone::parse(ZONES[below(4)]).expect("a zone"));
        question.fill = if below(3) == 0 { Fill::Null } else { Fill::None };
        if below(3) == 0 {
            question.sensors = ["a", "c"].map(str::to_owned).to_vec();
        } else if below(4) == 0 {
            question.attributes = vec![("street".to_owned(), "North".to_owned())];
        }
        question
    }

    /// Both answer so many questions alike.
    async fn check(&mut self, questions: usize, state: &str) {
        for _ in 0..questions {
            let question = self.question();
            let (one, two) = (Question::Aggregates(question.clone()), Question::Aggregates(question.clone()));
            let found = self.tiers.ask(one).await.expect("an answer");
            let law = self.memory.ask(two).await.expect("an answer");
            assert_eq!(law.meta.tiers, ["raw"]);
            found.meta.tiers.iter().for_each(|tier| *self.read.entry(tier).or_default() += 1);
            let wrong = (0..law.columns.len()).find(|&c| found.columns[c] != law.columns[c]);
            let wrong = wrong.map(|c| (&law.columns[c].name, rows(&law, c), rows(&found, c)));
            assert_eq!(wrong, None, "{state}: {question:?} from {:?}", found.meta.tiers);
        }
    }
}

/// A column with the start of each row, for a person who looks for what is wrong.
fn rows(answer: &Answer, column: usize) -> Vec<String> {
    let Values::Time { .. } = &answer.columns[0].values else { panic!("start") };
    table(answer, &["start", &answer.columns[column].name])
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_over_tiers_are_those_over_readings() {
    let mut read = BTreeMap::new();
    for (seed, change) in (0..).zip(CHANGES) {
        let from = time(change).plus(-2 * DAY);
        // The clock stands in the middle of the last day.
        let now = from.plus(4 * DAY - 9 * HOUR - 7 * MINUTE);
        let mut twins = Twins::new(seed, ZONES[seed as usize % 4], from, now).await;
        for (sensor, street) in [("a", "North"), ("b", "South"), ("c", "North")] {
            twins.note(sensor, from, street).await;
        }
        let mut readings = history(&mut twins.random, from, 4);
        readings.retain(|(_, time, _)| *time < now);
        let (first, second) = readings.split_at(readings.len() / 2);
        twins.put(first).await;
        twins.check(6, "in memory or in files").await;
        twins.tiers.writer.settle().await.expect("settled");
        twins.put(second).await;
        twins.check(10, "half of it late").await;
        twins.note("a", from.plus(DAY + 20 * MINUTE), "South").await;
        for round in 0..3 {
            twins.tiers.writer.settle().await.expect("settled");
            twins.check(10, "settled").await;
            let late = twins.late(&readings);
            twins.put(&late).await;
            twins.check(6, "hot and late").await;
            // Whatever maintenance makes of it meanwhile: sealed, flushed, folded, refreshed.
            for pause in 0..5 {
                tokio::time::sleep(Duration::from_millis(30 * round)).await;
                twins.check(2, &format!("{pause} pauses after")).await;
            }
        }
        twins.read.iter().for_each(|(tier, times)| *read.entry(*tier).or_insert(0) += times);
    }
    assert!(read.len() == 4 && read.values().all(|times| *times > 50), "{read:?}");
}

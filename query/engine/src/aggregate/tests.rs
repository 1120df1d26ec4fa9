//! Each kernel against a plain loop over seeded readings.

use super::cut::{Buckets, Key, Segment};
use super::*;
use crate::columns::Function;
use crate::testing::Random;
use schemas::time::{DAY, HOUR, SECOND};
use schemas::{Bucket, Field, Kind, Resolution, Span, Text, Time, Unit, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;

mod law;

fn field(kind: Kind, scale: u8) -> Field {
    Field {
        name: "f".into(),
        title: Text::new(),
        unit: Unit::parse("1").expect("a unit"),
        kind,
        resolution: Resolution::of_scale(scale).expect("a scale"),
        range: (-1_000_000, 1_000_000),
        quantiles: false,
    }
}

/// One sensor's rows: whole seconds apart, one value in five absent.
fn series(
    random: &mut Random,
    from: i64,
    to: i64,
    step: u64,
    values: impl Fn(&mut Random) -> i64,
) -> (Vec<i64>, Vec<i64>) {
    let (mut time, mut column) = (Vec::new(), Vec::new());
    let mut at = from + random.below(step) * SECOND;
    while at < to {
        time.push(at);
        column.push(if random.below(5) == 0 { ABSENT } else { values(random) });
        at += (1 + random.below(2 * step)) * SECOND;
    }
    (time, column)
}

/// The case a kernel and its loop are compared on.
struct Case {
    buckets: Buckets,
    segments: Vec<Segment>,
    time: Vec<i64>,
    values: Vec<i64>,
    before: Option<(i64, i64)>,
    now: i64,
}

impl Case {
    fn cells(&self, field: &Field) -> BTreeMap<Key, Cell> {
        let parts = self.buckets.parts(&self.time, &self.segments);
        let frame = Frame { segments: &self.segments, buckets: &self.buckets, rank: 0, now: self.now };
        let sort = Sort { kind: &field.kind, resolution: field.resolution, counting: None };
        let mut tally = Tally::new(sort, frame, self.before);
        tally.rows(Rows { time: &self.time, values: &self.values, parts: &parts });
        let found = tally.close();
        assert!(found.is_sorted_by(|a, b| a.0 < b.0));
        found.into_iter().collect()
    }

    /// Where an instant is added up, found by looking at every bucket and segment.
    fn key(&self, time: i64) -> Option<Key> {
        let bucket =
            (0..self.buckets.count()).find(|&b| self.buckets.start(b) <= time && time < self.buckets.end(b))?;
        let segment = self.segments.iter().find(|s| s.from <= time && time < s.to)?;
        Some(Key { bucket: bucket as u32, group: segment.group })
    }

    /// Present readings by key.
    fn readings(&self) -> BTreeMap<Key, Vec<(i64, i64)>> {
        let mut found: BTreeMap<Key, Vec<(i64, i64)>> = BTreeMap::new();
        for (&time, &value) in self.time.iter().zip(&self.values).filter(|(_, v)| **v != ABSENT) {
            if let Some(key) = self.key(time) {
                found.entry(key).or_default().push((time, value));
            }
        }
        found
    }
}

/// Cases over buckets of several widths, zones and segments. Readings begin an hour before the first bucket.
fn cases(values: impl Fn(&mut Random) -> i64 + Copy) -> Vec<Case> {
    let mut random = Random(7);
    // The last Sunday of March 2026, when Prague and New Zealand's neighbours differ, and one without a change.
    let from = Time(1_774_742_400_000_000 - 2 * HOUR);
    let mut cases = Vec::new();
    let spans = [
        (Bucket::Duration(SECOND), 300 * SECOND, 5),
        (Bucket::Duration(900 * SECOND), 6 * HOUR, 200),
        (Bucket::Duration(7 * HOUR), 3 * DAY, 900),
        (Bucket::Day, 4 * DAY, 3000),
        (Bucket::Week, 20 * DAY, 20_000),
        (Bucket::Month, 70 * DAY, 40_000),
        (Bucket::Year, 400 * DAY, 300_000),
    ];
    for (bucket, length, step) in spans {
        for zone in ["Europe/Prague", "America/New_York", "Australia/Lord_Howe"] {
            let zone = Zone::parse(zone).expect("a zone");
            let span = bucket.widen(Span { from, to: from.plus(length) }, &zone);
            let edges = bucket.edges(span, &zone, 10_000).expect("few buckets");
            let width = if let Bucket::Duration(width) = bucket { Some(width) } else { None };
            let buckets = Buckets::new(edges, width);
            let (first, last) = (buckets.from(), buckets.to());
            let (time, values) = series(&mut random, first - HOUR, last + HOUR, step, values);
            let hour = |share: i64| Time(first + (last - first) / 7 * share).0 / SECOND * SECOND;
            let whole = vec![Segment { from: first, to: last, group: 0 }];
            let moving = vec![
                Segment { from: first, to: hour(2), group: 1 },
                Segment { from: hour(2), to: hour(3), group: 0 },
                Segment { from: hour(3), to: hour(4), group: 1 },
                Segment { from: hour(5), to: last, group: 2 },
            ];
            for (segments, now) in [(whole, i64::MAX), (moving, hour(6))] {
                let (time, values) = (time.clone(), values.clone());
                cases.push(Case { buckets: buckets.clone(), segments, time, values, before: None, now });
            }
        }
    }
    cases
}

#[test]
fn gauges_and_counts() {
    for scale in [0, 1] {
        let field = field(Kind::Gauge, scale);
        for case in cases(|random| random.below(2_000) - 500) {
            let cells = case.cells(&field);
            let looped = case.readings();
            assert_eq!(cells.keys().collect::<Vec<_>>(), looped.keys().collect::<Vec<_>>());
            for (key, readings) in looped {
                let value = |function| value::value(&cells[&key], &field, function, HOUR);
                let values = || readings.iter().map(|(_, value)| i128::from(*value));
                let (sum, n) = (values().sum::<i128>(), readings.len() as i128);
                assert_eq!(value(Function::N), Some(n));
                assert_eq!(value(Function::Sum), Some(sum));
                assert_eq!(value(Function::Min), values().min());
                assert_eq!(value(Function::Max), values().max());
                assert_eq!(value(Function::Last), readings.last().map(|(_, value)| i128::from(*value)));
                assert_eq!(value(Function::Rate), Some(sum * 10_000));
                let away = (sum.abs() * 20_000 + n) / (2 * n) * sum.signum();
                assert_eq!(value(Function::Mean), Some(away));
            }
        }
    }
}

#[test]
fn meters_grow_across_buckets_and_resets() {
    let field = field(Kind::Cumulative, 0);
    for mut case in cases(|random| random.below(1_000)) {
        // A meter that grows and now and then begins again.
        let mut meter = 0;
        for value in case.values.iter_mut().filter(|value| **value != ABSENT) {
            meter = if *value < 30 { *value } else { meter + *value };
            *value = meter;
        }
        case.before = Some((case.time[0] - DAY, 5));
        let (mut looped, mut before) = (BTreeMap::<Key, i128>::new(), (case.time[0] - DAY, 5));
        for (&time, &value) in case.time.iter().zip(&case.values).filter(|(_, v)| **v != ABSENT) {
            let growth = if value >= before.1 { value - before.1 } else { value };
            if let Some(key) = case.key(time) {
                *looped.entry(key).or_default() += i128::from(growth);
            }
            before = (time, value);
        }
        let cells = case.cells(&field);
        let found: BTreeMap<Key, i128> = cells
            .iter()
            .map(|(key, cell)| (*key, value::value(cell, &field, Function::Increase, 1).expect("an increase")))
            .collect();
        assert_eq!(found, looped);
    }
}

#[test]
fn a_meter_silent_for_longer_than_a_year_starts_anew() {
    let field = field(Kind::Cumulative, 0);
    let day = |d: i64| d * DAY;
    let buckets = Buckets::new(vec![Time(day(400)), Time(day(800))], None);
    let increase = |before, time: Vec<i64>, values: Vec<i64>| {
        let segments = vec![Segment { from: day(400), to: day(800), group: 0 }];
        let case = Case { buckets: buckets.clone(), segments, time, values, before, now: i64::MAX };
        let cells = case.cells(&field);
        value::value(cells.values().next().expect("a cell"), &field, Function::Increase, 1)
    };
    assert_eq!(increase(Some((day(50), 100)), vec![day(410)], vec![170]), Some(70));
    assert_eq!(increase(Some((day(30), 100)), vec![day(410)], vec![170]), Some(0));
    assert_eq!(increase(None, vec![day(410)], vec![170]), Some(0));
    assert_eq!(increase(None, vec![day(399), day(410), day(411)], vec![160, 170, 4]), Some(14));
}

#[test]
fn states_stand_until_the_next_reading_or_their_hold() {
    let hold = 400 * SECOND;
    let kind = Kind::State { values: ["a", "b", "c"].map(Arc::from).to_vec(), hold };
    let field = field(kind, 0);
    for case in cases(|random| random.below(3)) {
        if case.buckets.to() - case.buckets.from() > 40 * DAY {
            // The loop below looks at every second.
            continue;
        }
        let mut looped = BTreeMap::<Key, [i64; 3]>::new();
        let (mut row, mut standing) = (0, None);
        let mut second = case.time[0];
        while second < case.buckets.to() {
            while row < case.time.len() && case.time[row] <= second {
                if case.values[row] != ABSENT {
                    standing = Some((case.time[row], case.values[row]));
                }
                row += 1;
            }
            if let (Some((since, state)), Some(key)) = (standing, case.key(second))
                && second < since + hold
                && second < case.now
            {
                looped.entry(key).or_default()[state as usize] += SECOND;
            }
            second += SECOND;
        }
        let cells = case.cells(&field);
        let mut found = BTreeMap::<Key, [i64; 3]>::new();
        for (key, cell) in &cells {
            let Sums::State(times) = &cell.sums else { panic!("a state's cell") };
            if times.iter().any(|&time| time > 0) {
                found.insert(*key, [times[0], times[1], times[2]]);
            }
            let readings = case.readings();
            assert_eq!(cell.n, readings.get(key).map_or(0, |r| r.len() as i64));
            assert_eq!(cell.last.map(|l| l.value), readings.get(key).and_then(|r| r.last()).map(|r| r.1));
        }
        assert_eq!(found, looped);
        for (key, times) in looped {
            let all: i64 = times.iter().sum();
            let share = value::value(&cells[&key], &field, Function::Share(1), 1).expect("a share");
            assert!((share as f64 / 10_000.0 - times[1] as f64 / all as f64).abs() <= 0.000_05);
        }
    }
}

#[test]
fn levels_and_angles_are_close_to_floating_point() {
    let (level, angle) = (field(Kind::Level, 1), field(Kind::Angle, 1));
    for case in cases(|random| random.below(1_200)) {
        let (levels, angles) = (case.cells(&level), case.cells(&angle));
        for (key, readings) in case.readings() {
            let n = readings.len() as f64;
            let energy: f64 = readings.iter().map(|(_, v)| 10_f64.powf(*v as f64 / 100.0)).sum();
            let mean = value::value(&levels[&key], &level, Function::Mean, 1).expect("a mean");
            assert!((mean as f64 - 10.0 * (energy / n).log10() * 100_000.0).abs() < 0.51);
            let directions = readings.iter().map(|(_, v)| (*v as f64 / 10.0).to_radians().sin_cos());
            let (sin, cos) = directions.fold((0.0, 0.0), |sum, d| (sum.0 + d.0, sum.1 + d.1));
            let degrees = sin.atan2(cos).to_degrees().rem_euclid(360.0);
            let mean = value::value(&angles[&key], &angle, Function::Mean, 1).expect("a direction");
            assert!((mean as f64 - degrees * 100_000.0).abs() < 0.51, "{mean} {degrees}");
        }
    }
}

#[test]
fn cells_merge_in_any_order() {
    let fields = [
        field(Kind::Gauge, 1),
        field(Kind::Cumulative, 0),
        field(Kind::State { values: ["a", "b", "c"].map(Arc::from).to_vec(), hold: HOUR }, 0),
        field(Kind::Level, 1),
        field(Kind::Angle, 1),
    ];
    for field in fields {
        for case in cases(|random| random.below(3)).into_iter().step_by(5) {
            let cells: Vec<Cell> = case.cells(&field).into_values().collect();
            let merged = |order: &mut dyn Iterator<Item = &Cell>| {
                let mut sum = order.next().expect("a cell").clone();
                order.for_each(|cell| sum.merge(cell));
                sum
            };
            assert_eq!(merged(&mut cells.iter()), merged(&mut cells.iter().rev()));
            // All buckets merged are one bucket over all, where no group is left and entered again.
            if case.segments.len() == 1 {
                let (from, to) = (Time(case.buckets.from()), Time(case.buckets.to()));
                let one = Case { buckets: Buckets::new(vec![from, to], None), ..case };
                let whole = one.cells(&field).into_values().next().expect("a cell");
                assert_eq!(merged(&mut cells.iter()), whole);
            }
        }
    }
}

#[test]
fn the_newest_value_of_several_sensors_is_that_of_the_first_by_id() {
    let last = |time, rank, value| Some(Last { time, rank, value });
    let cases = [
        (last(5, 1, 10), last(6, 2, 20), last(6, 2, 20)),
        (last(6, 1, 10), last(6, 2, 20), last(6, 1, 10)),
        (None, last(6, 2, 20), last(6, 2, 20)),
    ];
    for (a, b, newer) in cases {
        assert_eq!(Last::newer(a, b), newer);
        assert_eq!(Last::newer(b, a), newer);
    }
}

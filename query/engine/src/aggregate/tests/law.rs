//! The law of tiers, for reading: windows and raw rows in any mix come to what raw rows alone come to.

use super::super::quantile::Counting;
use super::super::window::Strip;
use super::*;
use crate::columns::{Output, functions, outputs};
use crate::testing::dataset;
use crate::tiers::cover::{Dirt, Rung, cover, cover_cut};
use crate::tiers::rungs::serves;
use crate::tiers::{Rungs, Stretch, Wanted, Windows};
use schemas::Dataset;
use schemas::circle::Vector;
use schemas::sketch::Sketch;
use store::tier::columns::{self, Part as Column};
use store::{Keys, Rollup, Tier, Values};

const QUARTER: i64 = HOUR / 4;

/// One sensor's readings of one field, how they are asked for, and how much of them is in tiers.
struct Town {
    dataset: Dataset,
    outputs: Vec<Output>,
    time: Vec<i64>,
    values: Vec<i64>,
    buckets: Buckets,
    segments: Vec<Segment>,
    now: i64,
}

/// The integers a window's readings come to, by plain loops.
fn window(field: &Field, part: Column, (start, end): (i64, i64), readings: &[(i64, i64)]) -> Result<i128, Vec<u8>> {
    let values: Vec<i64> = readings.iter().map(|(_, value)| *value).collect();
    let (first, last) = (readings[0], readings[readings.len() - 1]);
    assert!(start <= first.0 && last.0 < end);
    let directions = || {
        values.iter().fold(Vector::default(), |mut sum, &value| {
            sum += Vector::of(value, field.resolution);
            sum
        })
    };
    Ok(match part {
        Column::N => readings.len() as i128,
        Column::Sum => values.iter().map(|&value| i128::from(value)).sum(),
        Column::Min => values.iter().copied().min().expect("one").into(),
        Column::Max => values.iter().copied().max().expect("one").into(),
        Column::First => first.1.into(),
        Column::FirstAt => first.0.into(),
        Column::Last => last.1.into(),
        Column::LastAt => last.0.into(),
        Column::Increase => values.windows(2).map(|w| i128::from(if w[1] < w[0] { w[1] } else { w[1] - w[0] })).sum(),
        Column::Micros(word) => {
            let Kind::State { hold, .. } = field.kind else { panic!("a state") };
            let next = |i: usize| readings.get(i + 1).map_or(end, |(time, _)| *time);
            let own = readings.iter().enumerate().filter(|(_, (_, value))| *value == word as i64);
            own.map(|(i, (time, _))| i128::from((next(i) - time).min(hold))).sum()
        }
        Column::Energy => values.iter().map(|&value| schemas::energy::energy(value, field.resolution)).sum(),
        Column::Sin => directions().sin,
        Column::Cos => directions().cos,
        Column::Sketch => return Err(Sketch::of(&values).encode()),
    })
}

impl Town {
    fn field(&self) -> &Field {
        &self.dataset.fields[0]
    }

    /// The tier's rows of all windows with readings.
    fn rollup(&self, tier: Tier, windows: &Windows) -> Rollup {
        let mut by_window: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
        for (&time, &value) in self.time.iter().zip(&self.values).filter(|(_, value)| **value != ABSENT) {
            by_window.entry(windows.down(time)).or_default().push((time, value));
        }
        let time: Vec<i64> = by_window.keys().copied().collect();
        let column = |column: columns::Column| {
            let all: Vec<_> = by_window
                .iter()
                .map(|(start, readings)| window(self.field(), column.part, (*start, windows.end(*start)), readings))
                .collect();
            Some(Arc::new(if column.part == Column::Sketch {
                let blobs: Vec<Vec<u8>> = all.into_iter().map(|blob| blob.expect_err("bytes")).collect();
                let ends = blobs.iter().scan(0, |end, blob| {
                    *end += blob.len() as u32;
                    Some(*end)
                });
                Values::Bytes { ends: ends.collect(), bytes: blobs.concat() }
            } else if matches!(column.part, Column::Energy | Column::Sin | Column::Cos) {
                Values::Wide(all.into_iter().map(|value| value.expect("a number")).collect())
            } else {
                Values::of(all.into_iter().map(|value| value.expect("a number") as i64).collect())
            }))
        };
        let columns = columns::columns(&self.dataset, tier).into_iter().map(column).collect();
        let keys = Keys { sensors: vec![7], ends: vec![time.len() as u32], time };
        Rollup { keys: Arc::new(keys), columns }
    }

    /// The values of all functions by key, read by stretches.
    fn answer(&self, stretches: &[Stretch], rungs: &[Rung]) -> BTreeMap<Key, Vec<Option<i128>>> {
        let frame = Frame { segments: &self.segments, buckets: &self.buckets, rank: 0, now: self.now };
        let exact = |output: &Output| matches!(output.function, Function::Quantile { sketch: false, .. });
        let counting = if self.outputs.iter().any(exact) { Counting::Values } else { Counting::Bins };
        let sort = Sort { kind: &self.field().kind, resolution: self.field().resolution, counting: Some(counting) };
        let mut tally = Tally::new(sort, frame, None);
        let wanted = Wanted::of(&self.dataset, &self.outputs);
        for stretch in stretches {
            let Some(rung) = rungs.iter().find(|rung| Some(rung.tier) == stretch.tier) else {
                let from = self.time.partition_point(|&time| time < stretch.from);
                let to = self.time.partition_point(|&time| time < stretch.to);
                let time = &self.time[from..to];
                let parts = self.buckets.parts(time, &self.segments);
                tally.rows(Rows { time, values: &self.values[from..to], parts: &parts });
                continue;
            };
            let rollup = self.rollup(rung.tier, &rung.windows);
            let from = rollup.keys.time.partition_point(|&time| time < stretch.from);
            let to = rollup.keys.time.partition_point(|&time| time < stretch.to);
            // As if in two files, the later first.
            let half = from + (to - from) / 2;
            let strip =
                |rows| Strip { rollup: &rollup, rows, tier: rung.tier, wanted: &wanted, windows: &rung.windows };
            let strips = [strip(half..to), strip(from..half)];
            let parts = strips.clone().map(|strip| self.buckets.parts(strip.time(), &self.segments));
            tally.windows(0, &strips, &parts);
        }
        let value = |cell: &Cell, output: &Output| value::value(cell, self.field(), output.function, HOUR);
        let row = |(key, cell): &(Key, Cell)| (*key, self.outputs.iter().map(|output| value(cell, output)).collect());
        // Time in a state without a reading is a row only where shares are asked for.
        let shares = self.outputs.iter().any(|output| matches!(output.function, Function::Share(_)));
        let cells = tally.close().into_iter().filter(|(_, cell)| cell.n > 0 || shares && stands(cell));
        cells.map(|cell| row(&cell)).collect()
    }
}

/// Whether some state stands.
fn stands(cell: &Cell) -> bool {
    matches!(&cell.sums, Sums::State(times) if times.iter().any(|&time| time > 0))
}

/// Every tier, of a dataset in a zone.
fn rungs(zone: &Zone, from: i64, to: i64, closed: [i64; 3]) -> Vec<Rung> {
    let whole = Bucket::Day.widen(Span { from: Time(from), to: Time(to) }, zone);
    let days: Vec<i64> = Bucket::Day.edges(whole, zone, 10_000).expect("few").into_iter().map(|t| t.0).collect();
    let windows = [Windows::Edges(days), Windows::Width(HOUR), Windows::Width(QUARTER)];
    let tiers = [Tier::Day, Tier::Hour, Tier::Quarter];
    let rung = |((tier, windows), closed): ((Tier, Windows), i64)| {
        let closed = windows.down(closed);
        Rung { tier, windows, closed, floor: i64::MIN }
    };
    tiers.into_iter().zip(windows).zip(closed).map(rung).collect()
}

/// The name of each function of a field, quantiles by some of theirs.
fn asked(field: &Field, exact: bool) -> Vec<String> {
    let all = functions(field).into_iter().filter(|name| !name.contains("..") && name != "coverage");
    let mut names: Vec<String> = all.map(|name| format!("{}_{name}", field.name)).collect();
    if field.quantiles {
        names.extend([5, 50, 95].map(|p| format!("{}_p{p}{}", field.name, if exact { "" } else { "_sketch" })));
    }
    names
}

/// Tiers that hold all that is asked for.
fn serving(town: &Town, all: &[Rung]) -> Rungs {
    let serves = |rung: &&Rung| town.outputs.iter().all(|output| serves(&town.dataset, output, rung.tier));
    Rungs { all: all.iter().filter(serves).cloned().collect(), cuts: Vec::new() }
}

/// A town of one field in a zone, with readings about a change of its clocks.
fn town(random: &mut Random, field: usize, zone: &str, bucket: Bucket, moving: bool) -> (Town, Vec<Rung>) {
    let mut dataset = (*dataset("town")).clone();
    let mut field = dataset.fields[field].clone();
    field.quantiles = matches!(field.kind, Kind::Gauge | Kind::Count | Kind::Level);
    dataset.zone = Zone::parse(zone).expect("a zone");
    // Spring and autumn of 2026 in Prague and New York; Lord Howe's April and October.
    let changes = [1_774_742_400, 1_792_886_400, 1_772_956_800, 1_793_505_600, 1_775_314_800, 1_791_039_600];
    let middle = changes[random.below(6) as usize] * SECOND;
    let length = if matches!(bucket, Bucket::Week | Bucket::Month) { 20 * DAY } else { 3 * DAY };
    let span = bucket.widen(Span { from: Time(middle - length / 2), to: Time(middle + length / 2) }, &dataset.zone);
    let edges = bucket.edges(span, &dataset.zone, 100_000).expect("few");
    let buckets = Buckets::new(edges, if let Bucket::Duration(width) = bucket { Some(width) } else { None });
    let (first, last) = (span.from.0, span.to.0);
    let step = ((last - first) / SECOND / 2_000) as u64;
    let most = if matches!(field.kind, Kind::State { .. }) { 2 } else { 1_200 };
    let (time, values) = series(random, first - 2 * DAY, last, step.max(30), |random| random.below(most));
    let hour = |share: i64| Time(first + (last - first) / 7 * share).hour().0;
    let segments = match moving {
        false => vec![Segment { from: first, to: last, group: 0 }],
        true => vec![
            Segment { from: first, to: hour(2), group: 1 },
            Segment { from: hour(2), to: hour(3), group: 0 },
            Segment { from: hour(4), to: last, group: 1 },
        ],
    };
    let mut at = || first - DAY + random.below((last - first + 2 * DAY) as u64);
    let closed = [at(), at(), at()];
    let now = closed.iter().copied().max().expect("three").max(first);
    let all = rungs(&dataset.zone, first - 3 * DAY, last, closed);
    dataset.fields = vec![field];
    (Town { dataset, outputs: Vec::new(), time, values, buckets, segments, now }, all)
}

#[test]
fn windows_and_raw_rows_in_any_mix_come_to_what_raw_rows_come_to() {
    let mut random = Random(13);
    let minutes = |minutes: i64| Bucket::Duration(minutes * 60 * SECOND);
    let buckets = [minutes(15), minutes(60), minutes(180), minutes(1440), Bucket::Day, Bucket::Week, Bucket::Month];
    let zones = ["Europe/Prague", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
    let mut read = BTreeMap::<Option<Tier>, usize>::new();
    for case in 0..6 * buckets.len() * zones.len() {
        let (field, bucket) = (case % 6, buckets[case / 6 % buckets.len()]);
        let (mut town, all) = town(&mut random, field, zones[case / 6 / buckets.len()], bucket, case % 5 < 2);
        let names = asked(town.field(), false);
        // One by one they are read from more tiers than together.
        let single = names.iter().map(std::slice::from_ref).filter(|_| case % 4 == 0);
        for name in single.chain([&names[..]]) {
            town.outputs = outputs(&town.dataset, name).expect("columns");
            let any = serving(&town, &all);
            let usable = any.within(town.buckets.edges(), &town.dataset.zone);
            let (from, to) = (town.buckets.from(), town.buckets.to());
            let quarters: Vec<i64> =
                (0..random.below(8)).map(|_| from - DAY + random.below((to - from + DAY) as u64)).collect();
            let mut quarters: Vec<i64> = quarters.into_iter().map(|q| q - q.rem_euclid(QUARTER)).collect();
            quarters.sort_unstable();
            let dirt = Dirt { quarters: &quarters, frozen: &|_, _| false };
            let mut mixed = Vec::new();
            // Before the span any tier will do that serves.
            cover(&any.all, (from - 2 * DAY, from), dirt, &mut mixed);
            cover_cut(&usable, (from, to), &town.segments, dirt, &mut mixed);
            mixed.iter().for_each(|stretch| *read.entry(stretch.tier).or_default() += 1);
            let raw = [Stretch { from: from - 2 * DAY, to, tier: None }];
            let (law, found) = (town.answer(&raw, &[]), town.answer(&mixed, &all));
            assert!(!law.is_empty());
            let wrong = law.iter().find(|(key, row)| found.get(*key) != Some(row));
            let wrong = wrong.map(|(key, row)| (key, row, found.get(key)));
            let what = (&town.field().name, bucket, town.dataset.zone.name(), name);
            assert_eq!((wrong, found.len()), (None, law.len()), "{what:?} {mixed:?}");
        }
    }
    assert!(read.len() == 4 && read.values().all(|&times| times > 100), "{read:?}");
}

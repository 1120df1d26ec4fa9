//! The law, checked against a plain computation: in every state, a tier's row that is clean equals the aggregate of its rows.

use crate::testing::bed::{ALWAYS, Bed, Rows};
use crate::tier::columns::{Column, Part, columns};
use crate::{Rollup, Snapshot, Tier};
use schemas::circle::Vector;
use schemas::energy::energy;
use schemas::sketch::Sketch;
use schemas::time::HOUR;
use schemas::{ABSENT, Dataset, Kind, Span, Time};
use std::collections::BTreeMap;

/// What a column holds in a row, in a form that compares.
#[derive(Clone, Debug, PartialEq)]
enum Held {
    Whole(Option<i128>),
    Counts(Vec<u8>),
}

/// Rows of a tier by (sensor, start of the window).
type Tiers = BTreeMap<(String, i64), Vec<Held>>;

/// Instant and values of a reading.
type Reading<'a> = (i64, &'a Vec<i64>);

/// Checks all tiers of a bed's newest snapshot against the rows there should be.
pub(super) async fn check(bed: &Bed, truth: &Rows) {
    let snapshot = bed.snapshot();
    let dirty = snapshot.dirty(ALWAYS, None).await.unwrap();
    for tier in Tier::ALL {
        let (closed, floor) = (snapshot.closed(tier), snapshot.floor(tier));
        let found = stored(&snapshot, tier).await;
        let expected = plain(&snapshot.dataset, tier, truth);
        let keys = found.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>();
        for key in keys {
            let window = tier.window(Time(key.1), &snapshot.dataset.zone);
            assert_eq!(window.from.0, key.1, "{} rows begin with their windows", tier.name());
            if found.contains_key(key) {
                assert!(
                    window.from < closed && window.from >= floor,
                    "{} {key:?} is not closed, or dropped",
                    tier.name()
                );
            }
            let is_dirty = snapshot.sensor(&key.0).is_some_and(|s| dirty.of(s).iter().any(|q| window.holds(Time(*q))));
            let frozen = snapshot.gone(window).is_some();
            if window.from < closed && window.from >= floor && !is_dirty && !frozen {
                assert_eq!(found.get(key), expected.get(key), "{} {key:?} at closed {closed}", tier.name());
            }
        }
    }
}

/// How many rows of each tier are stored.
pub(super) async fn counts(bed: &Bed) -> [usize; 3] {
    let snapshot = bed.snapshot();
    let mut counts = [0; 3];
    for tier in Tier::ALL {
        counts[tier as usize] = stored(&snapshot, tier).await.len();
    }
    counts
}

async fn stored(snapshot: &Snapshot, tier: Tier) -> Tiers {
    let columns = columns(&snapshot.dataset, tier);
    let all: Vec<usize> = (0..columns.len()).collect();
    let rollups = snapshot.load_tier(tier, ALWAYS, None, &all).await.unwrap();
    let mut rows = Tiers::new();
    for rollup in &rollups {
        for (sensor, own) in rollup.keys.each() {
            for row in own {
                let id = snapshot.sensors.ids[sensor as usize].to_string();
                let key = (id, rollup.keys.time[row]);
                let held = columns.iter().enumerate().map(|(n, c)| held(rollup, n, c, row));
                assert!(
                    rows.insert(key.clone(), held.collect()).is_none(),
                    "{key:?} is in two files of {}",
                    tier.name()
                );
            }
        }
    }
    rows
}

fn held(rollup: &Rollup, number: usize, column: &Column, row: usize) -> Held {
    let values = rollup.columns[number].as_deref();
    match column.part {
        Part::Sketch => Held::Counts(values.map_or(Vec::new(), |v| v.blob(row).to_vec())),
        Part::N => Held::Whole(Some(values.and_then(|v| v.wide(row)).unwrap_or(0))),
        _ => Held::Whole(values.and_then(|v| v.wide(row))),
    }
}

/// The rows of a tier as the rules define them, one by one.
fn plain(dataset: &Dataset, tier: Tier, truth: &Rows) -> Tiers {
    let mut windows: BTreeMap<(String, i64), Vec<Reading<'_>>> = BTreeMap::new();
    for ((sensor, time), values) in truth {
        let start = tier.window(Time(*time), &dataset.zone).from.0;
        windows.entry((sensor.clone(), start)).or_default().push((*time, values));
    }
    windows.retain(|_, rows| rows.iter().any(|(_, values)| values.iter().any(|v| *v != ABSENT)));
    let all = columns(dataset, tier);
    let row = |(key, rows): ((String, i64), Vec<Reading<'_>>)| {
        let window = tier.window(Time(key.1), &dataset.zone);
        let held = all.iter().map(|column| {
            let own: Vec<(i64, i64)> =
                rows.iter().map(|(t, v)| (*t, v[column.field])).filter(|r| r.1 != ABSENT).collect();
            part(dataset, column, &own, window)
        });
        (key, held.collect())
    };
    windows.into_iter().map(row).collect()
}

fn part(dataset: &Dataset, column: &Column, rows: &[(i64, i64)], window: Span) -> Held {
    let field = &dataset.fields[column.field];
    let values = || rows.iter().map(|row| row.1);
    let some = |whole: i128| Held::Whole((!rows.is_empty()).then_some(whole));
    let end = |row: Option<&(i64, i64)>, of: fn(&(i64, i64)) -> i64| Held::Whole(row.map(|row| i128::from(of(row))));
    match column.part {
        Part::N => Held::Whole(Some(rows.len() as i128)),
        Part::Sum => some(values().map(i128::from).sum()),
        Part::Min => Held::Whole(values().min().map(i128::from)),
        Part::Max => Held::Whole(values().max().map(i128::from)),
        Part::First => end(rows.first(), |row| row.1),
        Part::FirstAt => end(rows.first(), |row| row.0),
        Part::Last => end(rows.last(), |row| row.1),
        Part::LastAt => end(rows.last(), |row| row.0),
        Part::Increase => some(
            rows.windows(2).map(|p| i128::from(if p[1].1 >= p[0].1 { p[1].1 - p[0].1 } else { p[1].1.max(0) })).sum(),
        ),
        Part::Micros(word) => {
            let Kind::State { hold, .. } = field.kind else { panic!("only states stand") };
            let until = |n: usize| rows.get(n + 1).map_or(window.to.0, |next| next.0).min(rows[n].0 + hold);
            let standing = (0..rows.len()).filter(|&n| rows[n].1 == word as i64);
            some(standing.map(|n| i128::from(until(n) - rows[n].0)).sum())
        }
        Part::Energy => some(values().map(|v| energy(v, field.resolution)).sum()),
        Part::Sin => some(values().map(|v| Vector::of(v, field.resolution).sin).sum()),
        Part::Cos => some(values().map(|v| Vector::of(v, field.resolution).cos).sum()),
        Part::Sketch => Held::Counts(Sketch::of(&values().collect::<Vec<_>>()).encode()),
    }
}

/// A day of readings each quarter hour of one sensor, closed but for its end.
#[tokio::test]
async fn windows_are_closed_once_their_time_is_over() {
    let bed = Bed::new(vec![crate::testing::of_kinds("Europe/Prague")]).await;
    let mut truth = Rows::new();
    let start = 1_600_000_000_000_000 / HOUR * HOUR;
    for hour in 0..60 {
        let time = start + hour * HOUR / 2;
        let values = [(0, 400 + hour), (1, hour), (2, hour * 10), (3, hour % 3), (4, 400), (5, hour)];
        bed.put(&[("a", time, &values)]).await;
        truth.insert(("a".into(), time), values.iter().map(|v| v.1).collect());
    }
    check(&bed, &truth).await;
    assert_eq!(counts(&bed).await, [0; 3], "nothing is closed while rows are hot");
    bed.settle().await.unwrap();
    check(&bed, &truth).await;
    let snapshot = bed.snapshot();
    let last = start + 59 * HOUR / 2;
    assert_eq!(
        snapshot.closed(Tier::Quarter).0,
        last - HOUR / 4,
        "up to settle before the newest reading of a silent dataset"
    );
    assert_eq!(snapshot.closed(Tier::Hour).0, last / HOUR * HOUR);
    assert_eq!(counts(&bed).await, [59, 29, 1]);
    assert_eq!(snapshot.closed_until(), snapshot.closed(Tier::Quarter));
}

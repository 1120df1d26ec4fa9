//! Runs against a map that is plainly right.

use super::overlay::{View, overlay_all};
use super::sort::{Arrived, sort};
use super::split::{at_limits, by_day};
use super::*;
use crate::testing::{Dice, dataset};
use schemas::{ABSENT, Batch, Time};
use std::collections::BTreeMap;

type Map = BTreeMap<(u32, i64), Vec<i64>>;

fn rows(run: &Run) -> Map {
    run.keys
        .each()
        .flat_map(|(sensor, rows)| rows.map(move |row| (sensor, row)))
        .map(|(sensor, row)| {
            ((sensor, run.keys.time[row]), (0..run.columns.len()).map(|f| run.value(f, row)).collect())
        })
        .collect()
}

fn lay(map: &mut Map, key: (u32, i64), values: &[i64]) {
    let row = map.entry(key).or_insert_with(|| vec![ABSENT; values.len()]);
    row.iter_mut().zip(values).filter(|(_, v)| **v != ABSENT).for_each(|(old, v)| *old = *v);
}

fn check(run: &Run) {
    assert!(run.keys.sensors.is_sorted_by(|a, b| a < b));
    assert!(
        run.keys.each().all(|(_, rows)| !rows.is_empty() && run.keys.time[rows.clone()].is_sorted_by(|a, b| a < b))
    );
    assert_eq!(run.keys.ends.last().copied().unwrap_or(0) as usize, run.len());
    assert!(run.columns.iter().flatten().all(|c| c.len() == run.len()));
}

/// A random batch, the numbers of its sensors, and the same rows in a map.
fn random(dice: &mut Dice, most: u64) -> (Batch, Vec<u32>, Map) {
    let mut batch = Batch::new(dataset("d", 3));
    let sensors = 1 + dice.below(5) as u32;
    batch.sensors = (0..sensors).map(|s| format!("s{s}").into()).collect();
    let mut numbers: Vec<u32> = (0..sensors).map(|s| s * 3 % 7).collect();
    if dice.below(4) == 0 {
        numbers[0] = numbers[sensors as usize - 1];
    }
    let mut map = Map::new();
    let wide = 1 + dice.below(30);
    let empty = dice.below(4);
    for _ in 0..dice.below(most) {
        let s = dice.below(u64::from(sensors)) as u32;
        let time = dice.below(wide) as i64;
        let values: Vec<i64> =
            (0..3).map(|f| if f == empty || dice.below(3) == 0 { ABSENT } else { dice.below(100) as i64 }).collect();
        batch.sensor.push(s);
        batch.time.push(time);
        batch.columns.iter_mut().zip(&values).for_each(|(c, v)| c.push(*v));
        lay(&mut map, (numbers[s as usize], time), &values);
    }
    (batch, numbers, map)
}

#[test]
fn a_batch_is_sorted_and_its_later_rows_win() {
    let mut dice = Dice(1);
    for _ in 0..500 {
        let (batch, numbers, map) = random(&mut dice, 60);
        let run = sort_batch(&batch, &numbers);
        check(&run);
        assert_eq!(rows(&run), map);
        assert!(run.columns.iter().flatten().all(|c| c.iter().any(|v| *v != ABSENT)), "an empty column is nothing");
    }
}

#[test]
fn parts_are_sorted_together_and_those_that_are_held_stay() {
    let mut dice = Dice(4);
    for _ in 0..300 {
        // Sensors whose numbers lie far apart too.
        let apart = [1, 10_000][dice.below(2) as usize];
        let (mut map, mut parts) = (Map::new(), Vec::new());
        for _ in 0..1 + dice.below(5) {
            let (batch, mut numbers, some) = random(&mut dice, 60);
            numbers.iter_mut().for_each(|number| *number *= apart);
            some.iter().for_each(|((sensor, time), values)| lay(&mut map, (sensor * apart, *time), values));
            parts.push(Arc::new(Arrived::of(batch, &numbers)));
        }
        let held: Vec<_> = parts.iter().filter(|_| dice.below(2) == 0).cloned().collect();
        for run in [sort(parts.clone(), 3), sort(parts, 3)] {
            check(&run);
            assert_eq!(rows(&run), map);
        }
        assert!(held.iter().all(|part| part.bytes() >= 12 * part.len()));
    }
}

#[test]
fn merging_lays_later_runs_over_earlier_ones() {
    let mut dice = Dice(2);
    for _ in 0..500 {
        let mut map = Map::new();
        let mut runs = Vec::new();
        for _ in 0..dice.below(8) {
            let (batch, numbers, some) = random(&mut dice, 40);
            runs.push(sort_batch(&batch, &numbers));
            some.iter().for_each(|(key, values)| lay(&mut map, *key, values));
        }
        let run = merge(&runs, 3);
        check(&run);
        assert_eq!(run.columns.len(), 3);
        assert_eq!(rows(&run), map);
        for sensor in 0..8 {
            let views: Vec<View<'_>> = runs
                .iter()
                .filter(|r| !r.keys.rows(sensor).is_empty())
                .map(|r| View::of(r, r.keys.rows(sensor)))
                .collect();
            let one = overlay_all(&views);
            let times: Vec<i64> = map.keys().filter(|k| k.0 == sensor).map(|k| k.1).collect();
            assert_eq!(one.time, times);
        }
    }
}

#[test]
fn cutting_by_limit_and_day_keeps_every_row() {
    let mut dice = Dice(3);
    for _ in 0..300 {
        let (mut batch, numbers, _) = random(&mut dice, 60);
        batch.time.iter_mut().for_each(|t| *t *= schemas::time::DAY / 4);
        let run = sort_batch(&batch, &numbers);
        let limit = |s: u32| i64::from(s) * schemas::time::DAY;
        let (up_to, after) = at_limits(&run.keys, limit);
        let mut all = Map::new();
        for (late, picked) in [(true, up_to), (false, after)] {
            for (day, part) in by_day(&run, &picked) {
                check(&part);
                for (key, values) in rows(&part) {
                    assert_eq!(Time(key.1).day(), day);
                    assert_eq!(key.1 <= limit(key.0), late);
                    assert!(all.insert(key, values).is_none());
                }
            }
        }
        assert_eq!(all, rows(&run));
    }
}

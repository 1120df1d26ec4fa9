//! Files come back as the runs they were, and damage is named.

mod size;

use super::*;
use crate::paths::{FileName, Layer};
use crate::tier::columns::{Part, columns};
use crate::tier::values::Values;
use crate::{Error, Keys, Kind, LogId, Position, Rollup, Run, SensorTable, Tier};
use bytes::Bytes;
use schemas::{
    ABSENT, Access, Cadence, Dataset, Day, Field, Keep, Keeps, Resolution, Text, Unit, UnknownSensors, Zone,
};
use std::sync::Arc;

/// A dataset with a state, a fine and a coarse gauge, a meter and a level.
pub(crate) fn dataset(id: &str) -> Dataset {
    let words = ["free", "occupied", "closed"].map(Arc::from).to_vec();
    Dataset {
        id: id.into(),
        title: Text::new(),
        description: Text::new(),
        license: "CC0-1.0".into(),
        publisher: "Test".into(),
        access: Access::Public,
        zone: Zone::utc(),
        every: Cadence::Every(60_000_000),
        unknown_sensors: UnknownSensors::Accept,
        max_sensors: 1000,
        keep: Keeps { raw: Keep::Forever, quarter: Keep::Forever, hour: Keep::Forever, day: Keep::Forever },
        fields: vec![
            field("co2", schemas::Kind::Gauge, 0, (0, 10_000)),
            field("temperature", schemas::Kind::Gauge, 2, (-9_000, 9_000)),
            field("energy", schemas::Kind::Cumulative, 3, (0, 1_000_000_000_000)),
            field("place", schemas::Kind::State { values: words, hold: 0 }, 0, (0, 2)),
            field("noise", schemas::Kind::Level, 1, (0, 2000)),
        ],
        sources: Vec::new(),
        sensors_file: None,
        sensors: Vec::new(),
        version: 1,
    }
}

/// A field of a dataset.
pub(crate) fn field(name: &str, kind: schemas::Kind, scale: u8, range: (i64, i64)) -> Field {
    let unit = Unit { code: "1".into(), dimension: "number", factor: (1, 1), offset: (0, 1) };
    let resolution = Resolution::of_scale(scale).unwrap();
    Field { name: name.into(), title: Text::new(), unit, kind, resolution, range, quantiles: false }
}

/// A table of sensor ids.
pub(crate) fn sensors(ids: &[&str]) -> SensorTable {
    SensorTable { ids: ids.iter().map(|id| Arc::from(*id)).collect() }
}

/// Numbers ids by a table; unknown ones are refused.
pub(crate) fn numbering(sensors: &SensorTable) -> Numbering {
    let ids = sensors.ids.clone();
    Arc::new(move |id| match ids.iter().position(|known| &**known == id) {
        Some(at) => Ok(at as u32),
        None => Err(Error::new(Kind::Corrupt, format!("unknown sensor {id}"))),
    })
}

/// A raw file's name.
pub(crate) fn name(day: Day, last: u64) -> FileName {
    FileName { layer: Layer::Raw { seq: 0 }, day, log: LogId(1), last: Position(last) }
}

/// A run of a day: each sensor gets `rows` rows a minute apart, with values that vary and some that lack.
pub(crate) fn run(dataset: &Dataset, sensors: &[u32], day: Day, rows: usize) -> Run {
    let mut keys = Keys::default();
    let mut columns = vec![Vec::new(); dataset.fields.len()];
    for &sensor in sensors {
        keys.sensors.push(sensor);
        for row in 0..rows as i64 {
            keys.time.push(day.start().0 + row * 60_000_001 + i64::from(sensor));
            let wave = (row * 7919 + i64::from(sensor) * 104_729) % 1000;
            columns[0].push(400 + wave);
            columns[1].push(if wave % 5 == 0 { ABSENT } else { -4000 + wave * 8 });
            columns[2].push(if sensor == 0 { ABSENT } else { 5_000_000_000 + row * 37 });
            columns[3].push(if wave % 3 == 0 { ABSENT } else { wave % 2 });
        }
        keys.ends.push(keys.time.len() as u32);
    }
    let columns = columns.into_iter().map(|c| (!c.is_empty()).then(|| Arc::new(c))).collect();
    Run { keys: Arc::new(keys), columns }
}

/// Keys and some fields of a file as a run.
pub(crate) fn decode(
    dataset: &Dataset,
    meta: &FileMeta,
    bytes: &Bytes,
    fields: &[usize],
    number: &Numbering,
) -> Result<Run, Error> {
    let opened = Opened::read(Footer::read(dataset, meta, bytes)?, bytes, number)?;
    let layout = layout::Layout::of(dataset, None);
    let specs: Vec<_> = fields.iter().map(|ix| &layout.columns[*ix]).collect();
    let order = opened.order();
    let mut columns = vec![None; dataset.fields.len()];
    for (field, column) in fields.iter().zip(opened.longs(bytes, &order, dataset, &specs)?) {
        columns[*field] = column;
    }
    Ok(Run { keys: Arc::new(opened.keys(bytes, &order)?), columns })
}

fn written(run: &Run) -> (Dataset, SensorTable, FileMeta, Bytes) {
    let dataset = dataset("air");
    // Order of arrival is not the order of ids.
    let sensors = sensors(&["m", "z/9", "a", "ž"]);
    let (meta, bytes) = encode(&dataset, run, &sensors, name(Day(20_000), 9), Effort::Small).unwrap();
    (dataset, sensors, meta, bytes)
}

fn day() -> Day {
    Day(20_000)
}

#[test]
fn a_run_comes_back_from_its_file() {
    let run = run(&dataset("air"), &[0, 1, 2, 3], day(), 1000);
    let (dataset, sensors, meta, bytes) = written(&run);
    assert_eq!((meta.rows, meta.bytes), (4000, bytes.len() as u64));
    assert_eq!((&*meta.min_sensor, &*meta.max_sensor), ("a", "ž"));
    assert_eq!((meta.min_time, meta.max_time), (day().start().0, day().start().0 + 999 * 60_000_001 + 3));
    let back = decode(&dataset, &meta, &bytes, &[0, 1, 2, 3, 4], &numbering(&sensors)).unwrap();
    assert_eq!(back.keys, run.keys);
    assert_eq!(back.columns[..4], run.columns[..4]);
    assert_eq!(back.columns[4], None, "a field without values");
    assert_eq!(inspect("air", meta.name, &bytes).unwrap(), meta);
}

#[test]
fn only_what_is_asked_for_is_read() {
    let run = run(&dataset("air"), &[1, 2], day(), 10);
    let (dataset, sensors, meta, bytes) = written(&run);
    let back = decode(&dataset, &meta, &bytes, &[2], &numbering(&sensors)).unwrap();
    assert_eq!(back.columns[2], run.columns[2]);
    assert!([0, 1, 3, 4].iter().all(|ix| back.columns[*ix].is_none()));
}

#[test]
fn rows_of_several_row_groups_and_batches_stay_in_order() {
    let mut run = run(&dataset("air"), &[3, 7], day(), 600_000);
    let keys = Arc::get_mut(&mut run.keys).unwrap();
    keys.time = (0..1_200_000).map(|row| day().start().0 + row % 600_000).collect();
    keys.sensors = vec![1, 2];
    let (dataset, sensors, meta, bytes) = written(&run);
    let back = decode(&dataset, &meta, &bytes, &[0, 1, 2, 3], &numbering(&sensors)).unwrap();
    assert_eq!(back.keys, run.keys);
    assert_eq!(back.columns[..4], run.columns[..4]);
}

#[test]
fn a_field_added_later_is_absent_in_older_files() {
    let run = run(&dataset("air"), &[1], day(), 10);
    let (mut dataset, sensors, meta, bytes) = written(&run);
    dataset.fields.insert(0, field("rain", schemas::Kind::Count, 0, (0, 5)));
    let back = decode(&dataset, &meta, &bytes, &[0, 1], &numbering(&sensors)).unwrap();
    assert_eq!(back.columns[0], None);
    assert_eq!(back.columns[1], run.columns[0]);
}

#[test]
fn values_beyond_the_range_of_today_keep_their_digits() {
    let mut run = run(&dataset("air"), &[1], day(), 2);
    run.columns[0] = Some(Arc::new(vec![-5_000_000_000, 7]));
    let (dataset, sensors, meta, bytes) = written(&run);
    let back = decode(&dataset, &meta, &bytes, &[0], &numbering(&sensors)).unwrap();
    assert_eq!(back.columns[0], run.columns[0]);
}

#[test]
fn damage_is_named_never_a_panic_never_wrong_rows() {
    let run = run(&dataset("air"), &[1, 2], day(), 300);
    let (dataset, sensors, meta, bytes) = written(&run);
    let number = numbering(&sensors);
    std::panic::set_hook(Box::new(|_| {}));
    let mut refused = 0;
    for at in (0..bytes.len()).step_by(7) {
        for cut in [false, true] {
            let mut damaged = bytes.to_vec();
            if cut {
                damaged.truncate(at);
            } else {
                damaged[at] ^= 1 << (at % 8);
            }
            match decode(&dataset, &meta, &Bytes::from(damaged), &[0, 1, 2, 3], &number) {
                Err(e) => {
                    refused += 1;
                    assert_eq!(e.kind, Kind::Corrupt, "{e}");
                    assert!(e.message.contains("day=2024-10-04") || e.message.contains("unknown sensor"), "{e}");
                }
                Ok(back) => assert_eq!(back.keys.time.len(), 600),
            }
        }
    }
    let _ = std::panic::take_hook();
    assert!(refused > bytes.len() / 7, "{refused} of {}", bytes.len() / 7 * 2);
}

#[test]
fn a_file_that_is_not_the_one_listed_is_refused() {
    let run = run(&dataset("air"), &[1, 2], day(), 30);
    let (dataset, sensors, meta, bytes) = written(&run);
    for wrong in [FileMeta { rows: 59, ..meta.clone() }, FileMeta { max_time: meta.max_time - 1, ..meta }] {
        let refused = decode(&dataset, &wrong, &bytes, &[0], &numbering(&sensors)).unwrap_err();
        assert_eq!(refused.kind, Kind::Corrupt);
    }
}

#[test]
fn a_state_that_no_contract_lists_is_not_written() {
    let mut run = run(&dataset("air"), &[1], day(), 1);
    run.columns[3] = Some(Arc::new(vec![3]));
    let refused = encode(&dataset("air"), &run, &sensors(&["m", "z"]), name(day(), 1), Effort::Small).unwrap_err();
    assert!(refused.message.contains("field place"), "{refused}");
}

/// Rows of a tier of [`dataset`]: every part of every kind, some absent.
fn rollup(dataset: &Dataset, tier: Tier) -> Rollup {
    let mut keys = Keys::default();
    for sensor in [1, 2] {
        keys.push(sensor, (0..40).map(|window| day().start().0 + window * 900_000_000));
    }
    let value = |part: Part, row: i64| match part {
        Part::N => Some(row % 3),
        _ if row % 3 == 0 => None,
        Part::FirstAt | Part::LastAt => Some(day().start().0 + row * 900_000_001),
        Part::Last if row % 2 == 0 => Some(1),
        Part::Micros(word) => Some(word as i64 * 900_000_000),
        _ => Some(row),
    };
    let of = |column: crate::tier::columns::Column| {
        let rows = 0..keys.time.len() as i64;
        let values = match column.part {
            Part::Energy | Part::Sin => {
                let wide = |row| value(column.part, row).map_or(i128::MIN, |v| i128::from(v) * -(1 << 90));
                Values::Wide(rows.map(wide).collect())
            }
            Part::Sketch => {
                let blob = |row: i64| vec![7; (row % 3) as usize];
                let bytes: Vec<u8> = rows.clone().flat_map(blob).collect();
                let mut end = 0;
                let ends = rows.map(|row| {
                    end += row as u32 % 3;
                    end
                });
                Values::Bytes { ends: ends.collect(), bytes }
            }
            Part::Last if dataset.fields[column.field].name.as_ref() == "place" => {
                Values::of(rows.map(|row| if row % 3 == 0 { ABSENT } else { row % 2 }).collect())
            }
            part => Values::of(rows.map(|row| value(part, row).unwrap_or(ABSENT)).collect()),
        };
        Some(Arc::new(values))
    };
    Rollup { columns: columns(dataset, tier).into_iter().map(of).collect(), keys: Arc::new(keys) }
}

fn tier_name(tier: Tier) -> FileName {
    FileName { layer: Layer::Tier { tier, seq: 3 }, ..name(tier.partition(day().start()), 9) }
}

/// Keys and all columns of a tier's file.
fn decode_tier(dataset: &Dataset, tier: Tier, meta: &FileMeta, bytes: &Bytes, number: &Numbering) -> Rollup {
    let opened = Opened::read(Footer::read(dataset, meta, bytes).unwrap(), bytes, number).unwrap();
    let layout = layout::Layout::of(dataset, Some(tier));
    let order = opened.order();
    let columns = opened.values(bytes, &order, dataset, &layout.columns.iter().collect::<Vec<_>>()).unwrap();
    Rollup { keys: Arc::new(opened.keys(bytes, &order).unwrap()), columns }
}

#[test]
fn a_tiers_rows_come_back_from_their_file() {
    let mut dataset = dataset("air");
    dataset.fields[0].quantiles = true;
    dataset.fields.push(field("wind", schemas::Kind::Angle, 0, (0, 359)));
    let sensors = sensors(&["m", "z/9", "a", "ž"]);
    for tier in Tier::ALL {
        let rollup = rollup(&dataset, tier);
        let (meta, bytes) = encode_tier(&dataset, tier, &rollup, &sensors, tier_name(tier), Effort::Small).unwrap();
        let back = decode_tier(&dataset, tier, &meta, &bytes, &numbering(&sensors));
        assert_eq!(back.keys, rollup.keys);
        for (column, (was, is)) in columns(&dataset, tier).iter().zip(rollup.columns.iter().zip(&back.columns)) {
            assert_eq!(was, is, "{} of {tier:?}", column.name);
        }
        assert_eq!(inspect("air", meta.name, &bytes).unwrap(), meta);
    }
}

#[test]
fn a_tiers_columns_without_values_and_those_added_later_are_absent() {
    let (mut dataset, tier) = (dataset("air"), Tier::Hour);
    let mut rollup = rollup(&dataset, tier);
    rollup.columns[..3].fill(None);
    let sensors = sensors(&["m", "z/9", "a"]);
    let (meta, bytes) = encode_tier(&dataset, tier, &rollup, &sensors, tier_name(tier), Effort::Small).unwrap();
    dataset.fields.insert(0, field("rain", schemas::Kind::Count, 0, (0, 5)));
    let back = decode_tier(&dataset, tier, &meta, &bytes, &numbering(&sensors));
    assert!(back.columns[..4].iter().all(Option::is_none), "a field added later");
    assert_eq!(back.columns[4].as_deref(), Some(&Values::Same(0, 80)), "counts are never null");
    assert_eq!((&back.columns[5], &back.columns[6]), (&None, &None));
    assert_eq!(back.columns[7], rollup.columns[3]);
}

#[test]
fn a_tiers_sums_stay_readable_when_a_field_grows_wider() {
    let (mut dataset, tier) = (dataset("air"), Tier::Hour);
    let (rollup, sensors) = (rollup(&dataset, tier), sensors(&["m", "z/9", "a"]));
    let (meta, bytes) = encode_tier(&dataset, tier, &rollup, &sensors, tier_name(tier), Effort::Small).unwrap();
    dataset.fields[0].range.1 = 10_000_000_000;
    let back = decode_tier(&dataset, tier, &meta, &bytes, &numbering(&sensors));
    assert_eq!(back.columns[..4], rollup.columns[..4]);
}

//! How small the files of the benches' town become, and how long it takes.

#[allow(dead_code, reason = "the bench needs more of it")]
#[path = "../../../../benches/questions/town/mod.rs"]
mod town;

use super::*;
use crate::Keys;
use parquet::basic::*;
use parquet::data_type::*;
use parquet::file::properties::*;
use parquet::file::writer::SerializedFileWriter;

fn day_of(town: &town::Dataset, days: i64) -> Run {
    let start = town::END - days * town::DAY;
    let mut keys = Keys::default();
    let mut columns = vec![Vec::new(); town.fields.len()];
    let mut values = Vec::new();
    for sensor in 0..town::SENSORS {
        keys.push(sensor as u32, (start..town::END).map(|minute| town.second(sensor, minute) * 1_000_000));
        town.readings(sensor, start..town::END, &mut values);
        for (column, own) in columns.iter_mut().zip(values.chunks(values.len() / town.fields.len())) {
            column.extend(own.iter().map(|v| i64::from(*v)));
        }
    }
    Run { keys: Arc::new(keys), columns: columns.into_iter().map(|c| Some(Arc::new(c))).collect() }
}

fn one<T: DataType>(
    values: &[T::T],
    unit: Option<LogicalType>,
    encoding: Option<Encoding>,
    level: i32,
    page: usize,
    v2: bool,
) -> (usize, f64) {
    let begin = std::time::Instant::now();
    let column = parquet::schema::types::Type::primitive_type_builder("v", T::get_physical_type())
        .with_logical_type(unit)
        .with_repetition(Repetition::REQUIRED)
        .build()
        .unwrap();
    let p = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level).unwrap()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_writer_version(if v2 { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 })
        .set_data_page_row_count_limit(page)
        .set_write_batch_size(page.min(1440))
        .set_dictionary_page_size_limit(64 << 20)
        .set_dictionary_enabled(encoding.is_none());
    let p = if let Some(e) = encoding { p.set_encoding(e) } else { p };
    let mut w =
        SerializedFileWriter::new(Vec::new(), layout::schema(vec![column]).unwrap(), Arc::new(p.build())).unwrap();
    let mut g = w.next_row_group().unwrap();
    let mut c = g.next_column().unwrap().unwrap();
    c.typed::<T>().write_batch(values, None, None).unwrap();
    c.close().unwrap();
    g.close().unwrap();
    (w.into_inner().unwrap().len(), begin.elapsed().as_secs_f64())
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, clippy::too_many_lines, reason = "its result")]
fn sizes() {
    for town in &town::DATASETS {
        let run = day_of(town, 1);
        let n = run.len();
        let fields: Vec<&str> = town.fields.iter().map(|f| f.name).collect();
        for (name, column) in fields.iter().zip(&run.columns) {
            let values: Vec<i32> = column.as_ref().unwrap().iter().map(|v| *v as i32).collect();
            for page in [1440, 14400, 144_000, 1_440_000] {
                for (e, en) in [
                    (Some(Encoding::DELTA_BINARY_PACKED), "delta"),
                    (Some(Encoding::BYTE_STREAM_SPLIT), "bss"),
                    (Some(Encoding::PLAIN), "plain"),
                    (None, "dict"),
                ] {
                    let mut line = format!("{name:12} page {page:8} {en:6}");
                    for level in [1, 3, 6, 9, 12, 15] {
                        let (b, t) = one::<Int32Type>(&values, None, e, level, page, false);
                        line += &format!(" {level}: {:.4} {:.2}s", b as f64 / n as f64, t);
                    }
                    println!("{line}");
                }
            }
        }
        let times = &run.keys.time;
        for page in [1440, 14400, 144_000, 1_440_000] {
            for div in [1, 1000] {
                let values: Vec<i64> = times.iter().map(|t| t / div).collect();
                for (e, en) in [
                    (Some(Encoding::DELTA_BINARY_PACKED), "delta"),
                    (Some(Encoding::BYTE_STREAM_SPLIT), "bss"),
                    (None, "dict"),
                ] {
                    let mut line = format!("time/{div} page {page:8} {en:6}");
                    for level in [1, 3, 6, 9, 12, 15] {
                        let (b, t) = one::<Int64Type>(&values, None, e, level, page, false);
                        line += &format!(" {level}: {:.4} {:.2}s", b as f64 / n as f64, t);
                    }
                    println!("{line}");
                }
            }
        }
    }
}

/// A dataset of the town as its contract has it.
fn contract(town: &town::Dataset) -> Dataset {
    let of = |f: &town::Field| field(f.name, schemas::Kind::Gauge, f.digits as u8, (-100_000, 100_000));
    Dataset { fields: town.fields.iter().map(of).collect(), ..dataset(town.id) }
}

fn named(town: &town::Dataset) -> SensorTable {
    SensorTable { ids: (0..town::SENSORS).map(|sensor| town.sensor(sensor).into()).collect() }
}

/// A column's bytes of a file.
fn columns_of(bytes: &Bytes) -> Vec<(String, i64)> {
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(bytes.clone()).unwrap();
    use parquet::file::reader::FileReader;
    let mut all: Vec<(String, i64)> = Vec::new();
    for group in reader.metadata().row_groups() {
        for (at, column) in group.columns().iter().enumerate() {
            if all.len() <= at {
                all.push((format!("{} {:?}", column.column_path(), column.encodings().collect::<Vec<_>>()), 0));
            }
            all[at].1 += column.compressed_size();
        }
    }
    all
}

/// Rows of an hour tier of so many windows for each sensor.
fn hours(dataset: &Dataset, windows: i64) -> Rollup {
    let start = Day(town::END as i32 / 1440 - 30).start().0;
    let mut keys = Keys::default();
    (0..town::SENSORS as u32).for_each(|s| keys.push(s, (0..windows).map(|w| start + w * 3_600_000_000)));
    let mut dice = crate::testing::Dice(5);
    let rows = keys.time.len();
    let of = |column: crate::tier::columns::Column| match column.part {
        Part::N => Values::Same(60, rows),
        Part::Sum => Values::of((0..rows).map(|_| 25_000 + dice.below(300) as i64).collect()),
        _ => Values::of((0..rows).map(|_| 400 + dice.below(20) as i64).collect()),
    };
    Rollup {
        columns: columns(dataset, Tier::Hour).into_iter().map(of).map(|v| Some(Arc::new(v))).collect(),
        keys: Arc::new(keys),
    }
}

fn best<T>(times: usize, mut work: impl FnMut() -> T) -> f64 {
    (0..times)
        .map(|_| {
            let begin = std::time::Instant::now();
            std::hint::black_box(work());
            begin.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::MAX, f64::min)
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, clippy::too_many_lines, reason = "its result")]
fn reading() {
    for town in &town::DATASETS {
        let (air, run, ids) = (contract(town), day_of(town, 1), named(town));
        let day = schemas::Time(run.keys.time[0]).day();
        let mut run = run;
        // A day of the town is not one of UTC.
        let shift = schemas::Time(run.keys.time[0]).0.rem_euclid(86_400_000_000) - 60_000_000;
        Arc::get_mut(&mut run.keys).unwrap().time.iter_mut().for_each(|t| *t -= shift);
        let begin = std::time::Instant::now();
        let (meta, bytes) = encode(&air, &run, &ids, name(day, 1)).unwrap();
        println!(
            "{}: encoded in {:.2?}: {} bytes, {:.4} a value",
            town.id,
            begin.elapsed(),
            bytes.len(),
            bytes.len() as f64 / run.len() as f64 / town.fields.len() as f64
        );
        columns_of(&bytes).iter().for_each(|(c, b)| println!("    {:.4} {c}", *b as f64 / run.len() as f64));
        let number: Numbering = {
            let m: std::collections::HashMap<Arc<str>, u32> = ids.ids.iter().cloned().zip(0..).collect();
            Arc::new(move |id| Ok(m[id]))
        };
        println!("    footer {:.3} ms", best(20, || Footer::read(&air, &meta, &bytes).unwrap()));
        let opened = Opened::read(Footer::read(&air, &meta, &bytes).unwrap(), &bytes, &number).unwrap();
        println!(
            "    open {:.3} ms, {} bytes in memory",
            best(20, || Opened::read(Footer::read(&air, &meta, &bytes).unwrap(), &bytes, &number).unwrap()),
            opened.bytes()
        );
        let layout = layout::Layout::of(&air, None);
        let specs: Vec<_> = layout.columns.iter().collect();
        for sensor in [0, 500, 999] {
            let order = opened.few(&[sensor]).unwrap();
            println!(
                "    one sensor: select {:.3} ranges {:.3} keys {:.3} ms, a column {:.3} ms, all {:.3}",
                best(50, || opened.few(&[sensor])),
                best(50, || opened.ranges(&specs, true, &order)),
                best(50, || opened.keys(&bytes, &order).unwrap()),
                best(50, || opened.longs(&bytes, &order, &air, &specs[..1]).unwrap()),
                best(50, || opened.longs(&bytes, &order, &air, &specs).unwrap())
            );
        }
        let order = opened.order();
        println!(
            "    whole: keys {:.2} ms, a column {:.2} ms",
            best(5, || opened.keys(&bytes, &order).unwrap()),
            best(5, || opened.longs(&bytes, &order, &air, &specs[..1]).unwrap())
        );

        let rollup = hours(&air, 720);
        let begin = std::time::Instant::now();
        let (meta, bytes) = encode_tier(&air, Tier::Hour, &rollup, &ids, tier_name(Tier::Hour)).unwrap();
        println!("{} 1h: encoded in {:.2?}: {} bytes", town.id, begin.elapsed(), bytes.len());
        columns_of(&bytes).iter().take(6).for_each(|(c, b)| println!("    {:.4} {c}", *b as f64 / rollup.len() as f64));
        let opened = Opened::read(Footer::read(&air, &meta, &bytes).unwrap(), &bytes, &number).unwrap();
        let layout = layout::Layout::of(&air, Some(Tier::Hour));
        let specs: Vec<_> = layout.columns.iter().collect();
        let order = opened.order();
        println!(
            "    whole: keys {:.2} ms, n {:.2}, sum {:.2}, min {:.2}",
            best(5, || opened.keys(&bytes, &order).unwrap()),
            best(5, || opened.values(&bytes, &order, &air, &specs[..1]).unwrap()),
            best(5, || opened.values(&bytes, &order, &air, &specs[1..2]).unwrap()),
            best(5, || opened.values(&bytes, &order, &air, &specs[2..3]).unwrap())
        );
        let order = opened.few(&[7]).unwrap();
        println!(
            "    one: keys {:.3} ms, n {:.3}, sum {:.3}, min {:.3}",
            best(50, || opened.keys(&bytes, &order).unwrap()),
            best(50, || opened.values(&bytes, &order, &air, &specs[..1]).unwrap()),
            best(50, || opened.values(&bytes, &order, &air, &specs[1..2]).unwrap()),
            best(50, || opened.values(&bytes, &order, &air, &specs[2..3]).unwrap())
        );
    }
}

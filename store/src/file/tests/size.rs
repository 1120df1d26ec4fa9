//! How small the files of the benches' town become, and how long writing and reading take. Leaves them in the folder that
//! LAMPPOST_SIZES names, for other readers to try.

#[allow(dead_code, reason = "the bench needs more of it")]
#[path = "../../../../benches/questions/town/mod.rs"]
mod town;

use super::*;
use crate::tier::kernel;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use schemas::{Span, Time};
use std::collections::HashMap;
use std::time::Instant;

/// Days of raw rows that tiers are made of.
const DAYS: i64 = 4;
const DAY: i64 = 86_400_000_000;

/// A dataset of the town as its contract has it.
fn contract(town: &town::Dataset) -> Dataset {
    let of = |f: &town::Field| field(f.name, schemas::Kind::Gauge, f.digits as u8, (-100_000, 100_000));
    Dataset { fields: town.fields.iter().map(of).collect(), ..dataset(town.id) }
}

/// The last days of the town, moved so that they are days of UTC.
fn days_of(town: &town::Dataset) -> Run {
    let minutes = town::END - DAYS * town::DAY..town::END;
    let shift = (minutes.start * 60_000_000).rem_euclid(DAY);
    let mut keys = Keys::default();
    let mut columns = vec![Vec::new(); town.fields.len()];
    let mut values = Vec::new();
    for sensor in 0..town::SENSORS {
        keys.push(sensor as u32, minutes.clone().map(|minute| town.second(sensor, minute) * 1_000_000 - shift));
        town.readings(sensor, minutes.clone(), &mut values);
        for (column, own) in columns.iter_mut().zip(values.chunks(values.len() / town.fields.len())) {
            column.extend(own.iter().map(|value| i64::from(*value)));
        }
    }
    Run { keys: Arc::new(keys), columns: columns.into_iter().map(|column| Some(Arc::new(column))).collect() }
}

/// Milliseconds of the quickest of some runs.
fn best<T>(mut work: impl FnMut() -> T) -> f64 {
    let one = |_| {
        let begin = Instant::now();
        std::hint::black_box(work());
        begin.elapsed().as_secs_f64() * 1e3
    };
    (0..10).map(one).fold(f64::MAX, f64::min)
}

/// A file, its bytes by column, and how long reading takes of all sensors and of one.
#[allow(clippy::print_stdout, reason = "its result")]
fn tell(what: &str, dataset: &Dataset, tier: Option<Tier>, (meta, bytes): (FileMeta, Bytes), number: &Numbering) {
    println!("  {what}: {} rows, {} bytes", meta.rows, bytes.len());
    if let Ok(folder) = std::env::var("LAMPPOST_SIZES") {
        std::fs::write(format!("{folder}/{}-{what}.parquet", dataset.id), &bytes).unwrap();
    }
    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    let open = || Opened::read(Footer::read(dataset, &meta, &bytes).unwrap(), &bytes, number).unwrap();
    let opened = open();
    println!("    open {:.3} ms, {} bytes in memory", best(open), opened.bytes());
    let layout = layout::Layout::of(dataset, tier);
    let few = opened.few(&[500]);
    for order in [Some(opened.order()), few].into_iter().flatten() {
        let column = |spec: &layout::Spec| match tier {
            None => drop(opened.longs(&bytes, &order, dataset, &[spec]).unwrap()),
            Some(_) => drop(opened.values(&bytes, &order, dataset, &[spec]).unwrap()),
        };
        let times: Vec<String> =
            layout.columns.iter().take(5).map(|spec| format!("{:.3}", best(|| column(spec)))).collect();
        println!(
            "    {} rows in ms: keys {:.3}, columns {}",
            order.rows,
            best(|| opened.keys(&bytes, &order)),
            times.join(" ")
        );
    }
    let mut sizes: Vec<(String, i64)> = Vec::new();
    for group in reader.metadata().row_groups() {
        sizes.resize(group.num_columns(), Default::default());
        for (size, column) in sizes.iter_mut().zip(group.columns()) {
            let encodings: Vec<_> = column.encodings().map(|encoding| format!("{encoding}")).collect();
            size.0 =
                format!("{} {} {:?}", column.column_path().string(), encodings.join("/"), column.compression_codec());
            size.1 += column.compressed_size();
        }
    }
    sizes
        .iter()
        .for_each(|(column, size)| println!("    {:.4} bytes a row: {column}", *size as f64 / meta.rows as f64));
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its result")]
fn sizes() {
    for town in &town::DATASETS {
        let (dataset, run) = (contract(town), days_of(town));
        let ids: SensorTable = SensorTable { ids: (0..town::SENSORS).map(|n| town.sensor(n).into()).collect() };
        let known: HashMap<Arc<str>, u32> = ids.ids.iter().cloned().zip(0..).collect();
        let number: Numbering = Arc::new(move |id| Ok(known[id]));
        let values = (run.len() * town.fields.len()) as f64;
        let picked = run.keys.each().collect();
        let (day, first) = crate::run::split::by_day(&run, &picked).into_iter().nth(1).unwrap();
        for effort in [Effort::Quick, Effort::Small] {
            let begin = Instant::now();
            let file = encode(&dataset, &first, &ids, name(day, 1), effort).unwrap();
            let each = file.1.len() as f64 / (first.len() * town.fields.len()) as f64;
            println!("{} {effort:?}: {:.2?} a day, {each:.4} bytes a value", town.id, begin.elapsed());
            tell("raw", &dataset, None, file, &number);
        }
        for tier in Tier::ALL {
            let width = [DAY / 96, DAY / 24, DAY][tier as usize];
            let start = run.keys.time[0].div_euclid(DAY) * DAY;
            let span = |n: i64| Span { from: Time(start + n * width), to: Time(start + (n + 1) * width) };
            let windows: Vec<Span> = (0..(DAYS + 1) * DAY / width).map(span).collect();
            let rollup = kernel::rollup(&dataset, tier, &run, |_| &windows);
            let begin = Instant::now();
            let file = encode_tier(&dataset, tier, &rollup, &ids, tier_name(tier), Effort::Small).unwrap();
            println!(
                "{} {}: {:.2?}, {:.4} bytes a raw value",
                town.id,
                tier.name(),
                begin.elapsed(),
                file.1.len() as f64 / values
            );
            tell(tier.name(), &dataset, Some(tier), file, &number);
        }
    }
}

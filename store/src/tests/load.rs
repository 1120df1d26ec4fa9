//! What taking readings in costs, from append to complete tiers, in CPU time of the process; run by hand:
//! `cargo test --release -p store tests::load -- --ignored --nocapture`, one test at a time.

use crate::testing::{Dice, dataset, noon};
use crate::{Append, Config, Reader, Writer};
use schemas::time::{DAY, SECOND};
use schemas::{Batch, Dataset};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sensors of each dataset, and minutes that each sends one reading in.
const SENSORS: usize = 1000;
const MINUTES: usize = 2880;

/// How the readings come.
#[derive(Clone, Copy)]
struct Manner {
    what: &'static str,
    /// Rows of a body, of both datasets together.
    lines: usize,
    /// Bodies under way at once.
    at_once: usize,
    shuffled: bool,
    /// How much of the load is sent: one in so many minutes.
    part: usize,
    /// Days before the clock at which the load begins.
    days_ago: i64,
}

const USUAL: Manner =
    Manner { what: "10,000 lines", lines: 10_000, at_once: 8, shuffled: false, part: 1, days_ago: 100 };

/// Makes the bodies, row after row.
struct Town {
    datasets: [Arc<Dataset>; 2],
    ids: [Vec<Arc<str>>; 2],
    values: Vec<[i64; 5]>,
    numbers: std::collections::HashMap<Arc<str>, usize>,
    places: Vec<u32>,
    dice: Dice,
    start: i64,
    next: usize,
}

impl Town {
    fn new(manner: Manner) -> Town {
        let narrow = |id: &str, fields: usize| {
            let mut made = (*dataset(id, fields)).clone();
            made.fields.iter_mut().for_each(|field| field.range = (-1000, 100_000));
            made.max_sensors = 100_000;
            Arc::new(made)
        };
        let ids = ["traffic", "air"].map(|id| -> Vec<Arc<str>> {
            (0..SENSORS).map(|n| Arc::from(format!("{id}-{:04}", n * 7 % SENSORS))).collect()
        });
        let numbers = ids.iter().flat_map(|ids| ids.iter().cloned().zip(0..)).collect();
        Town {
            datasets: [narrow("traffic", 4), narrow("air", 5)],
            ids,
            numbers,
            places: vec![u32::MAX; 2 * SENSORS],
            values: (0..2 * SENSORS).map(|n| [400 + n as i64 % 100, 2000, 50, 300, 10_000]).collect(),
            dice: Dice(1),
            start: noon().0 / DAY * DAY - manner.days_ago * DAY,
            next: 0,
        }
    }

    /// The next so many rows; nothing at the end.
    fn body(&mut self, manner: Manner) -> Option<Vec<Batch>> {
        let rows = 2 * SENSORS * MINUTES / manner.part;
        let rows = self.next..(self.next + manner.lines).min(rows);
        self.next = rows.end;
        let mut batches = self.datasets.each_ref().map(|dataset| Batch::new(dataset.clone()));
        let mut places = std::mem::take(&mut self.places);
        let mut order: Vec<usize> = rows.collect();
        if manner.shuffled {
            (1..order.len()).rev().for_each(|at| order.swap(at, self.dice.below(at as u64 + 1) as usize));
        }
        for row in order {
            let (minute, sensor) = (row / (2 * SENSORS), row % (2 * SENSORS));
            let (which, own) = (sensor % 2, sensor / 2);
            let batch = &mut batches[which];
            if places[sensor] == u32::MAX {
                places[sensor] = batch.sensors.len() as u32;
                batch.sensors.push(self.ids[which][own].clone());
            }
            batch.sensor.push(places[sensor]);
            batch.time.push(self.start + minute as i64 * 60 * SECOND);
            let mut noise = self.dice.roll();
            for (column, value) in batch.columns.iter_mut().zip(&mut self.values[sensor]) {
                *value = (*value + (noise & 7) as i64 - 3).clamp(0, 90_000);
                noise >>= 8;
                column.push(*value);
            }
        }
        batches.iter().zip([0, 1]).for_each(|(batch, which)| {
            batch.sensors.iter().for_each(|id| places[self.numbers[id] * 2 + which] = u32::MAX);
        });
        self.places = places;
        let some: Vec<Batch> = batches.into_iter().filter(|batch| !batch.is_empty()).collect();
        (!some.is_empty()).then_some(some)
    }
}

/// User and system time of the process in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = stat.rsplit(')').next().unwrap().split(' ').skip(12).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Time this thread has been on a core, in seconds.
fn own() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// A figure of the process in MiB.
fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn size(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|e| if e.file_type().unwrap().is_dir() { size(&e.path()) } else { e.metadata().unwrap().len() }).sum()
}

/// Whether nothing waits any more, and what every tier holds.
fn is_quiet(reader: &Reader) -> bool {
    let status = reader.status();
    status.datasets.iter().all(|d| {
        let closed = d.tiers.iter().all(|tier| tier.closed.is_some_and(|c| d.newest.is_some_and(|n| c.0 > n.0 - DAY)));
        let quarter = d.tiers.first().and_then(|tier| tier.closed).zip(d.newest);
        let is_over = quarter.is_some_and(|(closed, newest)| closed.0 > newest.0 - 1200 * SECOND);
        d.hot_rows == 0 && d.sealed_files == 0 && d.late_files == 0 && d.stale_days == 0 && closed && is_over
    })
}

/// Rows that are made at once: looking at the clock takes time too.
const MADE: usize = 10_000;

async fn feed(writer: &Writer, town: &mut Town, manner: Manner) -> (usize, f64) {
    let (mut rows, mut made) = (0, 0.0);
    let mut waiting = VecDeque::new();
    loop {
        let before = own();
        // Twice, as what is refused is sent again.
        let bodies: Vec<_> = std::iter::from_fn(|| town.body(manner)).take(MADE.div_ceil(manner.lines)).collect();
        let bodies: Vec<_> = bodies.into_iter().map(|body| (body.clone(), body)).collect();
        made += own() - before;
        if bodies.is_empty() {
            break;
        }
        for (batches, spare) in bodies {
            rows += batches.iter().map(Batch::len).sum::<usize>();
            let writer = writer.clone();
            waiting.push_back(tokio::spawn(async move {
                let mut append = Append { batches, rejects: vec![] };
                while let Err(error) = writer.append(append).await {
                    assert_eq!(error.kind, crate::Kind::Busy);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    append = Append { batches: spare.clone(), rejects: vec![] };
                }
            }));
            if waiting.len() >= manner.at_once {
                // As many as half of them at once: one by one wakes threads for each.
                for _ in 0..manner.at_once / 2 {
                    waiting.pop_front().unwrap().await.unwrap();
                }
            }
        }
    }
    for one in waiting {
        one.await.unwrap();
    }
    (rows, made)
}

#[allow(clippy::print_stdout, reason = "its result")]
async fn run(manner: Manner) {
    let folder = tempfile::TempDir::new().unwrap();
    let mut config = Config::new(folder.path().join("log"), folder.path().join("data"));
    config.reserve_bytes = 0;
    config.flush_age = Duration::from_secs(2);
    let mut town = Town::new(manner);
    let opened = Instant::now();
    let clock = move || noon().plus(opened.elapsed().as_micros() as i64);
    let (writer, reader) = crate::open(config.clone(), town.datasets.to_vec(), Arc::new(clock)).await.unwrap();
    let (base, start, began) = (memory("VmHWM"), cpu(), Instant::now());
    let (rows, made) = feed(&writer, &mut town, manner).await;
    let (taken, wall) = (cpu() - start - made, began.elapsed().as_secs_f64());
    let mut quiet = false;
    while !quiet && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        quiet = is_quiet(&reader);
    }
    let all = cpu() - start - made;
    let each = |seconds: f64| seconds / rows as f64 * 1e9;
    println!(
        "{}{}: {rows} rows, {:.1} ns/row in all ({:.1} while taking), generator {:.1}; wall {wall:.2} s + {:.2} s{}; \
         peak {} MiB over {base}; data {:.1} MiB, log {:.1} MiB",
        manner.what,
        if manner.shuffled { " shuffled" } else { "" },
        each(all),
        each(taken),
        each(made),
        began.elapsed().as_secs_f64() - wall,
        if quiet { "" } else { " NOT QUIET" },
        memory("VmHWM"),
        size(&config.data) as f64 / f64::from(1 << 20),
        size(&config.log) as f64 / f64::from(1 << 20),
    );
    let status = reader.status();
    for task in status.tasks.iter().filter(|task| task.took.count > 0) {
        println!("  {}: {} turns, {:.3} s", task.task.name(), task.took.count, task.took.seconds);
    }
    println!("  log: {} fsyncs, {:.3} s", status.log_syncs.count, status.log_syncs.seconds);
    for d in &status.datasets {
        let tiers: Vec<_> = d.tiers.iter().map(|t| (t.rows, t.files, t.bytes)).collect();
        println!("  {}: {} rows in {} files, {} bytes; tiers {tiers:?}", d.id, d.file_rows, d.files, d.file_bytes);
    }
    writer.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn bodies_of_10000_lines() {
    run(USUAL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn bodies_of_10000_lines_up_to_now() {
    run(Manner { what: "10,000 lines up to now", days_ago: 2, ..USUAL }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn bodies_of_10000_shuffled_lines() {
    run(Manner { shuffled: true, ..USUAL }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn bodies_of_100_lines() {
    run(Manner { what: "100 lines", lines: 100, at_once: 64, part: 4, ..USUAL }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn bodies_of_1_line() {
    run(Manner { what: "1 line", lines: 1, at_once: 2000, part: 24, ..USUAL }).await;
}

//! Figures for `/metrics`: those of the store, of what waits, and of the process, read at each scrape.
//!
//! Names follow Prometheus: base units (`_seconds`, `_bytes`), a counter's name without the `_total` that is added to it, no
//! label that grows with the town (`tests/metrics.rs` holds this). To add one, add a `Figure` to `look`; a histogram is
//! written by `Timings`.

use super::watch::Watch;
use super::{glance, process};
use ingest::metrics::ByDataset;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use schemas::Time;
use schemas::time::SECOND;
use serve::{Figure, FigureKind};
use store::{Counted, DatasetStatus, Reader, Status, TierStatus};

/// Readings of a dataset handed to the store since the start.
pub fn readings(metrics: &ingest::Metrics, dataset: &str) -> u64 {
    let dataset = ByDataset { dataset: dataset.to_owned() };
    metrics.readings.get_or_create_owned(&dataset).get()
}

/// A figure each dataset has: name, help, kind and how it is read.
type OfDataset = (&'static str, &'static str, FigureKind, fn(&DatasetStatus) -> f64);

/// The figures of each dataset.
const DATASETS: [OfDataset; 17] = [
    ("lamppost_sensors", "Sensors known", FigureKind::Gauge, |d| d.sensors as f64),
    ("lamppost_rows", "Rows logged", FigureKind::Counter, |d| d.rows as f64),
    ("lamppost_hot_rows", "Rows in memory", FigureKind::Gauge, |d| d.hot_rows as f64),
    ("lamppost_hot_bytes", "Bytes of rows in memory", FigureKind::Gauge, |d| d.hot_bytes as f64),
    ("lamppost_sealed_files", "Sealed files that wait for a commit", FigureKind::Gauge, |d| d.sealed_files as f64),
    ("lamppost_files", "Files of the raw table", FigureKind::Gauge, |d| d.files as f64),
    ("lamppost_file_bytes", "Bytes of the raw table", FigureKind::Gauge, |d| d.file_bytes as f64),
    ("lamppost_file_rows", "Rows of the raw table", FigureKind::Gauge, |d| d.file_rows as f64),
    ("lamppost_late_files", "Late files that wait to be folded", FigureKind::Gauge, |d| d.late_files as f64),
    ("lamppost_late_rows", "Rows that wait to be folded", FigureKind::Gauge, |d| d.late_rows as f64),
    ("lamppost_late_partitions", "Days that wait to be folded", FigureKind::Gauge, |d| d.late_days as f64),
    ("lamppost_stale_partitions", "Days whose tiers wait to be refreshed", FigureKind::Gauge, |d| d.stale_days as f64),
    ("lamppost_going_partitions", "Days marked to go that are still there", FigureKind::Gauge, |d| d.going_days as f64),
    ("lamppost_gone_partitions", "Days whose raw rows were dropped", FigureKind::Gauge, |d| d.gone_days as f64),
    ("lamppost_replaced_files", "Replaced files that wait to be removed", FigureKind::Gauge, |d| {
        d.replaced_files as f64
    }),
    ("lamppost_newest_reading_timestamp_seconds", "Time of the newest reading, since 1970", FigureKind::Gauge, |d| {
        d.newest.map_or(0.0, seconds)
    }),
    (
        "lamppost_maintenance_trouble",
        "1 while a task of maintenance fails and is tried again",
        FigureKind::Gauge,
        |d| f64::from(u8::from(d.trouble.is_some())),
    ),
];

/// All figures now.
pub(super) fn look(watch: &Watch) -> Vec<Figure> {
    let (status, now) = (watch.reader.status(), (watch.clock)());
    let mut figures = whole(watch, &status, now);
    figures.extend(DATASETS.into_iter().map(|(name, help, kind, read)| {
        let values = status.datasets.iter().map(|d| (vec![("dataset", d.id.clone())], read(d))).collect();
        Figure { name, help, kind, values }
    }));
    figures.extend(tiers(&status));
    figures.push(silent(&watch.reader, &status, now));
    figures.extend(watch.fronts.figures());
    figures.extend(process::figures(watch.started));
    figures
}

/// Figures there is one of.
fn whole(watch: &Watch, status: &Status, now: Time) -> Vec<Figure> {
    let figure = |name, help, value: f64| gauge(name, help, vec![(Vec::new(), value)]);
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    let waits = watch.backlog.oldest().map_or(0.0, |oldest| seconds(Time((now.0 - oldest.0).max(0))));
    let mut free = vec![(vec![("folder", "data".to_owned())], status.free_bytes as f64)];
    let log_free = status.log_free_bytes.unwrap_or(status.free_bytes);
    free.push((vec![("folder", "log".to_owned())], log_free as f64));
    let failed = status.tasks.iter().map(|t| (vec![("task", t.task.name().to_owned())], t.failed as f64)).collect();
    vec![
        gauge("lamppost_build_info", "What runs; always 1", vec![(vec![version], 1.0)]),
        figure("lamppost_ready", "1 while readings are taken in", f64::from(u8::from(watch.unready().is_empty()))),
        figure("lamppost_log_position", "Newest durable position", status.position.0 as f64),
        figure("lamppost_log_bytes", "Bytes of log on disk", status.log_bytes as f64),
        figure("lamppost_log_segments", "Segments of log on disk", status.log_segments as f64),
        figure(
            "lamppost_log_waiting_bytes",
            "Bytes of appends that wait for an fsync",
            status.log_waiting_bytes as f64,
        ),
        gauge("lamppost_disk_free_bytes", "Free bytes on the disk of a folder", free),
        figure("lamppost_disk_reserve_bytes", "Free bytes below which intake stops", status.reserve_bytes as f64),
        figure(
            "lamppost_ingest_waiting_bytes",
            "Bytes of messages that wait for durability",
            watch.backlog.bytes() as f64,
        ),
        figure("lamppost_ingest_waiting_limit_bytes", "Bytes at which doors hold", watch.backlog.most() as f64),
        figure(
            "lamppost_ingest_oldest_unacked_seconds",
            "Age of the oldest message without its acknowledgement",
            waits,
        ),
        Figure {
            name: "lamppost_maintenance_failures",
            help: "Turns of maintenance that failed",
            kind: FigureKind::Counter,
            values: failed,
        },
    ]
}

/// Figures of each tier of each dataset.
fn tiers(status: &Status) -> [Figure; 3] {
    let of = |name, help, read: fn(&TierStatus) -> f64| {
        let one =
            |id: &str, tier: &TierStatus| (vec![("dataset", id.to_owned()), ("tier", tier.tier.clone())], read(tier));
        let all = status.datasets.iter().flat_map(|d| d.tiers.iter().map(|tier| one(&d.id, tier)));
        gauge(name, help, all.collect())
    };
    [
        of("lamppost_tier_files", "Files of a tier", |tier| tier.files as f64),
        of("lamppost_tier_bytes", "Bytes of a tier", |tier| tier.bytes as f64),
        of(
            "lamppost_tier_closed_timestamp_seconds",
            "Up to where a tier's windows are committed, since 1970",
            |tier| tier.closed.map_or(0.0, seconds),
        ),
    ]
}

/// Silent sensors of each dataset that expects its sensors to report.
fn silent(reader: &Reader, status: &Status, now: Time) -> Figure {
    let silent = glance::silent(reader, now);
    let count = |id: &str| silent.iter().find(|silent| silent.dataset == id).map_or(0, |silent| silent.count);
    let values = status.datasets.iter().map(|d| (vec![("dataset", d.id.clone())], count(&d.id) as f64)).collect();
    gauge("lamppost_silent_sensors", "Sensors nothing was heard of for twelve of their cadences", values)
}

fn gauge(name: &'static str, help: &'static str, values: Vec<(Vec<(&'static str, String)>, f64)>) -> Figure {
    Figure { name, help, kind: FigureKind::Gauge, values }
}

fn seconds(time: Time) -> f64 {
    time.0 as f64 / SECOND as f64
}

/// The store's histograms.
#[derive(Debug)]
pub(super) struct Timings(pub(super) Reader);

impl Collector for Timings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let status = self.0.status();
        let (name, help) = ("log_sync_duration_seconds", "Time an fsync of the log takes");
        histogram(encoder.encode_descriptor(name, help, None, MetricType::Histogram)?, &status.log_syncs)?;
        let (name, help) = ("maintenance_duration_seconds", "Time a turn of maintenance takes");
        let mut tasks = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        status.tasks.iter().try_for_each(|t| histogram(tasks.encode_family(&[("task", t.task.name())])?, &t.took))
    }
}

fn histogram(mut encoder: MetricEncoder<'_>, counted: &Counted) -> std::fmt::Result {
    encoder.encode_histogram::<NoLabelSet>(counted.seconds, counted.count, &counted.buckets, None)
}

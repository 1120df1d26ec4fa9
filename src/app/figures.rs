//! Figures of store and intake for `/metrics`.

use ingest::metrics::ByDataset;
use serve::{Figure, FigureKind};
use store::{DatasetStatus, Reader};

/// Readings of a dataset handed to the store since the start.
pub fn readings(metrics: &ingest::Metrics, dataset: &str) -> u64 {
    let dataset = ByDataset { dataset: dataset.to_owned() };
    metrics.readings.get_or_create_owned(&dataset).get()
}

/// A figure each dataset has: name, help, kind and how it is read.
type OfDataset = (&'static str, &'static str, FigureKind, fn(&DatasetStatus) -> u64);

/// The figures of each dataset.
const DATASETS: [OfDataset; 10] = [
    ("lamppost_sensors", "Sensors known", FigureKind::Gauge, |d| d.sensors),
    ("lamppost_rows", "Rows logged since the start", FigureKind::Counter, |d| d.rows),
    ("lamppost_hot_rows", "Rows in memory", FigureKind::Gauge, |d| d.hot_rows),
    ("lamppost_hot_bytes", "Bytes of rows in memory", FigureKind::Gauge, |d| d.hot_bytes),
    ("lamppost_sealed_files", "Sealed files that wait for a commit", FigureKind::Gauge, |d| d.sealed_files),
    ("lamppost_files", "Files of the raw table", FigureKind::Gauge, |d| d.files),
    ("lamppost_file_bytes", "Bytes of the raw table", FigureKind::Gauge, |d| d.file_bytes),
    ("lamppost_file_rows", "Rows of the raw table", FigureKind::Gauge, |d| d.file_rows),
    ("lamppost_late_files", "Late files that wait to be folded", FigureKind::Gauge, |d| d.late_files),
    ("lamppost_late_rows", "Rows that wait to be folded", FigureKind::Gauge, |d| d.late_rows),
];

/// The store's figures now.
pub fn store(reader: &Reader) -> Vec<Figure> {
    let status = reader.status();
    let whole = |name, help, value: u64| Figure {
        name,
        help,
        kind: FigureKind::Gauge,
        values: vec![(Vec::new(), value as f64)],
    };
    let mut figures = vec![
        whole("lamppost_log_position", "Newest durable position", status.position.0),
        whole("lamppost_log_bytes", "Bytes of log on disk", status.log_bytes),
        whole("lamppost_log_segments", "Segments of log on disk", status.log_segments),
        whole("lamppost_free_bytes", "Free bytes on the data disk", status.free_bytes),
        whole("lamppost_intake_stopped", "1 while the store takes nothing in", u64::from(status.stopped.is_some())),
    ];
    figures.extend(DATASETS.into_iter().map(|(name, help, kind, read)| {
        let values = status.datasets.iter().map(|d| (vec![("dataset", d.id.clone())], read(d) as f64)).collect();
        Figure { name, help, kind, values }
    }));
    figures
}

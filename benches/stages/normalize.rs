//! A value's text to steps of its field, the long way and directly; a time's text to an instant.

use crate::ground;
use criterion::{Criterion, Throughput};
use ingest::decode::Value;
use ingest::normalize::{self, Mapped};
use schemas::source::{Mapping, TimeFormat};
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let catalog = ground::catalog();
    let (source, dataset) = (catalog.source(0), &catalog.datasets[0]);
    let Mapping::Wide(entries) = &source.map else { panic!("traffic is wide") };
    let entry = entries.iter().find(|entry| &*dataset.fields[entry.field].name == "speed").unwrap();
    let field = &dataset.fields[entry.field];
    let mapped = Mapped { field, unit: &entry.unit, words: &entry.words, missing: &source.missing };
    let mut group = criterion.benchmark_group("normalize");
    group.throughput(Throughput::Elements(1));
    group.bench_function("value", |bencher| {
        bencher.iter(|| normalize::value(mapped, &Value::Number(black_box("34.5"))).unwrap());
    });
    group.bench_function("rfc3339", |bencher| {
        let text = "2026-11-20T10:15:00Z";
        bencher.iter(|| normalize::stamp(&TimeFormat::Rfc3339, &Value::Text(black_box(text).into())).unwrap());
    });
    group.finish();
}

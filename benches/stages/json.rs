//! JSON to the places of wanted values.

use crate::ground;
use criterion::{Criterion, Throughput};
use ingest::decode::Decoded;
use std::hint::black_box;

pub(crate) fn bench(criterion: &mut Criterion) {
    let (catalog, messages) = (ground::catalog(), ground::messages());
    let shape = &catalog.routes[0].plan.shape;
    let texts: Vec<&str> = messages.iter().map(|message| std::str::from_utf8(&message.payload).unwrap()).collect();
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Elements(texts.len() as u64));
    let mut decoded = Decoded::default();
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for text in &texts {
                decoded.read(shape, black_box(text)).unwrap();
                black_box(decoded.records());
            }
        });
    });
    group.finish();
}

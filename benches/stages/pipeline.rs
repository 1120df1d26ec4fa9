//! A message through the whole pipeline: topic, JSON, values, row.

use crate::ground;
use criterion::{Criterion, Throughput};
use ingest::{Config, Past, Pipeline};

pub(crate) fn bench(criterion: &mut Criterion) {
    let (catalog, messages) = (ground::catalog(), ground::messages());
    let mut pipeline = Pipeline::new(catalog, Config::default(), &[]);
    let past = Past { mark: &|_| None, too_old: &|_, _| false };
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Elements(messages.len() as u64));
    group.bench_function("message", |bencher| {
        bencher.iter(|| {
            let mut gather = pipeline.begin();
            for message in &messages {
                pipeline.take(message, ground::NOW, past, &mut gather);
            }
            assert_eq!(gather.batches()[0].len(), messages.len());
            gather
        });
    });
    group.finish();
}

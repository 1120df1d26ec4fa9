//! What was gathered, handed over: an append of 2,000 rows is made and dropped.

use crate::ground;
use criterion::{BatchSize, Criterion, Throughput};
use ingest::{Config, Gather, Past, Pipeline};

pub(crate) fn bench(criterion: &mut Criterion) {
    let (catalog, messages) = (ground::catalog(), ground::messages());
    let mut pipeline = Pipeline::new(catalog, Config::default(), &[]);
    let past = Past { mark: &|_| None, too_old: &|_, _| false };
    let mut full = || {
        let mut gather = pipeline.begin();
        messages.iter().for_each(|message| pipeline.take(message, ground::NOW, past, &mut gather));
        gather
    };
    let mut group = criterion.benchmark_group("gather");
    group.throughput(Throughput::Elements(messages.len() as u64));
    group.bench_function("append", |bencher| {
        bencher.iter_batched(&mut full, Gather::into_append, BatchSize::SmallInput);
    });
    group.finish();
}

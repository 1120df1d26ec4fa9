//! What each stage of the way in costs by itself, one file per stage: `cargo bench --bench stages -- json`. Links the crates
//! under test only; another stage is another file here and a line below.
#![allow(clippy::unwrap_used, reason = "a failed step ends the bench")]
#![allow(missing_docs, reason = "Criterion's macros make public functions")]

mod gather;
mod ground;
mod json;
mod normalize;
mod pipeline;

use criterion::{criterion_group, criterion_main};

criterion_group!(stages, json::bench, normalize::bench, pipeline::bench, gather::bench);
criterion_main!(stages);

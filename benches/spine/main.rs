//! What the spine carries: the real binary under load, in a folder of its own on the build's disk.
//!
//! `cargo bench --bench spine` measures all; `-- --runs 5` takes the median of five; `-- door`, `-- relay`, `-- answers`,
//! `-- sql` measure one part. Mosquitto (Debian) is needed for `relay`; `answers` uses the recorded bike counts where
//! `../shared/data` is, else half a year of the demo town.
//!
//! **How to read it.** Load, broker and server share one machine, so walls compare only with walls of the same table and
//! the same machine at rest; CPU seconds are steadier. Runs of the rows that are compared take turns (A B C, A B C, …), so
//! that a slow minute of the machine hits all of them. Each cell is the median of its own column over the runs; `low` and
//! `high` are the slowest and the fastest rate, and tell how far to trust the rest. Every run checks that all that was
//! sent was taken, once, without a reject: a rate of losses is no rate.

mod answers;
mod broker;
mod city;
mod config;
mod counter;
mod device;
mod door;
mod load;
mod questions;
mod relay;
#[path = "../shared/mod.rs"]
mod shared;
mod sql;

use shared::print::{load_average, note, say};
use shared::{process, server, table, web};

/// Measures one part with so many runs, and prints it.
type Measure = fn(usize);

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "--count") {
        // This program again, as the subscriber to compare with: a process of its own, so that its CPU is its own.
        return counter::run(number(&words, 1) as u16, number(&words, 2));
    }
    // What cargo bench adds.
    words.retain(|word| word != "--bench");
    let mut runs = 3;
    if let Some(at) = words.iter().position(|word| word == "--runs") {
        runs = number(&words, at + 1);
        words.drain(at..at + 2);
    }
    let parts: [(&str, Measure); 4] = [
        ("door", door::measure),
        ("relay", relay::measure),
        ("answers", |_| answers::measure()),
        ("sql", |_| sql::measure()),
    ];
    if let Some(word) = words.iter().find(|word| parts.iter().all(|(name, _)| name != word)) {
        panic!("{word:?} is not measured here; say door, relay, answers, sql or nothing, and --runs N");
    }
    say(&format!("{} run(s) of each row; load average {}", runs, load_average()));
    for (name, measure) in parts {
        if words.is_empty() || words.iter().any(|word| word == name) {
            measure(runs);
        }
    }
}

fn number(words: &[String], at: usize) -> usize {
    let word = words.get(at).map(String::as_str).unwrap_or_default();
    match word.parse() {
        Ok(number) if number > 0 => number,
        _ => panic!("{word:?} should be a number from 1"),
    }
}

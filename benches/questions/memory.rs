//! Memory of a server on which dashboards run: all questions each second for a minute.

use crate::lamppost::Lamppost;
use crate::process::pause;
use crate::question::{Question, SORTS};
use crate::say;
use crate::system::System;
use crate::table::{median, quantile};
use std::path::Path;
use std::time::{Duration, Instant};

/// Seconds of it.
const SECONDS: usize = 60;
/// Goal in MB (10^6 bytes).
const GOAL: f64 = 300.0;

/// Measures and prints.
pub(crate) fn run(folder: &Path, history: i64, days: i64) {
    let mut lamppost = Lamppost::open(folder);
    lamppost.server.ready();
    let before = lamppost.server.resident();
    let (mut all, mut own) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for second in 0..SECONDS {
        for (sort, ..) in SORTS {
            // What is not answered yet is told of by the race.
            let _ = lamppost.ask(&Question::new(sort, days, second));
        }
        let now = lamppost.server.resident();
        all.push(now.all);
        own.push(now.own);
        pause((begun + Duration::from_secs(second as u64 + 1)).saturating_duration_since(Instant::now()));
    }
    let peak = lamppost.server.used().peak;
    say(&format!(
        "\nmemory behind {history} days, MB: {:.0} once ready, then {:.0} (median of {SECONDS} s), {:.0} at most, peak {peak:.0}; \
         without mapped files {:.0} at most; goal {GOAL}: {}",
        before.all,
        median(&mut all),
        quantile(&mut all, 1.0),
        quantile(&mut own, 1.0),
        if peak <= GOAL { "met" } else { "missed" },
    ));
}

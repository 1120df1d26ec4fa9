//! The first answer after a start, when nothing of the files is decoded. The page cache stays warm.

use crate::lamppost::Lamppost;
use crate::question::{Question, SORTS};
use crate::race::milliseconds;
use crate::system::System;
use crate::table::{median, print};
use crate::{note, say};
use std::path::Path;
use std::time::Instant;

/// Starts for each question.
const STARTS: usize = 3;
/// Answers after the first whose median is the warm time.
const WARM: usize = 20;
/// How much slower than a warm answer the first may be.
const GOAL: f64 = 2.0;

/// Measures and prints.
pub(crate) fn run(folder: &Path, days: i64) {
    let head = ["cold start", "ready s", "first ms", "warm ms", "first of warm", "goal", ""];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for (sort, name, _) in SORTS {
        note(&format!("starting cold: {name}"));
        let (mut ready, mut first, mut warm) = (Vec::new(), Vec::new(), Vec::new());
        for start in 0..STARTS {
            let begun = Instant::now();
            let mut lamppost = Lamppost::open(folder);
            lamppost.server.ready();
            ready.push(begun.elapsed().as_secs_f64());
            let question = Question::new(sort, days, start);
            if let Err(problem) = lamppost.ask(&question).map(|(took, _)| first.push(took.as_secs_f64() * 1e3)) {
                say(&format!("no answer to {sort:?}: {problem}"));
                break;
            }
            warm.extend((0..WARM).map(|_| milliseconds(&mut lamppost, &question)));
        }
        if first.is_empty() {
            continue;
        }
        let (first, warm) = (median(&mut first), median(&mut warm));
        let mut line = vec![name.to_owned(), format!("{:.2}", median(&mut ready))];
        line.extend([first, warm, first / warm, GOAL].map(|figure| format!("{figure:.2}")));
        line.push(if first / warm <= GOAL { "met" } else { "missed" }.into());
        lines.push(line);
    }
    print(&lines);
}

//! The same questions about the last day, behind more and more days of history.

use crate::lamppost::Lamppost;
use crate::question::{Question, SORTS};
use crate::race::{TURN, milliseconds};
use crate::system::{KINDS, System};
use crate::table::{median, print};
use crate::{note, say};

/// How much slower the longest history may be than the shortest. The same time, but for what a median may be off.
const GOAL: f64 = 1.2;

/// Measures and prints.
pub(crate) fn run(histories: &[i64], runs: usize) {
    let folders: Vec<_> = histories.iter().map(|days| KINDS[0].loaded(*days).0).collect();
    let mut servers: Vec<Lamppost> = folders.iter().map(|folder| Lamppost::open(folder)).collect();
    let mut head = vec!["last day, ms behind".to_owned()];
    head.extend(histories.iter().map(|days| format!("{days} days")));
    head.extend(["last of first".into(), "goal".into(), "".into()]);
    let mut lines = vec![head];
    for (sort, name, _) in SORTS {
        note(&format!("asking behind histories: {name}"));
        let question = |number| Question::new(sort, 1, number);
        if let Some(problem) = servers.iter_mut().find_map(|server| server.ask(&question(0)).err()) {
            say(&format!("no answer to {sort:?}: {problem}"));
            continue;
        }
        let mut times = vec![Vec::new(); servers.len()];
        for first in (0..runs).step_by(TURN) {
            for (server, times) in servers.iter_mut().zip(&mut times) {
                let _ = server.ask(&question(first));
                let turn = (first..runs.min(first + TURN)).map(|number| milliseconds(server, &question(number)));
                times.extend(turn);
            }
        }
        let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
        let ratio = medians[medians.len() - 1] / medians[0];
        let mut line = vec![name.to_owned()];
        line.extend(medians.iter().map(|ms| format!("{ms:.2}")));
        line.extend([format!("{ratio:.2}"), format!("{GOAL}"), if ratio <= GOAL { "met" } else { "missed" }.into()]);
        lines.push(line);
    }
    print(&lines);
}

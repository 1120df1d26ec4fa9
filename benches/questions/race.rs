//! The questions side by side: first that all systems answer the same, then how long each takes.

use crate::question::{Question, SORTS, Sort};
use crate::system::System;
use crate::table::{median, print, quantile};
use crate::{note, say};

/// Forms of each question whose answers are compared before anything is timed.
const COMPARED: usize = 3;
/// Questions a system is asked in a row, so that each finds the processor's caches as it left them.
pub(crate) const TURN: usize = 10;
/// Seconds a system may take for its runs of one question. Past it there are fewer than asked for.
const PATIENCE: f64 = 20.0;

/// Runs all questions about the last so many days; Lamppost is first of the systems.
pub(crate) fn run(systems: &mut [Box<dyn System>], days: i64, runs: usize) {
    let mut head = vec![format!("ms, {days} days"), "Lamppost".into(), "p95".into()];
    head.extend(systems[1..].iter().map(|system| system.name().to_owned()));
    head.extend(["of best peer".into(), "goal".into(), "".into()]);
    let mut lines = vec![head];
    for (sort, name, goal) in SORTS {
        note(&format!("asking {days} days: {name}"));
        let usable = agree(systems, sort, days);
        let mut times = timed(systems, &usable, sort, days, runs);
        lines.push(line(name, goal, &mut times));
    }
    print(&lines);
}

/// Asserts that all systems that answer give the right rows. Gives which do.
fn agree(systems: &mut [Box<dyn System>], sort: Sort, days: i64) -> Vec<bool> {
    let mut usable = vec![true; systems.len()];
    for number in 0..COMPARED {
        let question = Question::new(sort, days, number);
        let truths = [false, true].map(|interpolates| question.truth(interpolates));
        for (system, usable) in systems.iter_mut().zip(&mut usable) {
            match system.ask(&question) {
                Ok((_, answer)) => {
                    let rows = system.rows(&question, &answer);
                    let same = question.compare(&rows, &truths[usize::from(system.interpolates())]);
                    same.unwrap_or_else(|wrong| panic!("{} on {question:?}: {wrong}", system.name()));
                }
                Err(problem) => {
                    if *usable {
                        say(&format!("{} does not answer {sort:?}: {problem}", system.name()));
                    }
                    *usable = false;
                }
            }
        }
    }
    usable
}

/// Milliseconds by system; none where it does not answer.
fn timed(systems: &mut [Box<dyn System>], usable: &[bool], sort: Sort, days: i64, runs: usize) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(runs); systems.len()];
    for first in (0..runs).step_by(TURN) {
        for ((system, times), _) in systems.iter_mut().zip(&mut times).zip(usable).filter(|(_, usable)| **usable) {
            // One that is not counted: what the others did since has taken its place in the caches.
            let turn = (first..runs.min(first + TURN)).map(|number| (number, true));
            for (number, counts) in [(first, false)].into_iter().chain(turn) {
                if times.iter().sum::<f64>() > PATIENCE * 1e3 {
                    break;
                }
                let took = milliseconds(system.as_mut(), &Question::new(sort, days, number));
                if counts {
                    times.push(took);
                }
            }
        }
    }
    times
}

/// Milliseconds of a question that was answered before.
pub(crate) fn milliseconds(system: &mut dyn System, question: &Question) -> f64 {
    let (took, _) = system.ask(question).expect("it answered before");
    took.as_secs_f64() * 1e3
}

fn line(name: &str, goal: Option<f64>, times: &mut [Vec<f64>]) -> Vec<String> {
    let told = |ms: f64| if ms.is_nan() { "–".to_owned() } else { format!("{ms:.2}") };
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    let best = medians[1..].iter().copied().filter(|ms| !ms.is_nan()).fold(f64::INFINITY, f64::min);
    let own = medians[0];
    let is_met = own <= goal.unwrap_or(f64::INFINITY) && own <= best;
    let mut line = vec![name.to_owned(), told(own), told(quantile(&mut times[0], 0.95))];
    line.extend(medians[1..].iter().map(|ms| told(*ms)));
    line.push(if best.is_finite() { told(own / best) } else { "–".into() });
    line.push(goal.map_or("–".into(), told));
    line.push(if is_met { "met" } else { "missed" }.into());
    line
}

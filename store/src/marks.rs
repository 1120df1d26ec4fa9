//! Recent messages without time of their own, and the times they were given (rule 24).

use hashbrown::HashMap;
use schemas::{Mark, Time};
use std::collections::VecDeque;

/// The newest marks, up to a bound.
#[derive(Debug)]
pub(crate) struct Marks {
    most: usize,
    /// By hash the newest time, and the number of the mark that gave it.
    times: HashMap<u64, (Time, u64)>,
    order: VecDeque<Mark>,
    /// Marks ever pushed: the number of the next.
    pushed: u64,
}

impl Marks {
    /// An empty window of at most so many marks.
    pub(crate) fn new(most: usize) -> Marks {
        Marks { most, times: HashMap::new(), order: VecDeque::new(), pushed: 0 }
    }

    /// Remembers a mark; past the bound the oldest is forgotten.
    pub(crate) fn push(&mut self, mark: Mark) {
        self.times.insert(mark.hash, (mark.time, self.pushed));
        self.order.push_back(mark);
        self.pushed += 1;
        while self.order.len() > self.most {
            let number = self.pushed - self.order.len() as u64;
            let Some(old) = self.order.pop_front() else { break };
            // A hash marked again since stays, with its newer mark.
            if self.times.get(&old.hash).is_some_and(|(_, newest)| *newest == number) {
                self.times.remove(&old.hash);
            }
        }
    }

    /// The time of the newest mark of that hash.
    pub(crate) fn get(&self, hash: u64) -> Option<Time> {
        self.times.get(&hash).map(|(time, _)| *time)
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.order.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_with_their_newest_times() {
        let mut marks = Marks::new(3);
        for (hash, time) in [(1, 10), (2, 20), (1, 30), (3, 40)] {
            marks.push(Mark { hash, time: Time(time) });
        }
        assert_eq!(marks.get(1), Some(Time(30)), "marked again before it left the window");
        marks.push(Mark { hash: 4, time: Time(50) });
        assert_eq!((marks.get(2), marks.get(1)), (None, Some(Time(30))));
        assert_eq!(marks.iter().map(|m| m.hash).collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn equal_marks_leave_one_by_one() {
        let mut marks = Marks::new(2);
        let mark = Mark { hash: 1, time: Time(1) };
        (0..3).for_each(|_| marks.push(mark));
        assert_eq!(marks.iter().count(), 2);
        assert_eq!(marks.get(1), Some(Time(1)), "redelivered, so remembered as long as its last arrival");
        marks.push(Mark { hash: 2, time: Time(2) });
        assert_eq!(marks.get(1), Some(Time(1)));
        marks.push(Mark { hash: 3, time: Time(3) });
        assert_eq!(marks.get(1), None);
    }
}

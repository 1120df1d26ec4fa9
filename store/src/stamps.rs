//! When each day of a dataset last changed.

use crate::Stamp;
use schemas::{Day, Span};
use std::collections::BTreeMap;

/// The stamp of each day that ever held a row (rule 22).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stamps(BTreeMap<Day, Stamp>);

impl Stamps {
    /// A record changed the day. Stamps of a day only grow.
    pub(crate) fn touch(&mut self, day: Day, stamp: Stamp) {
        let known = self.0.entry(day).or_default();
        *known = (*known).max(stamp);
    }

    /// A record changed the days of a span that ever held a row.
    pub(crate) fn touch_all(&mut self, span: Span, stamp: Stamp) {
        let Some((first, last)) = span.days() else { return };
        self.0.range_mut(first..=last).for_each(|(_, known)| *known = (*known).max(stamp));
    }

    /// The largest stamp of the days a span touches; days found empty have the least of all.
    pub(crate) fn over(&self, span: Span) -> Stamp {
        let Some((first, last)) = span.days() else { return Stamp::default() };
        self.0.range(first..=last).map(|(_, stamp)| *stamp).max().unwrap_or_default()
    }

    /// The largest of all.
    pub(crate) fn newest(&self) -> Stamp {
        self.0.values().copied().max().unwrap_or_default()
    }

    /// The days changed after a position.
    pub(crate) fn after(&self, position: crate::Position) -> impl Iterator<Item = (Day, Stamp)> + '_ {
        self.iter().filter(move |(_, stamp)| stamp.position > position)
    }

    /// Each day and its stamp.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Day, Stamp)> + '_ {
        self.0.iter().map(|(day, stamp)| (*day, *stamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogId, Position};
    use schemas::Time;

    #[test]
    fn a_span_has_the_largest_stamp_of_its_days_and_none_goes_back() {
        let stamp = |p| Stamp { position: Position(p), log: LogId(1) };
        let mut stamps = Stamps::default();
        stamps.touch(Day(3), stamp(7));
        stamps.touch(Day(5), stamp(9));
        stamps.touch(Day(3), stamp(2));
        let days = |from: i32, to: i32| Span { from: Day(from).start(), to: Day(to).start() };
        assert_eq!(stamps.over(days(3, 5)), stamp(7), "the end is outside");
        assert_eq!(stamps.over(days(0, 9)), stamp(9));
        assert_eq!(stamps.over(days(4, 5)), Stamp::default(), "an empty day has a stamp too");
        assert_eq!(stamps.over(Span { from: Time(5), to: Time(5) }), Stamp::default());
        assert_eq!(stamps.after(Position(7)).collect::<Vec<_>>(), [(Day(5), stamp(9))]);
    }
}

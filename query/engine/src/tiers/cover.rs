//! Which part of a span is read from which tier. Pure: closed instants, floors and dirt are arguments.

use super::rungs::Rungs;
use crate::aggregate::cut::Segment;
use schemas::time::HOUR;
use store::Tier;

/// Width of the windows of the finest tier; dirt is known by these.
const QUARTER: i64 = HOUR / 4;

/// A part of a span that is read from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// First instant.
    pub from: i64,
    /// First instant after.
    pub to: i64,
    /// The tier whose windows make it up; raw rows if none.
    pub tier: Option<Tier>,
}

/// Where windows of a tier begin and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Windows {
    /// At multiples of so many microseconds.
    Width(i64),
    /// At these instants, ascending: civil days.
    Edges(Vec<i64>),
}

/// A tier that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    /// The tier.
    pub tier: Tier,
    /// Its windows.
    pub windows: Windows,
    /// Windows that begin before it are committed.
    pub closed: i64,
    /// Windows that begin before it were dropped.
    pub floor: i64,
}

/// What may not be read from windows of one sensor.
#[derive(Clone, Copy)]
pub(crate) struct Dirt<'a> {
    /// Starts of dirty quarter hours, ascending.
    pub quarters: &'a [i64],
    /// Whether raw rows of a span are gone: its windows are frozen and stand, whatever came since.
    pub frozen: &'a dyn Fn(i64, i64) -> bool,
}

impl Windows {
    /// The first edge at or after an instant; the end of time if there is none.
    pub(crate) fn up(&self, time: i64) -> i64 {
        match self {
            Windows::Width(width) => match time.rem_euclid(*width) {
                0 => time,
                over => time.saturating_add(width - over),
            },
            Windows::Edges(edges) => edges.get(edges.partition_point(|&edge| edge < time)).copied().unwrap_or(i64::MAX),
        }
    }

    /// The last edge at or before an instant; the beginning of time if there is none.
    pub(crate) fn down(&self, time: i64) -> i64 {
        match self {
            Windows::Width(width) => time.saturating_sub(time.rem_euclid(*width)),
            Windows::Edges(edges) => match edges.partition_point(|&edge| edge <= time) {
                0 => i64::MIN,
                after => edges[after - 1],
            },
        }
    }

    /// First instant after the window that begins at an instant.
    pub(crate) fn end(&self, start: i64) -> i64 {
        match self {
            Windows::Width(width) => start.saturating_add(*width),
            Windows::Edges(_) => self.up(start + 1),
        }
    }

    /// Windows between two edges.
    pub(crate) fn count(&self, from: i64, to: i64) -> u64 {
        match self {
            Windows::Width(width) => ((to - from) / width).max(0) as u64,
            Windows::Edges(edges) => {
                let before = |time: i64| edges.partition_point(|&edge| edge < time);
                before(to).saturating_sub(before(from)) as u64
            }
        }
    }
}

/// Covers a span that lies in one group, or in none, with stretches, ascending: windows of the first of `rungs` (the
/// coarsest first) where they are committed and clean, else of the next, raw rows at last.
pub(crate) fn cover(rungs: &[Rung], (from, to): (i64, i64), dirt: Dirt<'_>, out: &mut Vec<Stretch>) {
    if from >= to {
        return;
    }
    let Some((rung, finer)) = rungs.split_first() else { return push(out, (from, to), None) };
    let windows = &rung.windows;
    let (first, last) = (windows.up(from.max(rung.floor)), windows.down(to.min(rung.closed)));
    if first >= last {
        return cover(finer, (from, to), dirt, out);
    }
    cover(finer, (from, first), dirt, out);
    let mut at = first;
    let begin = dirt.quarters.partition_point(|&quarter| quarter + QUARTER <= first);
    for &quarter in dirt.quarters[begin..].iter().take_while(|&&quarter| quarter < last) {
        let (start, end) = (windows.down(quarter), windows.end(windows.down(quarter)));
        if start >= at && !(dirt.frozen)(start, end) {
            push(out, (at, start), Some(rung.tier));
            cover(finer, (start, end), dirt, out);
            at = end;
        }
    }
    push(out, (at, last), Some(rung.tier));
    cover(finer, (last, to), dirt, out);
}

/// Covers a span of a sensor that belongs to groups in these segments: no window lies across the end of one, nor across a
/// cut. What lies between segments is covered, too.
pub(crate) fn cover_cut(
    rungs: &Rungs,
    (from, to): (i64, i64),
    segments: &[Segment],
    dirt: Dirt<'_>,
    out: &mut Vec<Stretch>,
) {
    let edges = segments.iter().flat_map(|segment| [segment.from, segment.to]);
    let mut edges: Vec<i64> =
        edges.chain(rungs.cuts.iter().copied()).filter(|&edge| from < edge && edge < to).collect();
    edges.push(to);
    edges.sort_unstable();
    let mut at = from;
    for edge in edges {
        cover(&rungs.all, (at, edge), dirt, out);
        at = edge;
    }
}

/// Adds a stretch, or makes the last one longer.
fn push(out: &mut Vec<Stretch>, (from, to): (i64, i64), tier: Option<Tier>) {
    match out.last_mut() {
        _ if from >= to => {}
        Some(last) if last.tier == tier && last.to == from => last.to = to,
        _ => out.push(Stretch { from, to, tier }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of Prague in summer begins at 22:00 UTC; times are in quarter hours from a UTC midnight.
    fn rungs(day: i64, hour: i64, quarter: i64) -> Vec<Rung> {
        let edges = (-2..6).map(|d| (d * 96 - 8) * QUARTER).collect();
        let rung = |tier, windows, closed: i64| Rung { tier, windows, closed: closed * QUARTER, floor: i64::MIN };
        vec![
            rung(Tier::Day, Windows::Edges(edges), day),
            rung(Tier::Hour, Windows::Width(HOUR), hour),
            rung(Tier::Quarter, Windows::Width(QUARTER), quarter),
        ]
    }

    fn covered(rungs: &[Rung], from: i64, to: i64, dirty: &[i64], frozen: (i64, i64)) -> String {
        let quarters: Vec<i64> = dirty.iter().map(|q| q * QUARTER).collect();
        let frozen = |from: i64, to: i64| from < frozen.1 * QUARTER && to > frozen.0 * QUARTER;
        let mut out = Vec::new();
        cover(rungs, (from * QUARTER, to * QUARTER), Dirt { quarters: &quarters, frozen: &frozen }, &mut out);
        assert_eq!(out.first().map(|s| s.from), Some(from * QUARTER));
        assert_eq!(out.last().map(|s| s.to), Some(to * QUARTER));
        assert!(out.windows(2).all(|pair| pair[0].to == pair[1].from), "{out:?}");
        let text =
            |s: &Stretch| format!("{}:{}-{}", s.tier.map_or("raw", Tier::name), s.from / QUARTER, s.to / QUARTER);
        out.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    const NEVER: (i64, i64) = (i64::MAX / QUARTER, i64::MAX / QUARTER);

    #[test]
    fn an_open_day_is_its_closed_hours_closed_quarters_and_raw() {
        let found = covered(&rungs(88, 132, 134), -8, 184, &[], NEVER);
        assert_eq!(found, "1d:-8-88 1h:88-132 15m:132-134 raw:134-184");
        // A question of hours does not use days; one that began before there were tiers neither.
        assert_eq!(covered(&rungs(88, 132, 134)[1..], -8, 184, &[], NEVER), "1h:-8-132 15m:132-134 raw:134-184");
        assert_eq!(covered(&[], -8, 184, &[], NEVER), "raw:-8-184");
        assert_eq!(covered(&rungs(i64::MIN / QUARTER, 132, 134), 0, 96, &[], NEVER), "1h:0-96");
    }

    #[test]
    fn a_dirty_window_is_answered_from_finer_ones() {
        let all = rungs(184, 184, 184);
        assert_eq!(covered(&all, -8, 184, &[3], NEVER), "1h:-8-0 15m:0-3 raw:3-4 1h:4-88 1d:88-184");
        // Two quarters of one hour, one of the next, and one of a day after.
        let found = covered(&all, -8, 184, &[0, 2, 5, 183], NEVER);
        let expected =
            "1h:-8-0 raw:0-1 15m:1-2 raw:2-3 15m:3-5 raw:5-6 15m:6-8 1h:8-88 1h:88-180 15m:180-183 raw:183-184";
        assert_eq!(found, expected.replace("1h:8-88 1h:88-180", "1h:8-180"));
        // Dirt outside of the span is none.
        assert_eq!(covered(&all, -8, 88, &[-9, 88], NEVER), "1d:-8-88");
    }

    #[test]
    fn a_window_whose_raw_is_gone_stands() {
        let all = rungs(184, 184, 184);
        assert_eq!(covered(&all, -8, 184, &[3, 100], (0, 1)), "1d:-8-88 1h:88-100 raw:100-101 15m:101-104 1h:104-184");
    }

    #[test]
    fn below_a_floor_is_nothing_of_that_tier() {
        let mut all = rungs(184, 184, 184);
        all[2].floor = 40 * QUARTER;
        all[1].floor = 38 * QUARTER;
        assert_eq!(covered(&all[1..], 0, 96, &[], NEVER), "raw:0-40 1h:40-96");
        assert_eq!(covered(&all, 0, 96, &[], NEVER), "raw:0-40 1h:40-96");
        assert_eq!(covered(&all, -8, 88, &[], NEVER), "1d:-8-88");
    }

    #[test]
    fn half_hours_at_the_ends_are_quarters() {
        // Lord Howe: a civil day from 13:30 UTC.
        let edges = vec![-42 * QUARTER, 54 * QUARTER, 150 * QUARTER];
        let mut all = rungs(54, 184, 184);
        all[0].windows = Windows::Edges(edges);
        assert_eq!(covered(&all, -42, 150, &[], NEVER), "1d:-42-54 15m:54-56 1h:56-148 15m:148-150");
        assert_eq!(all[0].windows.count(-42 * QUARTER, 150 * QUARTER), 2);
        assert_eq!(all[1].windows.count(0, 8 * QUARTER), 2);
    }
}

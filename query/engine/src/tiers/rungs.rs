//! The tiers a question may be answered from.

use super::cover::{Rung, Windows};
use crate::columns::Output;
use schemas::{Bucket, Dataset, Kind, Span, Time, Zone};
use store::tier::columns::Part;
use store::{Snapshot, Tier};

/// Civil days looked at: 2000 to 2200.
const MOST_DAYS: usize = 80_000;

/// Tiers, the coarsest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rungs {
    /// Each of them.
    pub all: Vec<Rung>,
    /// Where buckets end that lie across windows of some of them.
    pub cuts: Vec<i64>,
}

impl Rungs {
    /// The tiers that have committed windows in a span and of which `may` approves.
    pub(crate) fn all(snapshot: &Snapshot, span: Span, may: impl Fn(Tier) -> bool) -> Rungs {
        let rung = |tier: Tier| {
            let (closed, floor) = (snapshot.closed(tier).0, snapshot.floor(tier).0);
            let windows = match tier.bucket() {
                Bucket::Duration(width) => Windows::Width(width),
                _ => Windows::Edges(days(&snapshot.dataset, span, closed)),
            };
            (closed > span.from.0 && may(tier)).then_some(Rung { tier, windows, closed, floor })
        };
        Rungs { all: Tier::ALL.into_iter().rev().filter_map(rung).collect(), cuts: Vec::new() }
    }

    /// Those of them whose windows make up buckets with these edges exactly, and all finer ones: none if no tier's do. Hours
    /// do not make up the days of every zone, though they lie within them.
    /// `zone` is the dataset's.
    pub(crate) fn within(&self, edges: &[Time], zone: &Zone) -> Rungs {
        let fits = |rung: &Rung| edges.iter().all(|&edge| rung.is_edge(edge, zone));
        let first = self.all.iter().position(fits).unwrap_or(self.all.len());
        let all = self.all[first..].to_vec();
        let across = all.iter().any(|rung| !fits(rung));
        Rungs { all, cuts: edges.iter().filter(|_| across).map(|edge| edge.0).collect() }
    }

    /// Up to where some window is committed; the beginning of time if there are none.
    pub(crate) fn closed(&self) -> i64 {
        self.all.iter().map(|rung| rung.closed).max().unwrap_or(i64::MIN)
    }

    /// The windows of a tier.
    pub(crate) fn windows(&self, tier: Tier) -> Option<&Windows> {
        self.all.iter().find(|rung| rung.tier == tier).map(|rung| &rung.windows)
    }
}

impl Rung {
    /// Whether windows end at an instant; `zone` is the dataset's.
    fn is_edge(&self, time: Time, zone: &Zone) -> bool {
        let known = match &self.windows {
            Windows::Width(_) => true,
            Windows::Edges(edges) => {
                edges.first().is_some_and(|first| *first <= time.0) && edges.last().is_some_and(|last| time.0 <= *last)
            }
        };
        // Days that are not committed have no edges here; buckets of minutes in them are none of days.
        if known { self.windows.down(time.0) == time.0 } else { Bucket::Day.span(time, zone).from == time }
    }
}

/// Where civil days of a dataset begin, from the one a span begins in up to the end of the last that is committed.
fn days(dataset: &Dataset, span: Span, closed: i64) -> Vec<i64> {
    let committed = Span { from: span.from.max(Time::EARLIEST), to: span.to.min(Time(closed)) };
    if committed.is_empty() {
        return Vec::new();
    }
    let whole = Bucket::Day.widen(committed, &dataset.zone);
    let edges = Bucket::Day.edges(whole, &dataset.zone, MOST_DAYS).unwrap_or_default();
    edges.into_iter().map(|edge| edge.0).collect()
}

/// Whether a tier holds what a column of an answer is made of.
pub(crate) fn serves(dataset: &Dataset, output: &Output, tier: Tier) -> bool {
    let field = &dataset.fields[output.field];
    let parts = super::wanted::parts(&field.kind, output.function);
    parts.is_some_and(|parts| {
        parts.iter().all(|&part| match part {
            Part::Last | Part::LastAt => {
                tier == Tier::Day || matches!(field.kind, Kind::Cumulative | Kind::State { .. })
            }
            Part::Sketch => tier == Tier::Day && field.quantiles,
            _ => true,
        })
    })
}

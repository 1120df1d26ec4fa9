//! Questions that need readings which are gone: refused before anything runs, naming what is answered.

use super::aggregates::Plan;
use crate::Error;
use crate::tiers::rungs::serves;
use crate::tiers::ways::Path;
use crate::tiers::{Rungs, Stretch};
use schemas::time::HOUR;
use schemas::{Bucket, Day, Span, Time};

/// Buckets tried for a question that is answered.
const TRIED: [Bucket; 4] =
    [Bucket::Duration(HOUR / 4), Bucket::Duration(HOUR), Bucket::Duration(24 * HOUR), Bucket::Day];
/// Edges of buckets tried: ten years of quarter hours.
const MOST: usize = 400_000;

impl Plan {
    /// Refuses stretches within the span that only raw rows tell of where these were dropped.
    pub(super) fn check_gone(&self, stretches: &[Stretch]) -> Result<(), Error> {
        let raw = stretches.iter().filter(|stretch| stretch.tier.is_none() && stretch.to > self.span.from.0);
        let gone = |stretch: &Stretch| self.gone(stretch.from.max(self.span.from.0), stretch.to);
        raw.filter_map(gone).next().map_or(Ok(()), |day| Err(self.refusal(day)))
    }

    fn gone(&self, from: i64, to: i64) -> Option<Day> {
        self.snapshot.gone(Span { from: Time(from), to: Time(to) })
    }

    fn refusal(&self, day: Day) -> Error {
        let dataset = &self.snapshot.dataset;
        let buckets = self.answered();
        let mut accepted: Vec<String> = buckets.iter().filter(|(_, all)| *all).map(|(text, _)| text.clone()).collect();
        // The first bucket after all days that are gone.
        let mut from = self.span.from;
        while let Some(gone) = self.gone(from.0, self.span.to.0) {
            from = gone.span().to;
        }
        let next = self.buckets.edges().iter().find(|edge| **edge >= from);
        accepted
            .extend(next.filter(|edge| **edge < self.span.to).map(|edge| format!("from={}", self.zone.format(*edge))));
        let message = format!("the readings of {day} are no longer kept");
        if accepted.iter().all(|text| text.starts_with("from=")) && !buckets.is_empty() {
            // Other functions would be answered.
            let raw =
                |output: &&crate::columns::Output| !self.any.all.iter().any(|rung| serves(dataset, output, rung.tier));
            let names: Vec<&str> = self.outputs.iter().filter(raw).map(|output| output.column.as_str()).collect();
            let message = format!("{message}, and only they tell of {}", names.join(", "));
            accepted.push("fields without these".to_owned());
            return Error::invalid("fields", message, accepted);
        }
        let parameter = if accepted.iter().any(|text| text.starts_with("bucket=")) { "bucket" } else { "from" };
        Error::invalid(parameter, format!("{message}; what is kept of them has wider windows"), accepted)
    }

    /// Buckets by which the span is answered from tiers: all that is asked for, or other functions only.
    fn answered(&self) -> Vec<(String, bool)> {
        let (snapshot, zone) = (&self.snapshot, &self.snapshot.dataset.zone);
        let all = Rungs::all(snapshot, self.span, |_| true);
        let mut found = Vec::new();
        for bucket in TRIED {
            for own in [false, true] {
                let tz = if own { zone } else { &self.zone };
                if own && (bucket != Bucket::Day || *zone == self.zone) {
                    continue;
                }
                let span = bucket.widen(self.span, tz);
                let Some(edges) = bucket.edges(span, tz, MOST) else { continue };
                let kept = |any: &Rungs| {
                    let rungs = any.within(&edges, zone);
                    let path = Path { before: Span { to: span.from, ..span }, any, span, rungs: &rungs };
                    let stretches = path.cover(snapshot, &[]);
                    stretches
                        .iter()
                        .all(|stretch| stretch.tier.is_some() || self.gone(stretch.from, stretch.to).is_none())
                };
                let text = if own { format!("bucket={bucket}&tz={}", zone.name()) } else { format!("bucket={bucket}") };
                if kept(&self.any) {
                    found.push((text, true));
                } else if kept(&all) {
                    found.push((text, false));
                }
            }
        }
        found
    }
}

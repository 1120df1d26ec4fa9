//! Questions that need readings which are gone: refused before anything runs, naming what is answered.

use super::aggregates::Plan;
use crate::Error;
use crate::tiers::cover::{Dirt, cover_cut};
use crate::tiers::rungs::serves;
use crate::tiers::{Rungs, Stretch};
use schemas::time::HOUR;
use schemas::{Bucket, Day, Span, Time, Zone};

/// Buckets tried for a question that is answered.
const TRIED: [Bucket; 4] =
    [Bucket::Duration(HOUR / 4), Bucket::Duration(HOUR), Bucket::Duration(24 * HOUR), Bucket::Day];
/// Buckets tried at most: ten years of quarter hours.
const MOST: usize = 400_000;

/// What is asked for, and what is kept.
struct Asked<'a> {
    span: Span,
    edges: &'a [Time],
    zone: &'a Zone,
    /// The dataset's zone.
    own: &'a Zone,
    /// Tiers that hold what is asked for.
    any: &'a Rungs,
    /// All tiers.
    all: &'a Rungs,
    /// Columns no tier tells of.
    raw: Vec<&'a str>,
    /// The first day of a span whose raw rows are gone.
    gone: &'a dyn Fn(Span) -> Option<Day>,
}

impl Plan {
    /// Refuses stretches within the span that only raw rows tell of where these were dropped.
    pub(super) fn check_gone(&self, stretches: &[Stretch]) -> Result<(), Error> {
        let gone = |span| self.snapshot.gone(span);
        let Some(day) = missing(stretches, self.span, &gone) else { return Ok(()) };
        let dataset = &self.snapshot.dataset;
        let all = Rungs::all(&self.snapshot, self.span, |_| true);
        let raw = |output: &&crate::columns::Output| !all.all.iter().any(|rung| serves(dataset, output, rung.tier));
        let asked = Asked {
            span: self.span,
            edges: self.buckets.edges(),
            zone: &self.zone,
            own: &dataset.zone,
            any: &self.any,
            all: &all,
            raw: self.outputs.iter().filter(raw).map(|output| output.column.as_str()).collect(),
            gone: &gone,
        };
        Err(asked.refusal(day))
    }
}

/// The first day of raw stretches within a span that is gone.
fn missing(stretches: &[Stretch], span: Span, gone: &dyn Fn(Span) -> Option<Day>) -> Option<Day> {
    let mut raw = stretches.iter().filter(|stretch| stretch.tier.is_none() && stretch.to > span.from.0);
    raw.find_map(|stretch| gone(Span { from: span.from.max(Time(stretch.from)), to: Time(stretch.to) }))
}

impl Asked<'_> {
    fn refusal(&self, day: Day) -> Error {
        let message = format!("the readings of {day} are no longer kept");
        let (mut accepted, others) = self.buckets();
        // The first bucket after all days that are gone.
        let mut from = self.span.from;
        while let Some(gone) = (self.gone)(Span { from, ..self.span }) {
            from = gone.span().to;
        }
        let next = self.edges.iter().find(|edge| **edge >= from).filter(|edge| **edge < self.span.to);
        accepted.extend(next.map(|edge| format!("from={}", self.zone.format(*edge))));
        if !self.raw.is_empty() || accepted.is_empty() && others {
            accepted
                .push("fields with functions that wider windows tell of, such as mean, min, max, sum, n".to_owned());
            let columns = if self.raw.is_empty() { "these fields".to_owned() } else { self.raw.join(", ") };
            return Error::invalid("fields", format!("{message}, and only they tell of {columns}"), accepted);
        }
        let parameter = if accepted.iter().any(|text| text.starts_with("bucket=")) { "bucket" } else { "from" };
        Error::invalid(parameter, format!("{message}; of that time only wider windows are kept"), accepted)
    }

    /// Buckets by which all that is asked for is answered, and whether other functions would be by some.
    fn buckets(&self) -> (Vec<String>, bool) {
        let (mut found, mut others) = (Vec::new(), false);
        let days = TRIED.into_iter().map(|bucket| (bucket, self.zone, String::new()));
        let own = (self.zone != self.own).then(|| (Bucket::Day, self.own, format!("&tz={}", self.own.name())));
        for (bucket, zone, tz) in days.chain(own) {
            let span = bucket.widen(self.span, zone);
            let Some(edges) = bucket.edges(span, zone, MOST) else { continue };
            if self.answers(self.any, span, &edges) {
                found.push(format!("bucket={bucket}{tz}"));
            }
            others |= self.answers(self.all, span, &edges);
        }
        (found, others)
    }

    /// Whether tiers, and raw rows that are there, answer buckets with these edges.
    fn answers(&self, rungs: &Rungs, span: Span, edges: &[Time]) -> bool {
        let frozen = |from, to| (self.gone)(Span { from: Time(from), to: Time(to) }).is_some();
        let mut stretches = Vec::new();
        let rungs = rungs.within(edges, self.own);
        cover_cut(&rungs, (span.from.0, span.to.0), &[], Dirt { quarters: &[], frozen: &frozen }, &mut stretches);
        missing(&stretches, span, self.gone).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::Windows;
    use crate::tiers::cover::Rung;
    use store::Tier;

    /// Twenty days from a midnight in Prague, of which the raw rows of the first ten are gone and quarters of the first five.
    fn refused(zone: &str, bucket: Bucket, raw: Vec<&str>) -> (Option<&'static str>, Vec<String>) {
        let (zone, own) = (Zone::parse(zone).unwrap(), Zone::parse("Europe/Prague").unwrap());
        let at = |day: i64| Time(1_782_856_800_000_000 + day * 24 * HOUR);
        let days: Vec<i64> = (-2..=20).map(|day| at(day).0).collect();
        let rung = |tier, windows, floor| Rung { tier, windows, closed: at(20).0, floor };
        let all = Rungs {
            all: vec![
                rung(Tier::Day, Windows::Edges(days), i64::MIN),
                rung(Tier::Hour, Windows::Width(HOUR), i64::MIN),
                rung(Tier::Quarter, Windows::Width(HOUR / 4), at(5).0),
            ],
            cuts: Vec::new(),
        };
        let any = if raw.is_empty() { all.clone() } else { Rungs::default() };
        let gone = |span: Span| {
            let (first, last) = span.days()?;
            (first.max(at(0).day()) <= last.min(at(9).day())).then(|| first.max(at(0).day()))
        };
        let span = bucket.widen(Span { from: at(0), to: at(19) }, &zone);
        let edges = bucket.edges(span, &zone, 100_000).unwrap();
        let asked = Asked { span, edges: &edges, zone: &zone, own: &own, any: &any, all: &all, raw, gone: &gone };
        assert!(!asked.answers(&any, span, &edges));
        let refusal = asked.refusal(at(0).day());
        (refusal.parameter, refusal.accepted)
    }

    #[test]
    fn a_refusal_names_the_bucket_the_zone_or_the_span_that_is_answered() {
        let hours = ["bucket=1h", "bucket=24h", "bucket=day"].map(str::to_owned);
        let (parameter, accepted) = refused("Europe/Prague", Bucket::Duration(HOUR / 12), Vec::new());
        assert_eq!((parameter, &accepted[..3], accepted.len()), (Some("bucket"), &hours[..], 4));
        assert!(accepted[3].starts_with("from=2026-07-1"), "{accepted:?}");
        let (_, accepted) = refused("Asia/Kathmandu", Bucket::Day, Vec::new());
        assert!(accepted.contains(&"bucket=day&tz=Europe/Prague".to_owned()), "{accepted:?}");
        assert!(!accepted.contains(&"bucket=day".to_owned()), "{accepted:?}");
        let (parameter, accepted) = refused("Europe/Prague", Bucket::Duration(HOUR), vec!["co2_p95"]);
        assert_eq!((parameter, accepted.len()), (Some("fields"), 2));
        assert!(accepted[0].starts_with("from="), "{accepted:?}");
    }
}

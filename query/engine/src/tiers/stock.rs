//! What a question has loaded: files of tiers, and raw rows of some spans.

use super::cover::{Stretch, Windows};
use super::wanted::Wanted;
use crate::Error;
use crate::aggregate::window::Strip;
use schemas::time::HOUR;
use schemas::{Span, Time};
use store::{Loaded, Rollup, SensorIx, Series, Snapshot, Tier};

/// Raw rows whose spans are not further apart than this are loaded together, in microseconds.
const APART: i64 = HOUR;

/// Files of tiers, and raw rows of spans apart.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    tiers: [Vec<Rollup>; 3],
    raw: Vec<(Span, Loaded)>,
}

impl Stock {
    /// Loads what stretches of some sensors, or of all, are read from.
    pub(crate) async fn load(
        snapshot: &Snapshot,
        stretches: &[Stretch],
        sensors: Option<&[SensorIx]>,
        wanted: &Wanted,
    ) -> Result<Stock, Error> {
        let mut stock = Stock::default();
        for tier in Tier::ALL {
            let own = stretches.iter().filter(|stretch| stretch.tier == Some(tier));
            let hull = own.map(|stretch| (stretch.from, stretch.to)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            if let Some((from, to)) = hull {
                let span = Span { from: Time(from), to: Time(to) };
                stock.tiers[tier as usize] = snapshot.load_tier(tier, span, sensors, &wanted.numbers(tier)).await?;
            }
        }
        let raw = stretches.iter().filter(|stretch| stretch.tier.is_none());
        for span in together(raw.map(|stretch| (stretch.from, stretch.to)).collect()) {
            stock.raw.push((span, snapshot.load(span, sensors, &wanted.fields).await?));
        }
        Ok(stock)
    }

    /// A sensor's rows of a tier in a stretch: one strip per file that has any.
    pub(crate) fn strips<'a>(
        &'a self,
        tier: Tier,
        sensor: SensorIx,
        stretch: &Stretch,
        wanted: &'a Wanted,
        windows: &'a Windows,
    ) -> Vec<Strip<'a>> {
        let strip = |rollup: &'a Rollup| {
            let rows = rollup.keys.rows(sensor);
            let times = &rollup.keys.time[rows.clone()];
            let from = rows.start + times.partition_point(|&time| time < stretch.from);
            let to = rows.start + times.partition_point(|&time| time < stretch.to);
            (from < to).then_some(Strip { rollup, rows: from..to, tier, wanted, windows })
        };
        self.tiers[tier as usize].iter().filter_map(strip).collect()
    }

    /// Calls `visit` with a sensor's raw rows in a stretch, or around it.
    pub(crate) fn rows(&self, sensor: SensorIx, stretch: &Stretch, visit: &mut dyn FnMut(Series<'_>)) {
        let after = self.raw.partition_point(|(span, _)| span.from.0 <= stretch.from);
        if let Some((_, loaded)) = after.checked_sub(1).and_then(|at| self.raw.get(at)) {
            loaded.series(sensor, visit);
        }
    }
}

/// Spans put together where they meet or are near, ascending.
fn together(mut spans: Vec<(i64, i64)>) -> Vec<Span> {
    spans.sort_unstable();
    let mut found: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match found.last_mut() {
            Some(last) if from <= last.to.0.saturating_add(APART) => last.to = last.to.max(Time(to)),
            _ => found.push(Span { from: Time(from), to: Time(to) }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_are_near_are_loaded_together() {
        let hours = |spans: &[(i64, i64)]| together(spans.iter().map(|(a, b)| (a * HOUR, b * HOUR)).collect());
        let span = |from: i64, to: i64| Span { from: Time(from * HOUR), to: Time(to * HOUR) };
        assert_eq!(hours(&[(9, 10), (1, 2), (3, 8), (12, 13), (4, 5)]), [span(1, 10), span(12, 13)]);
        assert_eq!(hours(&[]), []);
    }
}

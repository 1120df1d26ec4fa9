//! How the sensors of aggregates are read, and what meta tells of it.

use super::aggregates::Plan;
use crate::Error;
use crate::aggregate::cut::Segment;
use crate::aggregate::window::without_sketch;
use crate::answer::Meta;
use crate::columns::{Function, Output};
use crate::tiers::Ways;
use crate::tiers::ways::Covers;
use hashbrown::HashMap;
use schemas::Day;
use store::{SensorIx, Tier};

impl Plan {
    /// Covers and loads sensors; gives the days with dirty windows, too.
    pub(super) async fn ways(&self, sensors: &[(SensorIx, &[Segment])]) -> Result<(Ways, Vec<Day>), Error> {
        let mut only: Vec<SensorIx> = sensors.iter().map(|(sensor, _)| *sensor).collect();
        only.sort_unstable();
        let only = (self.named.is_some() || !self.attributes.is_empty()).then_some(&only[..]);
        let mut missing = HashMap::new();
        loop {
            let mut covers = self.path().covers(&self.snapshot, sensors, &missing).await?;
            self.check_own(&covers)?;
            covers.dirty_days.retain(|day| day.start() < self.ground.complete_until);
            let days = std::mem::take(&mut covers.dirty_days);
            let ways = covers.load(&self.snapshot, only, &self.wanted).await?;
            let lacking = self.lacking(&ways, sensors);
            // A window whose readings are gone stands as it is, so it would be lacking for ever.
            if lacking.is_empty() || !missing.is_empty() {
                return if lacking.is_empty() { Ok((ways, days)) } else { Err(self.no_sketch()) };
            }
            missing = lacking;
        }
    }

    /// Refuses covers of single sensors that cost too much, or that need readings which are gone.
    fn check_own(&self, covers: &Covers) -> Result<(), Error> {
        covers.own().try_for_each(|stretches| self.check_gone(stretches))?;
        self.check_cost(|to| covers.own().map(|stretches| self.cost(stretches, 1, to)).sum())
    }

    /// Windows without a sketch, where quantiles by sketch are asked for: they were committed before the contract said so.
    fn lacking(&self, ways: &Ways, sensors: &[(SensorIx, &[Segment])]) -> HashMap<SensorIx, Vec<i64>> {
        let by_sketch = |output: &&Output| matches!(output.function, Function::Quantile { sketch: true, .. });
        let fields: Vec<usize> = self.outputs.iter().filter(by_sketch).map(|output| output.field).collect();
        let mut found: HashMap<SensorIx, Vec<i64>> = HashMap::new();
        let Some(windows) = self.any.windows(Tier::Day).filter(|_| !fields.is_empty()) else { return found };
        for (sensor, _) in sensors {
            let (stretches, stock) = ways.of(*sensor);
            for stretch in stretches.iter().filter(|stretch| stretch.tier == Some(Tier::Day)) {
                for strip in stock.strips(Tier::Day, *sensor, stretch, &self.wanted, windows) {
                    let lacks = fields.iter().flat_map(|&field| without_sketch(&strip, field));
                    lacks.for_each(|window| found.entry(*sensor).or_default().push(window));
                }
            }
        }
        found
    }

    fn no_sketch(&self) -> Error {
        let message = "sketches were not kept yet when readings of the span were, and these are gone";
        Error::invalid("fields", message, ["functions other than quantiles".to_owned()])
    }

    /// The outputs that tell how meters grow.
    pub(super) fn growths(&self) -> Vec<Output> {
        self.outputs.iter().filter(|output| output.function == Function::Increase).cloned().collect()
    }

    /// What stands beside the rows.
    pub(super) fn meta(&self, tiers: Vec<&'static str>, dirty_days: Vec<Day>) -> Meta {
        let dataset = &self.snapshot.dataset;
        Meta {
            dataset: Some(dataset.id.clone()),
            from: Some(self.span.from),
            to: Some(self.span.to),
            widened: self.widened,
            bucket: Some(self.bucket.to_string()),
            group: Some(self.group.column().unwrap_or("none").to_owned()),
            tz: Some(self.zone.clone()),
            fields: self.outputs.iter().map(|output| output.meta(dataset)).collect(),
            tiers,
            stamp: Some(self.ground.stamp),
            complete_until: Some(self.ground.complete_until),
            dirty_days,
            license: Some(dataset.license.clone()),
            publisher: Some(dataset.publisher.clone()),
            next: None,
        }
    }
}

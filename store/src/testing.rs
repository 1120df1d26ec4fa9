//! What the store's tests share: datasets, dice, batches.

pub(crate) mod bed;
pub(crate) mod tape;

pub(crate) use bed::Bed;

use schemas::{
    ABSENT, Access, Batch, Cadence, Dataset, Field, Keep, Keeps, Kind, Resolution, Text, Time, Unit, UnknownSensors,
    Zone,
};
use std::sync::Arc;

/// A dataset of so many gauges `f0`, `f1`, … with resolution 1.
pub(crate) fn dataset(id: &str, fields: usize) -> Arc<Dataset> {
    let unit = Unit { code: "1".into(), dimension: "number", factor: (1, 1), offset: (0, 1) };
    let field = |i| Field {
        name: format!("f{i}").into(),
        title: Text::new(),
        unit: unit.clone(),
        kind: Kind::Gauge,
        resolution: Resolution::of_scale(0).expect("scale 0 is kept"),
        range: (-1_000_000, 1_000_000_000_000),
        quantiles: false,
    };
    Arc::new(Dataset {
        id: id.into(),
        title: Text::new(),
        description: Text::new(),
        license: "CC0-1.0".into(),
        publisher: "Test".into(),
        access: Access::Public,
        zone: Zone::utc(),
        every: Cadence::Every(60_000_000),
        unknown_sensors: UnknownSensors::Accept,
        max_sensors: 1000,
        keep: Keeps { raw: Keep::Forever, quarter: Keep::Forever, hour: Keep::Forever, day: Keep::Forever },
        fields: (0..fields).map(field).collect(),
        sources: Vec::new(),
        sensors_file: None,
        sensors: Vec::new(),
        version: 1,
    })
}

/// A dataset `d` with a field of each kind, `f0` to `f5`: gauge (with quantiles), count, cumulative, state, level, angle.
pub(crate) fn of_kinds(zone: &str) -> Arc<Dataset> {
    let mut kinds = (*dataset("d", 6)).clone();
    kinds.zone = Zone::parse(zone).expect("a zone");
    kinds.fields[0].quantiles = true;
    let words = ["free", "taken", "broken"].map(Arc::from).to_vec();
    kinds.fields[1].kind = Kind::Count;
    kinds.fields[2].kind = Kind::Cumulative;
    kinds.fields[3].kind = Kind::State { values: words, hold: 5_400_000_000 };
    kinds.fields[3].range = (0, 2);
    kinds.fields[4].kind = Kind::Level;
    kinds.fields[4].resolution = Resolution::of_scale(1).expect("scale 1 is kept");
    kinds.fields[4].range = (-1200, 1800);
    kinds.fields[5].kind = Kind::Angle;
    kinds.fields[5].range = (-360, 360);
    Arc::new(kinds)
}

/// A row of a test: sensor, instant, (field, value) pairs.
pub(crate) type Row<'a> = (&'a str, i64, &'a [(usize, i64)]);

/// A batch of rows, in this order.
pub(crate) fn batch(dataset: &Arc<Dataset>, rows: &[Row<'_>]) -> Batch {
    let mut batch = Batch::new(dataset.clone());
    for (sensor, time, values) in rows {
        let at = batch.sensors.iter().position(|s| &**s == *sensor).unwrap_or_else(|| {
            batch.sensors.push((*sensor).into());
            batch.sensors.len() - 1
        });
        batch.sensor.push(at as u32);
        batch.time.push(*time);
        batch.columns.iter_mut().for_each(|c| c.push(ABSENT));
        values.iter().for_each(|(field, value)| *batch.columns[*field].last_mut().expect("just pushed") = *value);
    }
    batch
}

/// Seeded dice (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
}

/// The instant of the store's clock in tests.
pub(crate) fn noon() -> Time {
    Time(1_700_000_000_000_000)
}

//! Coverage: readings present over readings expected (design section 7, store rule 26).
//!
//! Of one sensor: min(1, n ÷ (elapsed ÷ every)); of several: Σ min(n, expected) ÷ Σ expected. `elapsed` is the part of the
//! bucket before now in which the sensor belonged to the group and was in service: from its registration date, or else its
//! first reading, until it retired. Null when nothing is expected: no cadence, a bucket shorter than it, none elapsed.
//! All is exact: time is added up per cadence, and cadences meet in their least common multiple.

use crate::aggregate::cut::{Buckets, Key, Segment};
use crate::aggregate::value::RATIO_DIGITS;
use schemas::decimal::divide;
use schemas::{Cadence, Dataset, Sensor};

/// When readings of one sensor are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// From when.
    pub from: i64,
    /// Until when: retired, or now.
    pub to: i64,
    /// Place of its cadence in [`Cadences`]; nothing when readings come as events.
    pub cadence: Option<usize>,
}

/// The distinct cadences of a question's sensors, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cadences(Vec<i64>);

impl Cadences {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no sensor has one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A cadence by its place.
    pub fn every(&self, cadence: usize) -> i64 {
        self.0[cadence]
    }

    /// When readings of a sensor are expected, as of `now`; its cadence is added if it is new.
    pub fn service(&mut self, dataset: &Dataset, sensor: Option<&Sensor>, now: i64) -> Service {
        let every = sensor.and_then(|sensor| sensor.every).unwrap_or(dataset.every);
        let cadence = match every {
            Cadence::Event => None,
            Cadence::Every(micros) => Some(self.0.iter().position(|&known| known == micros).unwrap_or_else(|| {
                self.0.push(micros);
                self.0.len() - 1
            })),
        };
        let from = sensor.and_then(|sensor| sensor.since).map_or(i64::MAX, |since| since.0);
        let to = sensor.and_then(|sensor| sensor.retired).map_or(now, |retired| retired.0.min(now));
        Service { from, to, cadence }
    }

    /// `Σ got ÷ Σ due` over cadences, each sum in microseconds, at four digits; nothing when nothing was due.
    pub fn ratio(&self, got: &[i128], due: &[i128]) -> Option<i128> {
        let whole = self.0.iter().fold(1_i128, |all, &every| lcm(all, i128::from(every)));
        let readings = |micros: &[i128]| -> i128 {
            micros.iter().zip(&self.0).map(|(&m, &every)| m.saturating_mul(whole / i128::from(every))).sum()
        };
        // Both shrink alike where four more digits would not fit.
        let (mut got, mut due) = (readings(got), readings(due));
        while due > i128::MAX / 20_000 {
            got /= 2;
            due /= 2;
        }
        (due > 0).then(|| divide(got * 10_i128.pow(RATIO_DIGITS), due))
    }
}

impl Service {
    /// Microseconds of a span in which readings are expected.
    pub fn within(&self, from: i64, to: i64) -> i64 {
        (to.min(self.to) - from.max(self.from).min(to)).max(0)
    }

    /// Microseconds of a bucket in which the sensor belongs to a group and readings are expected; none where the bucket is
    /// shorter than the cadence.
    pub fn due(&self, cadences: &Cadences, buckets: &Buckets, key: Key, segments: &[Segment]) -> i64 {
        let (start, end) = (buckets.start(key.bucket as usize), buckets.end(key.bucket as usize));
        if self.cadence.is_none_or(|cadence| end - start < cadences.every(cadence)) {
            return 0;
        }
        let mine = segments.iter().filter(|segment| segment.group == key.group);
        mine.map(|segment| self.within(segment.from.max(start), segment.to.min(end))).sum()
    }
}

/// Microseconds due per cadence, bucket and group, over many sensors: sums of whole buckets are kept as differences.
#[derive(Clone, Debug)]
pub struct Due {
    groups: usize,
    /// (cadence × groups + group) × buckets + bucket: sensors in service for all of the bucket, as differences.
    whole: Vec<i32>,
    /// The same: microseconds of buckets a sensor is in service for in part.
    part: Vec<i64>,
}

impl Due {
    /// None yet.
    pub fn new(cadences: usize, groups: usize, buckets: usize) -> Due {
        let places = cadences * groups * buckets;
        Due { groups, whole: vec![0; places], part: vec![0; places] }
    }

    /// Adds one sensor's span in one group.
    pub fn add(&mut self, service: &Service, segment: &Segment, buckets: &Buckets) {
        let Some(cadence) = service.cadence else { return };
        let from = segment.from.max(service.from).max(buckets.from());
        let to = segment.to.min(service.to).min(buckets.to());
        if from >= to {
            return;
        }
        let place = (cadence * self.groups + segment.group as usize) * buckets.count();
        let (first, last) = (buckets.of(from), buckets.of(to - 1));
        for bucket in [first, last] {
            let (start, end) = (buckets.start(bucket), buckets.end(bucket));
            let within = to.min(end) - from.max(start);
            self.part[place + bucket] += within;
            if first == last {
                return;
            }
        }
        if last - first > 1 {
            self.whole[place + first + 1] += 1;
            self.whole[place + last] -= 1;
        }
    }

    /// Turns differences into counts: to be called once, after all sensors were added.
    pub fn close(&mut self, buckets: usize) {
        for row in self.whole.chunks_mut(buckets) {
            row.iter_mut().fold(0, |sum, count| {
                *count += sum;
                *count
            });
        }
    }

    /// Microseconds due of each cadence in a bucket and group.
    pub fn of<'a>(&'a self, cadences: &'a Cadences, buckets: &Buckets, key: Key) -> impl Iterator<Item = i128> + 'a {
        let bucket = key.bucket as usize;
        let (width, count) = (buckets.end(bucket) - buckets.start(bucket), buckets.count());
        cadences.0.iter().enumerate().map(move |(cadence, &every)| {
            let place = (cadence * self.groups + key.group as usize) * count + bucket;
            let micros = i128::from(self.part[place]) + i128::from(self.whole[place]) * i128::from(width);
            if width < every { 0 } else { micros }
        })
    }
}

/// Least common multiple of positive numbers.
fn lcm(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a.saturating_mul(b / x)
}

#[cfg(test)]
mod tests;

//! The table of coverage: what counts as expected, and when.

use super::*;
use crate::aggregate::value::RATIO_DIGITS;
use schemas::Time;
use schemas::time::{HOUR, SECOND};

const MINUTE: i64 = 60 * SECOND;

fn service(cadences: &mut Cadences, every: Option<i64>, from: i64, to: i64) -> Service {
    let cadence = every.map(|every| {
        cadences.0.iter().position(|&known| known == every).unwrap_or_else(|| {
            cadences.0.push(every);
            cadences.0.len() - 1
        })
    });
    Service { from, to, cadence }
}

/// A sensor: cadence, first and last instant of service, readings.
type Sensor = (Option<i64>, i64, i64, i64);

/// Coverage of several sensors in one hour.
fn hour(sensors: &[Sensor]) -> Option<i128> {
    let buckets = Buckets::new(vec![Time(0), Time(HOUR)], Some(HOUR));
    let (key, segment) = (Key { bucket: 0, group: 0 }, Segment { from: 0, to: HOUR, group: 0 });
    let mut cadences = Cadences::default();
    let services: Vec<Service> =
        sensors.iter().map(|&(every, from, to, _)| service(&mut cadences, every, from, to)).collect();
    let mut due = Due::new(cadences.len(), 1, 1);
    let mut got = vec![0_i128; cadences.len()];
    for (service, (_, _, _, n)) in services.iter().zip(sensors) {
        due.add(service, &segment, &buckets);
        if let Some(cadence) = service.cadence {
            let most = service.due(&cadences, &buckets, key, &[segment]);
            got[cadence] += i128::from((n * cadences.every(cadence)).min(most));
        }
    }
    due.close(1);
    let due: Vec<i128> = due.of(&cadences, &buckets, key).collect();
    cadences.ratio(&got, &due)
}

#[test]
fn the_table() {
    let always = i64::MAX;
    let cases: [(&str, &[Sensor], Option<i128>); 14] = [
        ("all there", &[(Some(MINUTE), 0, always, 60)], Some(10_000)),
        ("a third missing", &[(Some(MINUTE), 0, always, 40)], Some(6_667)),
        ("more than expected", &[(Some(MINUTE), 0, always, 90)], Some(10_000)),
        ("none at all", &[(Some(MINUTE), 0, always, 0)], Some(0)),
        ("half of the hour is over", &[(Some(MINUTE), 0, HOUR / 2, 30)], Some(10_000)),
        ("in service since a quarter to", &[(Some(MINUTE), 45 * MINUTE, always, 12)], Some(8_000)),
        ("not yet in service", &[(Some(MINUTE), HOUR, always, 3)], None),
        ("retired before", &[(Some(MINUTE), -HOUR, 0, 3)], None),
        ("events", &[(None, 0, always, 3)], None),
        ("a cadence longer than the bucket", &[(Some(2 * HOUR), 0, always, 1)], None),
        ("a dead sensor shows", &[(Some(MINUTE), 0, always, 60), (Some(MINUTE), 0, always, 0)], Some(5_000)),
        (
            "plenty of one does not make up for another",
            &[(Some(MINUTE), 0, always, 120), (Some(MINUTE), 0, always, 30)],
            Some(7_500),
        ),
        // 60 + 4 expected, 60 + 2 there.
        ("two cadences", &[(Some(MINUTE), 0, always, 60), (Some(15 * MINUTE), 0, always, 2)], Some(9_688)),
        // 40 of 60 expected in 2/3 hour, and one of 7 s that divides nothing evenly: 300 of 3600/7.
        ("odd cadences", &[(Some(MINUTE), 0, 40 * MINUTE, 20), (Some(7 * SECOND), 0, always, 300)], Some(5_773)),
    ];
    for (what, sensors, expected) in cases {
        assert_eq!(hour(sensors), expected, "{what}");
    }
    assert_eq!(10_i128.pow(RATIO_DIGITS), 10_000);
}

#[test]
fn sums_over_many_buckets_are_those_of_each() {
    let edges: Vec<Time> = [0, 10, 25, 30, 60, 100, 101].map(|m| Time(m * MINUTE)).to_vec();
    let buckets = Buckets::new(edges, None);
    let mut cadences = Cadences::default();
    let services: Vec<Service> = [(1, -5, 200), (1, 12, 28), (5, 26, 27), (5, 30, 100), (1, 100, 101), (5, 7, 61)]
        .map(|(every, from, to)| service(&mut cadences, Some(every * MINUTE), from * MINUTE, to * MINUTE))
        .to_vec();
    let moves =
        [Segment { from: -HOUR, to: 27 * MINUTE, group: 1 }, Segment { from: 27 * MINUTE, to: 5 * HOUR, group: 0 }];
    let mut due = Due::new(cadences.len(), 2, buckets.count());
    for service in &services {
        moves.iter().for_each(|segment| due.add(service, segment, &buckets));
    }
    due.close(buckets.count());
    for bucket in 0..buckets.count() as u32 {
        for group in 0..2 {
            let key = Key { bucket, group };
            let mut each = vec![0_i128; cadences.len()];
            for service in &services {
                each[service.cadence.expect("a cadence")] += i128::from(service.due(&cadences, &buckets, key, &moves));
            }
            assert_eq!(due.of(&cadences, &buckets, key).collect::<Vec<_>>(), each, "{key:?}");
        }
    }
}

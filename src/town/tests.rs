//! The town as its users rely on it.

use super::*;
use schemas::time::{DAY, HOUR, SECOND};
use std::collections::{BTreeMap, BTreeSet};

/// A Monday at midnight UTC.
const MONDAY: Time = Time(1_763_337_600_000_000);

fn numbers(town: &Town, device: &Device, key: &str, span: Span) -> Vec<f64> {
    let payloads = town.wakes(device, span).map(|wake| town.payload(device, wake, 0));
    payloads
        .filter_map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap().get(key)?.to_string().parse().ok())
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn hours(from: i64, to: i64) -> Span {
    Span { from: MONDAY.plus(from * HOUR), to: MONDAY.plus(to * HOUR) }
}

#[test]
fn three_hundred_devices_with_ids_of_their_own() {
    let town = Town::new(1);
    assert_eq!(town.devices().len(), 300);
    let ids: BTreeSet<_> = town.devices().iter().map(|d| (d.dataset, &d.id)).collect();
    assert_eq!(ids.len(), 300);
    let mut datasets: BTreeMap<&str, usize> = BTreeMap::new();
    town.devices().iter().for_each(|d| *datasets.entry(d.dataset).or_default() += 1);
    assert_eq!(datasets.len(), 5, "{datasets:?}");
}

#[test]
fn the_same_seed_is_the_same_town_and_another_is_not() {
    let (a, b, c) = (Town::new(7), Town::new(7), Town::new(8));
    let speak = |town: &Town| -> Vec<Message> {
        town.devices()
            .iter()
            .flat_map(|d| town.wakes(d, hours(8, 9)).flat_map(|t| town.messages(d, t)).collect::<Vec<_>>())
            .collect()
    };
    assert_eq!(speak(&a), speak(&b));
    assert_ne!(speak(&a), speak(&c));
}

#[test]
fn wakes_are_the_same_however_the_span_is_cut() {
    let town = Town::new(1);
    for device in town.devices() {
        let whole: Vec<Time> = town.wakes(device, hours(0, 3)).collect();
        let mut parts: Vec<Time> = town.wakes(device, hours(0, 1)).collect();
        parts.extend(town.wakes(device, hours(1, 3)));
        assert_eq!(whole, parts);
        assert_eq!(whole.len() as i64, 3 * HOUR / device.every, "{}", device.id);
    }
}

#[test]
fn the_town_has_a_day_and_a_week() {
    let town = Town::new(1);
    let counter = &town.devices()[0];
    let (rush, night) = (hours(6, 8), hours(1, 3));
    let sunday = hours(6 * 24 + 6, 6 * 24 + 8);
    let vehicles = |span| mean(&numbers(&town, counter, "vehicles", span));
    assert!(vehicles(rush) > 4.0 * vehicles(night), "{} {}", vehicles(rush), vehicles(night));
    assert!(vehicles(rush) > 2.0 * vehicles(sunday), "{} {}", vehicles(rush), vehicles(sunday));
    let room = town.devices().iter().find(|d| d.id == "radnice-101").unwrap();
    let co2 = |span| mean(&numbers(&town, room, "co2_ppm", span));
    assert!(co2(hours(9, 11)) > co2(night) + 150.0, "{} {}", co2(hours(9, 11)), co2(night));
    assert!(co2(hours(5 * 24 + 9, 5 * 24 + 11)) < co2(night) + 100.0);
}

#[test]
fn habits_show() {
    let town = Town::new(1);
    let day = hours(0, 24);
    for habit in [Habit::Late, Habit::Twice, Habit::Wild, Habit::Broken, Habit::Silent, Habit::Ahead] {
        let device = town.devices().iter().find(|d| d.habit == habit).unwrap();
        let wakes: Vec<Time> = town.wakes(device, day).collect();
        let sent: Vec<Message> = wakes.iter().flat_map(|&t| town.messages(device, t)).collect();
        let broken = sent.iter().filter(|m| serde_json::from_slice::<serde_json::Value>(&m.payload).is_err()).count();
        assert_eq!(broken > 0, habit == Habit::Broken, "{habit:?}");
        match habit {
            Habit::Twice => assert_eq!(sent.len(), 3 * wakes.len()),
            Habit::Silent => assert!(sent.len() < wakes.len()),
            _ => assert_eq!(sent.len(), wakes.len(), "{habit:?}"),
        }
    }
}

#[test]
fn late_devices_lose_nothing() {
    let town = Town::new(1);
    for device in town.devices().iter().filter(|d| d.habit == Habit::Late) {
        let sent: Vec<Message> = town.wakes(device, hours(0, 24)).flat_map(|t| town.messages(device, t)).collect();
        let meant: Vec<String> = town
            .wakes(device, Span { from: MONDAY.plus(-DAY - HOUR / 2), to: MONDAY.plus(-HOUR / 2) })
            .map(|t| town.payload(device, t, 0))
            .collect();
        let sent: Vec<String> = sent.into_iter().map(|m| String::from_utf8(m.payload.to_vec()).unwrap()).collect();
        assert_eq!(sent, meant, "{}", device.id);
    }
}

#[test]
fn stamps_are_never_ahead_of_sending_but_for_a_wrong_clock() {
    let town = Town::new(3);
    for device in town.devices() {
        for wake in town.wakes(device, hours(0, 1)) {
            assert!(device.stamp(wake) <= wake && device.stamp(wake).0 % SECOND == 0);
        }
    }
}

#[test]
fn honest_messages_are_readings_of_the_shipped_contracts() {
    let town = Town::new(1);
    let datasets = crate::contracts::shipped(|dataset| town.registry(dataset)).unwrap();
    for device in town.devices() {
        let dataset = datasets.iter().find(|dataset| *dataset.id == *device.dataset).unwrap();
        assert_eq!(dataset.every, schemas::Cadence::Every(device.every), "{}", device.id);
        let listed = dataset.sensors.iter().find(|sensor| *sensor.id == *device.id).unwrap();
        assert!(listed.registered && listed.places.len() == 1 && !listed.attributes.is_empty(), "{listed:?}");
    }
    let catalog = std::sync::Arc::new(ingest::Catalog::new(datasets));
    let mut pipeline = ingest::Pipeline::new(catalog, ingest::Config::default(), &[]);
    let past = ingest::Past { mark: &|_| None, too_old: &|_, _| false };
    let mut gather = pipeline.begin();
    let mut sent = 0;
    for device in town.devices().iter().filter(|device| device.habit == Habit::Good) {
        for wake in town.wakes(device, hours(6, 30)) {
            for message in town.messages(device, wake) {
                let message = ingest::Message::new(message.topic.into(), message.payload, wake);
                pipeline.take(&message, wake, past, &mut gather);
                sent += 1;
            }
        }
    }
    assert_eq!(gather.rejects(), []);
    assert_eq!(gather.batches().iter().map(|batch| batch.len()).sum::<usize>(), sent);
}

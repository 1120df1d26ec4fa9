//! The fronts of the doors: how many connections each may hold, and their figures for `/metrics`.

use super::descriptors;
use crate::Config;
use access::{Counted, Front, Refused};
use serve::{Figure, FigureKind};

/// The fronts of the doors, each under the name of its section.
#[derive(Clone, Debug)]
pub(super) struct Fronts {
    pub(super) http: Front,
    pub(super) mqtt: Front,
    pub(super) graphite: Front,
}

/// A figure each door has: name, help, kind and how it is read.
type OfDoor = (&'static str, &'static str, FigureKind, fn(&Counted) -> u64);

/// The figures of each door.
const FIGURES: [OfDoor; 3] = [
    ("lamppost_door_connections", "Connections open now", FigureKind::Gauge, |c| c.open),
    ("lamppost_door_accepted", "Connections that got a place", FigureKind::Counter, |c| c.accepted),
    ("lamppost_door_handshakes_failed", "TLS handshakes failed or too slow", FigureKind::Counter, |c| c.handshakes),
];

impl Fronts {
    /// The fronts of a config, as far as the limit of open files has room for them; that limit is raised first.
    pub(super) fn new(config: &Config) -> Fronts {
        let (mut http, mut mqtt) = (config.http_front.clone(), config.mqtt_front.clone());
        let mut graphite = config.graphite_front.clone();
        let doors = &mut [("http", &mut http), ("mqtt", &mut mqtt), ("graphite", &mut graphite)];
        descriptors::fit(descriptors::raise(), doors);
        Fronts { http, mqtt, graphite }
    }

    /// Each with its name.
    pub(super) fn each(&self) -> [(&'static str, &Front); 3] {
        [("http", &self.http), ("mqtt", &self.mqtt), ("graphite", &self.graphite)]
    }

    /// The figures now.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let counted = self.each().map(|(door, front)| (door, front.counts.now()));
        let of_door = |(name, help, kind, read): OfDoor| {
            let values = counted.iter().map(|(door, counted)| (vec![label(door)], read(counted) as f64)).collect();
            Figure { name, help, kind, values }
        };
        let mut figures: Vec<Figure> = FIGURES.into_iter().map(of_door).collect();
        let refused = counted.iter().flat_map(|(door, counted)| {
            let reasons = Refused::ALL.into_iter().zip(counted.refused);
            reasons.map(|(why, count)| (vec![label(door), ("reason", why.name().to_owned())], count as f64))
        });
        figures.push(Figure {
            name: "lamppost_door_refused",
            help: "Connections closed by the door",
            kind: FigureKind::Counter,
            values: refused.collect(),
        });
        let secret = self.each().into_iter().filter_map(|(door, front)| Some((door, front.tls.as_ref()?)));
        let values: Vec<_> = secret.map(|(door, tls)| (vec![label(door)], tls.expires() as f64)).collect();
        if !values.is_empty() {
            figures.push(Figure {
                name: "lamppost_tls_certificate_expiry_timestamp_seconds",
                help: "When the certificate expires, since 1970",
                kind: FigureKind::Gauge,
                values,
            });
        }
        figures
    }
}

fn label(door: &str) -> (&'static str, String) {
    ("door", door.to_owned())
}

//! Where things stand in the town: streets of Písek, and places spread around its centre.

use super::chance::Chance;
use schemas::Place;
use std::f64::consts::TAU;

/// The middle of the town: Velké náměstí.
const CENTRE: (f64, f64) = (14.1475, 49.3088);

/// Streets.
pub(super) const STREETS: [&str; 20] = [
    "Budějovická",
    "Pražská",
    "Harantova",
    "Žižkova třída",
    "Nádražní",
    "Americká",
    "Jungmannova",
    "Kollárova",
    "Komenského",
    "Burketova",
    "Táborská",
    "Svatotrojická",
    "Na Výstavišti",
    "Zeyerova",
    "Tylova",
    "Gregorova",
    "Erbenova",
    "Chelčického",
    "Vrcovická",
    "Topělecká",
];

/// A place for the `n`-th of `of` things, spread like seeds of a sunflower (Vogel 1979) within `radius` kilometres.
pub(super) fn spread(chance: Chance, stream: u64, n: usize, of: usize, radius: f64) -> Place {
    let golden = TAU * 0.381_966;
    let away = radius * ((n as f64 + 0.5) / of as f64).sqrt();
    let turn = golden * n as f64 + chance.between(stream, 0.0, 0.6);
    offset(CENTRE, away * turn.cos(), away * turn.sin())
}

/// A place some kilometres east and north of another.
pub(super) fn beside(place: Place, east: f64, north: f64) -> Place {
    offset((place.lon, place.lat), east, north)
}

/// One degree of latitude is 111.2 km; one of longitude shrinks with its cosine. Six digits are 0.1 m.
fn offset((lon, lat): (f64, f64), east: f64, north: f64) -> Place {
    let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
    let lon = round(lon + east / (111.2 * lat.to_radians().cos()));
    let lat = round(lat + north / 111.2);
    Place { lon, lat }
}

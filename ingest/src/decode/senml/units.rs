//! SenML's units (RFC 8428, section 12.1, and RFC 8798) as UCUM codes, as far as UCUM's differ and cities measure in them.

use schemas::Unit;

/// Those whose symbols differ from UCUM's, those of RFC 8798 included.
const DIFFERENT: &[(&str, &str)] = &[
    ("%RH", "%"),
    ("/", "1"),
    ("%EL", "%"),
    ("count", "1"),
    ("l", "L"),
    ("dBm", "dB"),
    ("dBW", "dB"),
    ("Mbit/s", "Mbit/s"),
    ("m3/h", "m3/h"),
    ("W/m2", "W/m2"),
    ("ug/m3", "ug/m3"),
    ("deg", "deg"),
    ("min", "min"),
    ("km/h", "km/h"),
];

/// The unit of a SenML symbol; nothing for one that no field is measured in.
pub(super) fn unit(symbol: &str) -> Option<Unit> {
    let different = DIFFERENT.iter().find(|(senml, _)| *senml == symbol);
    Unit::parse(different.map_or(symbol, |(_, code)| code)).ok()
}

//! Units as Grafana names them.

use schemas::{Field, Kind, Unit};

/// UCUM code to Grafana's unit id (Grafana 13, `@grafana/data`, `valueFormats/categories`). Units it has no id for get their
/// symbol as a suffix.
const TABLE: &[(&str, &str)] = &[
    ("1", "none"),
    ("%", "percent"),
    ("ppm", "ppm"),
    ("[ppm]", "ppm"),
    ("ppb", "conppb"),
    ("[ppb]", "conppb"),
    ("K", "kelvin"),
    ("Cel", "celsius"),
    ("[degF]", "fahrenheit"),
    ("Pa", "pressurepa"),
    ("hPa", "pressurehpa"),
    ("kPa", "pressurekpa"),
    ("mbar", "pressurembar"),
    ("bar", "pressurebar"),
    ("g/m3", "congm3"),
    ("mg/m3", "conmgm3"),
    ("ug/m3", "con\u{3bc}gm3"),
    ("ng/m3", "conngm3"),
    ("m/s", "velocityms"),
    ("km/h", "velocitykmh"),
    ("[mi_i]/h", "velocitymph"),
    ("[kn_i]", "velocityknot"),
    ("m", "lengthm"),
    ("km", "lengthkm"),
    ("cm", "lengthcm"),
    ("mm", "lengthmm"),
    ("[in_i]", "lengthin"),
    ("[ft_i]", "lengthft"),
    ("[mi_i]", "lengthmi"),
    ("m2", "areaM2"),
    ("m3", "m3"),
    ("l", "litre"),
    ("L", "litre"),
    ("m3/s", "flowcms"),
    ("l/min", "flowlpm"),
    ("l/h", "litreh"),
    ("g", "massg"),
    ("kg", "masskg"),
    ("t", "masst"),
    ("s", "s"),
    ("ms", "ms"),
    ("min", "m"),
    ("h", "h"),
    ("d", "d"),
    ("Hz", "hertz"),
    ("W", "watt"),
    ("kW", "kwatt"),
    ("MW", "megwatt"),
    ("V.A", "voltamp"),
    ("J", "joule"),
    ("W.h", "watth"),
    ("Wh", "watth"),
    ("kW.h", "kwatth"),
    ("kWh", "kwatth"),
    ("W/m2", "Wm2"),
    ("V", "volt"),
    ("mV", "mvolt"),
    ("kV", "kvolt"),
    ("A", "amp"),
    ("mA", "mamp"),
    ("Ohm", "ohm"),
    ("lx", "lux"),
    ("lm", "lumens"),
    ("deg", "degree"),
    ("m/s2", "accMS2"),
    ("Sv/h", "radsvh"),
    ("uSv/h", "radusvh"),
    ("dB", "dB"),
    ("dB[mW]", "dBm"),
];

/// The id of a unit. What is only counted (`{vehicle}`) is a number with separators of thousands.
pub(crate) fn id(unit: &Unit) -> String {
    match TABLE.iter().find(|(code, _)| *code == unit.code) {
        Some((_, id)) => (*id).to_owned(),
        None if unit.symbol().is_empty() => "locale".to_owned(),
        None => format!("suffix:{}", unit.symbol()),
    }
}

/// Digits after the point that a field's values are shown with.
pub(crate) fn decimals(field: &Field) -> u8 {
    match field.kind {
        Kind::Angle => 0,
        _ => field.resolution.scale(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_unit_of_the_contracts() {
        for (code, id) in TABLE {
            assert_eq!(Unit::parse(code).map(|unit| super::id(&unit)), Ok((*id).to_owned()));
        }
    }

    #[test]
    fn units_without_an_id_show_their_symbol() {
        let id = |code| id(&Unit::parse(code).expect("unit"));
        assert_eq!(
            (id("dB[A]"), id("[pH]"), id("{vehicle}")),
            ("suffix:dB(A)".into(), "suffix:pH".into(), "locale".into())
        );
    }
}

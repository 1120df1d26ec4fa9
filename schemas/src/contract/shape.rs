//! What of a contract gives stored data its meaning, kept beside the data and compared with later contracts.

use crate::{Bucket, Dataset, Field, Kind, Unit};

/// The stored shape of a dataset.
#[derive(serde::Serialize, serde::Deserialize)]
struct Shape {
    zone: String,
    fields: Vec<Column>,
}

/// The stored shape of a field.
#[derive(serde::Serialize, serde::Deserialize)]
struct Column {
    name: String,
    unit: String,
    kind: String,
    /// Digits after the point.
    scale: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    /// How long a state stands, in microseconds: tiers hold the time of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<i64>,
}

impl Column {
    fn of(field: &Field) -> Column {
        let (values, hold) = match &field.kind {
            Kind::State { values, hold } => (values.iter().map(|word| word.to_string()).collect(), Some(*hold)),
            _ => (Vec::new(), None),
        };
        Column {
            name: field.name.to_string(),
            unit: field.unit.code.clone(),
            kind: field.kind.name().into(),
            scale: field.resolution.scale(),
            values,
            hold,
        }
    }
}

/// What of a contract gives stored data its meaning: zone, and per field name, unit, kind, resolution, state values and how long these stand.
/// Kept beside the data as JSON; a later contract is compared with it.
pub fn shape(dataset: &Dataset) -> String {
    let shape = Shape { zone: dataset.zone.name().into(), fields: dataset.fields.iter().map(Column::of).collect() };
    serde_json::to_string(&shape).unwrap_or_default() // texts and numbers only: cannot fail
}

/// Compares a contract with the stored shape. New fields and new state words at the end are welcome; anything that would
/// reinterpret stored data is refused, naming the way out.
pub fn check_shape(stored: &str, dataset: &Dataset) -> Result<(), Vec<String>> {
    let stored: Shape = serde_json::from_str(stored).map_err(|error| {
        vec![format!("the stored shape of {} is unreadable ({error}); restore it from a backup", dataset.id)]
    })?;
    let mut faults = Vec::new();
    let way_out = format!("or give the dataset another id than \"{}\" and import the old data under it", dataset.id);
    if stored.zone != dataset.zone.name() {
        let (old, new) = (&stored.zone, dataset.zone.name());
        faults.push(format!(
            "zone was \"{old}\" and is \"{new}\", but stored days are cut in \"{old}\": write that, {way_out}"
        ));
    }
    for old in &stored.fields {
        match dataset.field(&old.name) {
            Some((_, field)) => compare(old, &Column::of(field), &mut faults),
            None => faults.push(format!(
                "field \"{}\" is gone, but data of it is stored: declare it again (no source needs to map it), {way_out}",
                old.name
            )),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// One fault for each property that would read stored integers otherwise.
fn compare(old: &Column, new: &Column, faults: &mut Vec<String>) {
    let way_out = format!("write that, or add a field of another name beside \"{}\"", old.name);
    let mut differs = |what: &str, was: &str, is: &str| {
        faults.push(format!(
            "{what} of field \"{}\" was \"{was}\" and is \"{is}\", but data is stored: {way_out}",
            old.name
        ));
    };
    let same_unit = match (Unit::parse(&old.unit), Unit::parse(&new.unit)) {
        (Ok(old), Ok(new)) => old.same_scale(&new),
        _ => old.unit == new.unit,
    };
    if !same_unit {
        differs("unit", &old.unit, &new.unit);
    }
    if old.kind != new.kind {
        differs("kind", &old.kind, &new.kind);
    }
    if old.scale != new.scale {
        let step = |scale: u8| crate::decimal::text(1, scale.into());
        differs("resolution", &step(old.scale), &step(new.scale));
    }
    if !new.values.starts_with(&old.values) && old.kind == new.kind {
        differs("the beginning of values", &old.values.join(", "), &new.values.join(", "));
    }
    if let (Some(was), Some(is)) = (old.hold, new.hold)
        && was != is
    {
        let text = |micros| Bucket::Duration(micros).to_string();
        differs("hold", &text(was), &text(is));
    }
}

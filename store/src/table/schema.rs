//! The columns of a raw table: sensor, time, day, then the dataset's fields.

use crate::file::layout::{SENSOR, Shape, TIME};
use crate::{Error, Kind};
use schemas::Dataset;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Column of the UTC day, by which the table is partitioned.
pub(super) const DAY: &str = "day";

/// A Delta schema: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Schema {
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: Value,
    nullable: bool,
    #[serde(default)]
    metadata: Value,
}

impl Column {
    fn new(name: &str, kind: &str, nullable: bool) -> Column {
        Column { name: name.to_owned(), kind: kind.into(), nullable, metadata: json!({}) }
    }
}

impl Schema {
    /// The columns a contract asks for.
    pub(super) fn of(dataset: &Dataset) -> Result<Schema, Error> {
        let mut fields = vec![
            Column::new(SENSOR, "string", false),
            Column::new(TIME, "timestamp", false),
            Column::new(DAY, "date", false),
        ];
        for field in &dataset.fields {
            if fields.iter().any(|column| column.name.eq_ignore_ascii_case(&field.name)) {
                let message =
                    format!("{}: a table cannot have two columns {}; rename the field", dataset.id, field.name);
                return Err(Error::new(Kind::Mismatch, message));
            }
            let kind = match Shape::of(field) {
                Shape::Words => "string".to_owned(),
                Shape::Nine(scale) => format!("decimal(9,{scale})"),
                Shape::Eighteen(scale) => format!("decimal(18,{scale})"),
            };
            fields.push(Column::new(&field.name, &kind, true));
        }
        Ok(Schema { kind: "struct".to_owned(), fields })
    }

    /// The stored schema with what the contract has gained, or nothing when it gained nothing. Columns that the contract
    /// has lost stay, without new values; a column that a wider range makes longer is widened. `Kind::Mismatch` when a
    /// column means something else now.
    pub(super) fn grown(&self, dataset: &Dataset) -> Result<Option<Schema>, Error> {
        let mut grown = self.clone();
        for wanted in Schema::of(dataset)?.fields {
            let Some(stored) = grown.fields.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&wanted.name))
            else {
                grown.fields.push(wanted);
                continue;
            };
            let same = stored.name == wanted.name && stored.kind == wanted.kind;
            match (decimal(&stored.kind), decimal(&wanted.kind)) {
                (Some((9, stored_scale)), Some((18, scale))) if stored_scale == scale => stored.kind = wanted.kind,
                (Some((18, stored_scale)), Some((9, scale))) if stored_scale == scale => {}
                _ if same => {}
                _ => {
                    let message = format!(
                        "{}: stored column {} is {}, the contract makes it {} {}; give the field another name, \
                         or restore its resolution and kind",
                        dataset.id, stored.name, stored.kind, wanted.name, wanted.kind
                    );
                    return Err(Error::new(Kind::Mismatch, message));
                }
            }
        }
        Ok((grown != *self).then_some(grown))
    }
}

/// Precision and scale of `decimal(p,s)`.
fn decimal(kind: &Value) -> Option<(u32, u32)> {
    let (precision, scale) = kind.as_str()?.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::{dataset, field};
    use schemas::Kind as Of;

    #[test]
    fn a_contract_may_grow() {
        let mut air = dataset("air");
        let stored = Schema::of(&air).unwrap();
        assert_eq!(stored.grown(&air).unwrap(), None);
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), stored);
        air.fields.push(field("rain", Of::Count, 0, (0, 9)));
        air.fields[0].range.1 = 10_000_000_000;
        let grown = stored.grown(&air).unwrap().unwrap();
        assert_eq!(grown.fields.last().unwrap().name, "rain");
        assert_eq!(grown.fields[3].kind, "decimal(18,0)");
        air.fields.remove(1);
        air.fields[0].range.1 = 100;
        assert_eq!(grown.grown(&air).unwrap(), None, "a lost field and a narrower range change nothing");
    }

    #[test]
    fn a_contract_may_not_reinterpret() {
        let stored = Schema::of(&dataset("air")).unwrap();
        for changed in [
            field("temperature", Of::Gauge, 1, (0, 9)),
            field("place", Of::Gauge, 0, (0, 2)),
            field("CO2", Of::Gauge, 0, (0, 9)),
        ] {
            let mut air = dataset("air");
            let at = air.fields.iter().position(|f| f.name.eq_ignore_ascii_case(&changed.name)).unwrap();
            air.fields[at] = changed;
            assert_eq!(stored.grown(&air).unwrap_err().kind, Kind::Mismatch);
        }
        let mut air = dataset("air");
        air.fields.push(field("Day", Of::Gauge, 1, (0, 9)));
        assert_eq!(Schema::of(&air).unwrap_err().kind, Kind::Mismatch);
    }
}

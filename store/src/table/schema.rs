//! The columns of a table: sensor, time, the partition's, then the dataset's fields or what a tier holds of them.

use super::Of;
use crate::file::layout::{Layout, SENSOR, TIME};
use crate::{Error, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Column of the UTC day, by which the raw table is partitioned.
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
    pub(super) fn of(of: &Of) -> Result<Schema, Error> {
        let mut fields = vec![
            Column::new(SENSOR, "string", false),
            Column::new(TIME, "timestamp", false),
            Column::new(of.column(), "date", false),
        ];
        for spec in Layout::of(&of.dataset, of.tier).columns {
            if fields.iter().any(|column| column.name.eq_ignore_ascii_case(&spec.name)) {
                let message = format!("table {of} cannot have two columns {}; rename the field", spec.name);
                return Err(Error::new(Kind::Mismatch, message));
            }
            fields.push(Column::new(&spec.name, &spec.shape.delta(), true));
        }
        Ok(Schema { kind: "struct".to_owned(), fields })
    }

    /// The stored schema with what the contract has gained, or nothing when it gained nothing. Columns that the contract
    /// has lost stay, without new values; a column that a wider range makes longer is widened. `Kind::Mismatch` when a
    /// column means something else now.
    pub(super) fn grown(&self, of: &Of) -> Result<Option<Schema>, Error> {
        let mut grown = self.clone();
        for wanted in Schema::of(of)?.fields {
            let Some(stored) = grown.fields.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&wanted.name))
            else {
                grown.fields.push(wanted);
                continue;
            };
            let same = stored.name == wanted.name && stored.kind == wanted.kind;
            match (decimal(&stored.kind), decimal(&wanted.kind)) {
                (Some((digits, stored_scale)), Some((wide, scale)))
                    if stored_scale == scale && stored.name == wanted.name =>
                {
                    if wide > digits {
                        stored.kind = wanted.kind;
                    }
                }
                _ if same => {}
                _ => {
                    let message = format!(
                        "table {of}: stored column {} is {}, the contract makes it {} {}; give the field another name, \
                         or restore its resolution and kind",
                        stored.name, stored.kind, wanted.name, wanted.kind
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
    use schemas::{Dataset, Kind as What};
    use std::sync::Arc;

    fn raw(dataset: &Dataset) -> Of {
        Of { dataset: Arc::new(dataset.clone()), tier: None }
    }

    #[test]
    fn a_contract_may_grow() {
        let mut air = dataset("air");
        let stored = Schema::of(&raw(&air)).unwrap();
        assert_eq!(stored.grown(&raw(&air)).unwrap(), None);
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&text).unwrap(), stored);
        air.fields.push(field("rain", What::Count, 0, (0, 9)));
        air.fields[0].range.1 = 10_000_000_000;
        let grown = stored.grown(&raw(&air)).unwrap().unwrap();
        assert_eq!(grown.fields.last().unwrap().name, "rain");
        assert_eq!(grown.fields[3].kind, "decimal(18,0)");
        air.fields.remove(1);
        air.fields[0].range.1 = 100;
        assert_eq!(grown.grown(&raw(&air)).unwrap(), None, "a lost field and a narrower range change nothing");
    }

    #[test]
    fn a_contract_may_not_reinterpret() {
        let stored = Schema::of(&raw(&dataset("air"))).unwrap();
        for changed in [
            field("temperature", What::Gauge, 1, (0, 9)),
            field("place", What::Gauge, 0, (0, 2)),
            field("CO2", What::Gauge, 0, (0, 9)),
        ] {
            let mut air = dataset("air");
            let at = air.fields.iter().position(|f| f.name.eq_ignore_ascii_case(&changed.name)).unwrap();
            air.fields[at] = changed;
            assert_eq!(stored.grown(&raw(&air)).unwrap_err().kind, Kind::Mismatch);
        }
        let mut air = dataset("air");
        air.fields.push(field("Day", What::Gauge, 1, (0, 9)));
        assert_eq!(Schema::of(&raw(&air)).unwrap_err().kind, Kind::Mismatch);
    }
}

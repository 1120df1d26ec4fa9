//! `timezone(zone, time)`, which `time AT TIME ZONE zone` stands for: an instant becomes the civil time of the zone, a civil
//! time the instant.

use super::bucket::{constant_text, instant_type, is_text, map_times, parse_zone, utc};
use super::floor::{Stretch, instant};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// `timezone`.
pub(crate) fn timezone() -> ScalarUDF {
    ScalarUDF::from(AtZone { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtZone {
    signature: Signature,
}

impl ScalarUDFImpl for AtZone {
    fn name(&self) -> &str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [zone, time] if is_text(zone) => Ok(vec![DataType::Utf8, instant_type("timezone", time)?]),
            _ => plan_err!("timezone takes a zone's name and a time"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match &types[1] {
            DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => utc(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = parse_zone(&constant_text("timezone", &args.args[0])?)?;
        if matches!(args.return_type(), DataType::Timestamp(_, Some(_))) {
            return map_times(&args.args[1], args.return_type(), |local| instant(&zone, local));
        }
        let mut stretch = Stretch::around(&zone, 0);
        map_times(&args.args[1], args.return_type(), |time| {
            if !stretch.holds(time) {
                stretch = Stretch::around(&zone, time);
            }
            time + stretch.offset()
        })
    }
}

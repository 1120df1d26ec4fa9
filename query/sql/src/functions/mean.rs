//! `avg`: an exact sum over an exact count, rounded half away from zero at four digits past the values' own, as every door's
//! mean is. DataFusion's own cuts instead of rounding. Sum and count are DataFusion's.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Float64Type, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use std::sync::Arc;

/// Digits of a mean past those of its values.
const PAST: i8 = 4;
/// Digits of a numeric.
const MOST: u8 = 38;

/// `avg`, alias `mean`.
pub(crate) fn avg() -> AggregateUDF {
    AggregateUDF::from(Avg { signature: Signature::user_defined(Volatility::Immutable), aliases: ["mean".to_owned()] })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Avg {
    signature: Signature,
    aliases: [String; 1],
}

impl AggregateUDFImpl for Avg {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [value] = types else { return plan_err!("avg takes one argument, and has {}", types.len()) };
        Ok(vec![match value {
            DataType::Decimal128(..) => value.clone(),
            whole if whole.is_integer() => DataType::Decimal128(20, 0),
            DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Null => DataType::Float64,
            other => return plan_err!("avg of {other}: it takes numbers"),
        }])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match types {
            [DataType::Decimal128(digits, scale)] => {
                let scale = scale.saturating_add(PAST).min(MOST as i8);
                DataType::Decimal128((digits + PAST as u8).min(MOST), scale)
            }
            _ => DataType::Float64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let of = |function: &AggregateUDF, kind: &str, return_field: FieldRef| {
            function.state_fields(StateFieldsArgs {
                name: &format!("{}[{kind}]", args.name),
                input_fields: args.input_fields,
                return_field,
                ordering_fields: args.ordering_fields,
                is_distinct: args.is_distinct,
            })
        };
        let mut fields = of(&sum_udaf(), "sum", sum_field(args.input_fields)?)?;
        fields.extend(of(&count_udaf(), "count", count_field())?);
        Ok(fields)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let result = args.return_type().clone();
        let sum = sum_udaf().accumulator(sum_args(&args)?)?;
        let count = count_udaf().accumulator(count_args(&args))?;
        Ok(Box::new(Mean { sum, count, result }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let result = args.return_type().clone();
        let sum = sum_udaf().create_sliding_accumulator(sum_args(&args)?)?;
        let count = count_udaf().create_sliding_accumulator(count_args(&args))?;
        Ok(Box::new(Mean { sum, count, result }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let result = args.return_type().clone();
        let sum = sum_udaf().create_groups_accumulator(sum_args(&args)?)?;
        let count = count_udaf().create_groups_accumulator(count_args(&args))?;
        Ok(Box::new(Means { sum, count, result }))
    }
}

fn sum_field(inputs: &[FieldRef]) -> Result<FieldRef> {
    let types: Vec<DataType> = inputs.iter().map(|field| field.data_type().clone()).collect();
    Ok(Arc::new(Field::new("sum", sum_udaf().return_type(&types)?, true)))
}

fn count_field() -> FieldRef {
    Arc::new(Field::new("count", DataType::Int64, false))
}

fn sum_args<'a>(args: &AccumulatorArgs<'a>) -> Result<AccumulatorArgs<'a>> {
    Ok(AccumulatorArgs { return_field: sum_field(args.expr_fields)?, ..args.clone() })
}

fn count_args<'a>(args: &AccumulatorArgs<'a>) -> AccumulatorArgs<'a> {
    AccumulatorArgs { return_field: count_field(), ..args.clone() }
}

/// The mean of all rows of one group.
#[derive(Debug)]
struct Mean {
    sum: Box<dyn Accumulator>,
    count: Box<dyn Accumulator>,
    result: DataType,
}

impl Accumulator for Mean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.update_batch(values)?;
        self.count.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.retract_batch(values)?;
        self.count.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.sum.supports_retract_batch() && self.count.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.sum.merge_batch(&states[..1])?;
        self.count.merge_batch(&states[1..])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = self.sum.state()?;
        state.extend(self.count.state()?);
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let means = divide(&self.sum.evaluate()?.to_array()?, &self.count.evaluate()?.to_array()?, &self.result)?;
        ScalarValue::try_from_array(&means, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sum.size() + self.count.size()
    }
}

/// The means of many groups.
struct Means {
    sum: Box<dyn GroupsAccumulator>,
    count: Box<dyn GroupsAccumulator>,
    result: DataType,
}

impl GroupsAccumulator for Means {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sum.update_batch(values, groups, filter, total)?;
        self.count.update_batch(values, groups, filter, total)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.sum.merge_batch(&states[..1], groups, total)?;
        self.count.merge_batch(&states[1..], groups, total)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut state = self.sum.state(emit)?;
        state.extend(self.count.state(emit)?);
        Ok(state)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        divide(&self.sum.evaluate(emit)?, &self.count.evaluate(emit)?, &self.result)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut state = self.sum.convert_to_state(values, filter)?;
        state.extend(self.count.convert_to_state(values, filter)?);
        Ok(state)
    }

    fn size(&self) -> usize {
        self.sum.size() + self.count.size()
    }
}

/// Means of sums and counts; null where there is nothing to take a mean of.
fn divide(sums: &ArrayRef, counts: &ArrayRef, result: &DataType) -> Result<ArrayRef> {
    let counts = counts.as_primitive::<Int64Type>();
    match (sums.data_type(), result) {
        (DataType::Decimal128(_, from), DataType::Decimal128(digits, to)) => {
            let up = 10_i128.pow(u32::from((to - from).unsigned_abs()));
            let pairs = sums.as_primitive::<Decimal128Type>().iter().zip(counts.values());
            let mean = |(sum, n): (Option<i128>, &i64)| {
                sum.filter(|_| *n > 0).map(|sum| quotient(sum, i128::from(*n), up)).transpose()
            };
            let means = pairs.map(mean).collect::<Result<Decimal128Array>>()?;
            Ok(Arc::new(means.with_precision_and_scale(*digits, *to)?))
        }
        (DataType::Float64, DataType::Float64) => {
            let pairs = sums.as_primitive::<Float64Type>().iter().zip(counts.values());
            let means = pairs.map(|(sum, n)| sum.filter(|_| *n > 0).map(|sum| sum / *n as f64));
            Ok(Arc::new(means.collect::<Float64Array>()))
        }
        (sums, _) => internal_err!("a mean of sums of {sums}"),
    }
}

/// sum × up ÷ n, rounded half away from zero.
fn quotient(sum: i128, n: i128, up: i128) -> Result<i128> {
    let (whole, rest) = (sum / n, sum % n * up);
    let rounded = rest / n + if rest % n * 2 / n != 0 { rest.signum() } else { 0 };
    let mean = whole.checked_mul(up).and_then(|whole| whole.checked_add(rounded));
    mean.ok_or_else(|| ArrowError::ArithmeticOverflow("a mean of more than 38 digits".to_owned()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (sum, n, mean) in [
            (1, 3, 3333),
            (2, 3, 6667),
            (-2, 3, -6667),
            (1, 20_000, 1),
            (-1, 20_000, -1),
            (1, 20_001, 0),
            (7, 1, 70_000),
        ] {
            assert_eq!(quotient(sum, n, 10_000).expect("a small mean"), mean, "{sum} / {n}");
        }
        assert!(quotient(i128::MAX, 1, 10_000).is_err());
    }
}

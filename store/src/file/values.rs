//! Value columns of a file, as integers in no more memory than they need.

use super::layout::{Shape, Spec};
use super::order::Order;
use super::read::Footer;
use crate::Error;
use crate::tier::values::Values;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use schemas::{ABSENT, Dataset};

/// Reads rows of some columns, in the order of the file; nothing for one that is not there or has no value in the file.
pub(super) fn read<R: ChunkReader + Clone + 'static>(
    footer: &Footer,
    bytes: &R,
    order: &Order,
    dataset: &Dataset,
    columns: &[&Spec],
) -> Result<Vec<Option<Values>>, Error> {
    let one = |spec: &&Spec| {
        if !footer.has(&spec.name) {
            return Ok(None);
        }
        // Column by column: what is decoded becomes the answer's memory.
        let values = footer.guard(|| {
            let mut all: Option<Values> = None;
            for batch in footer.batches(bytes, &[&spec.name], order.picked.as_deref())? {
                let array = batch?.column(0).clone();
                let fault = |fault| ParquetError::General(format!("column {}: {fault}", spec.name));
                let some = taken(dataset, spec, array).map_err(fault)?;
                all = Some(match all {
                    None => some,
                    Some(before) => Values::gather(&[(&before, 0..before.len()), (&some, 0..some.len())]),
                });
            }
            Ok(all)
        })?;
        match values {
            Some(values) if values.len() == order.rows => Ok(Some(values)),
            _ => Err(footer.corrupt(format!("column {} is not as long as the file", spec.name))),
        }
    };
    columns.iter().map(one).collect()
}

/// The values of an array; says what is wrong when it is not of the column's type. Wider and narrower integers than the
/// contract of today asks for are read as they are.
fn taken(dataset: &Dataset, spec: &Spec, array: ArrayRef) -> Result<Values, String> {
    let scale = spec.shape.scale();
    match (array.data_type(), spec.shape) {
        (DataType::Decimal32(_, s), _) if Some(*s) == scale => {
            Ok(Values::Short(integers::<Decimal32Type>(array, i32::MIN)))
        }
        (DataType::Decimal64(_, s), _) if Some(*s) == scale => {
            Ok(Values::Long(integers::<Decimal64Type>(array, ABSENT)))
        }
        (DataType::Decimal128(_, s), _) if Some(*s) == scale => {
            Ok(Values::Wide(integers::<Decimal128Type>(array, i128::MIN)))
        }
        (DataType::Int32, Shape::Count | Shape::Long) => Ok(Values::Short(integers::<Int32Type>(array, i32::MIN))),
        (DataType::Int64, Shape::Count | Shape::Long) => Ok(Values::Long(integers::<Int64Type>(array, ABSENT))),
        (DataType::Timestamp(..), Shape::Instant) => {
            Ok(Values::Long(integers::<TimestampMicrosecondType>(array, ABSENT)))
        }
        (DataType::Dictionary(_, _), Shape::Words) => words(dataset, spec, &array),
        (DataType::Binary, Shape::Bytes) => Ok(blobs(&array)),
        (other, shape) => Err(format!("it is {other}, not {}", shape.delta())),
    }
}

/// The integers of an array, whose memory is taken over if nobody else holds it.
fn integers<T: ArrowPrimitiveType>(array: ArrayRef, absent: T::Native) -> Vec<T::Native> {
    let typed = array.as_primitive::<T>().clone();
    drop(array);
    let (_, values, nulls) = typed.into_parts();
    let mut values = values.into_inner().into_vec::<T::Native>().unwrap_or_else(|shared| shared.typed_data().to_vec());
    if let Some(nulls) = nulls {
        values.iter_mut().zip(&nulls).filter(|(_, valid)| !valid).for_each(|(value, _)| *value = absent);
    }
    values
}

fn words(dataset: &Dataset, spec: &Spec, array: &ArrayRef) -> Result<Values, String> {
    let schemas::Kind::State { values: states, .. } = &dataset.fields[spec.field].kind else {
        return Err("it is text".into());
    };
    let array = array.as_dictionary_opt::<Int32Type>().ok_or("it is not text")?;
    let words = array.values().as_string_opt::<i32>().ok_or("it is not text")?;
    let number = |word: &str| states.iter().position(|state| &**state == word).map(|at| at as i32);
    let numbers: Vec<Option<i32>> = words.iter().map(|word| word.and_then(number)).collect();
    let value = |key: Option<i32>| match key {
        None => Ok(i32::MIN),
        Some(key) => numbers[key as usize]
            .ok_or_else(|| format!("{:?} is no state its contract lists", words.value(key as usize))),
    };
    Ok(Values::Short(array.keys().iter().map(value).collect::<Result<_, String>>()?))
}

fn blobs(array: &ArrayRef) -> Values {
    let array = array.as_binary::<i32>();
    let (mut ends, mut bytes) = (Vec::with_capacity(array.len()), Vec::with_capacity(array.value_data().len()));
    for value in array {
        bytes.extend_from_slice(value.unwrap_or_default());
        ends.push(bytes.len() as u32);
    }
    Values::Bytes { ends, bytes }
}

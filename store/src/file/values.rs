//! Value columns of a file, as integers of the dataset's fields.

use super::decode::{FileKeys, Spread};
use super::read::Footer;
use crate::Error;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Decimal32Type, Decimal64Type, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use schemas::{ABSENT, Dataset, Field};
use std::sync::Arc;

/// A field's index and its column in the order of the keys; nothing when the file has no value of it.
pub(crate) type FieldColumn = (usize, Option<Arc<Vec<i64>>>);

/// Reads the columns of some fields (indexes into the dataset's).
pub(crate) fn read<R: ChunkReader + Clone + 'static>(
    footer: &Footer,
    bytes: &R,
    keys: &FileKeys,
    dataset: &Dataset,
    fields: &[usize],
) -> Result<Vec<FieldColumn>, Error> {
    let mut wanted: Vec<usize> = fields.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let (there, none): (Vec<usize>, _) = wanted.into_iter().partition(|&ix| footer.has(&dataset.fields[ix].name));
    let mut read: Vec<FieldColumn> = none.into_iter().map(|ix| (ix, None)).collect();
    if there.is_empty() {
        return Ok(read);
    }
    let fields: Vec<&Field> = there.iter().map(|&ix| &dataset.fields[ix]).collect();
    let columns = footer.guard(|| {
        let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
        let mut columns: Vec<Spread<'_>> = fields.iter().map(|_| keys.spread()).collect();
        let mut some = Vec::new();
        for batch in footer.batches(bytes, &names)? {
            let batch = batch?;
            for (field, column) in fields.iter().zip(&mut columns) {
                let array = batch.column_by_name(&field.name).ok_or("it is gone".to_owned());
                some.clear();
                let fault = |fault| ParquetError::General(format!("column {}: {fault}", field.name));
                array.and_then(|array| append(field, array, &mut some)).map_err(fault)?;
                column.put(&some);
            }
        }
        Ok(columns)
    })?;
    for (ix, column) in there.into_iter().zip(columns) {
        let whole = column
            .whole()
            .ok_or_else(|| footer.corrupt(format!("column {} is shorter than the file", dataset.fields[ix].name)))?;
        read.push((ix, Some(Arc::new(whole))));
    }
    Ok(read)
}

/// Appends a batch of a field's values; says what is wrong when it is not of the field's type.
fn append(field: &Field, array: &ArrayRef, column: &mut Vec<i64>) -> Result<(), String> {
    let scale = field.resolution.scale() as i8;
    match array.data_type() {
        DataType::Decimal32(_, s) if *s == scale => integers::<Decimal32Type>(array.as_primitive(), column),
        DataType::Decimal64(_, s) if *s == scale => integers::<Decimal64Type>(array.as_primitive(), column),
        DataType::Dictionary(_, _) => words(field, array, column)?,
        other => return Err(format!("it is {other}, not {} with {scale} digits after the point", field.kind.name())),
    }
    Ok(())
}

fn integers<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, column: &mut Vec<i64>)
where
    T::Native: Into<i64>,
{
    let start = column.len();
    column.extend(array.values().iter().map(|&value| -> i64 { value.into() }));
    if let Some(nulls) = array.nulls() {
        for (value, valid) in column[start..].iter_mut().zip(nulls) {
            if !valid {
                *value = ABSENT;
            }
        }
    }
}

fn words(field: &Field, array: &ArrayRef, column: &mut Vec<i64>) -> Result<(), String> {
    let schemas::Kind::State { values: states, .. } = &field.kind else { return Err("it is text".into()) };
    let array = array.as_dictionary_opt::<Int32Type>().ok_or("it is not text")?;
    let words = array.values().as_string_opt::<i32>().ok_or("it is not text")?;
    let number = |word: &str| states.iter().position(|state| &**state == word).map(|at| at as i64);
    let numbers: Vec<Option<i64>> = words.iter().map(|word| word.and_then(number)).collect();
    for key in array.keys() {
        column.push(match key {
            None => ABSENT,
            Some(key) => numbers[key as usize]
                .ok_or_else(|| format!("{:?} is no state its contract lists", words.value(key as usize)))?,
        });
    }
    Ok(())
}

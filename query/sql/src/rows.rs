//! Rows as they come, turned into Arrow's columns. Ten million rows of a question go through here, so each column is one
//! tight loop, and texts are taken by number from a short list instead of being built row by row.

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringViewArray, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use engine::sql::{ColumnType, Rows, Table};
use schemas::{ABSENT, Decimal};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a scan's rows are to become.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The wanted columns in the order they come.
    columns: Vec<Part>,
    /// Which of them each column of a batch is.
    order: Vec<usize>,
    schema: SchemaRef,
    series: bool,
}

/// A column as it comes.
#[derive(Debug)]
enum Part {
    /// The sensor, by runs.
    Sensor,
    /// A state, by number, and the words.
    State(ArrayRef),
    /// Anything else.
    Plain(ColumnType, DataType),
}

impl Shape {
    /// The shape of a scan of `columns` (ascending) of a table, for batches of its columns in that `order`.
    pub(crate) fn new(table: &Table, columns: &[usize], order: &[usize], schema: &SchemaRef) -> Result<Shape> {
        let part = |at: &usize| match &table.columns[*at].kind {
            ColumnType::Text if table.series => Part::Sensor,
            ColumnType::State { states } if table.series => {
                Part::State(Arc::new(StringViewArray::from_iter_values(states.iter())))
            }
            kind => Part::Plain(kind.clone(), schema.field(*at).data_type().clone()),
        };
        Ok(Shape {
            columns: columns.iter().map(part).collect(),
            order: order.iter().map(|at| columns.binary_search(at).unwrap_or_default()).collect(),
            schema: Arc::new(schema.project(order)?),
            series: table.series,
        })
    }

    /// Whether the rows are a dataset's.
    pub(crate) fn is_series(&self) -> bool {
        self.series
    }

    /// The columns of a batch.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Batches of this shape, of at most so many rows.
    pub(crate) fn batches(self: Arc<Shape>, most: usize) -> Batches {
        let names = Arc::new(StringViewArray::from_iter_values([""; 0]));
        Batches { shape: self, most, names, ready: VecDeque::new() }
    }

    fn batch(&self, columns: &[ArrayRef], rows: usize) -> Result<RecordBatch> {
        let columns = self.order.iter().map(|at| columns[*at].clone()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema(), columns, &options)?)
    }
}

/// Makes batches of pieces.
pub(crate) struct Batches {
    shape: Arc<Shape>,
    most: usize,
    names: ArrayRef,
    ready: VecDeque<RecordBatch>,
}

impl Batches {
    /// The next batch of what has been taken in.
    pub(crate) fn next(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    /// Takes in the sensors that rows from here on name by number.
    pub(crate) fn name(&mut self, names: &[String]) {
        self.names = Arc::new(StringViewArray::from_iter_values(names));
    }

    /// Takes in rows of a dataset.
    pub(crate) fn take_rows(&mut self, rows: Rows) -> Result<()> {
        let Rows { scan: _, rows, runs, columns } = rows;
        let shape = self.shape.clone();
        if !shape.series {
            return Err(unexpected("rows of readings"));
        }
        let mut values = columns.into_iter();
        let mut made: Vec<ArrayRef> = Vec::with_capacity(shape.columns.len());
        for part in &shape.columns {
            made.push(match part {
                Part::Sensor => take_runs(&self.names, &runs)?,
                Part::State(words) => take_states(words, &values.next().ok_or_else(|| unexpected("too few columns"))?)?,
                Part::Plain(kind, data_type) => {
                    plain(kind, data_type, values.next().ok_or_else(|| unexpected("too few columns"))?)?
                }
            });
        }
        let whole = shape.batch(&made, rows as usize)?;
        self.cut(&whole);
        Ok(())
    }

    /// Takes in rows of another table.
    pub(crate) fn take_records(&mut self, rows: &[Vec<Value>]) -> Result<()> {
        let shape = self.shape.clone();
        let mut made: Vec<ArrayRef> = Vec::with_capacity(shape.columns.len());
        for (at, part) in shape.columns.iter().enumerate() {
            let Part::Plain(kind, data_type) = part else { return Err(unexpected("records of readings")) };
            let values = rows.iter().map(|row| row.get(at).unwrap_or(&Value::Null));
            made.push(records(kind, data_type, values)?);
        }
        let whole = shape.batch(&made, rows.len())?;
        self.cut(&whole);
        Ok(())
    }

    /// Operators work best on batches that stay in the processor's cache; cutting copies nothing.
    fn cut(&mut self, whole: &RecordBatch) {
        let mut from = 0;
        while from < whole.num_rows() {
            let rows = self.most.min(whole.num_rows() - from);
            self.ready.push_back(whole.slice(from, rows));
            from += rows;
        }
    }
}

/// A breach of the protocol.
fn unexpected(what: &str) -> DataFusionError {
    exec_datafusion_err!("the server sent {what}")
}

/// The names of runs, repeated.
fn take_runs(names: &ArrayRef, runs: &[(u32, u32)]) -> Result<ArrayRef> {
    let mut numbers: Vec<u32> = Vec::with_capacity(runs.iter().map(|(_, run)| *run as usize).sum());
    for (sensor, run) in runs {
        if *sensor as usize >= names.len() {
            return Err(unexpected("a sensor without its name"));
        }
        numbers.resize(numbers.len() + *run as usize, *sensor);
    }
    Ok(take(names, &UInt32Array::from(numbers), None)?)
}

/// The words of states.
fn take_states(words: &ArrayRef, values: &[i64]) -> Result<ArrayRef> {
    if values.iter().any(|value| *value != ABSENT && !(0..words.len() as i64).contains(value)) {
        return Err(unexpected("a state without its word"));
    }
    let numbers: Vec<u32> = values.iter().map(|value| if *value == ABSENT { 0 } else { *value as u32 }).collect();
    Ok(take(words, &UInt32Array::new(numbers.into(), present(values)), None)?)
}

/// Which values are there; nothing when all are.
fn present(values: &[i64]) -> Option<NullBuffer> {
    let absent = values.contains(&ABSENT);
    absent.then(|| NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |at| values[at] != ABSENT)))
}

/// A column of whole numbers as its type says.
fn plain(kind: &ColumnType, data_type: &DataType, values: Vec<i64>) -> Result<ArrayRef> {
    let nulls = present(&values);
    Ok(match kind {
        ColumnType::Decimal { .. } => {
            let wide: Vec<i128> = match &nulls {
                None => values.into_iter().map(i128::from).collect(),
                Some(_) => {
                    values.into_iter().map(|value| if value == ABSENT { 0 } else { i128::from(value) }).collect()
                }
            };
            Arc::new(Decimal128Array::new(wide.into(), nulls).with_data_type(data_type.clone()))
        }
        ColumnType::Time => {
            Arc::new(TimestampMicrosecondArray::new(values.into(), nulls).with_data_type(data_type.clone()))
        }
        ColumnType::Int => Arc::new(Int64Array::new(values.into(), nulls)),
        ColumnType::Text | ColumnType::Float | ColumnType::Bool | ColumnType::State { .. } => {
            return Err(unexpected("numbers where there are none"));
        }
    })
}

/// A column of JSON values as its type says.
fn records<'a>(kind: &ColumnType, data_type: &DataType, values: impl Iterator<Item = &'a Value>) -> Result<ArrayRef> {
    Ok(match kind {
        ColumnType::Text | ColumnType::State { .. } => Arc::new(values.map(Value::as_str).collect::<StringViewArray>()),
        ColumnType::Bool => Arc::new(values.map(Value::as_bool).collect::<BooleanArray>()),
        ColumnType::Float => Arc::new(values.map(Value::as_f64).collect::<Float64Array>()),
        ColumnType::Int => Arc::new(values.map(Value::as_i64).collect::<Int64Array>()),
        ColumnType::Time => {
            let times = values.map(Value::as_i64).collect::<TimestampMicrosecondArray>();
            Arc::new(times.with_data_type(data_type.clone()))
        }
        ColumnType::Decimal { scale } => {
            let exact = |value: &Value| match value {
                Value::Number(number) => steps(&number.to_string(), *scale),
                _ => None,
            };
            Arc::new(values.map(exact).collect::<Decimal128Array>().with_data_type(data_type.clone()))
        }
    })
}

/// A decimal number as steps of ten to the power of minus `scale`; it has no more digits than that.
fn steps(text: &str, scale: u8) -> Option<i128> {
    let Decimal { mantissa, scale: has } = Decimal::parse(text.as_bytes())?;
    match u32::try_from(i32::from(scale) - has) {
        Ok(up) => mantissa.checked_mul(10_i128.checked_pow(up)?),
        Err(_) => mantissa.checked_div(10_i128.checked_pow(has.unsigned_abs() - u32::from(scale))?),
    }
}

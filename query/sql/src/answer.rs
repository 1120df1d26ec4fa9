//! One question: checked, planned, run, and its answer sent piece by piece.

use crate::failure::{self, failed, too_large};
use crate::guard::{self, Places};
use crate::pipe::Pipe;
use crate::render::{Page, type_name};
use crate::session::{Engine, Planned};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::{displayable, execute_stream};
use engine::sql::{Ask, Failure, Fault, FromWorker, Limits};
use futures::StreamExt;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Bytes of a piece of an answer.
const PIECE: usize = 64 << 10;

/// Answers a question; the number of its rows.
pub(crate) async fn answer(pipe: &Arc<Pipe>, engine: &Engine, ask: &Ask) -> Result<u64, Failure> {
    let checked = guard::check(&ask.text, &ask.catalog)?;
    let explain = checked.explain;
    let planned = engine.plan(checked, ask, pipe).await?;
    let sent = if explain { explained(pipe, ask, &planned) } else { run(pipe, ask, planned).await };
    sent.map_err(|error| failure::of(error, &Places::default()))
}

/// Runs a plan.
async fn run(pipe: &Pipe, ask: &Ask, Planned { plan, context }: Planned) -> Result<u64> {
    let mut sending = Sending::begin(pipe, ask, &plan.schema())?;
    let mut batches = execute_stream(plan, context)?;
    while let Some(batch) = batches.next().await {
        sending.rows(&batch?)?;
    }
    sending.end()
}

/// Tells a plan, a row for each of its lines.
fn explained(pipe: &Pipe, ask: &Ask, planned: &Planned) -> Result<u64> {
    let text = displayable(planned.plan.as_ref()).indent(false).to_string();
    let lines: ArrayRef = Arc::new(StringArray::from(text.lines().collect::<Vec<_>>()));
    let batch = RecordBatch::try_from_iter([("plan", lines)])?;
    let mut sending = Sending::begin(pipe, ask, &batch.schema())?;
    sending.rows(&batch)?;
    sending.end()
}

/// An answer under way.
struct Sending<'a> {
    pipe: &'a Pipe,
    page: Page,
    limits: Limits,
    rows: u64,
    bytes: u64,
}

impl<'a> Sending<'a> {
    /// Sends the head.
    fn begin(pipe: &'a Pipe, ask: &Ask, schema: &Schema) -> Result<Sending<'a>> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = schema.fields().iter().find(|field| !seen.insert(field.name())) {
            let message = format!("two columns of the answer are named \"{}\"", twice.name());
            let twice = failed(Fault::Mismatch, message, ["another name for one of them, by AS"]);
            return Err(failure::carried(twice));
        }
        let columns = schema.fields().iter().map(|field| (field.name().clone(), type_name(field.data_type())));
        pipe.send(&FromWorker::Head { columns: columns.collect() })?;
        Ok(Sending { pipe, page: Page::new(ask.format, schema), limits: ask.limits, rows: 0, bytes: 0 })
    }

    /// Writes rows, and sends what has come together.
    fn rows(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        if self.rows > self.limits.rows {
            return Err(failure::carried(too_large(self.limits.rows, "rows")));
        }
        let Sending { pipe, page, limits, bytes, rows: _ } = self;
        page.write(batch, PIECE, |piece| send_piece(pipe, piece, bytes, limits))
    }

    /// Sends what is left; the number of rows.
    fn end(mut self) -> Result<u64> {
        send_piece(self.pipe, self.page.rest(), &mut self.bytes, &self.limits)?;
        Ok(self.rows)
    }
}

/// Sends a piece, unless the answer is too large with it.
fn send_piece(pipe: &Pipe, piece: Vec<u8>, bytes: &mut u64, limits: &Limits) -> Result<(), DataFusionError> {
    *bytes += piece.len() as u64;
    if *bytes > limits.bytes {
        return Err(failure::carried(too_large(limits.bytes, "bytes")));
    }
    if !piece.is_empty() {
        pipe.send(&FromWorker::Body(piece.into()))?;
    }
    Ok(())
}

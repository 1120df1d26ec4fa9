//! A scan within a plan: pieces asked for ahead, turned into batches as they are wanted.

use crate::failure;
use crate::pipe::{Piece, Pieces, Pipe};
use crate::rows::{Batches, Shape};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};
use engine::sql::Scan;
use futures::stream;
use std::fmt;
use std::sync::Arc;

/// Rows a dataset is taken to have where nothing more is known.
const MANY: usize = 100_000_000;
/// Rows any other table is taken to have.
const SOME: usize = 10_000;

/// A scan that the server answers.
pub(crate) struct ScanExec {
    scan: Scan,
    shape: Arc<Shape>,
    pipe: Arc<Pipe>,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    /// The scan; its rows have that shape.
    pub(crate) fn new(scan: Scan, shape: Shape, pipe: Arc<Pipe>) -> ScanExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(shape.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        ScanExec { scan, shape: Arc::new(shape), pipe, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for ScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.scan)
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scan { scan: _, table, columns, sensors, from, to, limit } = &self.scan;
        write!(f, "Scan: {table}, {} columns", columns.len())?;
        if let Some(sensors) = sensors {
            write!(f, ", {} sensors", sensors.len())?;
        }
        for (word, time) in [("from", from), ("to", to)] {
            if let Some(time) = time {
                write!(f, ", {word} {}", schemas::Zone::utc().format(schemas::Time(*time)))?;
            }
        }
        limit.map_or(Ok(()), |limit| write!(f, ", limit {limit}"))
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &str {
        "Scan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let pieces = self.pipe.scan(self.scan.clone())?;
        let batches = self.shape.clone().batches(context.session_config().batch_size());
        let stream = stream::try_unfold((pieces, batches), |(pieces, batches)| next(pieces, batches));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }

    fn schema(&self) -> SchemaRef {
        self.shape.schema()
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        // No more than which side of a join is the small one: that is the one to be held.
        let rows = if self.shape.is_series() { MANY } else { SOME };
        let rows = self.scan.limit.and_then(|limit| usize::try_from(limit).ok()).map_or(rows, |limit| limit.min(rows));
        Ok(Arc::new(Statistics::new_unknown(&self.schema()).with_num_rows(Precision::Inexact(rows))))
    }
}

/// The next batch, and what is needed to go on.
async fn next(mut pieces: Pieces, mut batches: Batches) -> Result<Option<(RecordBatch, (Pieces, Batches))>> {
    loop {
        if let Some(batch) = batches.next() {
            return Ok(Some((batch, (pieces, batches))));
        }
        match pieces.next().await {
            Some(Piece::Names(names)) => batches.name(&names),
            Some(Piece::Rows(rows)) => {
                pieces.more()?;
                batches.take_rows(rows)?;
            }
            Some(Piece::Records(rows)) => {
                pieces.more()?;
                batches.take_records(&rows)?;
            }
            Some(Piece::End(None)) | None => return Ok(None),
            Some(Piece::End(Some(failure))) => return Err(failure::carried(failure)),
        }
    }
}

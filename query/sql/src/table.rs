//! A table of the catalog, as DataFusion sees it: its columns, and scans that ask the server.

use crate::functions::utc;
use crate::pipe::Pipe;
use crate::pushdown::Wanted;
use crate::rows::Shape;
use crate::scan::ScanExec;
use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use engine::sql::{Column, ColumnType, Scan, Table};
use std::sync::Arc;

/// Digits of a numeric column: those of any i64.
const DIGITS: u8 = 19;

/// A table whose rows the server has.
#[derive(Debug)]
pub(crate) struct ServerTable {
    table: Table,
    schema: SchemaRef,
    pipe: Arc<Pipe>,
}

impl ServerTable {
    /// The table; its rows are asked for by `pipe`.
    pub(crate) fn new(table: Table, pipe: Arc<Pipe>) -> ServerTable {
        // In a dataset each row has a sensor and a time; elsewhere anything may be absent.
        let sure = |column: &Column| table.series && matches!(column.kind, ColumnType::Text | ColumnType::Time);
        let field = |column: &Column| Field::new(&column.name, data_type(&column.kind), !sure(column));
        let schema = Arc::new(Schema::new(table.columns.iter().map(field).collect::<Vec<_>>()));
        ServerTable { table, schema, pipe }
    }
}

/// The type of a column inside.
fn data_type(kind: &ColumnType) -> DataType {
    match kind {
        ColumnType::Text | ColumnType::State { .. } => DataType::Utf8View,
        ColumnType::Time => utc(),
        // The smaller decimals are silently wrong in DataFusion 55.
        ColumnType::Decimal { scale } => DataType::Decimal128(DIGITS, *scale as i8),
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Bool => DataType::Boolean,
    }
}

#[async_trait]
impl TableProvider for ServerTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // The server leaves out what it can, and DataFusion filters again.
        Ok(filters
            .iter()
            .map(|filter| match self.table.series && Wanted::default().narrow(filter) {
                true => TableProviderFilterPushDown::Inexact,
                false => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut wanted = Wanted::default();
        if self.table.series {
            filters.iter().for_each(|filter| {
                wanted.narrow(filter);
            });
        }
        let order = projection.cloned().unwrap_or_else(|| (0..self.table.columns.len()).collect());
        let mut columns = order.clone();
        columns.sort_unstable();
        columns.dedup();
        let scan = Scan {
            scan: 0,
            table: self.table.name.clone(),
            columns,
            sensors: wanted.sensors,
            from: wanted.from,
            to: wanted.to,
            // Rows that a filter here will drop must not use the limit up.
            limit: limit.filter(|_| filters.is_empty()).map(|limit| limit as u64),
        };
        let shape = Shape::new(&self.table, &scan.columns, &order, &self.schema)?;
        Ok(Arc::new(ScanExec::new(scan, shape, self.pipe.clone())))
    }
}

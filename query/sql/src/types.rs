//! PostgreSQL's types where DataFusion would take others for their names.

use crate::functions::utc;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{self, TimezoneInfo};
use std::sync::Arc;

/// Times in microseconds, as the columns have them.
#[derive(Debug)]
pub(crate) struct PostgresTypes;

impl TypePlanner for PostgresTypes {
    fn plan_type_field(&self, named: &ast::DataType) -> Result<Option<FieldRef>> {
        let planned = match named {
            ast::DataType::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => utc(),
            ast::DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
            | ast::DataType::TimestampNtz(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(Field::new("", planned, true))))
    }
}

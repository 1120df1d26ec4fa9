//! From a checked query to a plan that runs: DataFusion with just the functions, tables, memory and clock of one question.

use crate::failure;
use crate::functions;
use crate::guard::{self, Checked};
use crate::pipe::Pipe;
use crate::rewrite;
use crate::table::ServerTable;
use crate::times::TimeTexts;
use crate::types::PostgresTypes;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::temporal_conversions::as_datetime;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::execution::{SessionStateDefaults, TaskContext};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::optimizer::{Analyzer, Optimizer};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::Statement;
use engine::sql::{Ask, Failure};
use std::sync::Arc;

/// Rows of a batch between operators.
const BATCH: usize = 8192;
/// Names of the one catalog and schema.
const CATALOG: &str = "lamppost";
const SCHEMA: &str = "public";

/// What all questions share: made once, as it takes longer than a small question.
pub(crate) struct Engine {
    config: SessionConfig,
    scalar: Vec<Arc<ScalarUDF>>,
    aggregate: Vec<Arc<AggregateUDF>>,
    window: Vec<Arc<WindowUDF>>,
    analyzer: Analyzer,
    optimizer: Optimizer,
    physical: PhysicalOptimizer,
}

/// A plan and what it runs with.
pub(crate) struct Planned {
    /// The plan.
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    /// Its memory and settings.
    pub(crate) context: Arc<TaskContext>,
}

impl Engine {
    /// The parts of a session that are the same for each question.
    pub(crate) fn new() -> Engine {
        let mut config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH)
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_information_schema(false);
        let options = config.options_mut();
        options.execution.time_zone = Some("UTC".to_owned());
        options.sql_parser.parse_float_as_decimal = true;
        options.optimizer.max_passes = 3;
        let mut analyzer = Analyzer::new();
        analyzer.rules.insert(0, Arc::new(TimeTexts));
        Engine {
            config,
            scalar: functions::scalar(),
            aggregate: functions::aggregate(),
            window: functions::window(),
            analyzer,
            optimizer: Optimizer::new(),
            physical: PhysicalOptimizer::new(),
        }
    }

    /// Plans a checked question.
    pub(crate) async fn plan(&self, checked: Checked, ask: &Ask, pipe: &Arc<Pipe>) -> Result<Planned, Failure> {
        let Checked { query, explain: _, places } = checked;
        let told = |error: DataFusionError| failure::of(error, &places);
        let state = self.state(ask, pipe).map_err(told)?;
        let statement = Parsed::Statement(Box::new(Statement::Query(rewrite::rewrite(query))));
        let plan = state.statement_to_plan(statement).await.map_err(told)?;
        let plan = state.optimize(&plan).map_err(told)?;
        guard::check_plan(&plan).map_err(told)??;
        let plan = state.query_planner().create_physical_plan(&plan, &state).await.map_err(told)?;
        Ok(Planned { plan, context: state.task_ctx() })
    }

    /// A session for one question.
    fn state(&self, ask: &Ask, pipe: &Arc<Pipe>) -> Result<SessionState> {
        let memory = usize::try_from(ask.limits.memory).unwrap_or(usize::MAX);
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory)))
            .build_arc()?;
        let now = as_datetime::<TimestampMicrosecondType>(ask.now);
        let props = match now {
            Some(now) => ExecutionProps::new().with_query_execution_start_time(now.and_utc()),
            None => ExecutionProps::new(),
        };
        let state = SessionStateBuilder::new()
            .with_config(self.config.clone())
            .with_runtime_env(runtime)
            .with_execution_props(props)
            .with_analyzer_rules(self.analyzer.rules.clone())
            .with_optimizer_rules(self.optimizer.rules.clone())
            .with_physical_optimizer_rules(self.physical.rules.clone())
            .with_expr_planners(SessionStateDefaults::default_expr_planners())
            .with_type_planner(Arc::new(PostgresTypes))
            .with_scalar_functions(self.scalar.clone())
            .with_aggregate_functions(self.aggregate.clone())
            .with_window_functions(self.window.clone())
            .build();
        let schema = MemorySchemaProvider::new();
        for table in &ask.catalog.tables {
            schema.register_table(table.name.clone(), Arc::new(ServerTable::new(table.clone(), pipe.clone())))?;
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(schema))?;
        state.catalog_list().register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        Ok(state)
    }
}

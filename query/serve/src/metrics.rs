//! Figures for Prometheus: requests by route, the engine's, and those of store and doors. As OpenMetrics for who asks for it,
//! else in the older text format.

mod classic;

use crate::api::Parts;
use crate::call::Call;
use access::{Kind, Problem, Right};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A figure of the store or a door, read at each scrape.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name, without the suffix `_total` that counters get: `lamppost_log_bytes`.
    pub name: &'static str,
    /// What it counts, a sentence without the full stop.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: FigureKind,
    /// Labels and value, each set of labels once.
    pub values: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// Whether a figure only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// What labels a request's count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Counted {
    route: String,
    method: &'static str,
    status: u16,
}

/// What labels a request's duration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    route: String,
}

/// The registry and what serving itself counts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Counted, Counter>,
    durations: Family<Timed, Histogram, fn() -> Histogram>,
    /// Keys that were shown and not good.
    pub(crate) refused_keys: Counter,
    id: AtomicU64,
}

impl Metrics {
    pub(crate) fn new(parts: &Parts) -> Metrics {
        let mut registry = Registry::default();
        let requests = Family::default();
        let help = "Requests; status 0: the caller left or the time ran out";
        registry.register("lamppost_http_requests", help, requests.clone());
        // From half a millisecond to 16 seconds.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let durations = Family::new_with_constructor(histogram);
        let help = "Time from the end of a request's head to the beginning of its response";
        registry.register_with_unit("lamppost_http_request_duration", help, Unit::Seconds, durations.clone());
        let refused_keys = Counter::default();
        let help = "Requests that showed a key which is unknown, expired or revoked";
        registry.register("lamppost_keys_refused", help, refused_keys.clone());
        registry.register_collector(Box::new(Sources(parts.clone())));
        (parts.register)(registry.sub_registry_with_prefix("lamppost"));
        Metrics { registry, requests, durations, refused_keys, id: AtomicU64::new(1) }
    }

    /// Number of the next request since the process started.
    pub(crate) fn next_id(&self) -> u64 {
        self.id.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a request that was answered, or ended without (no status).
    pub(crate) fn observe(&self, route: &str, method: &Method, status: Option<StatusCode>, took: Duration) {
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::OPTIONS => "OPTIONS",
            Method::POST => "POST",
            // Callers may invent methods: each would be a series for ever.
            _ => "other",
        };
        let status = status.map_or(0, |status| status.as_u16());
        let counted = Counted { route: route.to_owned(), method, status };
        self.requests.get_or_create(&counted).inc();
        self.durations.get_or_create(&Timed { route: route.to_owned() }).observe(took.as_secs_f64());
    }
}

/// Figures read at each scrape.
struct Sources(Parts);

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sources")
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let engine = self.0.engine.figures();
        let own = |name, help, kind, value: u64| Figure { name, help, kind, values: vec![(Vec::new(), value as f64)] };
        let mut figures = vec![
            own("lamppost_answers_cached", "Answers found in the cache", FigureKind::Counter, engine.hits),
            own("lamppost_answers_made", "Answers made because the cache had none", FigureKind::Counter, engine.misses),
            own("lamppost_answer_cache_bytes", "Bytes of answers kept", FigureKind::Gauge, engine.cache_bytes),
            own("lamppost_questions_running", "Questions that wait or run", FigureKind::Gauge, engine.running),
        ];
        figures.extend(sql(self.0.sql.figures()));
        figures.extend((self.0.figures)());
        figures.iter().try_for_each(|figure| encode_figure(figure, &mut encoder))
    }
}

/// Figures of the SQL workers.
fn sql(sql: engine::sql::Figures) -> Vec<Figure> {
    let own = |name, help, kind, value: u64| Figure { name, help, kind, values: vec![(Vec::new(), value as f64)] };
    let questions = sql.questions.into_iter().map(|(ended, count)| (vec![("ended", ended.to_owned())], count as f64));
    let mut figures = vec![
        own("lamppost_sql_running", "Questions in SQL that have a worker", FigureKind::Gauge, sql.running),
        own("lamppost_sql_waiting", "Questions in SQL that wait for a worker", FigureKind::Gauge, sql.waiting),
        own("lamppost_sql_workers", "SQL workers there are", FigureKind::Gauge, sql.workers),
        own("lamppost_sql_workers_started", "SQL workers started", FigureKind::Counter, sql.started),
        own("lamppost_sql_workers_killed", "SQL workers killed in a question", FigureKind::Counter, sql.killed),
        own("lamppost_sql_rows_read", "Stored rows read for questions in SQL", FigureKind::Counter, sql.rows),
    ];
    figures.push(Figure {
        name: "lamppost_sql_questions",
        help: "Questions in SQL by how they ended",
        kind: FigureKind::Counter,
        values: questions.collect(),
    });
    figures
}

/// Writes one figure with all its labels.
fn encode_figure(figure: &Figure, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let kind = match figure.kind {
        FigureKind::Counter => MetricType::Counter,
        FigureKind::Gauge => MetricType::Gauge,
    };
    let mut metric = encoder.encode_descriptor(figure.name, figure.help, None, kind)?;
    for (labels, value) in &figure.values {
        if labels.is_empty() {
            encode_value(&mut metric, figure.kind, *value)?;
        } else {
            encode_value(&mut metric.encode_family(labels)?, figure.kind, *value)?;
        }
    }
    Ok(())
}

/// Writes one value.
fn encode_value(metric: &mut MetricEncoder<'_>, kind: FigureKind, value: f64) -> fmt::Result {
    match kind {
        FigureKind::Counter => metric.encode_counter(&value, None::<&Exemplar<Vec<(&str, &str)>, f64>>),
        FigureKind::Gauge => metric.encode_gauge(&value),
    }
}

/// `/metrics`, for operators, and for anybody where the operator says so.
pub(crate) async fn get(call: Call, headers: HeaderMap) -> Result<Response, Problem> {
    let api = &call.api;
    if !api.parts.admission.public_metrics && !call.caller.may(Right::Operate, None) {
        return Err(call.caller.lacks(Right::Operate, "reading metrics from elsewhere"));
    }
    let mut text = String::new();
    encode(&mut text, &api.metrics.registry).map_err(|error| {
        tracing::error!(%error, "cannot write metrics");
        Problem::new(Kind::Internal, "the metrics could not be written")
    })?;
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let (kind, text) = if accepted.into_iter().any(|accept| accept.contains("application/openmetrics-text")) {
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", text)
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", classic::rewrite(&text))
    };
    let varies = (header::VARY, HeaderValue::from_static("Accept"));
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), varies], text).into_response())
}

//! Figures of the way in, as Prometheus metrics.

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use store::Durations;

/// Which door: `listener`, `http`, `import`, or a broker's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Door {
    /// Its name.
    pub door: String,
}

/// Which dataset.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByDataset {
    /// Its id.
    pub dataset: String,
}

/// Which source, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByReason {
    /// Name of the source: `air_quality/0`; empty when none matched.
    pub source: String,
    /// The reason: `out_of_range`.
    pub reason: &'static str,
}

/// Durations as a Prometheus histogram.
#[derive(Clone, Debug, Default)]
pub struct Timing(pub Arc<Durations>);

impl TypedMetric for Timing {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Timing {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let counted = self.0.look();
        encoder.encode_histogram::<NoLabelSet>(counted.seconds, counted.count, &counted.buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// All figures of ingest. Cloneable: all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Messages taken, by door.
    pub messages: Family<Door, Counter>,
    /// Bytes of their payloads, by door.
    pub bytes: Family<Door, Counter>,
    /// Messages acknowledged after they were durable, by door.
    pub acked: Family<Door, Counter>,
    /// Time from reading a message to its acknowledgement, by door.
    pub ack_duration: Family<Door, Timing>,
    /// Messages without delivery guarantee (QoS 0) dropped under pressure, by door.
    pub dropped: Family<Door, Counter>,
    /// Open connections, by door. For a broker 1 while its connection stands.
    pub connections: Family<Door, Gauge>,
    /// Connections refused or closed for what they sent, by door.
    pub refused: Family<Door, Counter>,
    /// Messages refused for want of scope, by door.
    pub forbidden: Family<Door, Counter>,
    /// Errors of a door's connection in a row that read the same, by door: above a few, a person must look.
    pub repeated_errors: Family<Door, Gauge>,
    /// Topic filters a broker refuses, by door.
    pub refused_filters: Family<Door, Gauge>,
    /// Readings handed to the store, by dataset.
    pub readings: Family<ByDataset, Counter>,
    /// Rejects, by source and reason.
    pub rejects: Family<ByReason, Counter>,
    /// Values known and deliberately not taken.
    pub ignored: Counter,
    /// Appends made to the store.
    pub appends: Counter,
    /// Appends the store put off.
    pub put_off: Counter,
}

impl Metrics {
    /// Adds all of them to a registry, under `ingest_…`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("ingest");
        registry.register("messages", "Messages taken", self.messages.clone());
        registry.register("payload_bytes", "Bytes of payloads taken", self.bytes.clone());
        registry.register("acked", "Messages acknowledged after they were durable", self.acked.clone());
        let help = "Time from reading a message to its acknowledgement";
        registry.register("ack_duration_seconds", help, self.ack_duration.clone());
        registry.register("dropped", "QoS 0 messages dropped under pressure", self.dropped.clone());
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("refused", "Connections refused or closed for what they sent", self.refused.clone());
        registry.register("forbidden", "Messages refused for want of scope", self.forbidden.clone());
        registry.register("repeated_errors", "Equal connection errors in a row", self.repeated_errors.clone());
        registry.register("refused_filters", "Topic filters a broker refuses", self.refused_filters.clone());
        registry.register("readings", "Readings handed to the store", self.readings.clone());
        registry.register("rejects", "Rejected messages, readings and fields", self.rejects.clone());
        registry.register("ignored", "Values known and deliberately not taken", self.ignored.clone());
        registry.register("appends", "Appends made to the store", self.appends.clone());
        registry.register("put_off", "Appends the store put off", self.put_off.clone());
    }

    /// The figures of one door.
    pub fn door(&self, name: &str) -> DoorMetrics {
        let door = Door { door: name.to_owned() };
        DoorMetrics {
            messages: self.messages.get_or_create_owned(&door),
            bytes: self.bytes.get_or_create_owned(&door),
            acked: self.acked.get_or_create_owned(&door),
            ack_duration: self.ack_duration.get_or_create_owned(&door),
            dropped: self.dropped.get_or_create_owned(&door),
            connections: self.connections.get_or_create_owned(&door),
            refused: self.refused.get_or_create_owned(&door),
            forbidden: self.forbidden.get_or_create_owned(&door),
            repeated_errors: self.repeated_errors.get_or_create_owned(&door),
            refused_filters: self.refused_filters.get_or_create_owned(&door),
        }
    }
}

/// The figures of one door, looked up once.
#[derive(Clone, Debug)]
pub struct DoorMetrics {
    /// Messages taken.
    pub messages: Counter,
    /// Bytes of their payloads.
    pub bytes: Counter,
    /// Messages acknowledged.
    pub acked: Counter,
    /// Time from reading to acknowledgement.
    pub ack_duration: Timing,
    /// Messages dropped under pressure.
    pub dropped: Counter,
    /// Open connections.
    pub connections: Gauge,
    /// Connections refused.
    pub refused: Counter,
    /// Messages refused for want of scope.
    pub forbidden: Counter,
    /// Equal errors in a row.
    pub repeated_errors: Gauge,
    /// Filters refused.
    pub refused_filters: Gauge,
}

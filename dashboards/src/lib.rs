//! Grafana provisioning and dashboards, derived from contracts.

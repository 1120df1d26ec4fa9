//! Where messages come in. Each door submits to the intake and acknowledges in arrival order once tickets resolve.

pub mod broker;
pub mod graphite;
pub mod hold;
pub mod http;
pub mod listener;

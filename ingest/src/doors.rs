//! Where messages come in. Each door submits to the intake and acknowledges in arrival order once tickets resolve.

pub mod broker;
pub mod hold;
pub mod listener;

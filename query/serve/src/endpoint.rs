//! The endpoints: each file holds one, its parameters and the question it asks.

pub(crate) mod aggregates;
pub(crate) mod datasets;
pub(crate) mod index;
pub(crate) mod latest;
pub(crate) mod readings;
pub(crate) mod sensors;
pub(crate) mod sql;

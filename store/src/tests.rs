//! The store as a whole.

mod law;
mod model;
mod recovery;
mod rules;
mod tiers;
mod timing;
mod together;
mod upkeep;

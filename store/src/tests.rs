//! The store as a whole.

mod backup;
mod erasing;
mod full;
mod law;
mod load;
mod model;
mod outside;
mod powercut;
mod recovery;
mod retention;
mod rules;
mod tiers;
mod timing;
mod together;
mod upkeep;

//! The store as a whole.

mod model;
mod recovery;
mod rules;
mod timing;
mod together;

//! Wire forms of questions and answers: the REST API, probes, metrics, and the page that shows where to look.
//!
//! The street: a request passes the [`onion`](self) → [`router()`] → one endpoint, which parses its parameters into an
//! [`engine::Question`] → the engine resolves it (ETag, 304) → its answer is rendered straight from columns → response.
//! No data access of its own: sessions, files and the store are the engine's.

mod admission;
mod api;
mod call;
mod endpoint;
mod error;
mod etag;
mod format;
mod landing;
mod metrics;
mod onion;
mod operate;
mod parameter;
mod params;
mod probe;
mod problems;
mod render;
mod router;
mod status;

pub use api::{Admission, Parts};
pub use metrics::{Figure, FigureKind};
pub use operate::{Doing, Operate, Order};
pub use router::router;

#[cfg(test)]
mod tests;

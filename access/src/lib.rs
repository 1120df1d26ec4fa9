//! Who may come in: the accept loop with its limits, the rule for open addresses, and the kinds of error with their wire forms.
//!
//! Knows no datasets and no storage. Keys, scopes, rates and TLS are not here yet: until they are, [`loopback`] decides.

pub mod accept;
pub mod kind;
pub mod limits;
pub mod loopback;
pub mod problem;
mod stall;

pub use accept::{Peer, run};
pub use kind::Kind;
pub use limits::Limits;
pub use problem::{Fault, Problem};

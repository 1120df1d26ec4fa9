//! Who may come in: the accept loop with its limits, TLS, proxies, the rule for open addresses, and the kinds of error with
//! their wire forms. Knows no datasets and no storage.

pub mod accept;
mod body;
mod bounds;
pub mod budget;
pub mod caller;
mod connection;
mod counts;
pub mod forwarded;
mod front;
pub mod key;
pub mod keyring;
pub mod keys;
pub mod kind;
pub mod limits;
pub mod loopback;
mod network;
mod presence;
pub mod problem;
pub mod scope;
mod seats;
mod stall;
pub mod tls;

pub use accept::{Peer, run};
pub use body::Incoming;
pub use bounds::bounds;
pub use budget::{Allowance, Budget, Place, Standing, Wait};
pub use caller::{Caller, Origin};
pub use counts::{Counted, Counts, Refused};
pub use forwarded::Proxies;
pub use front::{Entrance, Front, Line};
pub use key::{Key, KeyText};
pub use keyring::{Keyring, Refusal};
pub use keys::Keys;
pub use kind::Kind;
pub use limits::Limits;
pub use network::Network;
pub use presence::Presence;
pub use problem::{Fault, Problem};
pub use scope::{Right, Scope};
pub use seats::Seat;
pub use tls::Tls;

//! Who may come in: the accept loop with its limits, the rule for open addresses, and the kinds of error with their wire forms.
//!
//! Knows no datasets and no storage. Keys, scopes, rates and TLS are not here yet: until they are, [`loopback`] decides.

pub mod accept;
pub mod budget;
pub mod caller;
pub mod key;
pub mod keyring;
pub mod keys;
pub mod kind;
pub mod limits;
pub mod loopback;
pub mod problem;
pub mod scope;
mod stall;

pub use accept::{Peer, run};
pub use budget::{Allowance, Budget, Place, Standing, Wait};
pub use caller::{Caller, Origin};
pub use key::{Key, KeyText};
pub use keyring::{Keyring, Refusal};
pub use keys::Keys;
pub use kind::Kind;
pub use limits::Limits;
pub use problem::{Fault, Problem};
pub use scope::{Right, Scope};

//! Who may write: the holder of a key with the scope, as at the MQTT door; while there is no such key, programs on this machine.

use super::Door;
use crate::doors::listener::gate::{Login, May, Refusal};
use access::caller::credential;
use access::{Caller, Kind, Origin, Peer, Problem};
use axum::extract::Request;
use axum::http::header;
use std::net::{IpAddr, Ipv6Addr};

impl Door {
    /// What the sender of a request may write. `login`: what it shows besides its head.
    pub(super) fn admit(&self, request: &Request, login: Option<Login>) -> Result<May, Problem> {
        let peer = request.extensions().get::<Peer>().copied();
        let headers = request.headers();
        if !self.parts.gate.asks() {
            // A page elsewhere can have a browser on this machine post to it, and the browser says whose page it is.
            let here = Caller::without_key(peer, headers) == Caller::Local && !headers.contains_key(header::ORIGIN);
            return match self.parts.open || here {
                true => Ok(May::All),
                false => Err(self.refused(Problem::new(Kind::Unauthorized, NEEDS))),
            };
        }
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(credential);
        // InfluxDB 1.8 takes `Token user:password` too; a key has no colon.
        let password = shown.map(|text| text.rsplit(':').next().unwrap_or_default().as_bytes().to_vec());
        let login = match password {
            Some(password) => Login { user: None, password: Some(password) },
            None => login.unwrap_or_default(),
        };
        let shows = login != Login::default();
        match self.parts.gate.admit(&login, self.parts.intake.now()) {
            Ok((may, _)) => Ok(may),
            Err(Refusal::Forbidden) => {
                self.metrics.forbidden.inc();
                Err(Problem::new(
                    Kind::Forbidden,
                    "the key lacks the scope write; lamppost key add --scope write makes one",
                ))
            }
            Err(Refusal::Unknown) if !shows => Err(self.refused(Problem::new(Kind::Unauthorized, NEEDS))),
            Err(Refusal::Unknown) => Err(self.wrong_key(peer)),
        }
    }

    fn refused(&self, problem: Problem) -> Problem {
        self.metrics.refused.inc();
        problem
    }

    /// A key was shown that is not good.
    fn wrong_key(&self, peer: Option<Peer>) -> Problem {
        let address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |Peer(address)| address.ip());
        self.refused(match self.parts.budget.wrong_key(Origin::of(address)) {
            Ok(()) => {
                // Within the bound, so that nobody fills the log by showing keys.
                tracing::warn!(%address, "a key was refused at the HTTP door");
                Problem::new(Kind::Unauthorized, "the key is none of this server, or no longer taken")
            }
            Err(wait) => {
                let detail = "too many keys that are not good came from this address; show a good one later";
                Problem::new(Kind::Spent, detail).retry_in(wait.seconds.unwrap_or(60))
            }
        })
    }

    /// Whether readings of a dataset may be written.
    pub(super) fn allows(&self, may: &May, dataset: &str) -> Result<(), Problem> {
        match may {
            May::Only(datasets) if !datasets.iter().any(|allowed| allowed == dataset) => {
                self.metrics.forbidden.inc();
                let detail = format!("the key lacks the scope write:{dataset}; nothing of the body was taken");
                Err(Problem::new(Kind::Forbidden, detail))
            }
            _ => Ok(()),
        }
    }
}

/// What one without a key is told.
const NEEDS: &str = "writing needs a key with the scope write: send it as Authorization: Token lp_…, as Bearer, or as the \
                     password of Basic";

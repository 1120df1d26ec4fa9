//! Who a request comes from: the holder of a key, a program on this machine, or anybody.

use crate::keyring::Refusal;
use crate::{Key, Keyring, Kind, Peer, Problem, Right};
use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Who a request comes from: an extension of every request that reaches an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A program on the server's own machine: whoever sits there operates it, without bounds. What is restricted is read
    /// with a key there too, so that a proxy that was set up carelessly gives none of it away.
    Local,
    /// The holder of a key.
    Keyed(Arc<Key>),
    /// Anybody, told apart by address.
    Anonymous(Origin),
}

/// Where an anonymous caller comes from: an IPv4 address or the /64 network of an IPv6 one, which one household has whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

/// Headers a proxy adds, beside `X-Forwarded-…`: a request with one comes from elsewhere, though its connection is local.
const FORWARDING: [HeaderName; 3] = [header::FORWARDED, header::VIA, HeaderName::from_static("x-real-ip")];

impl Origin {
    /// The origin of an address.
    pub fn of(address: IpAddr) -> Origin {
        Origin(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        })
    }
}

impl Caller {
    /// Who a request comes from. A key that is shown must be good: a wrong one does not make its holder anybody.
    pub fn identify(
        peer: Option<Peer>,
        headers: &HeaderMap,
        ring: &Keyring,
        now: Timestamp,
    ) -> Result<Caller, Refusal> {
        if let Some(shown) = headers.get(header::AUTHORIZATION) {
            let text = shown.to_str().ok().and_then(credential).ok_or(Refusal::Unknown)?;
            return ring.check(&text, now).map(Caller::Keyed);
        }
        Ok(Caller::without_key(peer, headers))
    }

    /// Who a request comes from, whatever key it shows.
    pub fn without_key(peer: Option<Peer>, headers: &HeaderMap) -> Caller {
        let address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |Peer(address)| address.ip().to_canonical());
        if is_local(address, headers) { Caller::Local } else { Caller::Anonymous(Origin::of(address)) }
    }

    /// Whether the caller may do something in a dataset; in the whole server when nothing is named.
    pub fn may(&self, right: Right, dataset: Option<&str>) -> bool {
        match self {
            Caller::Local => right != Right::Read,
            Caller::Keyed(key) => key.may(right, dataset),
            Caller::Anonymous(_) => false,
        }
    }

    /// The problem of one who may not, with the way to it.
    pub fn lacks(&self, right: Right, what: &str) -> Problem {
        match self {
            Caller::Anonymous(_) => Problem::new(
                Kind::Unauthorized,
                format!("{what} needs a key with the scope {right}: send it as Authorization: Bearer lp_…"),
            ),
            _ => Problem::new(
                Kind::Forbidden,
                format!(
                    "{what} needs the scope {right}, which this key lacks: the operator makes one by lamppost key add --scope {right}"
                ),
            ),
        }
    }
}

/// The key in an `Authorization` header: `Bearer` (RFC 6750), `Token` (InfluxDB's clients), or the password of `Basic`.
pub fn credential(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Some(rest.to_owned()),
        "basic" => {
            let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
            pair.split_once(':').map(|(_, password)| password.to_owned())
        }
        _ => None,
    }
}

/// Whether a request was made on this machine, by a program and not by a page a browser was led to.
fn is_local(address: IpAddr, headers: &HeaderMap) -> bool {
    let forwarded = headers.keys().any(|name| FORWARDING.contains(name) || name.as_str().starts_with("x-forwarded-"));
    // A page elsewhere can point its own name at 127.0.0.1 and then read answers; its name stands in Host.
    let named = headers.get(header::HOST).is_none_or(|host| host.to_str().is_ok_and(is_loopback_name));
    address.is_loopback() && !forwarded && named
}

/// Whether a Host header names this machine: `localhost:8080`, `127.0.0.1`, `[::1]:8080`.
fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests;

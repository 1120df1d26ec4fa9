//! `/status`: the server at a glance, for its operators only. Until there are keys, they are whoever sits at this machine.

use crate::api::Api;
use crate::probe::document;
use access::{Kind, Peer, Problem};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use std::net::IpAddr;

/// Headers a proxy adds: a request with one comes from elsewhere, though its connection is local.
const FORWARDING: [HeaderName; 5] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// Store, doors and rejects as JSON.
pub(crate) async fn get(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_operator(peer.map(|Extension(peer)| peer), &headers) {
        let detail = "the status is told on the server's own machine only: use lamppost status there";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(document(StatusCode::OK, &(api.parts.status)()))
}

/// Whether a request was made on this machine, by a program and not by a page a browser was led to.
fn is_operator(peer: Option<Peer>, headers: &HeaderMap) -> bool {
    let local = peer.is_some_and(|Peer(address)| address.ip().to_canonical().is_loopback());
    let forwarded = FORWARDING.iter().any(|name| headers.contains_key(name));
    // A page elsewhere can point its own name at 127.0.0.1 and then read answers; its name stands in Host.
    let named = headers.get(header::HOST).is_none_or(|host| host.to_str().is_ok_and(is_loopback_name));
    local && !forwarded && named
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
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(peer: &str, host: &'static str, more: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        if let Some(name) = more {
            headers.insert(name, HeaderValue::from_static("192.0.2.7"));
        }
        is_operator(peer.parse().ok().map(Peer), &headers)
    }

    #[test]
    fn only_programs_on_this_machine_are_told() {
        assert!(asked("127.0.0.1:5000", "127.0.0.1:8080", None));
        assert!(asked("[::1]:5000", "[::1]:8080", None));
        assert!(asked("[::ffff:127.0.0.1]:5000", "localhost", None));
        assert!(!asked("192.168.1.7:5000", "127.0.0.1:8080", None));
        assert!(!asked("127.0.0.1:5000", "evil.example:8080", None), "a rebound name");
        assert!(!asked("127.0.0.1:5000", "localhost", Some("x-forwarded-for")), "through a proxy");
        assert!(!asked("", "localhost", None), "no peer known");
    }
}

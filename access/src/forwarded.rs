//! Proxies in front, and whom they say a request comes from. Nobody else's word counts.

use crate::network::Network;
use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The proxies an operator trusts, and the header they tell callers in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Where they are.
    pub networks: Vec<Network>,
    /// Which header they set. Only this one is read: a proxy passes on the others as its callers wrote them.
    pub header: Header,
}

/// A header that proxies tell callers in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// `X-Forwarded-For`, which nearly all set: the hops from the caller on, each appended by the next.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Real-IP`: one address.
    XRealIp,
}

impl Header {
    /// Each with its name.
    pub const ALL: [(&str, Header); 3] =
        [("x-forwarded-for", Header::XForwardedFor), ("forwarded", Header::Forwarded), ("x-real-ip", Header::XRealIp)];

    fn name(self) -> &'static str {
        Header::ALL[self as usize].0
    }
}

impl Proxies {
    /// Whether an address is a trusted proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Who sent a request that came from `hop`: walks the told hops from the right over trusted ones. Where what is told
    /// cannot be read, the walk ends at the hop that told it. The port is 0 where it is not known.
    ///
    /// Nobody behind a proxy is on this machine, whatever a proxy there says or does not say: such a caller is unspecified.
    pub fn caller(&self, hop: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut caller = hop;
        if !self.trusts(hop.ip()) {
            return caller;
        }
        // A value that is no text ends the walk like one that is no address.
        let lines = headers.get_all(self.header.name()).iter().map(|line| line.to_str().unwrap_or("?"));
        let told: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        for told in told.into_iter().rev() {
            let told = if self.header == Header::Forwarded { forwarded_for(told) } else { Some(told.trim()) };
            let Some(before) = told.and_then(address) else { break };
            caller = before;
            if !self.trusts(before.ip()) {
                break;
            }
        }
        match caller.ip().is_loopback() {
            true => SocketAddr::from(([0; 8], 0)),
            false => caller,
        }
    }
}

/// The `for` of one element of `Forwarded` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, node)| node);
    let node = named.next().filter(|_| named.next().is_none())?;
    Some(node.strip_prefix('"').and_then(|node| node.strip_suffix('"')).unwrap_or(node))
}

/// An address with or without port and brackets.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let socket = text.parse().or_else(|_| bare.parse().map(|ip| SocketAddr::new(ip, 0))).ok()?;
    Some(SocketAddr::new(socket.ip().to_canonical(), socket.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// The caller's address when `hop` sends these header lines to a server that trusts 10.0.0.0/8 and ::1.
    fn caller(header: Header, hop: &str, lines: &[(Header, &'static str)]) -> String {
        let networks = ["10.0.0.0/8", "::1"].iter().filter_map(|text| text.parse().ok()).collect();
        let proxies = Proxies { networks, header };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.name(), HeaderValue::from_static(value));
        }
        let Some(hop) = address(hop) else { panic!("{hop}") };
        proxies.caller(hop, &headers).ip().to_string()
    }

    #[test]
    fn only_a_trusted_hop_is_believed_and_only_its_own_header() {
        let told = [(Header::XForwardedFor, "203.0.113.9")];
        assert_eq!(caller(Header::XForwardedFor, "10.0.0.1", &told), "203.0.113.9");
        assert_eq!(caller(Header::XForwardedFor, "::1", &told), "203.0.113.9");
        assert_eq!(caller(Header::XForwardedFor, "198.51.100.1", &told), "198.51.100.1", "a stranger");
        assert_eq!(caller(Header::XRealIp, "10.0.0.1", &told), "10.0.0.1", "a header the proxy passes on unread");
        assert_eq!(caller(Header::Forwarded, "10.0.0.1", &told), "10.0.0.1");
        assert_eq!(caller(Header::XForwardedFor, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn nobody_behind_a_proxy_is_on_this_machine() {
        assert_eq!(caller(Header::XForwardedFor, "::1", &[]), "::");
        assert_eq!(caller(Header::XForwardedFor, "10.0.0.1", &[(Header::XForwardedFor, "127.0.0.1")]), "::");
        assert_eq!(caller(Header::XForwardedFor, "127.0.0.1", &[]), "127.0.0.1", "no proxy");
    }

    #[test]
    fn the_walk_goes_from_the_right_over_trusted_hops_only() {
        for (lines, found) in [
            (vec!["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            (vec!["1.1.1.1", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            (vec!["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
            (vec!["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2"),
            (vec!["1.1.1.1, "], "10.0.0.1"),
            (vec!["203.0.113.9:4711"], "203.0.113.9"),
            (vec!["[2001:db8::1]:443"], "2001:db8::1"),
            (vec!["2001:db8::1"], "2001:db8::1"),
            (vec!["::ffff:203.0.113.9"], "203.0.113.9"),
            (vec!["203.0.113.9, 1.2.3.4.5"], "10.0.0.1"),
        ] {
            let told: Vec<_> = lines.iter().map(|line| (Header::XForwardedFor, *line)).collect();
            assert_eq!(caller(Header::XForwardedFor, "10.0.0.1", &told), found, "{lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        for (line, found) in [
            ("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
            ("For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=1.1.1.1, for=203.0.113.9, for=10.0.0.7", "203.0.113.9"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
            ("for=1.1.1.1;for=2.2.2.2", "10.0.0.1"),
        ] {
            assert_eq!(caller(Header::Forwarded, "10.0.0.1", &[(Header::Forwarded, line)]), found, "{line}");
        }
    }
}

//! The rule for open addresses: without keys and TLS, only this machine may connect, unless the operator says otherwise.

use std::net::SocketAddr;

/// Whether a door named `what` (its config key, `http.listen`) may listen on `address`. The error says why not and what
/// would be right.
pub fn check(what: &str, address: SocketAddr, insecure: bool) -> Result<(), String> {
    if insecure || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(format!(
        "{what} = \"{address}\" is reachable from other machines, and this version has neither keys nor TLS: listen on \
         127.0.0.1:{port} with a proxy in front, or start with --insecure if the network itself is trusted",
        port = address.port()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_open_without_a_word() {
        for good in ["127.0.0.1:8080", "127.8.8.8:1", "[::1]:8080", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(good.parse().map(|address| check("http.listen", address, false)), Ok(Ok(())), "{good}");
        }
        for open in ["0.0.0.0:8080", "[::]:8080", "192.168.1.7:80", "[2001:db8::1]:80"] {
            let Ok(address) = open.parse() else { panic!("{open}") };
            let Err(said) = check("mqtt.listen", address, false) else { panic!("{open} was let in") };
            assert!(
                said.contains("mqtt.listen") && said.contains("--insecure") && said.contains("127.0.0.1"),
                "{said}"
            );
            assert_eq!(check("mqtt.listen", address, true), Ok(()));
        }
    }
}

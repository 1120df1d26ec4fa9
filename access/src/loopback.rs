//! The rule for open addresses: a door that other machines can reach needs keys and TLS, or trusted proxies in front, or
//! the operator's explicit word.

use std::net::SocketAddr;

/// What stands between a door and the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// At least one key can be used.
    pub keys: bool,
    /// The door speaks TLS.
    pub tls: bool,
    /// Trusted proxies are named; nothing for a door that proxies are of no use to.
    pub proxies: Option<bool>,
    /// `--insecure` was given.
    pub insecure: bool,
}

/// Who may connect to a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Whoever can.
    Everybody,
    /// Trusted proxies and this machine; everybody else is closed at once.
    Proxies,
}

/// Why a door may not listen where it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// What is wrong.
    pub wrong: String,
    /// The ways out, with the lines to write.
    pub remedy: String,
}

/// Whether a door of the config section `section` (`http`) may listen on `address`, and for whom.
pub fn check(section: &str, address: SocketAddr, guard: Guard) -> Result<Admitted, Open> {
    if guard.insecure || address.ip().to_canonical().is_loopback() || (guard.keys && guard.tls) {
        return Ok(Admitted::Everybody);
    }
    if guard.proxies == Some(true) {
        return Ok(Admitted::Proxies);
    }
    let lacks = match (guard.keys, guard.tls) {
        (false, false) => "there are neither keys nor TLS",
        (false, true) => "there is no key",
        (true, _) => "there is no TLS",
    };
    let key = "run `lamppost key add --name … --scope …`";
    let tls = format!("set {section}.tls = {{ certificate = \"cert.pem\", key = \"key.pem\" }}");
    let secured = match (guard.keys, guard.tls) {
        (false, false) => format!("{tls} and {key}"),
        (false, true) => key.to_owned(),
        (true, _) => tls,
    };
    let loopback = format!("{section}.listen = \"127.0.0.1:{}\"", address.port());
    let away = match guard.proxies {
        Some(_) => "set trusted_proxies = [\"10.0.0.0/8\"] to the proxy in front".to_owned(),
        None => format!("set {loopback}"),
    };
    Err(Open {
        wrong: format!("{section}.listen = \"{address}\" is reachable from other machines, and {lacks}"),
        remedy: format!("{secured}; or {away}; or start with --insecure if the network itself is trusted"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Guard = Guard { keys: false, tls: false, proxies: Some(false), insecure: false };

    fn at(address: &str, guard: Guard) -> Result<Admitted, Open> {
        let Ok(address) = address.parse() else { panic!("{address}") };
        check("http", address, guard)
    }

    #[test]
    fn only_loopback_is_open_without_a_word() {
        for good in ["127.0.0.1:8080", "127.8.8.8:1", "[::1]:8080", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(at(good, BARE), Ok(Admitted::Everybody), "{good}");
        }
        for open in ["0.0.0.0:8080", "[::]:8080", "192.168.1.7:80", "[2001:db8::1]:80"] {
            let Err(Open { wrong, remedy }) = at(open, BARE) else { panic!("{open} was let in") };
            assert!(wrong.contains(open) && wrong.contains("neither keys nor TLS"), "{wrong}");
            for way in ["http.tls = {", "lamppost key add", "trusted_proxies = [", "--insecure"] {
                assert!(remedy.contains(way), "no {way} in {remedy}");
            }
        }
    }

    #[test]
    fn each_way_out_leads_out() {
        let open = "0.0.0.0:8080";
        assert_eq!(at(open, Guard { keys: true, tls: true, ..BARE }), Ok(Admitted::Everybody));
        assert_eq!(at(open, Guard { proxies: Some(true), ..BARE }), Ok(Admitted::Proxies));
        assert_eq!(at(open, Guard { tls: true, proxies: Some(true), ..BARE }), Ok(Admitted::Proxies));
        assert_eq!(at(open, Guard { insecure: true, ..BARE }), Ok(Admitted::Everybody));
        for (half, lacks, way) in [
            (Guard { keys: true, ..BARE }, "there is no TLS", "http.tls = {"),
            (Guard { tls: true, ..BARE }, "there is no key", "lamppost key add"),
            (Guard { proxies: None, ..BARE }, "neither", "http.listen = \"127.0.0.1:8080\""),
        ] {
            let Err(Open { wrong, remedy }) = at(open, half) else { panic!("{half:?} was let in") };
            assert!(wrong.contains(lacks) && remedy.contains(way), "{wrong} {remedy}");
        }
    }
}

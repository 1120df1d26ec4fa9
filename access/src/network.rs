//! Address ranges as operators write them: `10.0.0.0/8`, `fd00::/8`, `::1`.

use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses (CIDR, RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is in the range. IPv4 addresses written as IPv6 count as what they are.
    pub fn contains(&self, address: IpAddr) -> bool {
        cut(address.to_canonical(), self.bits) == Some(self.address)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("{text:?} is no address range; write 10.0.0.0/8, fd00::/8 or one address");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| wrong())?.to_canonical();
        let bits = bits.unwrap_or(if address.is_ipv4() { 32 } else { 128 });
        let first = cut(address, bits).ok_or_else(wrong)?;
        if first != address {
            return Err(format!("{text:?} has bits past its length; write {first}/{bits}"));
        }
        Ok(Network { address, bits })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The first `bits` of an address, the rest zero; nothing if it has not so many.
fn cut(address: IpAddr, bits: u8) -> Option<IpAddr> {
    let rest = |whole: u8| whole.checked_sub(bits).map(u32::from);
    Some(match address {
        IpAddr::V4(v4) => {
            IpAddr::V4(v4.to_bits().checked_shr(rest(32)?).unwrap_or(0).checked_shl(rest(32)?).unwrap_or(0).into())
        }
        IpAddr::V6(v6) => {
            IpAddr::V6(v6.to_bits().checked_shr(rest(128)?).unwrap_or(0).checked_shl(rest(128)?).unwrap_or(0).into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        match (network.parse::<Network>(), address.parse()) {
            (Ok(network), Ok(address)) => network.contains(address),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        for (network, inside) in [
            ("10.0.0.0/8", "10.255.3.4"),
            ("10.0.0.0/8", "::ffff:10.1.1.1"),
            ("::1", "::1"),
            ("fd00::/8", "fd12::9"),
            ("0.0.0.0/0", "8.8.8.8"),
            ("::/0", "2001:db8::1"),
            ("192.0.2.7/32", "192.0.2.7"),
        ] {
            assert!(holds(network, inside), "{network} {inside}");
        }
        for (network, outside) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("::1", "::2"),
            ("0.0.0.0/0", "::1"),
            ("::/0", "10.0.0.1"),
            ("fd00::/8", "fe00::1"),
        ] {
            assert!(!holds(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_range_is_told_with_what_would_be() {
        for bad in ["10.0.0.0/33", "::/129", "proxy", "10.0.0/8", "", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err_and(|said| said.contains("10.0.0.0/8")), "{bad}");
        }
        let Err(said) = "10.1.2.3/8".parse::<Network>() else { panic!("bits past the length") };
        assert!(said.contains("write 10.0.0.0/8"), "{said}");
    }
}

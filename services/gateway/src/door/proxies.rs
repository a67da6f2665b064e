//! Whose call it is when proxies stand before the door: the address that the last trusted one of them saw. What a caller
//! writes into the header itself is never believed.

use std::net::IpAddr;
use std::str::FromStr;

use http::{HeaderMap, HeaderName};

/// The addresses that proxies add, the nearest last.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A network such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: expected an address or a network such as 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| wrong())?;
        if bits > all { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits,
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits,
            _ => false,
        }
    }
}

/// The proxies that are believed about where a call came from.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// Only what stands in these networks is believed.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Where a call came from that reached the door from `peer`.
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut at = peer;
        let lines: Vec<&str> = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
        for seen in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.0.iter().any(|network| network.contains(at)) {
                break;
            }
            // A proxy that writes no address is not one to follow further.
            let Ok(before) = seen.trim().parse() else { break };
            at = before;
        }
        at
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn origin(trusted: &[&str], peer: &str, lines: &[&'static str]) -> String {
        let proxies = Proxies::new(trusted.iter().map(|network| network.parse().unwrap()).collect());
        let headers = lines.iter().map(|line| (X_FORWARDED_FOR, HeaderValue::from_static(line))).collect();
        proxies.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_say_where_a_call_came_from() {
        assert_eq!(origin(&[], "10.0.0.1", &["192.0.2.1"]), "10.0.0.1", "nobody is trusted");
        let inside = ["10.0.0.0/8", "2001:db8::/32"];
        assert_eq!(origin(&inside, "198.51.100.1", &["192.0.2.1"]), "198.51.100.1", "the caller is no proxy");
        assert_eq!(origin(&inside, "10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(origin(&inside, "::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(origin(&inside, "10.0.0.1", &["1.1.1.1, 192.0.2.1 ,10.2.3.4"]), "192.0.2.1", "the last one outside");
        assert_eq!(origin(&inside, "2001:db8::9", &["1.1.1.1", "192.0.2.1"]), "192.0.2.1", "the last line first");
        assert_eq!(origin(&inside, "10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(origin(&inside, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn networks_are_read_or_refused() {
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("9.9.9.9".parse().unwrap()));
        assert!(!"10.0.0.1".parse::<Network>().unwrap().contains("10.0.0.2".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}

//! Where a call came from, as the audit trail tells it: the class of the address and the method, never the address
//! itself, which would be personal data. The gateway sees the address and passes its class on to the service.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header by which the gateway tells a service the class. What a caller sends under this name ends at the gateway.
pub const ORIGIN: HeaderName = HeaderName::from_static("karibu-origin");

/// What kind of address a call came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From the same machine.
    Loopback,
    /// From a private or link-local network (RFC 1918, RFC 3927, RFC 4193).
    Private,
    /// From anywhere else.
    Public,
    /// From inside of the installation, or not told.
    #[default]
    Inside,
}

impl Origin {
    /// The class of an address; `None` for a call that came by no port.
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Inside,
            Some(address) if address.is_loopback() => Self::Loopback,
            Some(IpAddr::V4(address)) if address.is_private() || address.is_link_local() => Self::Private,
            Some(IpAddr::V6(address)) if address.is_unique_local() || address.is_unicast_link_local() => Self::Private,
            Some(_) => Self::Public,
        }
    }

    /// Its word in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Public => "public",
            Self::Inside => "inside",
        }
    }

    /// As a header.
    pub const fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.as_str())
    }

    /// What the gateway told.
    pub fn read(headers: &HeaderMap) -> Self {
        let told = headers.get(ORIGIN).map(HeaderValue::as_bytes);
        [Self::Loopback, Self::Private, Self::Public]
            .into_iter()
            .find(|origin| told == Some(origin.as_str().as_bytes()))
            .unwrap_or_default()
    }
}

/// By which method, and from where, a call was made.
#[derive(Clone, Copy, Debug)]
pub struct Via {
    /// Where from.
    pub origin: Origin,
    /// Name of the method, such as `OpenComplaint`.
    pub act: &'static str,
}

impl Via {
    /// The method at this gRPC path, called from there.
    pub fn new(origin: Origin, path: &'static str) -> Self {
        Self { origin, act: path.rsplit('/').next().unwrap_or(path) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_their_class() {
        for (address, class) in [
            ("127.0.0.1", Origin::Loopback),
            ("::1", Origin::Loopback),
            ("::ffff:127.0.0.1", Origin::Loopback),
            ("10.1.2.3", Origin::Private),
            ("192.168.0.9", Origin::Private),
            ("169.254.1.1", Origin::Private),
            ("fd00::1", Origin::Private),
            ("fe80::1", Origin::Private),
            ("8.8.8.8", Origin::Public),
            ("172.32.0.1", Origin::Public),
            ("2001:4860:4860::8888", Origin::Public),
        ] {
            assert_eq!(Origin::of(Some(address.parse().unwrap())), class, "{address}");
        }
        assert_eq!(Origin::of(None), Origin::Inside);
    }

    #[test]
    fn a_service_reads_what_the_gateway_told_and_nothing_else() {
        let mut headers = HeaderMap::new();
        assert_eq!(Origin::read(&headers), Origin::Inside);
        for origin in [Origin::Loopback, Origin::Private, Origin::Public, Origin::Inside] {
            headers.insert(ORIGIN, origin.header());
            assert_eq!(Origin::read(&headers), origin);
        }
        headers.insert(ORIGIN, HeaderValue::from_static("the moon"));
        assert_eq!(Origin::read(&headers), Origin::Inside);
        assert_eq!(Via::new(Origin::Public, "/karibu.x.v1.XService/OpenIt").act, "OpenIt");
    }
}

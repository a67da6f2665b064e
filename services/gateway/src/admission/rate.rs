//! How many calls each caller may make: by class of method, since a look-up by phone number is not a read like others;
//! and how often an address may come without a credential that holds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use proto::{MethodInfo, RateClass};
use server::status::DOMAIN;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, QuotaViolation, StatusExt};

use super::buckets::Buckets;

/// Methods that share the rate of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
    /// Carries or reads very much at once.
    Bulk,
    /// Opens a stream.
    Stream,
    /// Tells whether there is somebody with a phone number, an e-mail address or a card.
    Lookup,
}

impl Class {
    /// The class that the contract puts `method` in.
    pub fn of(method: &MethodInfo) -> Self {
        match method.rate {
            RateClass::Lookup => Self::Lookup,
            RateClass::Bulk => Self::Bulk,
            RateClass::Unspecified if !method.is_unary() => Self::Stream,
            RateClass::Unspecified if method.read_only => Self::Read,
            RateClass::Unspecified => Self::Write,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Bulk => "bulk",
            Self::Stream => "stream",
            Self::Lookup => "lookup",
        }
    }
}

/// Calls each second, by class; 0 bounds nobody. Twice as many may come at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Of each caller, by class.
    pub read: u32,
    /// See `read`.
    pub write: u32,
    /// See `read`.
    pub bulk: u32,
    /// See `read`.
    pub stream: u32,
    /// See `read`.
    pub lookup: u32,
    /// Of each address: calls of public methods, and calls with a credential that does not hold.
    pub stranger: u32,
}

/// The limits unless somebody says otherwise.
const RATE_LIMITS: RateLimits = RateLimits { read: 1_000, write: 500, bulk: 20, stream: 20, lookup: 50, stranger: 20 };

impl Default for RateLimits {
    fn default() -> Self {
        RATE_LIMITS
    }
}

impl FromStr for RateLimits {
    type Err = String;

    /// `NAME=CALLS,…`, where what is left out stays as it is; or `off`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self { read: 0, write: 0, bulk: 0, stream: 0, lookup: 0, stranger: 0 });
        }
        let mut limits = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, calls) = part.split_once('=').ok_or_else(|| format!("{part}: expected NAME=CALLS"))?;
            let limit = match name.trim() {
                "read" => &mut limits.read,
                "write" => &mut limits.write,
                "bulk" => &mut limits.bulk,
                "stream" => &mut limits.stream,
                "lookup" => &mut limits.lookup,
                "stranger" => &mut limits.stranger,
                other => return Err(format!("{other} is no class: read, write, bulk, stream, lookup, stranger")),
            };
            *limit = calls.trim().parse().map_err(|_| format!("{part}: expected a number of calls each second"))?;
        }
        Ok(limits)
    }
}

/// The rates of all callers. Clones share them.
#[derive(Clone, Debug)]
pub struct Rates(Arc<Tables>);

#[derive(Debug)]
struct Tables {
    callers: HashMap<Class, Buckets<Arc<str>>>,
    strangers: Option<Buckets<IpAddr>>,
}

impl Rates {
    /// Nobody has called yet.
    pub fn new(limits: &RateLimits) -> Self {
        let classes = [
            (Class::Read, limits.read),
            (Class::Write, limits.write),
            (Class::Bulk, limits.bulk),
            (Class::Stream, limits.stream),
            (Class::Lookup, limits.lookup),
        ];
        let callers = classes.into_iter().filter_map(|(class, limit)| Some((class, Buckets::new(limit)?)));
        Self(Arc::new(Tables { callers: callers.collect(), strangers: Buckets::new(limits.stranger) }))
    }

    /// Counts a call of `subject`, or refuses it and says when to come again.
    pub fn take(&self, class: Class, subject: &Arc<str>) -> Result<(), Status> {
        let Some(buckets) = self.0.callers.get(&class) else { return Ok(()) };
        buckets.take(subject).map_err(|wait| exceeded(wait, "caller", class.name()))
    }

    /// Counts a call of nobody known from this address, or refuses it.
    pub fn take_stranger(&self, address: Option<IpAddr>) -> Result<(), Status> {
        self.stranger(address, Buckets::take)
    }

    /// Refuses what an address has tried too often; counts nothing.
    pub fn check_stranger(&self, address: Option<IpAddr>) -> Result<(), Status> {
        self.stranger(address, Buckets::check)
    }

    fn stranger(
        &self,
        address: Option<IpAddr>,
        ask: impl FnOnce(&Buckets<IpAddr>, &IpAddr) -> Result<(), Duration>,
    ) -> Result<(), Status> {
        let (Some(buckets), Some(address)) = (&self.0.strangers, address) else { return Ok(()) };
        ask(buckets, &neighbourhood(address)).map_err(|wait| exceeded(wait, "address", "stranger"))
    }
}

/// One household has one IPv4 address, but 2^64 addresses of IPv6 (RFC 6177): those count as one.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

fn exceeded(wait: Duration, whose: &str, class: &str) -> Status {
    let facts = HashMap::from([("class".to_owned(), class.to_owned())]);
    let mut details = ErrorDetails::with_error_info("RATE_LIMITED", DOMAIN, facts);
    details.set_retry_info(Some(wait));
    details.set_quota_failure(vec![QuotaViolation::new(whose, format!("{class} calls per second"))]);
    Status::with_error_details(Code::ResourceExhausted, format!("the {whose} makes too many calls"), details)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_class_has_a_rate_of_its_own_and_a_refusal_says_when_to_come_again() {
        let rates = Rates::new(&"read=10,lookup=1".parse().unwrap());
        let ann: Arc<str> = "ann".into();
        while rates.take(Class::Lookup, &ann).is_ok() {}
        let refused = rates.take(Class::Lookup, &ann).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert_eq!(refused.get_details_retry_info().unwrap().retry_delay, Some(Duration::from_secs(1)));
        assert_eq!(refused.get_details_quota_failure().unwrap().violations[0].subject, "caller");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.metadata["class"].as_str()), ("RATE_LIMITED", "lookup"));
        assert!(rates.take(Class::Read, &ann).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_is_counted_with_its_neighbourhood() {
        let rates = Rates::new(&"stranger=1".parse().unwrap());
        let of = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        while rates.take_stranger(of("2001:db8::1")).is_ok() {}
        assert!(rates.check_stranger(of("2001:db8::ffff:1")).is_err(), "the same network");
        assert!(rates.check_stranger(of("2001:db8:0:1::1")).is_ok(), "another network");
        while rates.take_stranger(of("192.0.2.1")).is_ok() {}
        assert!(rates.check_stranger(of("::ffff:192.0.2.1")).is_err(), "the same address, written otherwise");
        assert!(rates.check_stranger(of("192.0.2.2")).is_ok());
        assert!(rates.take_stranger(None).is_ok());
    }

    #[test]
    fn limits_are_read_by_name() {
        assert_eq!("".parse::<RateLimits>().unwrap(), RATE_LIMITS);
        assert_eq!(crate::limits::RATE_LIMITS.parse::<RateLimits>().unwrap(), RATE_LIMITS);
        assert_eq!("read=1, lookup=2".parse(), Ok(RateLimits { read: 1, lookup: 2, ..RATE_LIMITS }));
        assert_eq!("off".parse::<RateLimits>().unwrap().read, 0);
        for wrong in ["reads=1", "read", "read=-1", "read=many"] {
            assert!(wrong.parse::<RateLimits>().is_err(), "{wrong}");
        }
    }

    /// Who may ask whether there is somebody with this phone number must not ask for all numbers there are.
    #[test]
    fn what_finds_people_or_takes_a_secret_is_a_lookup() {
        let marked = |method: &MethodInfo| {
            let found_by = ["identifier", "phone", "email", "card"];
            method.descriptor.input().fields().any(|field| found_by.contains(&field.name()))
        };
        let lookups = proto::methods().iter().filter(|method| marked(method) && !method.is_internal());
        let missing: Vec<&str> = lookups
            .filter(|method| method.read_only && Class::of(method) != Class::Lookup)
            .map(|method| method.path.as_str())
            .collect();
        assert_eq!(missing, [""; 0]);
        for path in ["LookupCustomer", "IdentifyCustomer"] {
            let method = proto::methods().find(&format!("/karibu.profile.v1.ProfileService/{path}")).unwrap();
            assert_eq!(Class::of(method), Class::Lookup, "{path}");
        }
    }
}

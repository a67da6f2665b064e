//! Ids: newtypes over UUIDv7, and the seeded source that makes them from an injected time.

use uuid::{Builder, Uuid};

/// Declares id newtypes: `kernel::ids! { /// A complaint. pub ComplaintId; }`.
///
/// Each is a `Copy`, ordered, hashable newtype over a UUID that shows and parses as the hyphenated form.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $vis:vis $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            $crate::macros::serde::Serialize, $crate::macros::serde::Deserialize)]
        #[serde(crate = "kernel::macros::serde", transparent)]
        $vis struct $name(pub $crate::macros::uuid::Uuid);

        impl $name {
            /// The bare UUID.
            pub const fn uuid(self) -> $crate::macros::uuid::Uuid { self.0 }
        }
        impl From<$crate::macros::uuid::Uuid> for $name {
            fn from(id: $crate::macros::uuid::Uuid) -> Self { Self(id) }
        }
        impl From<$name> for $crate::macros::uuid::Uuid {
            fn from(id: $name) -> Self { id.0 }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { ::std::fmt::Display::fmt(&self.0, f) }
        }
        impl ::std::str::FromStr for $name {
            type Err = $crate::macros::uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )+};
}

/// Makes UUIDv7 values from a time and a seeded generator, so that the same seed gives the same ids.
/// Ids made within one source rise, also within one millisecond.
#[derive(Clone, Debug)]
pub struct IdSource {
    state: u64,
    counter: u16,
    last_ms: u64,
}

impl IdSource {
    /// A source whose ids depend on `seed` and the times given, nothing else.
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed, counter: 0, last_ms: 0 }
    }

    /// The next id for an event at `now_us` (microseconds since the Unix epoch).
    pub fn next(&mut self, now_us: i64) -> Uuid {
        let now_ms = u64::try_from(now_us / 1_000).unwrap_or(0);
        // The 12 bits behind the time count within a millisecond; when they run out the time part steps
        // ahead by one, so ids of one source never fall back.
        if now_ms > self.last_ms {
            (self.last_ms, self.counter) = (now_ms, 0);
        } else if self.counter < 0x0FFF {
            self.counter += 1;
        } else {
            (self.last_ms, self.counter) = (self.last_ms + 1, 0);
        }
        let mut bytes = [0u8; 10];
        bytes[..2].copy_from_slice(&self.counter.to_be_bytes());
        bytes[2..].copy_from_slice(&self.random().to_be_bytes());
        Builder::from_unix_timestamp_millis(self.last_ms, &bytes).into_uuid()
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_source_rise_and_repeat_with_the_seed() {
        let (mut a, mut b) = (IdSource::seeded(7), IdSource::seeded(7));
        let mut last = Uuid::nil();
        for step in 0..10_000 {
            let id = a.next(1_700_000_000_000_000 + step / 100);
            assert_eq!(id, b.next(1_700_000_000_000_000 + step / 100));
            assert!(id > last, "ids must rise");
            assert_eq!(id.get_version_num(), 7);
            last = id;
        }
    }

    #[test]
    fn another_seed_gives_other_ids() {
        assert_ne!(IdSource::seeded(1).next(1_000_000), IdSource::seeded(2).next(1_000_000));
    }
}

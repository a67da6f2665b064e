//! Instants and durations of the contract as the numbers that the suite computes with, and back. Calendars and time zones
//! live elsewhere.

use prost_types::{Duration, Timestamp};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MILLIS_PER_SECOND: i64 = 1_000;
const NANOS_PER_MICRO: i32 = 1_000;
const NANOS_PER_MILLI: i32 = 1_000_000;
const NANOS_PER_SECOND: i32 = 1_000_000_000;
/// 0001-01-01T00:00:00Z, the first instant that a `Timestamp` may hold, in seconds since the Unix epoch.
const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, the last second that a `Timestamp` may hold.
const LAST_SECOND: i64 = 253_402_300_799;
/// Greatest number of seconds that a `Duration` may hold, either way: about 10 000 years.
const MAX_DURATION_SECONDS: i64 = 315_576_000_000;

/// An instant outside the years 1 to 9999, a duration beyond 10 000 years, or a fraction that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTime;

impl std::fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the instant or duration is out of range")
    }
}

impl std::error::Error for InvalidTime {}

/// Microseconds since the Unix epoch as a `Timestamp`. What lies outside the years 1 to 9999 becomes the nearest instant
/// inside.
pub fn timestamp_from_us(us: i64) -> Timestamp {
    let us = us.clamp(FIRST_SECOND * MICROS_PER_SECOND, LAST_SECOND * MICROS_PER_SECOND + MICROS_PER_SECOND - 1);
    let nanos = us.rem_euclid(MICROS_PER_SECOND) as i32 * NANOS_PER_MICRO;
    Timestamp { seconds: us.div_euclid(MICROS_PER_SECOND), nanos }
}

/// A `Timestamp` as microseconds since the Unix epoch; parts of a microsecond are dropped towards the past.
pub fn us_from_timestamp(timestamp: &Timestamp) -> Result<i64, InvalidTime> {
    let in_range = (FIRST_SECOND..=LAST_SECOND).contains(&timestamp.seconds);
    if !in_range || !(0..NANOS_PER_SECOND).contains(&timestamp.nanos) {
        return Err(InvalidTime);
    }
    Ok(timestamp.seconds * MICROS_PER_SECOND + i64::from(timestamp.nanos / NANOS_PER_MICRO))
}

/// Milliseconds as a `Duration`.
pub fn duration_from_ms(ms: i64) -> Duration {
    let nanos = (ms % MILLIS_PER_SECOND) as i32 * NANOS_PER_MILLI;
    Duration { seconds: ms / MILLIS_PER_SECOND, nanos }
}

/// A `Duration` as milliseconds; parts of a millisecond are dropped towards zero.
pub fn ms_from_duration(duration: &Duration) -> Result<i64, InvalidTime> {
    let seconds_fit = (-MAX_DURATION_SECONDS..=MAX_DURATION_SECONDS).contains(&duration.seconds);
    let nanos_fit = duration.nanos.unsigned_abs() < NANOS_PER_SECOND.unsigned_abs();
    let signs_agree = duration.seconds.signum() * i64::from(duration.nanos.signum()) >= 0;
    if !(seconds_fit && nanos_fit && signs_agree) {
        return Err(InvalidTime);
    }
    Ok(duration.seconds * MILLIS_PER_SECOND + i64::from(duration.nanos / NANOS_PER_MILLI))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_the_way_there_and_back() {
        let cases = [0, 1, -1, 999_999, -1_000_001, 1_795_000_000_123_456, FIRST_SECOND * MICROS_PER_SECOND];
        for us in cases {
            let timestamp = timestamp_from_us(us);
            assert!((0..NANOS_PER_SECOND).contains(&timestamp.nanos), "{us}: {timestamp:?}");
            assert_eq!(us_from_timestamp(&timestamp).unwrap(), us);
        }
    }

    #[test]
    fn instants_out_of_range_are_refused_or_cut() {
        for (seconds, nanos) in [(FIRST_SECOND - 1, 0), (LAST_SECOND + 1, 0), (0, -1), (0, NANOS_PER_SECOND)] {
            assert_eq!(us_from_timestamp(&Timestamp { seconds, nanos }), Err(InvalidTime));
        }
        assert_eq!(timestamp_from_us(i64::MAX).seconds, LAST_SECOND);
        assert_eq!(timestamp_from_us(i64::MIN).seconds, FIRST_SECOND);
    }

    #[test]
    fn durations_survive_the_way_there_and_back() {
        for ms in [0, 1, -1, 1_500, -1_500, 86_400_000] {
            assert_eq!(ms_from_duration(&duration_from_ms(ms)).unwrap(), ms);
        }
        assert_eq!(ms_from_duration(&Duration { seconds: 1, nanos: -1 }), Err(InvalidTime));
        assert_eq!(ms_from_duration(&Duration { seconds: i64::MAX, nanos: 0 }), Err(InvalidTime));
    }
}

//! Opening hours: when a place is open, how much open time lies between two instants, and when a span of open time is
//! over. Pure: no clock, no I/O; instants are microseconds since the Unix epoch (`_us`), spans milliseconds (`_ms`).
//! Which place has which calendar, and what a span is for, is no business of this crate.
//!
//! Laws, held by `tests/it/laws.rs` over random zones, calendars and instants:
//!
//! * `elapsed_us(a, add_us(a, d)) = d`, and `add_us(a, d)` is the earliest such instant;
//! * `elapsed_us(a, c) = elapsed_us(a, b) + elapsed_us(b, c)` for `a <= b <= c`;
//! * `add_us(add_us(a, d), e) = add_us(a, d + e)` for `e > 0`;
//! * both never fall when an instant or a span grows.

pub mod civil;
mod fault;
mod opening;
mod spec;
mod walk;

pub use fault::{Fault, Problem};
pub use opening::OpeningCalendar;
pub use spec::{CalendarSpec, DateHours, Holiday, HolidayDay, Shift};

/// Microseconds in a millisecond.
pub const MILLI_US: i64 = 1_000;
/// Minutes of a day without a change of the clock.
pub const DAY_MINUTES: u16 = 1_440;
/// Last minute at which a shift may end, from the midnight that begins its day: it may run through the next day.
pub const MAX_CLOSE_MINUTE: u16 = 2 * DAY_MINUTES;
/// Shifts, or closed parts, of one day.
pub const MAX_SHIFTS: usize = 24;
/// Holidays of a calendar, and its dates with hours of their own.
pub const MAX_DATES: usize = 1_000;
/// A calendar that does not open within so many days does not open.
pub const MAX_CLOSED_DAYS: i64 = 370;
/// Days that a single question may look at: about 30 years.
pub const MAX_WALK_DAYS: i64 = 11_000;

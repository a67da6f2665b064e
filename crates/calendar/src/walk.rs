//! The walk along the open time of a calendar, from day to day of its zone. Local hours become instants by the rule of
//! RFC 5545: an hour that the clock skips lies as much later as the gap is long, of two equal hours the first counts.

use std::collections::VecDeque;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::DAY_MINUTES;
use crate::opening::OpeningCalendar;
use crate::spec::Shift;

/// Open time from `from_us` on and before `to_us`, microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from_us: i64,
    pub(crate) to_us: i64,
}

/// Pieces of open time in order, without overlaps; neighbours may touch. Ends at the limit of days.
pub(crate) struct Pieces<'a> {
    calendar: &'a OpeningCalendar,
    /// The first day whose shifts are not yet among the pieces.
    day: Option<Date>,
    days_left: i64,
    /// Nothing before this is open time that was asked for.
    from_us: i64,
    /// Sorted, without overlaps; those before `settled_us` can no longer change.
    known: VecDeque<Piece>,
    settled_us: i64,
}

impl<'a> Pieces<'a> {
    /// Open time from `from_us` on, looking at no more than `days`.
    pub(crate) fn new(calendar: &'a OpeningCalendar, from_us: i64, days: i64) -> Self {
        // A shift ends at the latest with the day after its own, and a zone can skip a day.
        let first = calendar.date_at(from_us).checked_sub(3.days()).ok();
        Self {
            calendar,
            day: first,
            days_left: days.saturating_add(3),
            from_us,
            known: VecDeque::new(),
            settled_us: i64::MIN,
        }
    }

    /// Up to where the pieces are as they will stay.
    pub(crate) const fn settled_us(&self) -> i64 {
        self.settled_us
    }

    /// Puts the shifts of the next day among the pieces; `false` when there is no further day.
    fn look_further(&mut self) -> bool {
        let Some(day) = self.day.filter(|_| self.days_left > 0) else { return false };
        self.days_left -= 1;
        for shift in self.calendar.shifts_of(day).iter() {
            if let Some(piece) = self.piece(day, *shift) {
                self.known.push_back(piece);
            }
        }
        self.join();
        self.day = day.tomorrow().ok();
        // A later shift begins at the next midnight or after it; where the clock skips midnight, no earlier than the skip.
        let midnight = self.day.map(|next| self.calendar.zone.to_ambiguous_timestamp(next.at(0, 0, 0, 0)).earlier());
        self.settled_us = match midnight {
            Some(Ok(instant)) => instant.as_microsecond(),
            Some(Err(_)) | None => i64::MAX,
        };
        true
    }

    fn piece(&self, day: Date, shift: Shift) -> Option<Piece> {
        let from_us = self.instant(day, shift.open_minute)?.max(self.from_us);
        let to_us = self.instant(day, shift.close_minute)?;
        (from_us < to_us).then_some(Piece { from_us, to_us })
    }

    fn instant(&self, day: Date, minute: u16) -> Option<i64> {
        let date = day.checked_add(i64::from(minute / DAY_MINUTES).days()).ok()?;
        let hour = i8::try_from(minute % DAY_MINUTES / 60).ok()?;
        let local = date.at(hour, i8::try_from(minute % 60).ok()?, 0, 0);
        self.calendar.zone.to_timestamp(local).ok().map(Timestamp::as_microsecond)
    }

    /// Joins what overlaps.
    fn join(&mut self) {
        let pieces = self.known.make_contiguous();
        pieces.sort_unstable_by_key(|piece| (piece.from_us, piece.to_us));
        let mut joined: VecDeque<Piece> = VecDeque::with_capacity(pieces.len());
        for piece in pieces {
            match joined.back_mut() {
                Some(last) if piece.from_us <= last.to_us => last.to_us = last.to_us.max(piece.to_us),
                _ => joined.push_back(*piece),
            }
        }
        self.known = joined;
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some(first) = self.known.front_mut()
                && first.from_us < self.settled_us
            {
                if first.to_us <= self.settled_us {
                    return self.known.pop_front();
                }
                // The rest may still be joined by what begins tomorrow.
                let settled = Piece { from_us: first.from_us, to_us: self.settled_us };
                first.from_us = self.settled_us;
                return Some(settled);
            }
            if !self.look_further() {
                // No later day is looked at, so nothing changes any more.
                return self.known.pop_front();
            }
        }
    }
}

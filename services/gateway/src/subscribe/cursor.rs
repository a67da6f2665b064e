//! A subscriber's way through the logs: a place in each of them, and the events behind those places that it wants and
//! may see. The order within a log is kept; across logs it is that of reading.

use kernel::BranchScope;
use proto::karibu::gateway::v1::CloudEvent;
use server::status;
use tonic::{Code, Status};

use super::cloud_event::cloud_event;
use super::filter::Filter;
use super::tails::{Away, Bounds, Tail, Tails};
use super::token::{Place, TokenFault, Tokens};
use crate::limits;

/// Where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Behind what a token stands for.
    Token(String),
    /// With events recorded at or after this instant, microseconds since the Unix epoch.
    Time(i64),
    /// With the oldest event that is kept.
    Earliest,
    /// With what comes from now on.
    Latest,
}

/// A way through the logs.
#[derive(Debug)]
pub struct Cursor {
    tails: Tails,
    tokens: Tokens,
    filter: Filter,
    places: Vec<Place>,
    /// Which log comes first next time, so that none starves another.
    turn: usize,
    json: bool,
}

/// What one reading gave.
#[derive(Debug, Default)]
pub struct Batch {
    /// The events.
    pub events: Vec<CloudEvent>,
    /// There was nothing more in any log.
    pub at_head: bool,
    /// A log did not answer; its events come later.
    pub away: bool,
}

impl Cursor {
    /// A cursor at `start`. Fails when the token does not fit, or when a log that must be asked is away.
    pub async fn open(
        tails: &Tails,
        tokens: &Tokens,
        filter: Filter,
        start: Start,
        json: bool,
    ) -> Result<Self, Status> {
        let mut known = match &start {
            Start::Token(token) => tokens.read(token, filter.hash()).map_err(token_fault)?,
            _ => Vec::new(),
        };
        let mut places = Vec::new();
        for (name, tail) in tails.iter().filter(|(name, _)| filter.may_match_in(name)) {
            // A log that the token does not know is new: it is read from its beginning.
            let place = match known.iter().position(|place| place.log == name) {
                Some(at) => known.swap_remove(at),
                None => place_at(name, tail, &start).await?,
            };
            places.push(place);
        }
        let cursor = Self { tails: tails.clone(), tokens: tokens.clone(), filter, places, turn: 0, json };
        if matches!(start, Start::Token(_)) {
            cursor.check().await?;
        }
        Ok(cursor)
    }

    /// The filter that was asked for.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The token for the present places.
    pub fn token(&self) -> String {
        self.tokens.make(self.filter.hash(), &self.places)
    }

    /// Events that wait behind the present places, before the filter, as far as this process knows.
    pub fn lag(&self) -> i64 {
        let behind = |place: &Place| {
            let head = self.tails.find(&place.log).and_then(Tail::head).unwrap_or(place.seq);
            head.saturating_sub(place.seq).max(0)
        };
        self.places.iter().map(behind).sum()
    }

    /// Goes on by up to `max` events that lie within `reach`, or until many were looked at.
    pub async fn take(&mut self, max: usize, reach: &BranchScope) -> Result<Batch, Status> {
        let mut batch = Batch::default();
        let (mut bytes, mut scanned, mut quiet) = (0, 0, 0);
        while quiet < self.places.len() {
            if batch.events.len() >= max || bytes >= limits::BATCH_BYTES || scanned >= limits::MAX_SCANNED {
                return Ok(batch);
            }
            let index = self.turn % self.places.len();
            self.turn = index + 1;
            let Some(tail) = self.tails.find(&self.places[index].log) else {
                quiet += 1;
                continue;
            };
            let Ok(page) = tail.read(self.places[index].seq, limits::PAGE_EVENTS).await else {
                (batch.away, quiet) = (true, quiet + 1);
                continue;
            };
            let bounds = Bounds { epoch: page.epoch, floor_seq: page.floor_seq, head_seq: page.head_seq };
            self.fits(index, bounds)?;
            let place = &mut self.places[index];
            if page.events.is_empty() {
                quiet += 1;
                continue;
            }
            quiet = 0;
            for event in page.events {
                if batch.events.len() >= max || bytes >= limits::BATCH_BYTES {
                    break;
                }
                if event.seq != place.seq + 1 {
                    // Cannot be: the page begins behind the place and has no gap. Never pass over one all the same.
                    tracing::error!(log = place.log, after = place.seq, got = event.seq, "a page of a log has a gap");
                    return Err(status::internal());
                }
                (place.seq, scanned) = (event.seq, scanned + 1);
                if self.filter.passes(&event, reach) {
                    bytes += event.payload.len();
                    batch.events.push(cloud_event(&place.log, place.epoch, &event, self.json));
                }
            }
            // Reading from memory never waits, and other calls run in this thread too.
            tokio::task::yield_now().await;
        }
        batch.at_head = !batch.away;
        Ok(batch)
    }

    /// Whether every place is one of its log today. A log that does not answer is checked when it is read.
    async fn check(&self) -> Result<(), Status> {
        for (index, place) in self.places.iter().enumerate() {
            let Some(tail) = self.tails.find(&place.log) else { continue };
            let Ok(mut bounds) = tail.bounds().await else { continue };
            if place.seq > bounds.head_seq {
                // Another gateway may have seen more than this one.
                match tail.ask().await {
                    Ok(asked) => bounds = asked,
                    Err(Away) => continue,
                }
            }
            self.fits(index, bounds)?;
            if place.seq > bounds.head_seq {
                return Err(epoch_changed(&place.log));
            }
        }
        Ok(())
    }

    /// Whether the log with these bounds can go on behind the place.
    fn fits(&self, index: usize, bounds: Bounds) -> Result<(), Status> {
        let place = &self.places[index];
        if place.epoch != bounds.epoch {
            return Err(epoch_changed(&place.log));
        }
        if place.seq < bounds.floor_seq.saturating_sub(1) {
            let mut earliest = self.places.clone();
            earliest[index].seq = bounds.floor_seq - 1;
            let token = self.tokens.make(self.filter.hash(), &earliest);
            return Err(status::with_facts(
                Code::OutOfRange,
                "RESUME_TOKEN_EXPIRED",
                format!("events of {} behind the token are no longer kept", place.log),
                [("log", place.log.clone()), ("earliest_token", token)],
            ));
        }
        Ok(())
    }
}

async fn place_at(name: &str, tail: &Tail, start: &Start) -> Result<Place, Status> {
    let away = |Away| status::unavailable(name);
    let bounds = match start {
        Start::Latest => tail.bounds().await,
        // What is remembered of the floor may be old: retention moves it.
        _ => match tail.ask().await {
            Err(Away) => tail.bounds().await,
            fresh => fresh,
        },
    };
    let bounds = bounds.map_err(away)?;
    let seq = match start {
        Start::Token(_) | Start::Earliest => bounds.floor_seq - 1,
        Start::Latest => bounds.head_seq,
        Start::Time(us) => before(tail, bounds, *us).await.map_err(away)?,
    };
    Ok(Place { log: name.to_owned(), epoch: bounds.epoch, seq: seq.max(0) })
}

/// The place before the first event that was recorded at or after `us`: by halving, since events are recorded in order.
async fn before(tail: &Tail, bounds: Bounds, us: i64) -> Result<i64, Away> {
    let (mut low, mut high) = (bounds.floor_seq - 1, bounds.head_seq);
    while low < high {
        let middle = low + (high - low) / 2;
        let page = tail.read(middle, 1).await?;
        match page.events.first() {
            Some(event) if event.recorded_at_us < us => low = middle + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

fn epoch_changed(log: &str) -> Status {
    status::with_facts(
        Code::FailedPrecondition,
        "LOG_EPOCH_CHANGED",
        format!("the history of {log} is another one now; begin anew"),
        [("log", log)],
    )
}

fn token_fault(fault: TokenFault) -> Status {
    let what = match fault {
        TokenFault::Forged => "it was not given by this gateway, or was changed",
        TokenFault::OtherFilter => "it belongs to another filter",
    };
    status::with_reason(Code::InvalidArgument, "RESUME_TOKEN_INVALID", format!("the token cannot be used: {what}"))
}

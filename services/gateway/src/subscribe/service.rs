//! `EventService`: what comes, for as long as the caller listens, or a page of what is there. A stream pulls from the
//! logs as fast as its caller takes messages, and holds nothing back for it.

use std::pin::Pin;
use std::time::SystemTime;

use futures_util::{Stream, stream};
use kernel::BranchScope;
use proto::Permission;
use proto::karibu::gateway::v1 as gw;
use proto::karibu::gateway::v1::event_service_server::EventService;
use server::{Call, Stop, deadline, status};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Request, Response, Status};

use super::branches::Branches;
use super::cursor::{Cursor, Start};
use super::filter::Filter;
use super::seats::{Seat, Seats};
use super::tails::Tails;
use super::token::Tokens;
use crate::admission::{Admission, Credential};
use crate::door::Shown;
use crate::limits;

/// The service.
#[derive(Clone, Debug)]
pub struct Api {
    /// The logs.
    pub tails: Tails,
    /// Makes and reads tokens.
    pub tokens: Tokens,
    /// The tree of branches.
    pub branches: Branches,
    /// Checks credentials again while a stream is open.
    pub admission: Admission,
    /// Streams of each caller.
    pub seats: Seats,
    /// The process ends.
    pub stop: Stop,
}

type Messages = Pin<Box<dyn Stream<Item = Result<gw::SubscribeResponse, Status>> + Send>>;

#[tonic::async_trait]
impl EventService for Api {
    type SubscribeStream = Messages;

    async fn subscribe(&self, request: Request<gw::SubscribeRequest>) -> Result<Response<Messages>, Status> {
        let shown = request.extensions().get::<Shown>().cloned();
        let call = Call::admit(request)?;
        let seat = self.seats.take(&call.principal.subject)?;
        let start = match call.body.start {
            Some(gw::subscribe_request::Start::ResumeToken(token)) => Start::Token(token),
            Some(gw::subscribe_request::Start::FromTime(time)) => at_time(&time)?,
            Some(gw::subscribe_request::Start::Position(position)) => at_position(position),
            None => Start::Earliest,
        };
        let json = shown.as_ref().is_some_and(|shown| shown.json);
        let filter = Filter::of(&call.body.filter.unwrap_or_default())?;
        let reach = self.branches.reach(filter.branches(), &call.principal.scope).await?;
        // Before the places are looked up, so that nothing falls between.
        let grown = self.tails.grown();
        let cursor = Cursor::open(&self.tails, &self.tokens, filter, start, json).await?;
        let (usual, most) = limits::BATCH_EVENTS;
        let asked = usize::try_from(call.body.max_batch).unwrap_or(usual);
        let feed = Feed {
            api: self.clone(),
            cursor,
            reach,
            grown,
            max_batch: if asked == 0 { usual } else { asked.min(most) },
            credential: shown.map(|shown| shown.credential),
            until: Instant::from_std(call.until),
            sent_at: None,
            checked_at: Instant::now(),
            _seat: seat,
        };
        Ok(Response::new(Box::pin(stream::unfold(Some(feed), |feed| async {
            let mut feed = feed?;
            match feed.next().await {
                Ok(message) => Some((Ok(message), Some(feed))),
                Err(status) => Some((Err(status), None)),
            }
        }))))
    }

    async fn list_events(
        &self,
        request: Request<gw::ListEventsRequest>,
    ) -> Result<Response<gw::ListEventsResponse>, Status> {
        let json = request.extensions().get::<Shown>().is_some_and(|shown| shown.json);
        let call = Call::admit(request)?;
        let start = match call.body.start {
            _ if !call.body.page_token.is_empty() => Start::Token(call.body.page_token),
            Some(gw::list_events_request::Start::ResumeToken(token)) => Start::Token(token),
            Some(gw::list_events_request::Start::FromTime(time)) => at_time(&time)?,
            Some(gw::list_events_request::Start::Position(position)) => at_position(position),
            None => Start::Earliest,
        };
        let filter = Filter::of(&call.body.filter.unwrap_or_default())?;
        let reach = self.branches.reach(filter.branches(), &call.principal.scope).await?;
        let mut cursor = Cursor::open(&self.tails, &self.tokens, filter, start, json).await?;
        let (usual, most) = limits::BATCH_EVENTS;
        let size = usize::try_from(call.body.page_size).unwrap_or(usual);
        let batch = cursor.take(if size == 0 { usual } else { size.min(most) }, &reach).await?;
        Ok(Response::new(gw::ListEventsResponse {
            events: batch.events,
            next_page_token: cursor.token(),
            at_head: batch.at_head,
        }))
    }
}

fn at_time(time: &prost_types::Timestamp) -> Result<Start, Status> {
    proto::us_from_timestamp(time).map(Start::Time).map_err(|_| status::invalid([("from_time", "is out of range")]))
}

fn at_position(position: i32) -> Start {
    match gw::StartPosition::try_from(position) {
        Ok(gw::StartPosition::Latest) => Start::Latest,
        _ => Start::Earliest,
    }
}

/// One open stream.
struct Feed {
    api: Api,
    cursor: Cursor,
    reach: BranchScope,
    grown: watch::Receiver<()>,
    max_batch: usize,
    credential: Option<Credential>,
    until: Instant,
    sent_at: Option<Instant>,
    checked_at: Instant,
    _seat: Seat,
}

impl Feed {
    /// The next message: events as soon as there are some, a sign of life at first and in every silence.
    async fn next(&mut self) -> Result<gw::SubscribeResponse, Status> {
        loop {
            if self.api.stop.is_cancelled() {
                let message = "the gateway stops: go on with the last token";
                let after = server::limits::RETRY_AFTER;
                return Err(status::retry_later(Code::Unavailable, "GATEWAY_STOPPING", message, after));
            }
            if Instant::now() >= self.until {
                return Err(deadline::exceeded());
            }
            if self.checked_at.elapsed() >= limits::RECHECK {
                self.recheck().await?;
            }
            // Marked before the logs are looked at: what grows from here on wakes the wait below.
            self.grown.mark_unchanged();
            let batch = self.cursor.take(self.max_batch, &self.reach).await?;
            let silent_since = self.sent_at;
            if !batch.events.is_empty() || silent_since.is_none_or(|at| at.elapsed() >= limits::HEARTBEAT) {
                self.sent_at = Some(Instant::now());
                return Ok(gw::SubscribeResponse {
                    events: batch.events,
                    resume_token: self.cursor.token(),
                    server_time: Some(SystemTime::now().into()),
                    lag_count: self.cursor.lag(),
                });
            }
            if batch.at_head || batch.away {
                self.wait(batch.away).await;
            }
        }
    }

    /// Until something may have changed.
    async fn wait(&mut self, away: bool) {
        let now = Instant::now();
        let mut next = self.until.min(self.checked_at + limits::RECHECK);
        if let Some(sent_at) = self.sent_at {
            next = next.min(sent_at + limits::HEARTBEAT);
        }
        if away {
            next = next.min(now + super::tails::RETRY);
        }
        tokio::select! {
            changed = self.grown.changed() => if changed.is_err() { sleep_until(next).await },
            () = sleep_until(next) => {}
            () = self.api.stop.cancelled() => {}
        }
    }

    /// Whether the caller may still listen, and to what.
    async fn recheck(&mut self) -> Result<(), Status> {
        self.checked_at = Instant::now();
        let Some(credential) = &self.credential else { return Ok(()) };
        let principal = match self.api.admission.check(credential, Permission::EventRead).await {
            Ok(principal) => principal,
            Err(status) if matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) => {
                return Err(status);
            }
            // Nobody can be asked now: the stream goes on as a call would.
            Err(_) => return Ok(()),
        };
        match self.api.branches.reach(self.cursor.filter().branches(), &principal.scope).await {
            Ok(reach) => self.reach = reach,
            // The branch that it asked for is out of its reach now: a stream that began well is denied from here on.
            Err(status) if status.code() == Code::NotFound => {
                return Err(status::permission_denied(proto::Permission::EventRead.as_str_name()));
            }
            Err(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use futures_util::StreamExt;
    use http::{HeaderMap, HeaderValue};
    use kernel::{Clock, PageKeys};
    use server::auth::{PermissionSet, Principal, Rules};
    use server::deadline::Until;
    use server::{Admitted, House, Pages};
    use uuid::Uuid;

    use super::*;
    use crate::admission::{CustomerTokens, Holder, Keys, Rates, Verified, presented};

    const PATH: &str = "/karibu.gateway.v1.EventService/Subscribe";

    fn listener(permissions: PermissionSet) -> Principal {
        Principal { permissions, scope: BranchScope::All, ..Principal::anonymous() }
    }

    /// A service without logs, whose one key is good until it is revoked, or until it lacks the permission.
    fn api(revoked: Arc<AtomicBool>, narrowed: Arc<AtomicBool>) -> Api {
        let ask: crate::admission::Ask = Arc::new(move |_| {
            let (revoked, narrowed) = (revoked.load(Ordering::SeqCst), narrowed.load(Ordering::SeqCst));
            let permissions = if narrowed { PermissionSet::NONE } else { PermissionSet::ALL };
            let verified = Verified { holder: Holder::of(listener(permissions)), left: None };
            Box::pin(async move { if revoked { Err(status::unauthenticated()) } else { Ok(verified) } })
        });
        api_asking(ask)
    }

    /// A service without logs that asks this about its one key.
    fn api_asking(ask: crate::admission::Ask) -> Api {
        let house = House::embedded(Clock::system()).unwrap();
        Api {
            tails: Tails::follow([], &house.stop, |_| {}),
            tokens: Tokens::new(&[], [1; 32]),
            branches: Branches::new(house.peers.clone(), house.minter.clone().unwrap()),
            admission: Admission::new(
                Keys::new(ask),
                CustomerTokens::new(&[], [1; 32]),
                Rates::new(&"off".parse().unwrap()),
            ),
            seats: Seats::default(),
            stop: house.stop,
        }
    }

    async fn open(api: &Api) -> Messages {
        open_with(api, gw::SubscribeRequest::default()).await
    }

    async fn open_with(api: &Api, request: gw::SubscribeRequest) -> Messages {
        let key = HeaderMap::from_iter([(crate::admission::X_API_KEY, HeaderValue::from_static("kb_x"))]);
        let credential = presented(&key).unwrap();
        api.admission.verify(&credential).await.unwrap();
        let mut request = Request::new(request);
        let until = Until(Instant::now() + server::limits::STREAM_DEADLINE);
        let rule = *Rules::of_contract().find(PATH).unwrap();
        let principal = listener(PermissionSet::ALL);
        let pages = Pages::new(PageKeys::new(&[], [0; 32]), BranchScope::All);
        let via = server::Via::new(server::Origin::Loopback, PATH);
        request.extensions_mut().insert(Admitted { principal, until, rule, traceparent: None, pages, via });
        request.extensions_mut().insert(Shown { credential, json: false });
        api.subscribe(request).await.unwrap().into_inner()
    }

    fn flags() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
        (Arc::default(), Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_shows_that_it_lives() {
        let (revoked, narrowed) = flags();
        let mut stream = open(&api(revoked, narrowed)).await;
        let begun = Instant::now();
        for beat in 0..3 {
            let message = stream.next().await.unwrap().unwrap();
            assert!(message.events.is_empty() && !message.resume_token.is_empty());
            assert_eq!(begun.elapsed().as_secs(), beat * limits::HEARTBEAT.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_revoked_key_ends_its_stream_within_half_a_minute() {
        let (revoked, narrowed) = flags();
        let mut stream = open(&api(revoked.clone(), narrowed)).await;
        revoked.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let ended = loop {
            if let Err(status) = stream.next().await.unwrap() {
                break status;
            }
        };
        assert_eq!(ended.code(), Code::Unauthenticated);
        assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(stream.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_lost_its_permission_ends_its_stream() {
        let (revoked, narrowed) = flags();
        let mut stream = open(&api(revoked, narrowed.clone())).await;
        narrowed.store(true, Ordering::SeqCst);
        let ended = loop {
            if let Err(status) = stream.next().await.unwrap() {
                break status;
            }
        };
        assert_eq!(ended.code(), Code::PermissionDenied);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_on_a_branch_that_was_taken_from_its_caller_ends() {
        let (kept, taken) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let moved: Arc<AtomicBool> = Arc::default();
        let asked = moved.clone();
        let api = api_asking(Arc::new(move |_| {
            let branches = if asked.load(Ordering::SeqCst) { vec![kept] } else { vec![kept, taken] };
            let principal = Principal { scope: BranchScope::only(branches), ..listener(PermissionSet::ALL) };
            Box::pin(async move { Ok(Verified { holder: Holder::of(principal), left: None }) })
        }));
        api.branches.remember([]);
        let filter = gw::EventFilter { branch_ids: vec![taken.to_string()], ..Default::default() };
        let mut stream = open_with(&api, gw::SubscribeRequest { filter: Some(filter), ..Default::default() }).await;
        stream.next().await.unwrap().unwrap();
        moved.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let ended = loop {
            api.branches.remember([]);
            if let Err(status) = stream.next().await.unwrap() {
                break status;
            }
        };
        assert_eq!(ended.code(), Code::PermissionDenied);
        assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_the_process_and_frees_its_seat() {
        let (revoked, narrowed) = flags();
        let api = api(revoked, narrowed);
        let mut streams = Vec::new();
        for _ in 0..limits::MAX_STREAMS_PER_CALLER {
            streams.push(open(&api).await);
        }
        let subject = Principal::anonymous().subject;
        assert_eq!(api.seats.take(&subject).unwrap_err().code(), Code::ResourceExhausted);
        api.stop.cancel();
        for stream in &mut streams {
            assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        }
        drop(streams);
        assert!(api.seats.take(&subject).is_ok());
    }
}

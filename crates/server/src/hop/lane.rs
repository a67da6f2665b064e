//! The client's end of lanes: one long-lived stream per replica that carries pending unary calls in batches.
//! A lost lane fails the calls that wait on it with UNAVAILABLE and is opened again; nothing is sent twice.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::transport::Endpoint;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::wire::{self, BatchRequest, BatchResponse, Call, Metadata, Reply};
use crate::auth::{Minter, Principal, Rules};
use crate::{Stop, deadline, limits, status};

/// The lanes to the replicas of one service. Clones share them.
#[derive(Clone)]
pub struct Lanes(Arc<Set>);

struct Set {
    peer: String,
    rules: Arc<Rules>,
    lanes: RwLock<Vec<(SocketAddr, Lane)>>,
    turn: AtomicUsize,
    /// Sent whenever a lane opens.
    opened: watch::Sender<()>,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("peer", &self.0.peer).field("open", &self.connected()).finish_non_exhaustive()
    }
}

/// One replica.
struct Lane {
    session: watch::Receiver<Option<Arc<Session>>>,
    /// Ends the task behind the lane when the replica is dropped from the set.
    _stop: tokio_util::sync::DropGuard,
}

/// One open stream.
struct Session {
    queue: mpsc::Sender<Call>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    next: AtomicU64,
    /// No further calls: what is queued is sent, then the sending half ends.
    last_calls: Stop,
}

impl Lanes {
    /// No lanes yet, to the service `peer`. `rules` tells which methods are streams and never travel by lane.
    pub(super) fn new(peer: &str, rules: Arc<Rules>) -> Self {
        let (lanes, turn, (opened, _)) = (RwLock::default(), AtomicUsize::new(0), watch::channel(()));
        Self(Arc::new(Set { peer: peer.to_owned(), rules, lanes, turn, opened }))
    }

    /// Name of the service.
    pub fn peer(&self) -> &str {
        &self.0.peer
    }

    /// Lanes that are connected now.
    pub fn connected(&self) -> usize {
        self.read().iter().filter(|(_, lane)| lane.session.borrow().is_some()).count()
    }

    /// Opens a lane to one more replica.
    pub(super) fn add(&self, replica: SocketAddr, endpoint: Endpoint, minter: &Minter) {
        let lane = Lane::open(self.peer().to_owned(), endpoint, minter.clone(), self.0.opened.clone());
        self.0.lanes.write().unwrap_or_else(PoisonError::into_inner).push((replica, lane));
    }

    /// Sends a replica no more calls; those it has are still answered.
    pub(super) fn remove(&self, replica: SocketAddr) {
        self.0.lanes.write().unwrap_or_else(PoisonError::into_inner).retain(|(at, _)| *at != replica);
    }

    pub(super) fn is_streaming(&self, path: &str) -> bool {
        self.0.rules.find(path).is_some_and(|rule| rule.streaming)
    }

    /// One call. The answer is that of the service, or the status that says why there is none.
    pub(super) async fn call(
        &self,
        mut parts: http::request::Parts,
        body: Bytes,
        until: Instant,
    ) -> Result<Response<Body>, Status> {
        super::clean(&mut parts.headers);
        let left = until.saturating_duration_since(Instant::now());
        let mut call = Call {
            id: 0,
            path: parts.uri.path().to_owned(),
            headers: wire::to_wire(&parts.headers),
            timeout_ms: u32::try_from(left.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX),
            body,
        };
        // A lane that closed between choice and use never saw the call, so another one may have it.
        for _ in 0..2 {
            let session = self.session(until).await?;
            let (reply, answer) = oneshot::channel();
            let ticket = Ticket::take(&session, reply);
            call.id = ticket.id;
            match session.queue.try_send(call) {
                Ok(()) => return answer.await.map(respond).map_err(|_| status::unavailable(self.peer())),
                Err(mpsc::error::TrySendError::Full(_)) => return Err(status::overloaded()),
                Err(mpsc::error::TrySendError::Closed(unsent)) => call = unsent,
            }
        }
        Err(status::unavailable(self.peer()))
    }

    /// A connected lane, in turn; waits a moment when there is none, as when both processes start together.
    async fn session(&self, until: Instant) -> Result<Arc<Session>, Status> {
        // Subscribed before looking, so that a lane that opens in between is not missed.
        let mut opened = self.0.opened.subscribe();
        let patience = until.min(Instant::now() + limits::LANE_CONNECT_WAIT);
        loop {
            if let Some(session) = self.connected_in_turn() {
                return Ok(session);
            }
            match timeout_at(patience, opened.changed()).await {
                Ok(Ok(())) => {}
                Err(_) if until <= Instant::now() => return Err(deadline::exceeded()),
                Ok(Err(_)) | Err(_) => return Err(status::unavailable(self.peer())),
            }
        }
    }

    fn connected_in_turn(&self) -> Option<Arc<Session>> {
        let lanes = self.read();
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        (0..lanes.len())
            .filter_map(|step| lanes.get(turn.wrapping_add(step) % lanes.len()))
            .find_map(|(_, lane)| lane.session.borrow().clone())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<(SocketAddr, Lane)>> {
        self.0.lanes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one waiting call; leaving early frees it at once.
struct Ticket<'a> {
    session: &'a Session,
    id: u64,
}

impl<'a> Ticket<'a> {
    fn take(session: &'a Session, reply: oneshot::Sender<Reply>) -> Self {
        // Numbers are never used again, so that a late reply cannot reach the wrong caller.
        let id = session.next.fetch_add(1, Ordering::Relaxed);
        session.waiting().insert(id, reply);
        Self { session, id }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.session.waiting().remove(&self.id);
    }
}

impl Session {
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Reply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, replies: Vec<Reply>) {
        let mut waiting = self.waiting();
        for reply in replies {
            if let Some(caller) = waiting.remove(&reply.id) {
                // The caller may have left in this moment; then nobody wants the reply.
                let _ = caller.send(reply);
            }
        }
    }
}

impl Lane {
    fn open(peer: String, endpoint: Endpoint, minter: Minter, opened: watch::Sender<()>) -> Self {
        let (current, session) = watch::channel(None);
        let state = State { current, opened };
        let stop = Stop::new();
        tokio::spawn(run(peer, endpoint, minter, state, stop.clone()));
        Self { session, _stop: stop.drop_guard() }
    }
}

/// Keeps one lane open until `stop`.
async fn run(peer: String, endpoint: Endpoint, minter: Minter, state: State, stop: Stop) {
    let (shortest, longest) = limits::LANE_BACKOFF;
    let (mut wait, mut lost) = (shortest, false);
    while let Some(opened) = stop.run_until_cancelled(connect(&peer, &endpoint, &minter)).await {
        match opened {
            Ok((open, incoming)) => {
                if lost {
                    tracing::info!(peer, to = %endpoint.uri(), "lane is open again");
                }
                (wait, lost) = (shortest, false);
                state.connected(open.0.clone());
                receive(&peer, open, incoming, &state, &stop).await;
            }
            Err(error) if !lost => {
                tracing::warn!(peer, to = %endpoint.uri(), %error, "cannot open a lane, trying on");
                lost = true;
            }
            Err(_) => {}
        }
        state.away();
        // Many gateways that lost the same service must not come back in step.
        tokio::time::sleep(wait.mul_f64(rand::random::<f64>())).await;
        wait = longest.min(wait * 2);
    }
}

/// Where a lane says whether it is connected.
struct State {
    current: watch::Sender<Option<Arc<Session>>>,
    opened: watch::Sender<()>,
}

impl State {
    fn connected(&self, session: Arc<Session>) {
        self.current.send_replace(Some(session));
        self.opened.send_replace(());
    }

    fn away(&self) {
        self.current.send_replace(None);
    }
}

/// A session whose replies are being read. When this is dropped, on whatever way, its waiting calls end.
struct Open(Arc<Session>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.last_calls.cancel();
        self.0.waiting().clear();
    }
}

type Opened = (Open, Streaming<BatchResponse>);

async fn connect(peer: &str, endpoint: &Endpoint, minter: &Minter) -> anyhow::Result<Opened> {
    let channel = endpoint.connect().await?;
    let (queue, calls) = mpsc::channel(limits::LANE_QUEUE);
    let last_calls = Stop::new();
    let outgoing =
        Outgoing { calls, held: VecDeque::new(), last_calls: Some(Box::pin(last_calls.clone().cancelled_owned())) };
    let mut grpc = tonic::client::Grpc::new(channel).max_decoding_message_size(limits::MAX_LANE_MESSAGE_BYTES);
    grpc.ready().await?;
    let mut request = Request::new(outgoing);
    let bearer = minter.bearer(&Principal::system("lane"), peer)?;
    request.metadata_mut().as_mut().insert(http::header::AUTHORIZATION, bearer);
    let path = http::uri::PathAndQuery::from_static(wire::BATCH_PATH);
    let codec = ProstCodec::<BatchRequest, BatchResponse>::default();
    let incoming = grpc.streaming(request, path, codec).await?.into_inner();
    let session = Session { queue, waiting: Mutex::default(), next: AtomicU64::new(1), last_calls };
    Ok((Open(Arc::new(session)), incoming))
}

/// Hands out replies until the lane ends, the service says that it stops, or the replica is dropped.
async fn receive(peer: &str, open: Open, mut incoming: Streaming<BatchResponse>, state: &State, stop: &Stop) {
    let draining = loop {
        let batch = tokio::select! {
            () = stop.cancelled() => break true,
            batch = incoming.message() => batch,
        };
        match batch {
            Ok(Some(batch)) => {
                open.0.deliver(batch.replies);
                if batch.draining {
                    break true;
                }
            }
            Ok(None) => break false,
            Err(error) => {
                tracing::warn!(peer, %error, "lane lost");
                break false;
            }
        }
    };
    state.away();
    if draining {
        tracing::debug!(peer, "the lane takes no more calls");
        open.0.last_calls.cancel();
        // What was sent is still answered, while a lane to a successor is opened beside.
        tokio::spawn(finish(open, incoming));
    }
}

async fn finish(open: Open, mut incoming: Streaming<BatchResponse>) {
    while let Ok(Some(batch)) = incoming.message().await {
        open.0.deliver(batch.replies);
    }
}

/// What was queued since the last message, as one message: never waits to fill one.
struct Outgoing {
    calls: mpsc::Receiver<Call>,
    held: VecDeque<Call>,
    last_calls: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Stream for Outgoing {
    type Item = BatchRequest;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<BatchRequest>> {
        if let Some(last_calls) = &mut self.last_calls
            && last_calls.as_mut().poll(cx).is_ready()
        {
            self.last_calls = None;
            self.calls.close();
        }
        if self.held.is_empty() {
            let mut taken = Vec::new();
            if ready!(self.calls.poll_recv_many(cx, &mut taken, limits::MAX_LANE_BATCH)) == 0 {
                return Poll::Ready(None);
            }
            self.held = taken.into();
        }
        let (mut calls, mut bytes) = (Vec::with_capacity(self.held.len()), 0);
        while let Some(call) =
            self.held.pop_front_if(|call| calls.is_empty() || bytes + call.body.len() <= limits::MAX_LANE_BATCH_BYTES)
        {
            bytes += call.body.len();
            calls.push(call);
        }
        Poll::Ready(Some(BatchRequest { calls }))
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let Reply { headers, body, trailers, .. } = reply;
    let mut response = if body.is_empty() && trailers.is_empty() {
        Response::new(Body::empty())
    } else {
        let body = Some(body).filter(|body| !body.is_empty());
        Response::new(Body::new(Answer { body, trailers: Some(trailers).filter(|trailers| !trailers.is_empty()) }))
    };
    *response.headers_mut() = wire::from_wire(headers);
    response
}

/// One frame and trailers. Its length is never told: with one, HTTP would leave the trailers out.
struct Answer {
    body: Option<Bytes>,
    trailers: Option<Vec<Metadata>>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(wire::from_wire(trailers)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    fn call_of(bytes: usize) -> Call {
        Call { body: vec![0; bytes].into(), ..Call::default() }
    }

    #[tokio::test]
    async fn a_batch_is_bound_by_calls_and_by_bytes_and_ends_after_the_last_call() {
        let (queue, calls) = mpsc::channel(1_000);
        let last_calls = Stop::new();
        let end = Box::pin(last_calls.clone().cancelled_owned());
        let mut outgoing = Outgoing { calls, held: VecDeque::new(), last_calls: Some(end) };
        for _ in 0..300 {
            queue.try_send(call_of(1)).unwrap();
        }
        for _ in 0..20 {
            queue.try_send(call_of(limits::MAX_LANE_BODY_BYTES)).unwrap();
        }
        last_calls.cancel();
        let sizes: Vec<usize> = (&mut outgoing).map(|batch| batch.calls.len()).collect().await;
        // 300 small ones and 20 of 64 KiB, of which 16 make a MiB; the first batch takes what 256 calls allow.
        assert_eq!(sizes, [256, 44 + 15, 5]);
        assert!(queue.try_send(call_of(1)).is_err(), "no call is taken after the end");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_caller_that_leaves_frees_its_place() {
        let lanes = Lanes::new("slow", Arc::default());
        let (queue, mut unread) = mpsc::channel(2);
        let session =
            Arc::new(Session { queue, waiting: Mutex::default(), next: AtomicU64::new(1), last_calls: Stop::new() });
        let lane = Lane { session: watch::channel(Some(session.clone())).1, _stop: Stop::new().drop_guard() };
        lanes.0.lanes.write().unwrap().push((SocketAddr::from(([127, 0, 0, 1], 1)), lane));
        let call = || {
            let (parts, ()) = http::Request::post("/a.B/C").body(()).unwrap().into_parts();
            lanes.call(parts, Bytes::new(), Instant::now() + limits::DEADLINE).boxed()
        };
        let mut first = call();
        let mut second = call();
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        let refused = call().await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert_eq!(session.waiting().len(), 2, "the refused call left no trace");
        drop(first);
        assert_eq!(session.waiting().len(), 1);

        let sent = [unread.recv().await.unwrap().id, unread.recv().await.unwrap().id];
        let late = Reply { id: sent[0], ..Reply::default() };
        session.deliver(vec![late, Reply { id: sent[1], ..Reply::default() }, Reply { id: 99, ..Reply::default() }]);
        assert!(second.await.is_ok(), "each reply reaches its own caller, and one for nobody does no harm");
    }
}

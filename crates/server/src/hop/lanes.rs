//! The lanes to all replicas of one service: chooses one in turn for each call, and turns what can go wrong on the
//! way into a status.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::Response;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::dial::{Replica, Way};
use super::lane::{Lane, Session, Ticket};
use super::wire::{self, Call};
use crate::auth::{Minter, Rules};
use crate::{deadline, limits, status};

/// The lanes to the replicas of one service. Clones share them.
#[derive(Clone)]
pub struct Lanes(Arc<Set>);

struct Set {
    peer: String,
    rules: Arc<Rules>,
    lanes: RwLock<Vec<(Replica, Lane)>>,
    turn: AtomicUsize,
    /// Sent whenever a lane opens.
    opened: watch::Sender<()>,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("peer", &self.0.peer).field("open", &self.connected()).finish_non_exhaustive()
    }
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
    pub(super) fn add(&self, replica: Replica, way: Way, minter: &Minter) {
        let lane = Lane::open(self.peer().to_owned(), way, minter.clone(), self.0.opened.clone());
        self.0.lanes.write().unwrap_or_else(PoisonError::into_inner).push((replica, lane));
    }

    /// Sends a replica no more calls; those it has are still answered.
    pub(super) fn remove(&self, replica: Replica) {
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
                Ok(()) => return answer.await.map(wire::respond).map_err(|_| status::unavailable(self.peer())),
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

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<(Replica, Lane)>> {
        self.0.lanes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::SocketAddr;

    use futures_util::FutureExt;

    use super::super::wire::Reply;
    use super::*;
    use crate::Stop;

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_caller_that_leaves_frees_its_place() {
        let lanes = Lanes::new("slow", Arc::default());
        let (queue, mut unread) = mpsc::channel(2);
        let session = Arc::new(Session::new(queue, Stop::new()));
        let lane = Lane { session: watch::channel(Some(session.clone())).1, _stop: Stop::new().drop_guard() };
        lanes.0.lanes.write().unwrap().push(((SocketAddr::from(([127, 0, 0, 1], 1)), false), lane));
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

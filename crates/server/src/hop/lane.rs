//! One lane: a long-lived stream to one replica that carries pending unary calls in batches. When it is lost, the
//! calls that wait on it end and it is opened again; nothing is sent twice.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tokio::sync::{mpsc, oneshot, watch};
use tonic::{Request, Streaming};
use tonic_prost::ProstCodec;

use super::dial::Way;
use super::wire::{self, BatchRequest, BatchResponse, Call, Reply};
use crate::auth::{Minter, Principal};
use crate::{Stop, limits};

/// One replica.
pub(super) struct Lane {
    pub(super) session: watch::Receiver<Option<Arc<Session>>>,
    /// Ends the task behind the lane when the replica is dropped from the set.
    pub(super) _stop: tokio_util::sync::DropGuard,
}

/// One open stream.
pub(super) struct Session {
    pub(super) queue: mpsc::Sender<Call>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    next: AtomicU64,
    /// No further calls: what is queued is sent, then the sending half ends.
    last_calls: Stop,
}

/// The place of one waiting call; leaving early frees it at once.
pub(super) struct Ticket<'a> {
    session: &'a Session,
    pub(super) id: u64,
}

impl<'a> Ticket<'a> {
    pub(super) fn take(session: &'a Session, reply: oneshot::Sender<Reply>) -> Self {
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
    pub(super) fn new(queue: mpsc::Sender<Call>, last_calls: Stop) -> Self {
        Self { queue, waiting: Mutex::default(), next: AtomicU64::new(1), last_calls }
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Reply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn deliver(&self, replies: Vec<Reply>) {
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
    pub(super) fn open(peer: String, way: Way, minter: Minter, opened: watch::Sender<()>) -> Self {
        let (current, session) = watch::channel(None);
        let state = State { current, opened };
        let stop = Stop::new();
        tokio::spawn(run(peer, way, minter, state, stop.clone()));
        Self { session, _stop: stop.drop_guard() }
    }
}

/// Keeps one lane open until `stop`.
async fn run(peer: String, way: Way, minter: Minter, state: State, stop: Stop) {
    let (shortest, longest) = limits::LANE_BACKOFF;
    let (mut wait, mut lost) = (shortest, false);
    while let Some(opened) = stop.run_until_cancelled(connect(&peer, &way, &minter)).await {
        match opened {
            Ok((open, incoming)) => {
                if lost {
                    tracing::info!(peer, to = %way, "lane is open again");
                }
                (wait, lost) = (shortest, false);
                state.connected(open.0.clone());
                receive(&peer, open, incoming, &state, &stop).await;
            }
            Err(error) if !lost => {
                tracing::warn!(peer, to = %way, error = format!("{error:#}"), "cannot open a lane, trying on");
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

async fn connect(peer: &str, way: &Way, minter: &Minter) -> anyhow::Result<Opened> {
    let channel = way.endpoint()?.connect().await?;
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
    let session = Session::new(queue, last_calls);
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::StreamExt;

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
}

//! The link's other end in a simulation: one port for each simulated process, all on one modelled server. Calls take
//! virtual time, answers get lost, come late or lie, connections break; what the server keeps is in `model`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::dice::Dice;
use super::model::{Model, Stored};
use super::sabotage::Sabotage;
use super::trace::Trace;
use crate::chance::Chance;
use crate::link::{Ack, Incoming, Outgoing, Stream, Wanted};
use crate::source::{BoxError, BoxFuture};

/// How long a client waits for an answer, as the real one does.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Lets virtual time pass.
pub(crate) async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep_until(Instant::now() + time).await;
    }
}

/// What goes wrong right now; counts are of the next ones.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    pub(crate) server_away: bool,
    /// Longest delay of a message or an answer, milliseconds.
    pub(crate) delay_ms: u64,
    /// Acks that never come.
    pub(crate) lost_acks: u32,
    /// Acks that name sequence 0 and a duplicate, of messages that the stream has not taken.
    pub(crate) false_acks: u32,
    /// Answers to requests that never come; the request took effect.
    pub(crate) lost_answers: u32,
    /// Messages to readers that never come.
    pub(crate) lost_messages: u32,
    /// Messages to readers that come twice.
    pub(crate) doubled_messages: u32,
    /// Messages to readers that come after the one behind them.
    pub(crate) swapped_messages: u32,
}

/// The modelled server and the network before it.
pub(crate) struct Sea {
    pub(crate) model: Model,
    pub(crate) weather: Weather,
    pub(crate) trace: Trace,
    pub(crate) sabotage: Option<Sabotage>,
    /// Where the log ends, for [`Sabotage::StreamIsNeverAhead`].
    pub(crate) log_ends: i64,
    dice: Dice,
    ports: Vec<Harbour>,
    readers: Vec<Reader>,
    pokes: watch::Sender<u64>,
}

/// What the server knows of one port.
struct Harbour {
    name: &'static str,
    /// Counts the connections.
    connections: watch::Sender<u32>,
    connected: bool,
}

/// A consumer on the server.
struct Reader {
    port: usize,
    connection: u32,
    next: i64,
    /// Whether it goes back when the stream does, as the newest servers do.
    rewinds: bool,
    held_back: Option<Incoming>,
    wire: mpsc::UnboundedSender<Incoming>,
}

type Shared = Arc<Mutex<Sea>>;

/// One process's connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Port {
    sea: Shared,
    number: usize,
    wire: mpsc::UnboundedSender<Sent>,
    chance: Chance,
}

/// A message on its way to the server.
struct Sent {
    seq: i64,
    message: Stored,
    connection: u32,
    ack: oneshot::Sender<Ack>,
}

impl Sea {
    pub(crate) fn new(dice: Dice, trace: Trace, sabotage: Option<Sabotage>) -> Self {
        Self {
            model: Model::default(),
            weather: Weather { delay_ms: 2, ..Weather::default() },
            trace,
            sabotage,
            log_ends: i64::MAX,
            dice,
            ports: Vec::new(),
            readers: Vec::new(),
            pokes: watch::channel(0).0,
        }
    }

    fn delay(&mut self) -> Duration {
        Duration::from_millis(self.dice.below(self.weather.delay_ms + 1))
    }

    /// A second of silence, then all ports have new connections; what was under way may be lost.
    pub(crate) fn reconnect(&mut self, number: usize) {
        let port = &mut self.ports[number];
        port.connected = true;
        port.connections.send_modify(|times| *times += 1);
        self.trace.step(|| {
            format!("{} has connection {}", self.ports[number].name, *self.ports[number].connections.borrow())
        });
    }

    pub(crate) fn disconnect(&mut self, number: usize) {
        self.ports[number].connected = false;
        let name = self.ports[number].name;
        self.trace.step(|| format!("{name} lost its connection"));
    }

    pub(crate) const fn ports(&self) -> usize {
        self.ports.len()
    }

    /// Every reader that the server has is forgotten without a word.
    pub(crate) fn forget_readers(&mut self) {
        self.readers.clear();
    }

    fn is_reachable(&self, number: usize) -> bool {
        self.ports[number].connected && !self.weather.server_away
    }

    /// Gives readers what they have not got yet.
    pub(crate) fn deliver(&mut self) {
        let mut readers = std::mem::take(&mut self.readers);
        readers.retain_mut(|reader| self.feed(reader));
        self.readers = readers;
    }

    fn feed(&mut self, reader: &mut Reader) -> bool {
        let port = &self.ports[reader.port];
        if reader.wire.is_closed() || *port.connections.borrow() != reader.connection {
            return false;
        }
        if !self.is_reachable(reader.port) {
            return true;
        }
        let Some(stream) = &self.model.stream else { return false };
        if reader.rewinds {
            reader.next = reader.next.min(stream.last_seq + 1);
        }
        let last_seq = stream.last_seq;
        let ready: Vec<Incoming> = stream
            .messages
            .range(reader.next..)
            .map(|(seq, Stored { headers, payload })| Incoming {
                seq: *seq,
                pending: last_seq - seq,
                headers: headers.clone(),
                payload: payload.clone(),
            })
            .collect();
        reader.next = reader.next.max(last_seq + 1);
        for message in ready {
            self.hand_over(reader, message);
        }
        true
    }

    fn hand_over(&mut self, reader: &mut Reader, message: Incoming) {
        let seq = message.seq;
        let wire = reader.wire.clone();
        let send = |message: Incoming| drop(wire.send(message));
        let weather = &mut self.weather;
        if spend(&mut weather.lost_messages) {
            self.trace.step(|| format!("message {seq} to a reader is lost"));
        } else if spend(&mut weather.swapped_messages) {
            self.trace.step(|| format!("message {seq} to a reader waits for the next one"));
            if let Some(before) = reader.held_back.replace(message) {
                send(before);
            }
            return;
        } else if spend(&mut weather.doubled_messages) {
            self.trace.step(|| format!("message {seq} to a reader comes twice"));
            let Incoming { headers, payload, pending, .. } = &message;
            send(Incoming { seq, pending: *pending, headers: headers.clone(), payload: payload.clone() });
            send(message);
        } else {
            send(message);
        }
        if let Some(before) = reader.held_back.take() {
            send(before);
        }
    }

    /// The server takes a message in, and says what it says.
    fn take(&mut self, number: usize, sent: &Sent) -> Option<Ack> {
        let name = self.ports[number].name;
        let seq = sent.seq;
        if spend(&mut self.weather.false_acks) {
            self.trace.step(|| format!("{name} publishes {seq}: not stored, acknowledged as a duplicate"));
            return Some(Ack::Stored { seq: 0, duplicate: true });
        }
        let after = (self.sabotage != Some(Sabotage::NoExpectedSequence)).then_some(seq - 1);
        let stored = self.model.publish(after, sent.message.clone());
        self.trace.step(|| format!("{name} publishes {seq}: {stored:?}"));
        self.deliver();
        if spend(&mut self.weather.lost_acks) {
            self.trace.step(|| format!("the ack of {seq} to {name} is lost"));
            return None;
        }
        Some(match stored {
            Ok(seq) => Ack::Stored { seq: seq.unsigned_abs(), duplicate: false },
            Err(why) => Ack::Refused(why),
        })
    }
}

/// Takes one off a count.
const fn spend(count: &mut u32) -> bool {
    let any = *count > 0;
    if any {
        *count -= 1;
    }
    any
}

impl Port {
    /// A new connection to `sea`, of the process called `name`.
    pub(crate) fn open_on(sea: &Shared, name: &'static str) -> Self {
        let (wire, sent) = mpsc::unbounded_channel();
        let (number, dice) = {
            let mut sea = locked(sea);
            sea.ports.push(Harbour { name, connections: watch::channel(1).0, connected: true });
            (sea.ports.len() - 1, sea.dice.fork())
        };
        tokio::spawn(carry(sea.clone(), number, sent));
        Self { sea: sea.clone(), number, wire, chance: Chance::Seeded(Arc::new(Mutex::new(dice))) }
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number as u64
    }

    pub(crate) fn chance(&self) -> Chance {
        self.chance.clone()
    }

    pub(crate) fn is_connected(&self) -> bool {
        locked(&self.sea).is_reachable(self.number)
    }

    pub(crate) fn connections(&self) -> watch::Receiver<u32> {
        locked(&self.sea).ports[self.number].connections.subscribe()
    }

    /// One request and its answer: `effect` happens at the server between the two.
    async fn request<T>(
        &self,
        what: &str,
        effect: impl FnOnce(&mut Sea) -> Result<T, BoxError>,
    ) -> Result<T, BoxError> {
        let there = locked(&self.sea).delay();
        pass(there).await;
        let (answer, lost, back) = {
            let mut sea = locked(&self.sea);
            if sea.is_reachable(self.number) {
                let answer = effect(&mut sea);
                let lost = spend(&mut sea.weather.lost_answers);
                let (name, ended) = (sea.ports[self.number].name, answer.as_ref().err().map(ToString::to_string));
                sea.trace.step(|| {
                    format!("{name} {what}: {}", if lost { "no answer" } else { ended.as_deref().unwrap_or("ok") })
                });
                (Some(answer), lost, sea.delay())
            } else {
                (None, true, Duration::ZERO)
            }
        };
        match answer {
            Some(answer) if !lost => {
                pass(back).await;
                answer
            }
            _ => {
                pass(TIMEOUT).await;
                Err(format!("{what}: timed out").into())
            }
        }
    }

    pub(crate) async fn find_stream(&self, _: &str) -> Result<Option<Stream>, BoxError> {
        self.request("looks at the stream", |sea| {
            let ends = if sea.sabotage == Some(Sabotage::StreamIsNeverAhead) { sea.log_ends } else { i64::MAX };
            Ok(sea
                .model
                .stream
                .as_ref()
                .map(|stream| Stream { last_seq: stream.last_seq.min(ends), ..standing(stream) }))
        })
        .await
    }

    pub(crate) async fn correct_stream(&self, wanted: &Wanted) -> Result<Option<Stream>, BoxError> {
        self.find_stream(&wanted.name).await
    }

    pub(crate) async fn make_stream(&self, _: &Wanted, first_seq: i64) -> Result<Stream, BoxError> {
        self.request("makes the stream", |sea| Ok(standing(sea.model.make(first_seq)))).await
    }

    pub(crate) async fn delete_stream(&self, _: &str) -> Result<(), BoxError> {
        self.request("deletes the stream", |sea| {
            sea.model.delete();
            Ok(())
        })
        .await
    }

    pub(crate) async fn purge_before(&self, _: &str, seq: i64) -> Result<(), BoxError> {
        self.request("purges the stream", |sea| {
            sea.model.purge(Some(seq));
            Ok(())
        })
        .await
    }

    pub(crate) async fn message(&self, _: &str, seq: i64) -> Result<Option<(HeaderMap, Bytes)>, BoxError> {
        self.request(&format!("compares {seq}"), |sea| {
            let stream = sea.model.stream.as_ref().ok_or("stream not found")?;
            Ok(stream.messages.get(&seq).map(|message| (message.headers.clone(), message.payload.clone())))
        })
        .await
    }

    /// Never waits: what is sent without a connection goes out with the next one.
    pub(crate) async fn publish(&self, message: Outgoing<'_>) -> Result<BoxFuture<(i64, Ack)>, BoxError> {
        let Outgoing { headers, payload, seq, .. } = message;
        let (ack, answer) = oneshot::channel();
        let connection = *self.connections().borrow();
        let sent = Sent { seq, message: Stored { headers, payload }, connection, ack };
        self.wire.send(sent).map_err(|_| "the connection is closed")?;
        let sabotage = locked(&self.sea).sabotage;
        Ok(Box::pin(async move {
            let ack = match tokio::time::timeout(TIMEOUT, answer).await {
                Ok(Ok(ack)) => ack,
                // A sender that is gone is an ack that never comes.
                _ => Ack::Unknown("timed out".to_owned()),
            };
            let good = match sabotage {
                Some(Sabotage::EveryAckIsGood) => true,
                Some(Sabotage::RefusalsAreGood) => matches!(ack, Ack::Refused(_)),
                _ => false,
            };
            (seq, if good { Ack::Stored { seq: seq.unsigned_abs(), duplicate: false } } else { ack })
        }))
    }

    pub(crate) async fn open(&self, _: &str, after: i64) -> Result<Messages, BoxError> {
        let (wire, messages) = mpsc::unbounded_channel();
        let number = self.number;
        self.request(&format!("reads behind {after}"), |sea| {
            let stream = sea.model.stream.as_ref().ok_or("stream not found")?;
            // Some servers begin at the end of the stream when they are asked to begin behind it.
            let clamped = sea.dice.percent(50);
            let next = if clamped { (after + 1).min(stream.last_seq + 1) } else { after + 1 };
            let connection = *sea.ports[number].connections.borrow();
            let rewinds = sea.dice.percent(50);
            sea.readers.push(Reader { port: number, connection, next, rewinds, held_back: None, wire });
            sea.deliver();
            Ok(())
        })
        .await?;
        Ok(Messages(messages))
    }

    pub(crate) async fn poke(&self, _: String) {
        let mut sea = locked(&self.sea);
        if sea.is_reachable(self.number) && !sea.dice.percent(20) {
            sea.pokes.send_modify(|count| *count += 1);
        }
    }

    pub(crate) fn pokes(&self) -> Pokes {
        Pokes(locked(&self.sea).pokes.subscribe())
    }
}

/// Carries messages to the server in their order, and acks back in any.
async fn carry(sea: Shared, number: usize, mut sent: mpsc::UnboundedReceiver<Sent>) {
    while let Some(message) = sent.recv().await {
        let delay = locked(&sea).delay();
        pass(delay).await;
        while !locked(&sea).is_reachable(number) {
            pass(Duration::from_millis(20)).await;
        }
        let (ack, back) = {
            let mut sea = locked(&sea);
            let old = *sea.ports[number].connections.borrow() != message.connection;
            // What was under way when the connection broke may have come through or not; its ack has not.
            let ack = if old && sea.dice.percent(50) { None } else { sea.take(number, &message) };
            (ack.filter(|_| !old), sea.delay())
        };
        if let Some(ack) = ack {
            tokio::spawn(async move {
                pass(back).await;
                let _ = message.ack.send(ack);
            });
        } else {
            // It stays unanswered until the client has given it up.
            tokio::spawn(async move {
                pass(TIMEOUT * 2).await;
                drop(message);
            });
        }
    }
}

fn standing(stream: &super::model::Kept) -> Stream {
    Stream {
        first_seq: stream.first_seq,
        last_seq: stream.last_seq,
        messages: stream.messages.len() as u64,
        created: stream.created.to_string(),
    }
}

pub(crate) fn locked(sea: &Shared) -> MutexGuard<'_, Sea> {
    sea.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a reader gets.
pub(crate) struct Messages(mpsc::UnboundedReceiver<Incoming>);

impl Messages {
    pub(crate) async fn next(&mut self) -> Option<Result<Incoming, BoxError>> {
        match self.0.recv().await {
            Some(message) => Some(Ok(message)),
            // The server has forgotten the reader: the client learns of it by the silence.
            None => std::future::pending().await,
        }
    }
}

/// The pokes of all ports.
pub(crate) struct Pokes(watch::Receiver<u64>);

impl Pokes {
    pub(crate) async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

//! Verbs: the only things that change a service. They decide in memory from the world and the context
//! given, and do no I/O, read no clock and draw no random number.

use std::future::Future;

use kernel::IdSource;
use store::Conn;
use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::slot::Missing;
use crate::world::World;

/// A service as the write path sees it.
pub trait Service: Send + Sync + Sized + 'static {
    /// The short name, such as `ticketing`: the name of its log and part of its event types.
    const NAME: &'static str;
    /// Everything that its verbs can ask for and change.
    type World: World;
    /// What it tells the others.
    type Event: DomainEvent;
    /// Why it says no.
    type Refusal: std::fmt::Debug + Send + 'static;
    /// Slow-moving configuration, cached in memory and reloaded when a verb has changed it.
    type Settings: Send + Sync;

    /// Reads the settings, inside the transaction of a batch.
    fn settings(conn: &mut Conn) -> impl Future<Output = store::Result<Self::Settings>> + Send;
}

/// A fact told to the other services, without personal data and free text.
pub trait DomainEvent: Send + 'static {
    /// Entity and event, such as `complaint.opened`.
    fn kind(&self) -> &'static str;
    /// The protobuf payload.
    fn encode(&self) -> Vec<u8>;
}

/// What a verb gives back, and its form on the wire. The encoded form is stored with the key of the
/// request, so that a repeat gets the same bytes.
pub trait Answer: Send + 'static {
    /// The message of the contract.
    type Wire: prost::Message + Default;
    /// The message for this answer.
    fn to_wire(&self) -> Self::Wire;
    /// What is stored for a repeat in place of the message; `None` stores the message itself. An answer that carries
    /// personal data or free text must give one without, since stored answers cannot be taken back: whoever hands a
    /// repeat on fills in what is missing from the thing as it stands.
    fn to_stored(&self) -> Option<Self::Wire> {
        None
    }
}

impl Answer for () {
    type Wire = ();
    fn to_wire(&self) {}
}

/// Why a verb did not come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop<R> {
    /// The rules say no.
    Refused(R),
    /// Something must be loaded first; the batch does it and asks again.
    Missing,
}

impl<R> From<Missing> for Stop<R> {
    fn from(_: Missing) -> Self {
        Self::Missing
    }
}

/// Ends a verb with a refusal: `refuse!(Refusal::AlreadyResolved)`.
#[macro_export]
macro_rules! refuse {
    ($refusal:expr) => {
        return Err($crate::Stop::Refused($refusal))
    };
}

/// Ends a verb with a refusal unless the condition holds: `ensure!(c.is_open(), Refusal::NotOpen)`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $refusal:expr) => {
        if !$condition {
            $crate::refuse!($refusal);
        }
    };
}

/// A command of service `S`. It may be decided several times before it counts, so it keeps no state
/// outside the world and the context.
pub trait Verb<S: Service>: Send + Sync + 'static {
    /// What the caller gets.
    type Reply: Answer;
    /// Decides: changes the world and emits events, or refuses.
    fn decide(&self, world: &mut S::World, cx: &mut Cx<'_, S>) -> Result<Self::Reply, Stop<S::Refusal>>;
}

/// What a verb may know besides the world, and where it tells its events.
pub struct Cx<'a, S: Service> {
    /// The settings in force.
    pub settings: &'a S::Settings,
    /// The time of the batch, microseconds since the Unix epoch.
    pub now_us: i64,
    /// Who asks: the subject of the principal, or the name of a consumer or timer.
    pub by: &'a str,
    pub(crate) ids: &'a mut IdSource,
    pub(crate) events: Vec<Told<S::Event>>,
    pub(crate) settings_changed: bool,
    /// What is stored in place of the reply, encoded.
    pub(crate) stored: Option<Vec<u8>>,
}

/// An event with the aggregate it is about.
#[derive(Debug)]
pub(crate) struct Told<E> {
    pub event: E,
    pub aggregate_type: &'static str,
    pub aggregate_id: Uuid,
    pub aggregate_version: i64,
    pub branch_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub occurred_at_us: i64,
}

impl<'a, S: Service> Cx<'a, S> {
    /// A context by hand, for tests of verbs.
    pub fn new(settings: &'a S::Settings, now_us: i64, by: &'a str, ids: &'a mut IdSource) -> Self {
        Self { settings, now_us, by, ids, events: Vec::new(), settings_changed: false, stored: None }
    }

    /// A new id (UUIDv7 of the batch's time).
    pub fn new_id(&mut self) -> Uuid {
        self.ids.next(self.now_us)
    }

    /// Tells an event about `about`, whose version counts up; it occurred now.
    pub fn emit<A: Aggregate>(&mut self, about: &mut A, event: S::Event) {
        self.emit_at(about, event, self.now_us);
    }

    /// Tells an event that occurred at another time than it is recorded, such as an imported purchase.
    pub fn emit_at<A: Aggregate>(&mut self, about: &mut A, event: S::Event, occurred_at_us: i64) {
        *about.version_mut() += 1;
        self.events.push(Told {
            event,
            aggregate_type: A::TYPE,
            aggregate_id: about.id(),
            aggregate_version: about.version(),
            branch_id: about.branch(),
            customer_id: about.customer(),
            occurred_at_us,
        });
    }

    /// The settings are being changed by this verb: the batch ends here and the next one reloads them.
    pub const fn settings_changed(&mut self) {
        self.settings_changed = true;
    }

    /// For tests of verbs: the events told so far.
    pub fn told(&self) -> impl Iterator<Item = &S::Event> {
        self.events.iter().map(|told| &told.event)
    }
}

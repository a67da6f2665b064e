//! The logs of other services, on databases of their own, written through the real write path: what they would tell,
//! without the services themselves.

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use commit::{Aggregate, Claims, Corrupt, Cx, DomainEvent, Door, Options, Service, Stop, Submission, Verb};
use proto::EventPayload;
use server::House;
use store::{Conn, Db, Kind, OnConflict, Rows, Table};
use uuid::Uuid;

/// Time for an event or a timer to take effect on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

static NOTHING: Table = Table::new("nothing", 1, &[("id", Kind::Uuid)], OnConflict::Update);

/// Whom and when an event is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The thing it happened to.
    pub subject: Uuid,
    /// Where.
    pub branch: Option<Uuid>,
    /// To which customer.
    pub customer: Option<Uuid>,
    /// Microseconds since the Unix epoch; `None` for the moment of the telling.
    pub occurred_at_us: Option<i64>,
}

impl About {
    /// A thing without a branch or a customer, now.
    pub const fn thing(subject: Uuid) -> Self {
        Self { subject, branch: None, customer: None, occurred_at_us: None }
    }
}

/// What an event is about, as the write path wants it; it is stored nowhere.
#[derive(Clone)]
struct Subject {
    id: Uuid,
    version: i64,
    branch: Option<Uuid>,
    customer: Option<Uuid>,
}

impl Aggregate for Subject {
    const TABLE: &'static Table = &NOTHING;
    const TYPE: &'static str = "subject";
    type Row = (Uuid,);

    fn from_row((id,): (Uuid,)) -> Result<Self, Corrupt> {
        Ok(Self { id, version: 0, branch: None, customer: None })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id);
    }
    commit::identity!(id, version, branch?: branch, customer?: customer);
}

commit::world! { /// Neighbours know nothing.
pub struct Blank { claims: Claims } }

/// An event as a neighbour tells it.
#[derive(Clone, Debug)]
pub struct Told {
    kind: &'static str,
    payload: Vec<u8>,
}

impl DomainEvent for Told {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn encode(&self) -> Vec<u8> {
        self.payload.clone()
    }
}

/// The name of a neighbour; [`crate::neighbours!`] writes these.
pub trait Name: Send + Sync + 'static {
    /// As in the types of its events.
    const NAME: &'static str;
}

/// A service that does nothing but tell.
#[derive(Debug)]
pub struct Neighbour<N>(PhantomData<N>);

impl<N: Name> Service for Neighbour<N> {
    const NAME: &'static str = N::NAME;
    type World = Blank;
    type Event = Told;
    type Refusal = ();
    type Settings = ();

    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

/// Tells one event.
#[derive(Clone, Debug)]
pub struct Tell {
    about: About,
    event: Told,
}

impl<N: Name> Verb<Neighbour<N>> for Tell {
    type Reply = ();

    fn decide(&self, _: &mut Blank, cx: &mut Cx<'_, Neighbour<N>>) -> Result<(), Stop<()>> {
        let About { subject, branch, customer, occurred_at_us } = self.about;
        let mut subject = Subject { id: subject, version: 0, branch, customer };
        cx.emit_at(&mut subject, self.event.clone(), occurred_at_us.unwrap_or(cx.now_us));
        Ok(())
    }
}

type Telling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The neighbours of the service under test.
#[derive(Default)]
pub struct Neighbours {
    doors: HashMap<&'static str, Box<dyn Fn(Tell) -> Telling + Send + Sync>>,
}

impl std::fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.doors.keys()).finish()
    }
}

impl Neighbours {
    /// Starts one more, whose log is in `folder` and told on the bus of `house`.
    pub async fn with<N: Name>(mut self, house: &House, folder: &Path) -> Self {
        let url = format!("sqlite:{}", folder.join(format!("{}.db", N::NAME)).display());
        let db = Db::open(&store::Options::new(url, N::NAME)).await.unwrap();
        db.migrate(&[commit::MIGRATIONS]).await.unwrap();
        let door = commit::start::<Neighbour<N>>(db, house.clock.clone(), Options::default()).await.unwrap();
        house.bus.publish(door.log());
        self.doors.insert(N::NAME, Box::new(move |verb| Box::pin(send(door.clone(), verb))));
        self
    }

    /// Tells an event of whichever neighbour its type belongs to.
    pub async fn tell<P: EventPayload>(&self, about: About, payload: P) {
        let kind = P::TYPE.strip_prefix("karibu.").and_then(|rest| rest.strip_suffix(".v1"));
        let (_, kind) = kind.and_then(|rest| rest.split_once('.')).unwrap();
        let door = self.doors.get(P::SERVICE).unwrap_or_else(|| panic!("{} is no neighbour here", P::SERVICE));
        door(Tell { about, event: Told { kind, payload: payload.encode_to_vec() } }).await;
    }
}

async fn send<N: Name>(door: Door<Neighbour<N>>, verb: Tell) {
    let until = Instant::now() + SOON;
    let submission =
        Submission { key: Uuid::now_v7(), fingerprint: 0, until, by: "test".into(), trace: None, cause: None };
    door.submit(submission, verb).await.unwrap();
}

/// Declares the neighbours of a service, and `start`, which starts them all:
/// `stage::neighbours! { Organization = "organization", Ticketing = "ticketing" }`.
#[macro_export]
macro_rules! neighbours {
    ($($who:ident = $name:literal),+ $(,)?) => {
        $(struct $who;
        impl $crate::Name for $who {
            const NAME: &'static str = $name;
        })+

        pub async fn start(house: &server::House, folder: &std::path::Path) -> $crate::Neighbours {
            $crate::Neighbours::default()$(.with::<$who>(house, folder).await)+
        }
    };
}

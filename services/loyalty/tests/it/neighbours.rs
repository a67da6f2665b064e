//! The logs of the other services, on databases of their own, written through the real write path: what they would
//! tell, without the services themselves.

use std::path::Path;

use commit::{Aggregate, Claims, Corrupt, Cx, DomainEvent, Door, Options, Service, Stop, Submission, Verb};
use proto::EventPayload;
use server::House;
use store::{Conn, Db, Kind, OnConflict, Rows, Table};
use uuid::Uuid;

static NOTHING: Table = Table::new("nothing", 1, &[("id", Kind::Uuid)], OnConflict::Update);

/// What an event of a neighbour is about; it is stored nowhere.
#[derive(Clone)]
struct Subject {
    id: Uuid,
    version: i64,
}

impl Aggregate for Subject {
    const TABLE: &'static Table = &NOTHING;
    const TYPE: &'static str = "subject";
    type Row = (Uuid,);

    fn from_row((id,): (Uuid,)) -> Result<Self, Corrupt> {
        Ok(Self { id, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id);
    }
    fn id(&self) -> Uuid {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
}

commit::world! { pub struct Blank { pub claims: Claims } }

/// An event as a neighbour tells it.
#[derive(Clone)]
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

struct Tell {
    subject: Uuid,
    event: Told,
    occurred_at_us: i64,
}

macro_rules! neighbour {
    ($service:ident, $name:literal) => {
        pub struct $service;

        impl Service for $service {
            const NAME: &'static str = $name;
            type World = Blank;
            type Event = Told;
            type Refusal = ();
            type Settings = ();

            async fn settings(_: &mut Conn) -> store::Result<()> {
                Ok(())
            }
        }

        impl Verb<$service> for Tell {
            type Reply = ();

            fn decide(&self, _: &mut Blank, cx: &mut Cx<'_, $service>) -> Result<(), Stop<()>> {
                let mut subject = Subject { id: self.subject, version: 0 };
                cx.emit_at(&mut subject, self.event.clone(), self.occurred_at_us);
                Ok(())
            }
        }
    };
}
neighbour!(Organization, "organization");
neighbour!(Profile, "profile");
neighbour!(Ticketing, "ticketing");

/// The neighbours of the service under test.
pub struct Neighbours {
    organization: Door<Organization>,
    profile: Door<Profile>,
    ticketing: Door<Ticketing>,
}

async fn open<S: Service>(house: &House, folder: &Path) -> Door<S> {
    let url = format!("sqlite:{}", folder.join(format!("{}.db", S::NAME)).display());
    let db = Db::open(&store::Options::new(url, S::NAME)).await.unwrap();
    db.migrate(&[commit::MIGRATIONS]).await.unwrap();
    let door = commit::start::<S>(db, house.clock.clone(), Options::default()).await.unwrap();
    house.bus.publish(door.log());
    door
}

impl Neighbours {
    pub async fn new(house: &House, folder: &Path) -> Self {
        Self {
            organization: open(house, folder).await,
            profile: open(house, folder).await,
            ticketing: open(house, folder).await,
        }
    }

    /// Tells an event about `subject`, of whichever neighbour its type belongs to.
    pub async fn tell<P: EventPayload>(&self, subject: Uuid, payload: P) {
        let kind = P::TYPE.strip_prefix("karibu.").and_then(|rest| rest.strip_suffix(".v1"));
        let (_, kind) = kind.and_then(|rest| rest.split_once('.')).unwrap();
        let event = Told { kind, payload: payload.encode_to_vec() };
        let verb = Tell { subject, event, occurred_at_us: crate::bench::NOW_US };
        match P::SERVICE {
            "organization" => send(&self.organization, verb).await,
            "profile" => send(&self.profile, verb).await,
            _ => send(&self.ticketing, verb).await,
        }
    }
}

async fn send<S: Service<Refusal = ()>>(door: &Door<S>, verb: Tell)
where
    Tell: Verb<S, Reply = ()>,
{
    let until = std::time::Instant::now() + crate::bench::SOON;
    let submission = Submission { key: Uuid::now_v7(), fingerprint: 0, until, by: "test".into(), trace: None };
    door.submit(submission, verb).await.unwrap();
}

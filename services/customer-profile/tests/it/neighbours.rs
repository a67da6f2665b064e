//! The logs of the other services, on databases of their own, written through the real write path: what they would
//! tell, without the services themselves.

use std::path::Path;

use commit::{Aggregate, Claims, Corrupt, Cx, DomainEvent, Door, Options, Service, Stop, Submission, Verb};
use proto::EventPayload;
use proto::karibu::organization::v1::BranchCreated;
use server::House;
use store::{Conn, Db, Kind, OnConflict, Rows, Table};
use uuid::Uuid;

static NOTHING: Table = Table::new("nothing", 1, &[("id", Kind::Uuid)], OnConflict::Update);

/// What an event of a neighbour is about; it is stored nowhere.
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
    fn id(&self) -> Uuid {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
    fn branch(&self) -> Option<Uuid> {
        self.branch
    }
    fn customer(&self) -> Option<Uuid> {
        self.customer
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
    about: Subject,
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
                cx.emit_at(&mut self.about.clone(), self.event.clone(), self.occurred_at_us);
                Ok(())
            }
        }
    };
}
neighbour!(Organization, "organization");
neighbour!(Ticketing, "ticketing");
neighbour!(Loyalty, "loyalty");
neighbour!(Feedback, "feedback");

/// The neighbours of the service under test.
pub struct Neighbours {
    organization: Door<Organization>,
    ticketing: Door<Ticketing>,
    loyalty: Door<Loyalty>,
    feedback: Door<Feedback>,
}

/// Whom and when an event is about.
#[derive(Clone, Copy)]
pub struct About {
    pub subject: Uuid,
    pub branch: Option<Uuid>,
    pub customer: Option<Uuid>,
    pub occurred_at_us: i64,
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
            ticketing: open(house, folder).await,
            loyalty: open(house, folder).await,
            feedback: open(house, folder).await,
        }
    }

    /// Tells an event of whichever neighbour its type belongs to.
    pub async fn tell<P: EventPayload>(&self, about: About, payload: P) {
        let kind = P::TYPE.strip_prefix("karibu.").and_then(|rest| rest.strip_suffix(".v1"));
        let (_, kind) = kind.and_then(|rest| rest.split_once('.')).unwrap();
        let verb = Tell {
            about: Subject { id: about.subject, version: 0, branch: about.branch, customer: about.customer },
            event: Told { kind, payload: payload.encode_to_vec() },
            occurred_at_us: about.occurred_at_us,
        };
        match P::SERVICE {
            "organization" => send(&self.organization, verb).await,
            "ticketing" => send(&self.ticketing, verb).await,
            "loyalty" => send(&self.loyalty, verb).await,
            _ => send(&self.feedback, verb).await,
        }
    }

    pub async fn tell_branch(&self, branch: Uuid, locale: &str) {
        let about = About { subject: branch, branch: Some(branch), customer: None, occurred_at_us: 1 };
        let payload =
            BranchCreated { branch_id: branch.to_string(), locale: locale.into(), ..BranchCreated::default() };
        self.tell(about, payload).await;
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

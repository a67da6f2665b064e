//! A small world for the tests of verbs: two branches, Ann who was seen at one of them, and a visitor.

use commit::{DomainEvent, Room, Verb};
use kernel::IdSource;
use uuid::Uuid;
use vault::{DataKey, LookupKey};

use crate::Profile;
use crate::domain::{
    Branch, BranchId, Customer, CustomerId, CustomerKind, CustomerState, Cx, Desk, Details, Event, Identifier,
    IdentifierType, Stop, Tally, identifier, purchase_id,
};

pub(super) const HERE: BranchId = BranchId(Uuid::from_u128(0x1000));
pub(super) const THERE: BranchId = BranchId(Uuid::from_u128(0x2000));
pub(super) const ANN: CustomerId = CustomerId(Uuid::from_u128(0xA));
pub(super) const NOBODY: CustomerId = CustomerId(Uuid::from_u128(0xB));
/// A branch of which nothing was heard yet.
pub(super) const NEW: BranchId = BranchId(Uuid::from_u128(0x3000));
pub(super) const NOW_US: i64 = 1_800_000_000_000_000;

/// A world with its events, kept across several decisions as in one batch.
pub(super) struct Desks {
    pub world: Desk,
    pub events: Vec<Event>,
    ids: IdSource,
}

#[allow(clippy::unwrap_used)]
pub(super) fn email(address: &str) -> Identifier {
    Identifier::new(IdentifierType::Email, address, "", &LookupKey::of(&DataKey::from_bytes(&[1; 32]))).unwrap()
}

fn customer(id: CustomerId, version: i64, kind: CustomerKind, details: Details) -> Customer {
    let state = CustomerState::Active;
    Customer { id, version, kind, state, home_branch: HERE, created_at_us: 1, updated_at_us: 1, details }
}

#[allow(clippy::unwrap_used)]
impl Desks {
    pub(super) fn new() -> Self {
        let mut world = Desk::default();
        for (id, locale) in [(HERE, "rw"), (THERE, "en")] {
            world.branches.given(Branch { id, version: 1, locale: locale.to_owned(), closed: false });
        }
        world.branches.given_none(Uuid::nil()).given_none(NEW);
        let details = Details {
            preferred_name: "Ann".to_owned(),
            identifiers: vec![email("ann@example.rw")],
            ..Details::default()
        };
        world.customers.given(customer(ANN, 3, CustomerKind::Person, details)).given_none(Uuid::nil());
        world.customers.given(customer(NOBODY, 1, CustomerKind::Anonymous, Details::default()));
        world.tallies.given_none(Uuid::nil());
        for id in [ANN, NOBODY] {
            world.tallies.given(Tally::new(id, 1, HERE));
        }
        for number in ["1", "2"] {
            world.purchases.given_none(purchase_id("till", number));
        }
        world.claims.given(identifier::CLAIM, email("ann@example.rw").claim(), Some(ANN.uuid()));
        for free in ["beza@example.rw", "new@example.rw", "ann2@example.rw"] {
            world.claims.given(identifier::CLAIM, email(free).claim(), None);
        }
        for complaint in [50, 51] {
            world.claims.given("open_complaint", Uuid::from_u128(complaint).as_bytes(), None);
        }
        Self { world, events: Vec::new(), ids: IdSource::seeded(1) }
    }

    /// Decides as the write path does: kept when it succeeds, forgotten when it is refused.
    pub(super) fn decide<V: Verb<Profile>>(&mut self, verb: &V) -> Result<V::Reply, Stop> {
        let mut cx = Cx::new(&(), NOW_US, "test", &mut self.ids);
        let decided = verb.decide(&mut self.world, &mut cx);
        assert_ne!(decided.as_ref().err(), Some(&Stop::Missing), "the world of the test lacks something");
        if decided.is_ok() {
            self.events.extend(cx.told().cloned());
            self.world.keep();
        } else {
            self.world.drop_drafts();
        }
        decided
    }

    pub(super) fn told(&self) -> Vec<&'static str> {
        self.events.iter().map(DomainEvent::kind).collect()
    }

    pub(super) fn tally(&mut self, id: CustomerId) -> Tally {
        self.world.tallies.get(id).unwrap().unwrap().clone()
    }

    pub(super) fn owner_of(&mut self, handle: &Identifier) -> Option<CustomerId> {
        self.world.claims.owner(identifier::CLAIM, handle.claim()).unwrap().map(CustomerId)
    }

    pub(super) fn close(&mut self, id: BranchId) {
        self.world.branches.given(Branch { id, version: 2, locale: String::new(), closed: true });
    }
}

//! The service that the write path is measured with when no real one is to stand in the way: complaints of 11 typed
//! columns and a document, a budget that all transitions of a branch share, a history row for every change.

mod rows;
mod verbs;
mod wire;

use commit::{Log, Service, Slot};
use store::{Conn, Migration, Migrations};

pub(crate) use rows::{Budget, Complaint, Entry};
pub(crate) use verbs::{Close, Open, Propose};
pub(crate) use wire::Event;

use crate::sql;

/// The tables.
pub(crate) const MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration { name: "0001_desk", postgres: sql::DESK_POSTGRES, sqlite: sql::DESK_SQLITE }],
};

commit::world! {
    /// What the verbs work on.
    pub(crate) struct World {
        /// Complaints.
        pub(crate) complaints: Slot<Complaint>,
        /// Budgets, one a branch.
        pub(crate) budgets: Slot<Budget>,
        /// What happened to complaints.
        pub(crate) history: Log<Entry>,
    }
}

/// Why it says no.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no complaint with this id.
    NoSuchComplaint,
    /// There is no budget for its branch.
    NoSuchBudget,
    /// It was closed before.
    Closed,
    /// The budget does not hold so much.
    OverBudget,
}

/// The service.
#[derive(Debug)]
pub(crate) struct Desk;

impl Service for Desk {
    const NAME: &'static str = "desk";
    type World = World;
    type Event = Event;
    type Refusal = Refusal;
    type Settings = ();

    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

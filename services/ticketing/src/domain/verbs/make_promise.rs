//! Make promise, waive promise: what we say we will do beside a chosen solution, and that the customer lets us off.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::lifecycle::Command;
use crate::domain::promise::{Promise, PromiseState, Room};
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, PromiseId, Refusal, StaffId};

/// We will do this.
#[derive(Clone, Debug)]
pub struct MakePromise {
    /// The complaint.
    pub case: Case,
    /// What we say, in words.
    pub text: String,
    /// Until when.
    pub due_at_us: Option<i64>,
    /// Who sees to it.
    pub owner: Option<StaffId>,
}

impl Verb<Ticketing> for MakePromise {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::MakePromise)?;
        let ahead = self.due_at_us.is_none_or(|due_at_us| due_at_us > cx.now_us);
        ensure!(ahead, Refusal::PromisePast { proposal: 0 });

        let promise = Promise {
            id: PromiseId(cx.new_id()),
            proposal: None,
            text: self.text.clone(),
            state: PromiseState::Open,
            due_at_us: self.due_at_us,
            owner: self.owner.or(complaint.owner),
            made_at_us: cx.now_us,
        };
        promise.make(complaint, Room { deadlines: &mut desk.deadlines, history: &mut desk.history }, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

/// The customer lets us off.
#[derive(Clone, Debug)]
pub struct WaivePromise {
    /// The complaint.
    pub case: Case,
    /// The promise.
    pub promise: PromiseId,
    /// What the customer said.
    pub reason: String,
}

impl Verb<Ticketing> for WaivePromise {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::WaivePromise)?;
        let promises = &mut complaint.story.promises;
        let Some(promise) = promises.iter_mut().find(|promise| promise.id == self.promise) else {
            refuse!(Refusal::PromiseNotFound)
        };
        ensure!(promise.state.is_owed(), Refusal::PromiseNotOpen);

        promise.state = PromiseState::Waived { at_us: cx.now_us, reason: self.reason.clone() };
        let event = Event::PromiseWaived { complaint: complaint.id, promise: self.promise };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

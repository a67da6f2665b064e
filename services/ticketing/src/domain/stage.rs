//! A stage for the tests of verbs: two branches, a customer, and complaints brought to any state by the
//! same verbs that bring them there in life.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use commit::{Rehearsal, Verb};
use kernel::{BranchScope, Money, Points};
use uuid::Uuid;

use super::branch::Branch;
use super::budget::BudgetEntry;
use super::class::{CaseKind, Class};
use super::code::Channel;
use super::compensation::{Authority, Terms};
use super::complaint::{Complaint, Decision, Severity};
use super::finding::FactStatus;
use super::follow_up::{FollowUp, FollowUpOutcome};
use super::historical::{CompanyResponse, HistoricalCase};
use super::interaction::{Direction, Extras};
use super::lifecycle::State;
use super::mandate::Unit;
use super::proposal::{ChoiceMaker, ProposalKind, Solution};
use super::sla::Rules;
use super::verbs::{
    Acknowledge, AddInteraction, Assign, ChooseProposal, Close, CompleteFollowUp, ConfirmUnderstanding, DeadlineComes,
    FastTrack, ImportItem, KeepPromise, MergeComplaint, OfferProposals, Open, OpenFollowOn, Reclassify, RecordFinding,
    Reopen, Resolve, ReverseCompensation, SettleCompensation, Settlement, StartInvestigation, Transfer, WaivePromise,
    Withdraw,
};
use super::{BranchId, Case, CaseFile, ComplaintId, CustomerId, Event, FollowUpId, Policy, Refusal, StaffId};
use crate::Ticketing;

pub(crate) const KIGALI: BranchId = BranchId(Uuid::from_u128(1));
pub(crate) const LONDON: BranchId = BranchId(Uuid::from_u128(2));
pub(crate) const AMINA: CustomerId = CustomerId(Uuid::from_u128(3));
pub(crate) const GRACE: StaffId = StaffId(Uuid::from_u128(4));

/// Friday, 14:00 in Kigali.
const START: &str = "2026-11-20T12:00:00Z";

/// Plays verbs; what it is not given does not exist.
pub(crate) struct Stage(Rehearsal<Ticketing>);

impl Stage {
    pub(crate) fn new() -> Self {
        let start: jiff::Timestamp = START.parse().unwrap();
        let mut rehearsal = Rehearsal::<Ticketing>::new(Rules::default(), start.as_microsecond());
        for (id, code, zone, currency) in
            [(KIGALI, "KGL-1", "Africa/Kigali", "RWF"), (LONDON, "LDN", "Europe/London", "GBP")]
        {
            rehearsal.world.branches.given(Branch {
                id,
                version: 1,
                code: code.to_owned(),
                time_zone: zone.to_owned(),
                currency: currency.parse().unwrap(),
                closed: false,
                parent: None,
                calendar: None,
            });
        }
        Self(rehearsal)
    }

    /// A stage with one complaint in `state`, and nothing told yet.
    pub(crate) fn at(state: State) -> (Self, Case) {
        let mut stage = Self::new();
        let case = stage.open();
        let path = [
            State::Acknowledged,
            State::Understood,
            State::Investigating,
            State::Proposing,
            State::Offered,
            State::Fulfilling,
            State::Resolved,
            State::Closed,
        ];
        match state {
            State::Withdrawn => drop(stage.play(&withdrawal(case.clone())).unwrap()),
            State::Reclassified => drop(stage.play(&reclassification(case.clone())).unwrap()),
            // Nothing else is needed of a complaint that was merged than that it was.
            State::Merged => stage.edit(&case, |complaint| complaint.state = State::Merged),
            _ => {}
        }
        for step in path {
            if stage.complaint(&case).state == state {
                break;
            }
            stage.bring_to(step, &case);
        }
        assert_eq!(stage.complaint(&case).state, state);
        stage.told();
        (stage, case)
    }

    /// A complaint with every promise kept and the points given.
    pub(crate) fn ready_to_resolve() -> (Self, Case) {
        let (mut stage, case) = Self::at(State::Fulfilling);
        stage.keep_everything(&case);
        stage.told();
        (stage, case)
    }

    pub(crate) fn bring_to(&mut self, step: State, case: &Case) {
        let now = self.complaint(case);
        let case = case.clone();
        match step {
            State::Acknowledged => drop(self.play(&acknowledgement(case)).unwrap()),
            State::Understood => drop(self.play(&understanding(case)).unwrap()),
            State::Investigating => {
                self.play(&Assign { case: case.clone(), owner: GRACE }).unwrap();
                self.play(&StartInvestigation { case }).unwrap();
            }
            State::Proposing => drop(self.play(&finding(case)).unwrap()),
            State::Offered => drop(self.play(&offer(case)).unwrap()),
            State::Fulfilling => drop(self.play(&choice(&now, case)).unwrap()),
            State::Resolved => {
                self.keep_everything(&case);
                self.play(&resolution(case)).unwrap();
            }
            State::Closed => {
                self.complete(&case, FollowUpOutcome::Satisfied);
                self.play(&closing(case)).unwrap();
            }
            State::Received | State::Withdrawn | State::Reclassified | State::Merged => {
                unreachable!("no step leads there")
            }
        }
    }

    fn keep_everything(&mut self, case: &Case) {
        let verb = keeping(&self.complaint(case), case.clone());
        self.play(&verb).unwrap();
        self.settle(case, Settlement::Granted);
    }

    pub(crate) fn open(&mut self) -> Case {
        let complaint = self.play(&opening()).unwrap().complaint.id;
        self.told();
        Case { complaint, scope: BranchScope::All, expected_version: None }
    }

    pub(crate) fn settle(&mut self, case: &Case, settlement: Settlement) {
        let verb = settling(&self.complaint(case), settlement);
        self.play(&verb).unwrap();
    }

    /// Ends the last follow-up.
    pub(crate) fn complete(&mut self, case: &Case, outcome: FollowUpOutcome) -> CaseFile {
        let last = *self.complaint(case).story.follow_ups.last().unwrap();
        self.play(&completion(case.clone(), last, outcome)).unwrap()
    }

    pub(crate) fn play<V: Verb<Ticketing>>(&mut self, verb: &V) -> Result<V::Reply, Refusal> {
        self.0.play(verb)
    }

    pub(crate) fn told(&mut self) -> Vec<Event> {
        self.0.told()
    }

    /// Fires every deadline that there is.
    pub(crate) fn fire_deadlines(&mut self) {
        for deadline in self.0.world.deadlines.ids() {
            self.play(&DeadlineComes { deadline }).unwrap();
        }
    }

    /// What of a budget is reserved, and what is spent.
    pub(crate) fn budget(&mut self, branch: BranchId, unit: Unit, period: &str) -> (i64, i64) {
        let id = commit::key(&[b"budget", branch.uuid().as_bytes(), unit.code().as_bytes(), period.as_bytes()]);
        let budget = self.0.world.budgets.get(id).unwrap().unwrap();
        (budget.reserved, budget.spent)
    }

    /// Puts a branch under another one.
    pub(crate) fn grow(&mut self, below: BranchId, above: BranchId) {
        let (code, parent) = (format!("B{}", above.uuid().as_u128()), Some(above));
        let mut branch = self.branch(below);
        let twig = Branch { id: above, code, parent: None, ..branch.clone() };
        branch.parent = parent;
        self.0.world.branches.given(branch).given(twig);
    }

    /// The lines of the ledger of all budgets.
    pub(crate) fn ledger(&self) -> impl Iterator<Item = &BudgetEntry> {
        self.0.world.budget_entries.pushed()
    }

    /// The next commands are asked by somebody else.
    pub(crate) fn as_somebody(&mut self, subject: &str) {
        subject.clone_into(&mut self.0.by);
    }

    /// Changes what is known of a branch behind the back of the verbs.
    pub(crate) fn edit_branch(&mut self, id: BranchId, change: impl FnOnce(&mut Branch)) {
        let mut branch = self.branch(id);
        change(&mut branch);
        self.0.world.branches.given(branch);
    }

    /// The words that were put into the index.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.world.complaint_words.pushed().map(|row| row.word.clone()).collect()
    }

    /// What verbs go by when they reckon clocks.
    pub(crate) fn rules(&mut self) -> &mut Rules {
        &mut self.0.settings
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.0.now_us
    }

    pub(crate) fn pass(&mut self, time_us: i64) {
        self.0.now_us += time_us;
    }

    pub(crate) fn complaint(&mut self, case: &Case) -> Complaint {
        self.stored(case.complaint)
    }

    pub(crate) fn stored(&mut self, id: ComplaintId) -> Complaint {
        self.0.world.complaints.get(id).unwrap().unwrap().clone()
    }

    pub(crate) fn follow_up(&mut self, id: FollowUpId) -> FollowUp {
        self.0.world.follow_ups.get(id).unwrap().unwrap().clone()
    }

    pub(crate) fn branch(&mut self, id: BranchId) -> Branch {
        self.0.world.branches.get(id).unwrap().unwrap().clone()
    }

    /// Changes what is stored behind the back of the verbs.
    pub(crate) fn edit(&mut self, case: &Case, change: impl FnOnce(&mut Complaint)) {
        let mut complaint = self.complaint(case);
        change(&mut complaint);
        self.0.world.complaints.given(complaint);
    }
}

pub(crate) fn policy() -> Arc<Policy> {
    Arc::new(Policy { money_limits: vec![Money::new("RWF".parse().unwrap(), 20_000)], ..Policy::default() })
}

pub(crate) fn opening() -> Open {
    Open {
        scope: BranchScope::All,
        branch: KIGALI,
        customer: Some(AMINA),
        channel: Channel::InPerson,
        touchpoint: Some("CHECKOUT".to_owned()),
        category: None,
        severity: Severity::Medium,
        subject: "Wrong item".to_owned(),
        narrative: "I got tea instead of coffee.".to_owned(),
        desired_outcome: Some("The coffee".to_owned()),
        purchases: Vec::new(),
        class: Class::default(),
    }
}

pub(crate) fn acknowledgement(case: Case) -> Acknowledge {
    Acknowledge { case, channel: Channel::InPerson, message: String::new() }
}

pub(crate) fn understanding(case: Case) -> ConfirmUnderstanding {
    ConfirmUnderstanding {
        case,
        paraphrase: "You got tea although you paid for coffee.".to_owned(),
        confirmed: true,
        unconfirmed_reason: String::new(),
        desired_outcome: None,
        category: Some("WRONG_ITEM".to_owned()),
        severity: None,
        no_outcome_desired: false,
        apologized: true,
        unapologized_reason: None,
    }
}

pub(crate) fn finding(case: Case) -> RecordFinding {
    RecordFinding {
        case,
        summary: "Tea stood on the shelf of the coffee.".to_owned(),
        cause: Some("WRONG_SHELF".to_owned()),
        status: FactStatus::Established,
        evidence: vec!["photo-1".to_owned()],
    }
}

/// Replacement with 500 points, or the money back.
pub(crate) fn offer(case: Case) -> OfferProposals {
    let solution = |kind, description: &str| Solution {
        kind,
        description: description.to_owned(),
        cost: None,
        compensation: None,
        fulfil_by_us: None,
    };
    let replacement = Solution {
        compensation: Some(Terms::Points(Points(500))),
        ..solution(ProposalKind::Replacement, "The coffee, brought to your door")
    };
    OfferProposals {
        case,
        solutions: vec![replacement, solution(ProposalKind::Refund, "Your money back")],
        expires_at_us: None,
        authority: Authority::Limited,
        request_approval: false,
        policy: policy(),
    }
}

/// The customer takes the first of the solutions on offer.
pub(crate) fn choice(complaint: &Complaint, case: Case) -> ChooseProposal {
    let set = complaint.story.proposal_sets.last();
    let proposal = set.map_or_else(|| Uuid::nil().into(), |set| set.proposals[0].id);
    ChooseProposal { case, proposal, by: ChoiceMaker::Customer, consent_note: String::new() }
}

pub(crate) fn waiving(complaint: &Complaint, case: Case) -> WaivePromise {
    let promise = complaint.story.promises.last().map_or_else(|| Uuid::nil().into(), |promise| promise.id);
    WaivePromise { case, promise, reason: "It does not matter any more.".to_owned() }
}

pub(crate) fn reversal(complaint: &Complaint, case: Case) -> ReverseCompensation {
    let compensation = complaint.story.compensations.first().map_or_else(|| Uuid::nil().into(), |one| one.id);
    ReverseCompensation { case, compensation, reason_code: "GIVEN_TWICE".to_owned() }
}

/// The first goes on in the second.
pub(crate) fn transferring(case: Case) -> Transfer {
    Transfer { case, to: LONDON, reason_code: "NEARER".to_owned() }
}

pub(crate) fn merging(loser: &Case, winner: &Case) -> MergeComplaint {
    MergeComplaint { case: loser.clone(), into: winner.complaint, reason: "The same tea".to_owned() }
}

pub(crate) fn keeping(complaint: &Complaint, case: Case) -> KeepPromise {
    let promise = complaint.story.promises.last().map_or_else(|| Uuid::nil().into(), |promise| promise.id);
    KeepPromise { case, promise, proof: Some("delivery-7".to_owned()) }
}

pub(crate) fn settling(complaint: &Complaint, settlement: Settlement) -> SettleCompensation {
    SettleCompensation {
        complaint: complaint.id,
        compensation: complaint.story.compensations.last().unwrap().id,
        settlement,
    }
}

pub(crate) fn resolution(case: Case) -> Resolve {
    Resolve {
        case,
        decision: Decision::Upheld,
        reason: "We gave you the wrong item.".to_owned(),
        root_cause: None,
        ending: None,
        anything_else_asked: true,
        anything_else: String::new(),
        policy: policy(),
    }
}

pub(crate) fn completion(case: Case, follow_up: FollowUpId, outcome: FollowUpOutcome) -> CompleteFollowUp {
    CompleteFollowUp { case, follow_up, outcome, note: "as said on the phone".to_owned(), policy: policy() }
}

pub(crate) fn closing(case: Case) -> Close {
    Close { case, policy: policy() }
}

pub(crate) fn reopening(case: Case) -> Reopen {
    Reopen { case, reason_code: "CAME_BACK".to_owned(), reason: "Tea again".to_owned(), policy: policy() }
}

pub(crate) fn withdrawal(case: Case) -> Withdraw {
    Withdraw { case, statement: "Leave it.".to_owned() }
}

pub(crate) fn reclassification(case: Case) -> Reclassify {
    Reclassify { case, kind: CaseKind::Query, dissatisfied: false, reason: "Only a question".to_owned() }
}

pub(crate) fn follow_on(case: Case) -> OpenFollowOn {
    OpenFollowOn {
        case,
        channel: Channel::Phone,
        subject: "Tea again".to_owned(),
        narrative: "It happened again.".to_owned(),
        desired_outcome: None,
        policy: policy(),
    }
}

/// The coffee is handed over on the spot.
pub(crate) fn at_the_counter(case: Case) -> FastTrack {
    let [_, refund] = <[Solution; 2]>::try_from(offer(case.clone()).solutions).unwrap();
    FastTrack {
        case,
        paraphrase: "You got tea although you paid for coffee.".to_owned(),
        category: Some("WRONG_ITEM".to_owned()),
        owner: Some(GRACE),
        finding: "Tea stood on the shelf of the coffee.".to_owned(),
        cause: "WRONG_SHELF".to_owned(),
        evidence: vec!["photo-1".to_owned()],
        solution: Solution { kind: ProposalKind::Replacement, ..refund },
        proof: None,
        reason: "We gave you the wrong item.".to_owned(),
        anything_else_asked: true,
        policy: policy(),
    }
}

pub(crate) fn words(case: Case) -> AddInteraction {
    AddInteraction {
        case,
        direction: Direction::Inbound,
        channel: Channel::Email,
        body: "When will it come?".to_owned(),
        external_message_id: None,
        occurred_at_us: None,
        extras: Extras::default(),
    }
}

pub(crate) fn past_case(source_ref: &str) -> ImportItem {
    ImportItem {
        branch: KIGALI,
        customer: None,
        channel: Some(Channel::Web),
        case: HistoricalCase {
            source_system: "archive".to_owned(),
            source_ref: source_ref.to_owned(),
            product: "Mortgage".to_owned(),
            sub_product: String::new(),
            issue: "Servicing".to_owned(),
            sub_issue: String::new(),
            organization: String::new(),
            region: "VA".to_owned(),
            response: CompanyResponse::ClosedWithExplanation,
            timely: Some(true),
            disputed: None,
            received_on: "2013-07-29".parse().unwrap(),
            sent_on: Some("2013-07-30".parse().unwrap()),
        },
    }
}

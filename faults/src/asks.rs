//! The commands of the callers, as requests that can be sent again and again.

use client::Karibu;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::profile::v1 as profile;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::types::v1::{Channel, Money};
use proto::timestamp_from_us;
use tonic::{Request, Status};

use crate::ledger::Kind;
use crate::world::World;

/// How long a caller waits for one answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);
/// Minor units of RWF that earn a point.
pub const PER_POINT: i64 = 100;

/// A request.
#[derive(Clone, Debug)]
pub enum Ask {
    /// See [`Kind::Purchase`].
    Purchase(profile::RecordPurchaseRequest),
    /// See [`Kind::Adjust`].
    Adjust(loyalty::AdjustPointsRequest),
    /// See [`Kind::Open`].
    Open(ticketing::OpenComplaintRequest),
    /// See [`Kind::Acknowledge`].
    Acknowledge(ticketing::AcknowledgeComplaintRequest),
    /// See [`Kind::Understand`].
    Understand(ticketing::ConfirmUnderstandingRequest),
    /// See [`Kind::Assign`].
    Assign(ticketing::AssignComplaintRequest),
    /// See [`Kind::Investigate`].
    Investigate(ticketing::StartInvestigationRequest),
    /// See [`Kind::Find`].
    Find(ticketing::RecordFindingRequest),
    /// See [`Kind::Offer`].
    Offer(ticketing::OfferProposalsRequest),
    /// See [`Kind::Choose`].
    Choose(ticketing::ChooseProposalRequest),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// UUID of what was made or moved.
    pub id: String,
    /// Its version; empty if it has none.
    pub etag: String,
    /// The first proposal of the latest offer, if any.
    pub proposal: String,
}

impl Answer {
    fn of(complaint: Option<ticketing::Complaint>) -> Self {
        let complaint = complaint.unwrap_or_default();
        let offered = complaint.proposal_sets.last().and_then(|set| set.proposals.first());
        let proposal = offered.map(|proposal| proposal.proposal_id.clone()).unwrap_or_default();
        Self { id: complaint.complaint_id, etag: complaint.etag, proposal }
    }
}

fn patient<T: Clone>(message: &T) -> Request<T> {
    let mut request = Request::new(message.clone());
    request.set_timeout(PATIENCE);
    request
}

impl Ask {
    /// Sends it.
    pub async fn send(&self, karibu: &Karibu) -> Result<Answer, Status> {
        // The server is told the deadline; one that hangs with its connection open must not hold the caller either.
        let answered = tokio::time::timeout(PATIENCE * 3 / 2, self.call(karibu)).await;
        answered.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")))
    }

    async fn call(&self, karibu: &Karibu) -> Result<Answer, Status> {
        let mut desk = karibu.ticketing();
        let complaint = match self {
            Self::Purchase(message) => {
                let reply = karibu.profile().record_purchase(patient(message)).await?.into_inner();
                let made = reply.purchase.unwrap_or_default();
                return Ok(Answer { id: made.purchase_id, etag: made.etag, proposal: String::new() });
            }
            Self::Adjust(message) => {
                let reply = karibu.loyalty().adjust_points(patient(message)).await?.into_inner();
                let (entry, account) = (reply.entry.unwrap_or_default(), reply.account.unwrap_or_default());
                return Ok(Answer { id: entry.entry_id, etag: account.etag, proposal: String::new() });
            }
            Self::Open(message) => desk.open_complaint(patient(message)).await?.into_inner().complaint,
            Self::Acknowledge(message) => desk.acknowledge_complaint(patient(message)).await?.into_inner().complaint,
            Self::Understand(message) => desk.confirm_understanding(patient(message)).await?.into_inner().complaint,
            Self::Assign(message) => desk.assign_complaint(patient(message)).await?.into_inner().complaint,
            Self::Investigate(message) => desk.start_investigation(patient(message)).await?.into_inner().complaint,
            Self::Find(message) => desk.record_finding(patient(message)).await?.into_inner().complaint,
            Self::Offer(message) => desk.offer_proposals(patient(message)).await?.into_inner().complaint,
            Self::Choose(message) => desk.choose_proposal(patient(message)).await?.into_inner().complaint,
        };
        Ok(Answer::of(complaint))
    }
}

/// A sale of `amount_minor` to a customer.
pub fn purchase(world: &World, request_id: &str, receipt: &str, customer: &str, amount_minor: i64) -> Ask {
    let line = profile::PurchaseLine {
        sku: "BREAD".into(),
        description: "bread".into(),
        quantity: 1,
        unit_amount_minor: amount_minor,
        earns: true,
        ..Default::default()
    };
    Ask::Purchase(profile::RecordPurchaseRequest {
        request_id: request_id.into(),
        purchase: Some(profile::PurchaseInput {
            source_system: "till".into(),
            source_ref: receipt.into(),
            branch_id: world.branch.clone(),
            customer: Some(profile::purchase_input::Customer::CustomerId(customer.into())),
            kind: profile::PurchaseKind::Sale.into(),
            occur_time: Some(timestamp_from_us(jiff::Timestamp::now().as_microsecond())),
            currency_code: "RWF".into(),
            lines: vec![line],
            ..Default::default()
        }),
    })
}

/// Points by hand; `reason` is in the ledger entry.
pub fn adjust(world: &World, request_id: &str, reason: &str, account: &str, points: i64) -> Ask {
    Ask::Adjust(loyalty::AdjustPointsRequest {
        request_id: request_id.into(),
        account_id: account.into(),
        points,
        reason_code: reason.into(),
        branch_id: world.branch.clone(),
        ..Default::default()
    })
}

/// A new complaint; `subject` is in it.
pub fn open(world: &World, request_id: &str, subject: &str, customer: &str) -> Ask {
    Ask::Open(ticketing::OpenComplaintRequest {
        request_id: request_id.into(),
        branch_id: world.branch.clone(),
        customer_id: customer.into(),
        channel: Channel::Phone.into(),
        category_code: "wrong-item".into(),
        severity: ticketing::Severity::Medium.into(),
        subject: subject.into(),
        narrative: "The name on the cake is wrong.".into(),
        ..Default::default()
    })
}

/// The command that moves a complaint on. `points` are offered; `proposal` is chosen.
pub fn step(world: &World, kind: Kind, request_id: &str, complaint: &str, points: i64, proposal: &str) -> Ask {
    let (request_id, complaint_id) = (request_id.to_owned(), complaint.to_owned());
    match kind {
        Kind::Acknowledge => Ask::Acknowledge(ticketing::AcknowledgeComplaintRequest {
            request_id,
            complaint_id,
            channel: Channel::Phone.into(),
            message: "Thank you for telling us.".into(),
            ..Default::default()
        }),
        Kind::Understand => Ask::Understand(ticketing::ConfirmUnderstandingRequest {
            request_id,
            complaint_id,
            paraphrase: "The cake should say Ineza.".into(),
            confirmed: true,
            category_code: "wrong-item".into(),
            severity: ticketing::Severity::High.into(),
            no_outcome_desired: true,
            apologized: true,
            ..Default::default()
        }),
        Kind::Assign => Ask::Assign(ticketing::AssignComplaintRequest {
            request_id,
            complaint_id,
            owner_staff_id: world.agent.clone(),
            ..Default::default()
        }),
        Kind::Investigate => {
            Ask::Investigate(ticketing::StartInvestigationRequest { request_id, complaint_id, ..Default::default() })
        }
        Kind::Find => Ask::Find(ticketing::RecordFindingRequest {
            request_id,
            complaint_id,
            summary: "The order form was smudged.".into(),
            cause_code: "handwritten-order".into(),
            fact_status: ticketing::FactStatus::Established.into(),
            evidence_refs: vec!["order-7".into()],
            ..Default::default()
        }),
        Kind::Offer => Ask::Offer(ticketing::OfferProposalsRequest {
            request_id,
            complaint_id,
            proposals: vec![offer(points)],
            ..Default::default()
        }),
        _ => Ask::Choose(ticketing::ChooseProposalRequest {
            request_id,
            complaint_id,
            proposal_id: proposal.to_owned(),
            chosen_by: ticketing::ChoiceMaker::Customer.into(),
            ..Default::default()
        }),
    }
}

fn offer(points: i64) -> ticketing::ProposalInput {
    ticketing::ProposalInput {
        kind: ticketing::ProposalKind::Replacement.into(),
        description: "A new cake, and points".into(),
        cost: Some(Money { currency_code: "RWF".into(), minor_units: 15_000 }),
        compensation: Some(ticketing::CompensationTerms {
            kind: ticketing::CompensationKind::Points.into(),
            value: Some(ticketing::compensation_terms::Value::Points(points)),
        }),
        fulfil_by_time: None,
    }
}

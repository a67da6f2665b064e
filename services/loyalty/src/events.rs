//! Out: what this service tells, as types and payloads of the contract. In: what it makes of the events of others, by
//! their type.

use ::events::Poison;
use commit::{DomainEvent, Effect, LogEvent};
use kernel::{Money, Points};
use prost::Message;
use proto::karibu::loyalty::v1 as wire;
use proto::karibu::organization::v1::{BranchClosed, BranchCreated, BranchUpdated};
use proto::karibu::profile::v1::{CustomerErased, PurchaseRecorded, PurchaseReturned};
use proto::karibu::ticketing::v1::{CompensationApproved, compensation_approved::Value};
use proto::karibu::types::v1 as types;
use proto::{EventPayload, us_from_timestamp};
use uuid::Uuid;

use crate::Loyalty;
use crate::domain::{
    BeginErasure, BranchId, CompensationId, ComplaintId, CustomerId, Event, GrantGoodwill, KeepBranch, PurchaseId,
    RecordReturn, RecordSale,
};
use crate::grpc::wire::{account_kind, balances, maybe_text};

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::ProgramCreated { .. } => "program.created",
            Self::ProgramUpdated { .. } => "program.updated",
            Self::AccountEnrolled { .. } => "account.enrolled",
            Self::PointsAccrued { .. } => "points.accrued",
            Self::PointsClawedBack { .. } => "points.clawed_back",
            Self::PointsAdjusted { .. } => "points.adjusted",
            Self::GoodwillGranted { .. } => "goodwill.granted",
            Self::GoodwillRefused { .. } => "goodwill.refused",
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::ProgramCreated { program, code } => {
                wire::ProgramCreated { program_id: program.to_string(), code: code.clone() }.encode_to_vec()
            }
            Self::ProgramUpdated { program, changed, rule_version } => wire::ProgramUpdated {
                program_id: program.to_string(),
                changed_fields: changed.iter().map(|&field| field.to_owned()).collect(),
                rule_version: *rule_version,
            }
            .encode_to_vec(),
            Self::AccountEnrolled { account, program, customer, kind, home_branch } => wire::AccountEnrolled {
                account_id: account.to_string(),
                program_id: program.to_string(),
                customer_id: customer.to_string(),
                kind: account_kind(*kind).into(),
                home_branch_id: maybe_text(*home_branch),
            }
            .encode_to_vec(),
            Self::PointsAccrued { moved, purchase, branch } => wire::PointsAccrued {
                account_id: moved.account.to_string(),
                customer_id: moved.customer.to_string(),
                points: moved.points.0,
                purchase_id: purchase.to_string(),
                branch_id: branch.to_string(),
                balances: Some(balances(&moved.balances)),
                seq: moved.seq,
            }
            .encode_to_vec(),
            Self::PointsClawedBack { moved, short, purchase } => wire::PointsClawedBack {
                account_id: moved.account.to_string(),
                customer_id: moved.customer.to_string(),
                points: moved.points.0,
                short_points: short.0,
                purchase_id: purchase.to_string(),
                balances: Some(balances(&moved.balances)),
                seq: moved.seq,
            }
            .encode_to_vec(),
            Self::PointsAdjusted { moved, reason_code } => wire::PointsAdjusted {
                account_id: moved.account.to_string(),
                customer_id: moved.customer.to_string(),
                points: moved.points.0,
                reason_code: reason_code.clone(),
                balances: Some(balances(&moved.balances)),
                seq: moved.seq,
            }
            .encode_to_vec(),
            Self::GoodwillGranted { moved, compensation, complaint } => wire::GoodwillGranted {
                compensation_id: compensation.to_string(),
                complaint_id: complaint.to_string(),
                account_id: moved.account.to_string(),
                customer_id: moved.customer.to_string(),
                points: moved.points.0,
                balances: Some(balances(&moved.balances)),
                seq: moved.seq,
            }
            .encode_to_vec(),
            Self::GoodwillRefused { compensation, complaint, customer, points, reason } => wire::GoodwillRefused {
                compensation_id: compensation.to_string(),
                complaint_id: complaint.to_string(),
                customer_id: maybe_text(*customer),
                points: points.0,
                reason: reason.as_str().to_owned(),
            }
            .encode_to_vec(),
        }
    }
}

type Reaction = Result<Option<Effect<Loyalty>>, Poison>;

/// What this service makes of an event; `None` when it means nothing here.
pub(crate) fn react(event: &LogEvent) -> Reaction {
    match event.kind.as_str() {
        BranchCreated::TYPE => {
            let told: BranchCreated = decode(event)?;
            let verb = KeepBranch::Stands { branch: BranchId(id(&told.branch_id)?), time_zone: told.time_zone };
            Ok(Some(Effect::of(verb)))
        }
        BranchUpdated::TYPE => {
            let told: BranchUpdated = decode(event)?;
            let verb = KeepBranch::Stands { branch: BranchId(id(&told.branch_id)?), time_zone: told.time_zone };
            Ok(Some(Effect::of(verb)))
        }
        BranchClosed::TYPE => {
            let told: BranchClosed = decode(event)?;
            Ok(Some(Effect::of(KeepBranch::Closed { branch: BranchId(id(&told.branch_id)?) })))
        }
        CustomerErased::TYPE => {
            let told: CustomerErased = decode(event)?;
            let verb = BeginErasure { customer: id(&told.customer_id)?, erasure: id(&told.erasure_id)? };
            Ok(Some(Effect::of(verb)))
        }
        PurchaseRecorded::TYPE => sale(event),
        PurchaseReturned::TYPE => goods_back(event),
        CompensationApproved::TYPE => goodwill(event),
        _ => Ok(None),
    }
}

/// A purchase; one by nobody known earns nothing.
fn sale(event: &LogEvent) -> Reaction {
    let told: PurchaseRecorded = decode(event)?;
    let Some(customer) = maybe_id(&told.customer_id)? else { return Ok(None) };
    Ok(Some(Effect::of(RecordSale {
        purchase: PurchaseId(id(&told.purchase_id)?),
        source_system: told.source_system,
        source_ref: told.source_ref,
        customer: CustomerId(customer),
        branch: BranchId(id(&told.branch_id)?),
        earning: money(told.earning_total.as_ref())?,
        occurred_at_us: instant(event, told.occur_time.as_ref())?,
    })))
}

/// A return. One without customer and receipt cannot be told to have earned anything.
fn goods_back(event: &LogEvent) -> Reaction {
    let told: PurchaseReturned = decode(event)?;
    let customer = maybe_id(&told.customer_id)?.map(CustomerId);
    if customer.is_none() && told.original_source_ref.is_empty() {
        return Ok(None);
    }
    Ok(Some(Effect::of(RecordReturn {
        purchase: PurchaseId(id(&told.purchase_id)?),
        source_system: told.source_system,
        original_source_ref: told.original_source_ref,
        customer,
        branch: BranchId(id(&told.branch_id)?),
        earning: money(told.earning_total.as_ref())?,
        occurred_at_us: instant(event, told.occur_time.as_ref())?,
    })))
}

/// Points that make good for a complaint. What is given in money or goods is not for this service.
fn goodwill(event: &LogEvent) -> Reaction {
    let told: CompensationApproved = decode(event)?;
    let Some(Value::Points(points)) = told.value else { return Ok(None) };
    Ok(Some(Effect::of(GrantGoodwill {
        compensation: CompensationId(id(&told.compensation_id)?),
        complaint: ComplaintId(id(&told.complaint_id)?),
        customer: maybe_id(&told.customer_id)?.map(CustomerId),
        branch: maybe_id(&told.branch_id)?.map(BranchId),
        points: Points(points),
        occurred_at_us: event.occurred_at_us,
    })))
}

fn decode<M: Message + Default>(event: &LogEvent) -> Result<M, Poison> {
    M::decode(event.payload.as_ref()).map_err(|error| Poison::new(format!("the payload does not decode: {error}")))
}

fn id(text: &str) -> Result<Uuid, Poison> {
    text.parse().map_err(|_| Poison::new("an id in the payload is no UUID"))
}

fn maybe_id(text: &str) -> Result<Option<Uuid>, Poison> {
    if text.is_empty() { Ok(None) } else { id(text).map(Some) }
}

fn money(money: Option<&types::Money>) -> Result<Money, Poison> {
    let money = money.ok_or_else(|| Poison::new("the payload lacks an amount"))?;
    money.try_into().map_err(|error| Poison::new(format!("an amount in the payload: {error}")))
}

fn instant(event: &LogEvent, told: Option<&prost_types::Timestamp>) -> Result<i64, Poison> {
    told.map_or(Ok(event.occurred_at_us), us_from_timestamp).map_err(Poison::new)
}

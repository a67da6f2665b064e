//! The handlers of `RemedyService`, one per method, and mandates and budgets as messages.

use commit::Answer;
use kernel::Currency;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::remedy_service_server::RemedyService;
use proto::timestamp_from_us;
use server::{field, status};
use tonic::{Request, Response, Status};

use super::Api;
use super::codes::Coded;
use super::decode::{self, case, id, instant, maybe_id, optional_text};
use super::service::{invalid, open, store};
use super::wire::optional_text as text;
use crate::domain::BranchId;
use crate::domain::Refusal;
use crate::domain::budget::Budget;
use crate::domain::compensation::Good;
use crate::domain::mandate::{Allowance, Mandate, Rolling, Rule, Unit};
use crate::domain::verbs::{
    ApproveProposals, CounterProposals, DeclineProposals, MakePromise, PutMandate, ReverseCompensation, WaivePromise,
};
use crate::error::refused_by;

fn rolling(limit: &wire::RollingLimit) -> Rolling {
    Rolling { most: limit.most, days: limit.days }
}

fn unit(code: &str, at: String) -> Result<Unit, decode::Fault> {
    if code == Unit::Points.code() {
        return Ok(Unit::Points);
    }
    let currency: Result<Currency, _> = code.parse();
    currency.map(Unit::Money).map_err(|_| (at, "must be POINTS or a currency of ISO 4217"))
}

fn rule(place: usize, rule: &wire::AuthorityRule) -> Result<Rule, decode::Fault> {
    let at = |field: &str| format!("rules[{place}].{field}");
    let unit = unit(&rule.unit, at("unit"))?;
    let good = match rule.kind() {
        wire::CompensationKind::Unspecified | wire::CompensationKind::Points => None,
        wire::CompensationKind::Refund => Some(Good::Refund),
        wire::CompensationKind::Voucher => Some(Good::Voucher),
        wire::CompensationKind::Discount => Some(Good::Discount),
        wire::CompensationKind::Gift => Some(Good::Gift),
    };
    let fits = rule.kind() == wire::CompensationKind::Unspecified || (unit == Unit::Points) == good.is_none();
    if !fits {
        return Err((at("kind"), "must be counted in the unit: points in POINTS, all else in money"));
    }
    Ok(Rule {
        role: optional_text(rule.role.clone()),
        good,
        unit,
        most: rule.most,
        per_customer: rule.per_customer.as_ref().map(rolling),
        per_agent: rule.per_agent.as_ref().map(rolling),
        four_eyes_above: rule.four_eyes_above,
        valid_from_us: instant(rule.valid_start_time.as_ref()),
        valid_to_us: instant(rule.valid_end_time.as_ref()),
    })
}

fn allowance(place: usize, budget: &wire::BudgetRule) -> Result<Allowance, decode::Fault> {
    let at = |field: &str| format!("budgets[{place}].{field}");
    let period = Coded::read(budget.period).ok_or_else(|| (at("period"), "must be given"))?;
    Ok(Allowance { unit: unit(&budget.unit, at("unit"))?, period, most: budget.most })
}

fn rule_message(rule: &Rule) -> wire::AuthorityRule {
    let limit = |rolling: &Rolling| wire::RollingLimit { most: rolling.most, days: rolling.days };
    let kind = match rule.good {
        None => wire::CompensationKind::Unspecified,
        Some(Good::Refund) => wire::CompensationKind::Refund,
        Some(Good::Voucher) => wire::CompensationKind::Voucher,
        Some(Good::Discount) => wire::CompensationKind::Discount,
        Some(Good::Gift) => wire::CompensationKind::Gift,
    };
    wire::AuthorityRule {
        role: text(rule.role.as_deref()),
        kind: kind.into(),
        unit: rule.unit.code().to_owned(),
        most: rule.most,
        per_customer: rule.per_customer.as_ref().map(limit),
        per_agent: rule.per_agent.as_ref().map(limit),
        four_eyes_above: rule.four_eyes_above,
        valid_start_time: rule.valid_from_us.map(timestamp_from_us),
        valid_end_time: rule.valid_to_us.map(timestamp_from_us),
    }
}

fn mandate(mandate: &Mandate) -> wire::Mandate {
    let budget = |allowance: &Allowance| wire::BudgetRule {
        unit: allowance.unit.code().to_owned(),
        period: allowance.period.number(),
        most: allowance.most,
    };
    wire::Mandate {
        branch_id: mandate.branch.to_string(),
        rules: mandate.rules.iter().map(rule_message).collect(),
        budgets: mandate.allowances.iter().map(budget).collect(),
        etag: mandate.version.to_string(),
        create_time: Some(timestamp_from_us(mandate.created_at_us)),
        update_time: Some(timestamp_from_us(mandate.updated_at_us)),
    }
}

fn budget(budget: &Budget) -> wire::Budget {
    wire::Budget {
        budget_id: budget.id.to_string(),
        branch_id: budget.branch.to_string(),
        unit: budget.unit.code().to_owned(),
        period: budget.period.clone(),
        most: budget.most,
        reserved: budget.reserved,
        spent: budget.spent,
    }
}

impl Answer for Mandate {
    type Wire = wire::Mandate;
    fn to_wire(&self) -> Self::Wire {
        mandate(self)
    }
}

#[tonic::async_trait]
impl RemedyService for Api {
    async fn approve_proposals(
        &self,
        request: Request<wire::ApproveProposalsRequest>,
    ) -> Result<Response<wire::ApproveProposalsResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = ApproveProposals {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            authority: decode::authority(&call.principal),
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::ApproveProposalsResponse { complaint }).await
    }

    async fn decline_proposals(
        &self,
        request: Request<wire::DeclineProposalsRequest>,
    ) -> Result<Response<wire::DeclineProposalsResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = DeclineProposals { case: case(&call.principal, &body.complaint_id, &body.etag) };
        self.advance(&call, verb, |complaint| wire::DeclineProposalsResponse { complaint }).await
    }

    async fn counter_proposals(
        &self,
        request: Request<wire::CounterProposalsRequest>,
    ) -> Result<Response<wire::CounterProposalsResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = CounterProposals { case: case(&call.principal, &body.complaint_id, &body.etag), wish: body.wish };
        self.advance(&call, verb, |complaint| wire::CounterProposalsResponse { complaint }).await
    }

    async fn make_promise(
        &self,
        request: Request<wire::MakePromiseRequest>,
    ) -> Result<Response<wire::MakePromiseResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = MakePromise {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            text: body.text,
            due_at_us: instant(body.due_time.as_ref()),
            owner: maybe_id(&body.owner_staff_id),
        };
        self.advance(&call, verb, |complaint| wire::MakePromiseResponse { complaint }).await
    }

    async fn waive_promise(
        &self,
        request: Request<wire::WaivePromiseRequest>,
    ) -> Result<Response<wire::WaivePromiseResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = WaivePromise {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            promise: id(&body.promise_id),
            reason: body.reason,
        };
        self.advance(&call, verb, |complaint| wire::WaivePromiseResponse { complaint }).await
    }

    async fn reverse_compensation(
        &self,
        request: Request<wire::ReverseCompensationRequest>,
    ) -> Result<Response<wire::ReverseCompensationResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = ReverseCompensation {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            compensation: id(&body.compensation_id),
            reason_code: body.reason_code,
        };
        self.advance(&call, verb, |complaint| wire::ReverseCompensationResponse { complaint }).await
    }

    async fn put_mandate(
        &self,
        request: Request<wire::PutMandateRequest>,
    ) -> Result<Response<wire::PutMandateResponse>, Status> {
        let (body, call) = open(request)?;
        let rules = body.rules.iter().enumerate().map(|(place, one)| rule(place, one));
        let rules = rules.collect::<Result<_, _>>().map_err(invalid)?;
        let allowances = body.budgets.iter().enumerate().map(|(place, one)| allowance(place, one));
        let allowances: Vec<Allowance> = allowances.collect::<Result<_, _>>().map_err(invalid)?;
        let twice = (1..allowances.len()).find(|at| allowances[..*at].iter().any(|b| b.unit == allowances[*at].unit));
        if let Some(place) = twice {
            return Err(status::invalid([(format!("budgets[{place}].unit"), "has an allowance already")]));
        }
        let verb = PutMandate {
            scope: call.principal.scope.clone(),
            branch: id(&body.branch_id),
            expected_version: field::expected_version(&body.etag),
            rules,
            allowances,
        };
        let mandate = Some(self.submit(&call, verb).await?);
        Ok(Response::new(wire::PutMandateResponse { mandate }))
    }

    async fn get_mandate(
        &self,
        request: Request<wire::GetMandateRequest>,
    ) -> Result<Response<wire::GetMandateResponse>, Status> {
        let (body, call) = open(request)?;
        let branch: BranchId = id(&body.branch_id);
        let seen = call.principal.scope.allows(branch.uuid());
        let found = if seen { self.reads.find_mandate(branch).await.map_err(store)? } else { None };
        let found = found.ok_or_else(|| refused_by(&Refusal::MandateNotFound))?;
        Ok(Response::new(wire::GetMandateResponse { mandate: Some(mandate(&found)) }))
    }

    async fn list_budgets(
        &self,
        request: Request<wire::ListBudgetsRequest>,
    ) -> Result<Response<wire::ListBudgetsResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("budgets", size, &token, &body)?;
        let branch: BranchId = id(&body.branch_id);
        if !call.principal.scope.allows(branch.uuid()) {
            return Ok(Response::new(wire::ListBudgetsResponse::default()));
        }
        let list = self.reads.list_budgets(branch, &page).await.map_err(store)?;
        let budgets = list.items.iter().map(budget).collect();
        Ok(Response::new(wire::ListBudgetsResponse { budgets, next_page_token: list.next }))
    }
}

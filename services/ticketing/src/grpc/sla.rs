//! The handlers of `SlaService`, and policies and clocks as messages.

use commit::Answer;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::sla_service_server::SlaService;
use proto::timestamp_from_us;
use server::field;
use server::status;
use tonic::{Request, Response, Status};

use super::Api;
use super::codes::Coded;
use super::decode::{id, instant, required};
use super::service::{open, store};
use super::wire::optional_number;
use crate::domain::class::{CaseKind, Priority};
use crate::domain::complaint::{Severity, WaitingOn};
use crate::domain::sla::policy::{DEFAULT_WARN_PERCENT, Scope, Subject};
use crate::domain::sla::{ClockRun, Fact, Interval, Mark, SlaPolicy, Target, Terms, Watch, replay};
use crate::domain::verbs::PutSlaPolicy;
use crate::domain::{BranchId, Refusal};
use crate::error::refused_by;

impl Answer for SlaPolicy {
    type Wire = wire::SlaPolicy;

    fn to_wire(&self) -> wire::SlaPolicy {
        policy(self)
    }
}

fn numbers<C: Coded>(values: &[C]) -> Vec<i32> {
    values.iter().map(|value| value.number()).collect()
}

fn read<C: Coded>(numbers: &[i32]) -> Vec<C> {
    numbers.iter().filter_map(|number| C::read(*number)).collect()
}

fn policy(policy: &SlaPolicy) -> wire::SlaPolicy {
    let target = |target: &Target| wire::SlaTarget {
        metric: target.metric.number(),
        target_ms: target.target_ms,
        around_the_clock: target.around_the_clock,
    };
    wire::SlaPolicy {
        sla_policy_id: policy.id.to_string(),
        code: policy.code.clone(),
        position: policy.position,
        branch_ids: policy.scope.branches.iter().map(BranchId::to_string).collect(),
        kinds: numbers(&policy.scope.kinds),
        severities: numbers(&policy.scope.severities),
        priorities: numbers(&policy.scope.priorities),
        targets: policy.terms.targets.iter().map(target).collect(),
        pause_on: numbers(&policy.terms.pause_on),
        warn_percent: i32::try_from(policy.terms.warn_percent).unwrap_or_default(),
        restart_on_reopen: policy.terms.restart_on_reopen,
        retired: policy.retired,
        etag: policy.version.to_string(),
        create_time: Some(timestamp_from_us(policy.created_at_us)),
        update_time: Some(timestamp_from_us(policy.updated_at_us)),
    }
}

fn clock(clock: &ClockRun) -> wire::SlaClock {
    let last = clock.intervals.len().saturating_sub(1);
    let intervals = clock.intervals.iter().enumerate();
    wire::SlaClock {
        metric: clock.metric.number(),
        cycle: i32::try_from(clock.cycle).unwrap_or(i32::MAX),
        state: clock.state.number(),
        target_ms: clock.target.target_ms,
        remaining_ms: clock.remaining_ms(),
        start_time: Some(timestamp_from_us(clock.started_at_us)),
        due_time: clock.due_at_us.map(timestamp_from_us),
        warn_time: clock.warn_at_us.map(timestamp_from_us),
        end_time: clock.ended_at_us.map(timestamp_from_us),
        end_reason: optional_number(clock.end),
        breach_time: clock.breached_at_us.map(timestamp_from_us),
        breached_by_change: clock.by_change,
        intervals: intervals.map(|(place, part)| interval(part, clock.is_open() && place == last)).collect(),
    }
}

fn interval(part: &Interval, goes_on: bool) -> wire::ClockInterval {
    wire::ClockInterval {
        start_time: Some(timestamp_from_us(part.from_us)),
        end_time: (!goes_on).then(|| timestamp_from_us(part.to_us)),
        runs: part.runs,
        reason: part.reason.number(),
        branch_id: part.branch.to_string(),
        counted_ms: part.counted_us / 1_000,
    }
}

/// The marks of a case that does not exist.
fn imagined(body: &wire::SimulateSlaRequest, branch: BranchId, terms: Terms, opened_at_us: i64) -> Vec<Mark> {
    let mut marks = vec![
        Mark { at_us: opened_at_us, fact: Fact::Opened { branch, answered: false } },
        Mark { at_us: opened_at_us, fact: Fact::Terms(Box::new(terms)) },
    ];
    if let Some(at_us) = instant(body.wait_start_time.as_ref()) {
        marks.push(Mark { at_us: at_us.max(opened_at_us), fact: Fact::Waits(WaitingOn::Customer) });
        if let Some(end_us) = instant(body.wait_end_time.as_ref()) {
            marks.push(Mark { at_us: end_us.max(at_us).max(opened_at_us), fact: Fact::Waits(WaitingOn::Nobody) });
        }
    }
    marks
}

#[tonic::async_trait]
impl SlaService for Api {
    async fn put_sla_policy(
        &self,
        request: Request<wire::PutSlaPolicyRequest>,
    ) -> Result<Response<wire::PutSlaPolicyResponse>, Status> {
        let (body, call) = open(request)?;
        let target = |target: &wire::SlaTarget| {
            let metric = required(target.metric, "targets.metric")?;
            Ok(Target { metric, target_ms: target.target_ms, around_the_clock: target.around_the_clock })
        };
        let verb = PutSlaPolicy {
            expected_version: field::expected_version(&body.etag),
            position: body.position,
            scope: Scope {
                branches: body.branch_ids.iter().map(|branch| id(branch)).collect(),
                kinds: read(&body.kinds),
                severities: read(&body.severities),
                priorities: read(&body.priorities),
            },
            terms: Terms {
                targets: body.targets.iter().map(target).collect::<Result<_, Status>>()?,
                pause_on: read(&body.pause_on),
                warn_percent: body.warn_percent.map_or(DEFAULT_WARN_PERCENT, i64::from),
                restart_on_reopen: body.restart_on_reopen,
                ..Terms::default()
            },
            retired: body.retired,
            code: body.code,
        };
        let policy = Some(self.submit(&call, verb).await?);
        Ok(Response::new(wire::PutSlaPolicyResponse { policy }))
    }

    async fn get_sla_policy(
        &self,
        request: Request<wire::GetSlaPolicyRequest>,
    ) -> Result<Response<wire::GetSlaPolicyResponse>, Status> {
        let (body, _) = open(request)?;
        let found = self.reads.find_sla_policy(&body.code).await.map_err(store)?;
        let found = found.ok_or_else(|| refused_by(&Refusal::PolicyNotFound))?;
        Ok(Response::new(wire::GetSlaPolicyResponse { policy: Some(policy(&found)) }))
    }

    async fn list_sla_policies(
        &self,
        request: Request<wire::ListSlaPoliciesRequest>,
    ) -> Result<Response<wire::ListSlaPoliciesResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("sla-policies", size, &token, &body)?;
        let list = self.reads.list_sla_policies(&page).await.map_err(store)?;
        let policies = list.items.iter().map(policy).collect();
        Ok(Response::new(wire::ListSlaPoliciesResponse { policies, next_page_token: list.next }))
    }

    async fn explain_sla(
        &self,
        request: Request<wire::ExplainSlaRequest>,
    ) -> Result<Response<wire::ExplainSlaResponse>, Status> {
        let (body, call) = open(request)?;
        let found = self.reads.find_complaint(id(&body.complaint_id), &call.principal.scope).await.map_err(store)?;
        let complaint = found.ok_or_else(|| refused_by(&Refusal::ComplaintNotFound))?;
        let rules = self.reads.rules().await.map_err(store)?;
        let now_us = self.clock.now_us();
        let mut watch: Watch = complaint.story.sla;
        watch.refresh(&rules, now_us);
        let terms = watch.terms();
        Ok(Response::new(wire::ExplainSlaResponse {
            state: watch.state.number(),
            policy_code: terms.map(|terms| terms.code.clone()).unwrap_or_default(),
            policy_version: terms.and_then(|terms| terms.policy).map_or(0, |(_, version)| version),
            as_of_time: Some(timestamp_from_us(now_us)),
            clocks: watch.clocks(&rules, now_us).iter().map(clock).collect(),
        }))
    }

    async fn simulate_sla(
        &self,
        request: Request<wire::SimulateSlaRequest>,
    ) -> Result<Response<wire::SimulateSlaResponse>, Status> {
        let (body, call) = open(request)?;
        let branch: BranchId = id(&body.branch_id);
        if !call.principal.scope.allows(branch.uuid()) {
            return Err(refused_by(&Refusal::BranchUnknown));
        }
        let rules = self.reads.rules().await.map_err(store)?;
        let severity = Severity::read(body.severity).unwrap_or(Severity::Medium);
        let terms = rules.terms_of(Subject {
            branches: &rules.path(branch),
            kind: CaseKind::read(body.kind).unwrap_or(CaseKind::Complaint),
            severity,
            priority: Priority::read(body.priority).unwrap_or_else(|| Priority::of(severity)),
        });
        let opened_at_us = instant(body.open_time.as_ref()).unwrap_or_else(|| self.clock.now_us());
        let as_of_us = instant(body.as_of_time.as_ref()).unwrap_or(opened_at_us);
        if as_of_us < opened_at_us {
            return Err(status::invalid([("as_of_time", "must not be before open_time")]));
        }
        let policy_code = terms.code.clone();
        let marks = imagined(&body, branch, terms, opened_at_us);
        let known: Vec<Mark> = marks.into_iter().filter(|mark| mark.at_us <= as_of_us).collect();
        let clocks = replay(&known, &rules, as_of_us).iter().map(clock).collect();
        Ok(Response::new(wire::SimulateSlaResponse { policy_code, clocks }))
    }
}

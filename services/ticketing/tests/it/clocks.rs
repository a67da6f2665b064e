//! Clocks as callers see them: promised, explained, simulated, told when they are over, and reckoned anew.

use calendar::{CalendarSpec, OpeningCalendar, Shift};
use kernel::{BranchScope, DAY_US, HOUR_US};
use prost::Message;
use proto::karibu::organization::v1::BranchUpdated;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::routing_service_client::RoutingServiceClient;
use proto::karibu::ticketing::v1::sla_service_client::SlaServiceClient;
use proto::karibu::types::v1::Channel;
use proto::{EventPayload, Permission, timestamp_from_us};
use stage::About;
use testkit::assert_eventually;

use crate::bench::{HERE, NOW_US, Place, SOON, THERE, opening, reason, staff};

const HOUR_MS: i64 = 3_600_000;

type Slas = SlaServiceClient<server::hop::Acting>;

fn manager(place: &Place) -> Slas {
    SlaServiceClient::new(place.way(staff("boss", BranchScope::All, &[Permission::OrganizationWrite])))
}

fn agent_of(place: &Place, branch: uuid::Uuid) -> Slas {
    SlaServiceClient::new(place.way(staff("grace", BranchScope::only([branch]), &[])))
}

/// Two hours to answer, eight to resolve.
fn standard() -> wire::PutSlaPolicyRequest {
    let target = |metric: wire::SlaMetric, hours| wire::SlaTarget {
        metric: metric.into(),
        target_ms: hours * HOUR_MS,
        around_the_clock: false,
    };
    wire::PutSlaPolicyRequest {
        code: "STANDARD".into(),
        position: 10,
        targets: vec![target(wire::SlaMetric::FirstResponse, 2), target(wire::SlaMetric::Resolution, 8)],
        pause_on: vec![wire::WaitingOn::Customer.into()],
        ..Default::default()
    }
}

async fn promise(place: &Place) -> wire::SlaPolicy {
    manager(place).put_sla_policy(standard()).await.unwrap().into_inner().policy.unwrap()
}

async fn written(place: &Place) -> wire::Complaint {
    let request = wire::OpenComplaintRequest { channel: Channel::Email.into(), ..opening(HERE) };
    place.agent().open_complaint(request).await.unwrap().into_inner().complaint.unwrap()
}

async fn told<T: EventPayload + Message + Default>(place: &Place) -> Vec<T> {
    let told = place.told().await.into_iter().filter(|event| event.kind == T::TYPE);
    told.map(|event| T::decode(event.payload).unwrap()).collect()
}

async fn explain(place: &Place, complaint: &wire::Complaint) -> wire::ExplainSlaResponse {
    let request = wire::ExplainSlaRequest { complaint_id: complaint.complaint_id.clone() };
    agent_of(place, HERE).explain_sla(request).await.unwrap().into_inner()
}

/// The branch in Kigali is open in these shifts, from Monday to Friday.
async fn open_in(place: &Place, shifts: &[Shift]) {
    let hours = OpeningCalendar::new(CalendarSpec::weekdays("Africa/Kigali", shifts)).unwrap();
    let told = BranchUpdated {
        branch_id: HERE.to_string(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        opening_calendar: Some((&hours).into()),
        ..Default::default()
    };
    place.neighbours.tell(About::thing(HERE), told).await;
}

#[tokio::test]
async fn a20_after_an_outage_each_breach_is_told_once_with_its_true_time() {
    for place in Place::both().await {
        promise(&place).await;
        let complaint = written(&place).await;
        assert_eq!(complaint.sla_state, i32::from(wire::SlaState::OnTrack));
        assert_eq!(complaint.sla_due_time, Some(timestamp_from_us(NOW_US + 2 * HOUR_US)));
        // Nobody looked for a month.
        place.house.clock.advance_us(30 * DAY_US);
        assert_eventually(SOON, || async { told::<wire::SlaBreached>(&place).await.len() == 2 }).await;
        // The timer went round again by the time that another case is told of.
        let other = written(&place).await;
        place.house.clock.advance_us(30 * DAY_US);
        assert_eventually(SOON, || async { told::<wire::SlaBreached>(&place).await.len() >= 4 }).await;
        let breaches = told::<wire::SlaBreached>(&place).await;
        assert_eq!(breaches.len(), 4);
        let of_first: Vec<_> = breaches.iter().filter(|told| told.complaint_id == complaint.complaint_id).collect();
        let due: Vec<_> = of_first.iter().map(|told| told.due_time.unwrap()).collect();
        assert_eq!(due, [timestamp_from_us(NOW_US + 2 * HOUR_US), timestamp_from_us(NOW_US + 8 * HOUR_US)]);
        assert_eq!(told::<wire::SlaWarning>(&place).await, [], "nobody needs a warning of what is over");
        assert_eq!(place.get(&other.complaint_id).await.sla_state, i32::from(wire::SlaState::Breached));
    }
}

#[tokio::test]
async fn a_warning_comes_first_and_the_breach_after_it() {
    let place = Place::new().await;
    promise(&place).await;
    let complaint = written(&place).await;
    place.house.clock.advance_us(3 * HOUR_US / 2);
    assert_eventually(SOON, || async { told::<wire::SlaWarning>(&place).await.len() == 1 }).await;
    assert_eq!(place.get(&complaint.complaint_id).await.sla_state, i32::from(wire::SlaState::AtRisk));
    place.house.clock.advance_us(HOUR_US);
    assert_eventually(SOON, || async { told::<wire::SlaBreached>(&place).await.len() == 1 }).await;
    assert_eq!(told::<wire::SlaWarning>(&place).await.len(), 1);
}

#[tokio::test]
async fn a16_hours_that_change_are_heard_and_open_clocks_reckoned_anew() {
    for place in Place::both().await {
        promise(&place).await;
        // It is Wednesday, 13:06:40: open day and night, eight hours end at 21:06:40.
        let complaint = written(&place).await;
        assert_eventually(SOON, || async { explain(&place, &complaint).await.policy_code == "STANDARD" }).await;
        open_in(&place, &[Shift::hours(8, 14)]).await;
        assert_eventually(SOON, || async { told::<wire::SlaRecalculated>(&place).await.len() == 1 }).await;
        let explained = explain(&place, &complaint).await;
        let resolution = &explained.clocks[1];
        // 53 minutes and 20 seconds of today, six hours of tomorrow, and the rest of Friday.
        let due = "2026-11-20T09:06:40+02:00".parse::<jiff::Timestamp>().unwrap().as_microsecond();
        assert_eq!(resolution.due_time, Some(timestamp_from_us(due)));
        assert_eq!(resolution.intervals.len(), 1);
        let first = told::<wire::SlaRecalculated>(&place).await.remove(0);
        assert_eq!(first.due_time, explained.clocks[0].due_time);
        // What is opened now runs by the new hours at once.
        assert_eq!(written(&place).await.sla_due_time, first.due_time);
    }
}

#[tokio::test]
async fn a19_a_case_that_is_transferred_runs_by_the_hours_of_its_new_branch() {
    for place in Place::both().await {
        promise(&place).await;
        open_in(&place, &[Shift::hours(8, 14)]).await;
        // The hours are heard when a new case runs by them: 53 minutes and 20 seconds of today, the rest tomorrow.
        let due = timestamp_from_us(NOW_US + 20 * HOUR_US);
        assert_eventually(SOON, || async { written(&place).await.sla_due_time == Some(due) }).await;
        let complaint = written(&place).await;
        let request = wire::TransferComplaintRequest {
            complaint_id: complaint.complaint_id.clone(),
            branch_id: THERE.to_string(),
            reason_code: "NEARER".into(),
            ..Default::default()
        };
        let mut routing = RoutingServiceClient::new(place.way(staff("grace", BranchScope::only([HERE]), &[])));
        let moved = routing.transfer_complaint(request).await.unwrap().into_inner().complaint.unwrap();
        // London is open day and night: two hours to answer are two hours.
        assert_eq!(moved.sla_due_time, Some(timestamp_from_us(NOW_US + 2 * HOUR_US)));
        let gone = wire::GetComplaintRequest { complaint_id: complaint.complaint_id };
        assert_eq!(reason(place.agent_of(HERE).get_complaint(gone).await), "COMPLAINT_NOT_FOUND");
    }
}

#[tokio::test]
async fn clocks_are_explained_to_those_who_may_see_the_case() {
    let place = Place::new().await;
    promise(&place).await;
    let complaint = written(&place).await;
    place.house.clock.advance_us(HOUR_US);
    let explained = explain(&place, &complaint).await;
    let metrics: Vec<_> = explained.clocks.iter().map(|clock| (clock.metric(), clock.remaining_ms / HOUR_MS)).collect();
    assert_eq!(metrics, [(wire::SlaMetric::FirstResponse, 1), (wire::SlaMetric::Resolution, 7)]);
    assert_eq!((explained.policy_code.as_str(), explained.policy_version), ("STANDARD", 1));
    let part = &explained.clocks[0].intervals[0];
    assert_eq!((part.runs, part.counted_ms, part.end_time), (true, HOUR_MS, None));
    let request = wire::ExplainSlaRequest { complaint_id: complaint.complaint_id.clone() };
    let hidden = agent_of(&place, THERE).explain_sla(request).await;
    assert_eq!(reason(hidden), "COMPLAINT_NOT_FOUND");
}

#[tokio::test]
async fn a04_a_case_can_be_thought_through_before_it_comes_in() {
    let place = Place::new().await;
    let four_hours =
        wire::SlaTarget { metric: wire::SlaMetric::Resolution.into(), target_ms: 4 * HOUR_MS, around_the_clock: false };
    let policy = wire::PutSlaPolicyRequest { targets: vec![four_hours], ..standard() };
    manager(&place).put_sla_policy(policy).await.unwrap();
    open_in(&place, &[Shift::hours(8, 12), Shift::hours(13, 17)]).await;
    let at = |text: &str| Some(timestamp_from_us(text.parse::<jiff::Timestamp>().unwrap().as_microsecond()));
    let request = wire::SimulateSlaRequest {
        branch_id: HERE.to_string(),
        open_time: at("2026-11-20T16:00:00+02:00"),
        ..Default::default()
    };
    let simulate = async |request: wire::SimulateSlaRequest| {
        agent_of(&place, HERE).simulate_sla(request).await.map(tonic::Response::into_inner)
    };
    // One hour of Friday, three of Monday.
    let due = at("2026-11-23T11:00:00+02:00");
    assert_eventually(SOON, || async { simulate(request.clone()).await.unwrap().clocks[0].due_time == due }).await;
    let waits = wire::SimulateSlaRequest {
        wait_start_time: at("2026-11-20T16:30:00+02:00"),
        wait_end_time: at("2026-11-23T09:00:00+02:00"),
        as_of_time: at("2026-11-23T10:00:00+02:00"),
        ..request.clone()
    };
    let clock = simulate(waits).await.unwrap().clocks.remove(0);
    assert_eq!((clock.remaining_ms, clock.intervals.len()), (5 * HOUR_MS / 2, 3));
    let elsewhere = wire::SimulateSlaRequest { branch_id: THERE.to_string(), ..request };
    assert_eq!(reason(simulate(elsewhere).await), "BRANCH_UNKNOWN");
}

#[tokio::test]
async fn policies_are_put_read_and_listed_by_those_who_may() {
    for place in Place::both().await {
        let mut manager = manager(&place);
        let first = promise(&place).await;
        assert_eq!((first.etag.as_str(), first.warn_percent), ("1", 75));
        let urgent = wire::PutSlaPolicyRequest {
            code: "URGENT".into(),
            position: 1,
            severities: vec![wire::Severity::Critical.into()],
            branch_ids: vec![HERE.to_string()],
            ..standard()
        };
        manager.put_sla_policy(urgent.clone()).await.unwrap();
        let listed = manager.list_sla_policies(wire::ListSlaPoliciesRequest::default()).await.unwrap().into_inner();
        let codes: Vec<_> = listed.policies.iter().map(|policy| policy.code.as_str()).collect();
        assert_eq!(codes, ["URGENT", "STANDARD"]);
        let read = wire::GetSlaPolicyRequest { code: "STANDARD".into() };
        assert_eq!(manager.get_sla_policy(read).await.unwrap().into_inner().policy, Some(first));
        let missing = manager.get_sla_policy(wire::GetSlaPolicyRequest { code: "NONE".into() }).await;
        assert_eq!(reason(missing), "POLICY_NOT_FOUND");
        let stale = wire::PutSlaPolicyRequest { etag: "7".into(), ..urgent.clone() };
        assert_eq!(reason(manager.put_sla_policy(stale).await), "POLICY_VERSION_MISMATCH");
        let mut twice = urgent.clone();
        twice.targets.push(twice.targets[0]);
        assert_eq!(manager.put_sla_policy(twice).await.unwrap_err().code(), tonic::Code::InvalidArgument);
        let refused = agent_of(&place, HERE).put_sla_policy(urgent).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::PermissionDenied);
        // The graver case goes by the policy of its own, the others by the one for all.
        for (severity, code) in [(wire::Severity::Critical, "URGENT"), (wire::Severity::Low, "STANDARD")] {
            let request = wire::OpenComplaintRequest { severity: severity.into(), ..opening(HERE) };
            let opened = place.agent().open_complaint(request).await.unwrap().into_inner().complaint.unwrap();
            assert_eq!(explain(&place, &opened).await.policy_code, code);
        }
    }
}

//! Follow-ups fall due by themselves: once, with their true time, and in the list of what is to be done.

use kernel::{DAY_US, HOUR_US};
use prost::Message;
use proto::EventPayload;
use proto::karibu::ticketing::v1 as wire;
use testkit::assert_eventually;

use crate::bench::{HERE, NOW_US, Place, SOON, THERE};
use crate::story::resolved;

async fn due_events(place: &Place) -> Vec<wire::ComplaintFollowUpDue> {
    let told = place.told().await;
    let due = told.into_iter().filter(|event| event.kind == wire::ComplaintFollowUpDue::TYPE);
    due.map(|event| wire::ComplaintFollowUpDue::decode(event.payload).unwrap()).collect()
}

#[tokio::test]
async fn a_late_timer_tells_each_once_with_its_true_time() {
    for place in Place::both().await {
        let here = resolved(&place, HERE).await;
        let there = resolved(&place, THERE).await;
        place.house.clock.advance_us(30 * DAY_US);
        assert_eventually(SOON, || async { due_events(&place).await.len() == 2 }).await;
        // The timer went round again by the time that a later one is told, and told nothing twice.
        let later = resolved(&place, HERE).await;
        place.house.clock.advance_us(30 * DAY_US);
        assert_eventually(SOON, || async { due_events(&place).await.len() >= 3 }).await;
        let due = due_events(&place).await;
        assert_eq!(due.len(), 3);
        for complaint in [here, there, later] {
            let told = due.iter().find(|told| told.complaint_id == complaint.complaint_id).unwrap();
            assert_eq!(told.due_time, complaint.follow_ups[0].due_time);
        }
    }
}

#[tokio::test]
async fn the_day_and_the_hour_are_those_of_the_branch() {
    let place = Place::new().await;
    // It is 13:06:40 in Kigali and 11:06:40 in London; two days later it is ten o'clock there.
    let kigali = resolved(&place, HERE).await.follow_ups[0].due_time;
    let london = resolved(&place, THERE).await.follow_ups[0].due_time;
    let begin_us = NOW_US - NOW_US % HOUR_US;
    assert_eq!(kigali, Some(proto::timestamp_from_us(begin_us + 2 * DAY_US - 3 * HOUR_US)));
    assert_eq!(london, Some(proto::timestamp_from_us(begin_us + 2 * DAY_US - HOUR_US)));
}

#[tokio::test]
async fn what_is_to_be_done_is_listed_first_due_first() {
    for place in Place::both().await {
        let london = resolved(&place, THERE).await;
        let kigali = resolved(&place, HERE).await;
        let list = async |request: wire::ListFollowUpsRequest| {
            let reply = place.agent().list_follow_ups(request).await.unwrap().into_inner();
            reply.follow_ups.into_iter().map(|follow_up| follow_up.complaint_id).collect::<Vec<_>>()
        };
        let (first, second) = (kigali.complaint_id.clone(), london.complaint_id.clone());
        assert_eq!(list(wire::ListFollowUpsRequest::default()).await, [first.clone(), second.clone()]);
        let there = wire::ListFollowUpsRequest { branch_id: THERE.to_string(), ..Default::default() };
        assert_eq!(list(there).await, std::slice::from_ref(&second));
        let before = kigali.follow_ups[0].due_time;
        let none = wire::ListFollowUpsRequest { due_before_time: before, ..Default::default() };
        assert!(list(none).await.is_empty());
        let reopen = wire::ReopenComplaintRequest {
            complaint_id: first.clone(),
            reason_code: "CAME_BACK".into(),
            ..Default::default()
        };
        place.agent().reopen_complaint(reopen).await.unwrap();
        assert_eq!(list(wire::ListFollowUpsRequest::default()).await, [second]);
        let cancelled = wire::FollowUpState::Cancelled.into();
        let gone = wire::ListFollowUpsRequest { states: vec![cancelled], ..Default::default() };
        assert_eq!(list(gone).await, [first]);
        let mut agent = place.agent_of(THERE);
        let page = wire::ListFollowUpsRequest { states: vec![cancelled], ..Default::default() };
        assert!(agent.list_follow_ups(page).await.unwrap().into_inner().follow_ups.is_empty());
    }
}

//! Event types and their payloads.

use proto::karibu::ticketing::v1::{ComplaintFollowUpDue, ComplaintOpened};
use proto::{EventPayload, event_types};

#[test]
fn a_payload_knows_its_type() {
    assert_eq!(ComplaintFollowUpDue::TYPE, "karibu.ticketing.complaint.follow_up_due.v1");
    assert_eq!(
        (ComplaintFollowUpDue::SERVICE, ComplaintFollowUpDue::ENTITY, ComplaintFollowUpDue::EVENT),
        ("ticketing", "complaint", "follow_up_due")
    );
}

#[test]
fn a_type_knows_its_payload() {
    let kind = event_types().find(ComplaintOpened::TYPE).unwrap();
    assert_eq!(kind.payload.full_name(), "karibu.ticketing.v1.ComplaintOpened");
    assert_eq!((&*kind.service, &*kind.entity, &*kind.event), ("ticketing", "complaint", "opened"));
    assert!(event_types().find("karibu.ticketing.complaint.eaten.v1").is_none());
}

#[test]
fn the_events_of_the_mission_exist() {
    for name in ["opened", "resolved", "follow_up_due"] {
        let full_name = format!("karibu.ticketing.complaint.{name}.v1");
        assert!(event_types().find(&full_name).is_some(), "{full_name}");
    }
    assert!(event_types().iter().count() > 30, "every event of every service is listed");
}

//! Lists: newest first, filtered, in pages that miss nothing and show nothing twice while others write.

use std::collections::HashSet;

use proto::karibu::ticketing::v1 as wire;
use uuid::Uuid;

use crate::bench::{AMINA, GRACE, HERE, Place, THERE, opening, past_case, reason};

async fn list(place: &Place, request: wire::ListComplaintsRequest) -> Vec<String> {
    let reply = place.agent().list_complaints(request).await.unwrap().into_inner();
    reply.complaints.into_iter().map(|complaint| complaint.complaint_id).collect()
}

#[tokio::test]
async fn filters_narrow_the_list() {
    for place in Place::both().await {
        let first = place.open(HERE).await.complaint_id;
        place.house.clock.advance_us(1);
        let second = place.open(THERE).await.complaint_id;
        place.house.clock.advance_us(1);
        let other = wire::OpenComplaintRequest { customer_id: Uuid::from_u128(9).to_string(), ..opening(HERE) };
        let third = place.agent().open_complaint(other).await.unwrap().into_inner().complaint.unwrap();
        let (third, opened) = (third.complaint_id, third.open_time);
        let assign = wire::AssignComplaintRequest {
            complaint_id: second.clone(),
            owner_staff_id: GRACE.to_string(),
            ..Default::default()
        };
        place.agent().assign_complaint(assign).await.unwrap();
        let withdraw = wire::WithdrawComplaintRequest {
            complaint_id: first.clone(),
            statement: "Leave it.".into(),
            ..Default::default()
        };
        place.agent().withdraw_complaint(withdraw).await.unwrap();

        let all = wire::ListComplaintsRequest::default;
        assert_eq!(list(&place, all()).await, [third.clone(), second.clone(), first.clone()]);
        let withdrawn = vec![wire::ComplaintState::Withdrawn.into()];
        for (request, expected) in [
            (wire::ListComplaintsRequest { branch_id: HERE.to_string(), ..all() }, vec![&third, &first]),
            (wire::ListComplaintsRequest { customer_id: AMINA.to_string(), ..all() }, vec![&second, &first]),
            (wire::ListComplaintsRequest { owner_staff_id: GRACE.to_string(), ..all() }, vec![&second]),
            (wire::ListComplaintsRequest { states: withdrawn.clone(), ..all() }, vec![&first]),
            (wire::ListComplaintsRequest { open_start_time: opened, ..all() }, vec![&third]),
            (wire::ListComplaintsRequest { open_end_time: opened, ..all() }, vec![&second, &first]),
            (
                wire::ListComplaintsRequest {
                    branch_id: HERE.to_string(),
                    customer_id: AMINA.to_string(),
                    states: withdrawn,
                    ..all()
                },
                vec![&first],
            ),
            (
                wire::ListComplaintsRequest { owner_staff_id: GRACE.to_string(), branch_id: HERE.to_string(), ..all() },
                vec![],
            ),
        ] {
            assert_eq!(list(&place, request.clone()).await.iter().collect::<Vec<_>>(), expected, "{request:?}");
        }
        let mut agent = place.agent_of(THERE);
        let seen = agent.list_complaints(all()).await.unwrap().into_inner().complaints;
        assert_eq!(seen.iter().map(|complaint| &complaint.complaint_id).collect::<Vec<_>>(), [&second]);
    }
}

#[tokio::test]
async fn pages_are_stable_while_others_write() {
    for place in Place::both().await {
        // All of one day: only the id tells them apart.
        let complaints = (0..95).map(|n| past_case(HERE, &n.to_string())).collect();
        let import = wire::ImportComplaintsRequest { complaints, ..Default::default() };
        place.agent().import_complaints(import).await.unwrap();
        let before: HashSet<String> =
            list(&place, wire::ListComplaintsRequest { page_size: 500, ..Default::default() })
                .await
                .into_iter()
                .collect();
        assert_eq!(before.len(), 95);

        let mut seen = Vec::new();
        let mut request = wire::ListComplaintsRequest { page_size: 10, ..Default::default() };
        let mut round = 0;
        loop {
            let page = place.agent().list_complaints(request.clone()).await.unwrap().into_inner();
            seen.extend(page.complaints.into_iter().map(|complaint| complaint.complaint_id));
            if page.next_page_token.is_empty() {
                break;
            }
            round += 1;
            let late = vec![past_case(HERE, &format!("late-{round}"))];
            let import = wire::ImportComplaintsRequest { complaints: late, ..Default::default() };
            place.agent().import_complaints(import).await.unwrap();
            place.open(HERE).await;
            request.page_token = page.next_page_token;
        }
        let distinct: HashSet<String> = seen.iter().cloned().collect();
        assert_eq!(distinct.len(), seen.len(), "nothing twice");
        assert!(before.is_subset(&distinct), "nothing missed");

        let foreign = wire::ListComplaintsRequest { branch_id: HERE.to_string(), ..request };
        assert_eq!(reason(place.agent().list_complaints(foreign).await), "INVALID_ARGUMENT");
    }
}

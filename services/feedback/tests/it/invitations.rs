//! From a resolved complaint to an invitation that goes out, or does not.

use proto::karibu::feedback::v1 as wire;
use uuid::Uuid;
use wire::InvitationState::{Cancelled, Expired, Scheduled, Sent, Suppressed};

use crate::bench::{DELAY_US, HERE, Place, REGION, THERE, effort, reason};

#[tokio::test]
async fn an_invitation_goes_out_after_the_delay_and_ends() {
    for place in Place::both().await {
        let survey = place.active(effort("AFTER")).await;
        let (customer, complaint) = (Uuid::now_v7(), Uuid::now_v7());
        place.resolve(complaint, customer, HERE, 1).await;
        let scheduled = place.until(customer, Scheduled).await;
        let occasion = scheduled.occasion.clone().unwrap();
        assert_eq!((occasion.ref_id, occasion.ref_seq), (complaint.to_string(), 1));
        assert_eq!((scheduled.survey_id.as_str(), scheduled.branch_id), (survey.survey_id.as_str(), HERE.to_string()));
        let request =
            wire::CreateInvitationLinkRequest { invitation_id: scheduled.invitation_id.clone(), ..Default::default() };
        assert_eq!(reason(place.admin().create_invitation_link(request).await), "INVITATION_NOT_SENT");

        place.house.clock.advance_us(DELAY_US);
        let sent = place.until(customer, Sent).await;
        assert!(sent.send_time.is_some() && sent.expire_time.is_some());
        place.house.clock.advance_us(14 * kernel::DAY_US);
        place.until(customer, Expired).await;
        let token = place.token(&sent.invitation_id).await;
        let page = place.page(&token, "en").await;
        assert_eq!((page.state(), page.questions.len()), (wire::SurveyPageState::Expired, 0));
    }
}

#[tokio::test]
async fn reopening_calls_off_and_the_next_resolution_asks_anew() {
    let place = Place::new().await;
    place.active(effort("AFTER")).await;
    let (customer, complaint) = (Uuid::now_v7(), Uuid::now_v7());
    place.resolve(complaint, customer, HERE, 1).await;
    place.until(customer, Scheduled).await;
    place.reopen(complaint, 1).await;
    place.until(customer, Cancelled).await;
    // The same resolution told again invites nobody; a further one does.
    place.resolve(complaint, customer, HERE, 1).await;
    place.resolve(complaint, customer, HERE, 2).await;
    place.until(customer, Scheduled).await;
    assert_eq!(place.invitations(customer).await.len(), 2);
}

#[tokio::test]
async fn nobody_is_asked_while_another_complaint_is_open() {
    let place = Place::new().await;
    place.active(effort("AFTER")).await;
    let customer = Uuid::now_v7();
    place.open_complaint(Uuid::now_v7(), customer, THERE).await;
    place.resolve(Uuid::now_v7(), customer, HERE, 1).await;
    place.until(customer, Scheduled).await;
    place.house.clock.advance_us(DELAY_US);
    let suppressed = place.until(customer, Suppressed).await;
    assert_eq!(suppressed.suppress_reason(), wire::SuppressReason::OpenComplaint);
}

#[tokio::test]
async fn a_paused_survey_invites_nobody_and_one_of_a_region_invites_in_its_branches() {
    let place = Place::new().await;
    let regional = wire::CreateSurveyRequest { branch_ids: vec![REGION.to_string()], ..effort("R") };
    let survey = place.active(regional).await;
    let (first, second, third) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    place.resolve(Uuid::now_v7(), first, THERE, 1).await;
    place.resolve(Uuid::now_v7(), second, HERE, 1).await;
    place.until(second, Scheduled).await;
    assert_eq!(place.invitations(first).await, []);

    let pause = wire::PauseSurveyRequest { survey_id: survey.survey_id, ..Default::default() };
    place.admin().pause_survey(pause).await.unwrap();
    place.house.clock.advance_us(DELAY_US);
    place.until(second, Cancelled).await;
    let probe = place.active(effort("PROBE")).await;
    place.resolve(Uuid::now_v7(), third, HERE, 1).await;
    place.until(third, Scheduled).await;
    let invited: Vec<String> =
        place.invitations(third).await.into_iter().map(|invitation| invitation.survey_id).collect();
    assert_eq!(invited, [probe.survey_id]);
}

#[tokio::test]
async fn invitations_are_listed_in_pages_and_only_those_of_the_own_branches() {
    for place in Place::both().await {
        let survey = place.active(effort("AFTER")).await;
        let customers = [(); 5].map(|()| Uuid::now_v7());
        for (customer, branch) in customers.iter().zip([HERE, THERE, HERE, THERE, HERE]) {
            place.resolve(Uuid::now_v7(), *customer, branch, 1).await;
            place.until(*customer, Scheduled).await;
        }
        let mut seen = Vec::new();
        let mut request =
            wire::ListInvitationsRequest { survey_id: survey.survey_id, page_size: 2, ..Default::default() };
        loop {
            let page = place.local(&[HERE]).list_invitations(request.clone()).await.unwrap().into_inner();
            seen.extend(page.invitations);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let seen_customers: Vec<&str> = seen.iter().map(|invitation| invitation.customer_id.as_str()).collect();
        let expected = [customers[4], customers[2], customers[0]].map(|customer| customer.to_string());
        assert_eq!(seen_customers, expected);
        request.page_token = "bm90IG91cnM".into();
        assert!(place.admin().list_invitations(request).await.is_err());
        let get = wire::GetInvitationRequest { invitation_id: seen[0].invitation_id.clone() };
        assert_eq!(reason(place.local(&[THERE]).get_invitation(get.clone()).await), "INVITATION_NOT_FOUND");
        let read = place.local(&[HERE]).get_invitation(get).await.unwrap().into_inner();
        assert_eq!(read.invitation.as_ref(), Some(&seen[0]));
    }
}

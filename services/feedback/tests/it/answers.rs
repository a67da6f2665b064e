//! The page behind a link and the answers handed in there.

use proto::karibu::feedback::v1 as wire;
use tonic::Code;
use uuid::Uuid;

use crate::bench::{HERE, Place, THERE, effort, fields, number, reason, submit};

fn words(text: &str) -> wire::Answer {
    wire::Answer { question_id: "words".into(), value: Some(wire::answer::Value::Text(text.into())) }
}

#[tokio::test]
async fn a_customer_answers_once_without_a_key() {
    for place in Place::both().await {
        place.active(effort("AFTER")).await;
        let customer = Uuid::now_v7();
        let (invitation, token) = place.invited(customer, HERE).await;
        assert_eq!(token, place.token(&invitation.invitation_id).await, "the link is always the same");

        // However often the page is looked at (mail scanners do), nothing changes.
        let page = place.page(&token, "rw-RW").await;
        assert_eq!(place.page(&token, "rw-RW").await, page);
        assert_eq!((page.state(), page.locale.as_str()), (wire::SurveyPageState::Open, "rw"));
        assert_eq!(page.questions[0].text, "Why? (rw)");
        let read = wire::GetInvitationRequest { invitation_id: invitation.invitation_id.clone() };
        let unchanged = place.admin().get_invitation(read.clone()).await.unwrap().into_inner().invitation;
        assert_eq!(unchanged.as_ref(), Some(&invitation));

        let answers = vec![number("easy", 6), words("murakoze")];
        let first = place.nobody().submit_response(submit(&token, 1, answers.clone())).await.unwrap().into_inner();
        let again = place.nobody().submit_response(submit(&token, 1, answers.clone())).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!(reason(place.nobody().submit_response(submit(&token, 2, answers)).await), "SURVEY_LINK_SPENT");
        assert_eq!(place.page(&token, "en").await.state(), wire::SurveyPageState::Spent);

        let get = wire::GetResponseRequest { response_id: first.response_id.clone() };
        let response = place.admin().get_response(get.clone()).await.unwrap().into_inner().response.unwrap();
        assert_eq!((response.score, response.score_class()), (Some(6), wire::ScoreClass::Positive));
        assert_eq!((response.customer_id, response.branch_id), (customer.to_string(), HERE.to_string()));
        assert_eq!((response.locale.as_str(), response.answers.len()), ("rw", 2));
        assert_eq!(reason(place.local(&[THERE]).get_response(get).await), "RESPONSE_NOT_FOUND");
        let answered = place.admin().get_invitation(read).await.unwrap().into_inner().invitation.unwrap();
        assert_eq!(answered.state(), wire::InvitationState::Completed);
        assert_eq!(answered.complete_time, first.complete_time);

        let list = wire::ListResponsesRequest { branch_id: HERE.to_string(), ..Default::default() };
        assert_eq!(place.admin().list_responses(list.clone()).await.unwrap().into_inner().responses.len(), 1);
        assert_eq!(place.local(&[THERE]).list_responses(list).await.unwrap().into_inner().responses, []);
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_are_refused_and_spend_nothing() {
    let place = Place::new().await;
    place.active(effort("AFTER")).await;
    let (_, token) = place.invited(Uuid::now_v7(), HERE).await;
    let mut nobody = place.nobody();
    for (answers, field) in [
        (vec![], "answers"),
        (vec![number("easy", 8)], "answers[0]"),
        (vec![number("easy", 7), number("words", 1)], "answers[1]"),
        (vec![number("easy", 7), number("easy", 7)], "answers[1]"),
        (vec![number("hard", 7)], "answers[0]"),
    ] {
        assert_eq!(fields(nobody.submit_response(submit(&token, 1, answers)).await), [field]);
    }
    nobody.submit_response(submit(&token, 1, vec![number("easy", 7)])).await.unwrap();
}

#[tokio::test]
async fn a_false_link_leads_nowhere_and_a_late_one_says_so() {
    let place = Place::new().await;
    let survey = place.active(effort("AFTER")).await;
    let (_, token) = place.invited(Uuid::now_v7(), HERE).await;
    let mut nobody = place.nobody();
    let mut broken = token.clone().into_bytes();
    broken[40] = if broken[40] == b'A' { b'B' } else { b'A' };
    for wrong in [String::from_utf8(broken).unwrap(), "A".repeat(43), "0123456789abcdef".into()] {
        let page = wire::GetSurveyPageRequest { token: wrong.clone(), ..Default::default() };
        let page = nobody.get_survey_page(page).await;
        assert_eq!(page.as_ref().unwrap_err().code(), Code::NotFound);
        assert_eq!(reason(page), "SURVEY_LINK_UNKNOWN");
        let answers = vec![number("easy", 7)];
        assert_eq!(reason(nobody.submit_response(submit(&wrong, 1, answers)).await), "SURVEY_LINK_UNKNOWN");
    }
    let close = wire::CloseSurveyRequest { survey_id: survey.survey_id, ..Default::default() };
    place.admin().close_survey(close).await.unwrap();
    assert_eq!(place.page(&token, "").await.state(), wire::SurveyPageState::Closed);
    assert_eq!(reason(nobody.submit_response(submit(&token, 1, vec![number("easy", 7)])).await), "SURVEY_CLOSED");
    place.house.clock.advance_us(14 * kernel::DAY_US);
    place.active(effort("NEXT")).await;
    let (_, late) = place.invited(Uuid::now_v7(), HERE).await;
    place.house.clock.advance_us(14 * kernel::DAY_US);
    assert_eq!(reason(nobody.submit_response(submit(&late, 1, vec![number("easy", 7)])).await), "SURVEY_LINK_EXPIRED");
}

#[tokio::test]
async fn nobody_sees_anything_without_a_link() {
    let place = Place::new().await;
    let list = place.nobody().list_responses(wire::ListResponsesRequest::default()).await;
    assert_eq!(list.unwrap_err().code(), Code::PermissionDenied);
}

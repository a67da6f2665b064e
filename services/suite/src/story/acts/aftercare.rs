//! After the solution: a follow-up, a survey, and the whole story on one page.

use anyhow::{Context, ensure};
use client::{Karibu, request_id};
use kernel::{DAY_US, HOUR_US};
use proto::EventPayload;
use proto::karibu::feedback::v1 as feedback;
use proto::karibu::gateway::v1::{CustomerOverview, GetCustomerOverviewRequest};
use proto::karibu::loyalty::v1::GoodwillGranted;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::ticketing::v1::ComplaintClosed;

use super::{Telling, call, part};
use crate::story::view;

/// Days between resolution and the follow-up, with a margin for closed hours and weekends.
const FOLLOW_UP_DAYS: i64 = 4;

impl Telling<'_> {
    pub(super) async fn follow_up(&mut self, complaint: ticketing::Complaint) -> anyhow::Result<()> {
        self.narrator.act("Some days later a follow-up falls due; the customer is satisfied");
        (self.advance)(FOLLOW_UP_DAYS * DAY_US)?;
        self.narrator.aside(&format!("{FOLLOW_UP_DAYS} days pass"));
        let client = self.client.ticketing();
        let id = complaint.complaint_id;
        let due = self
            .until("the follow-up to fall due", || {
                let (mut client, request) =
                    (client.clone(), ticketing::GetComplaintRequest { complaint_id: id.clone() });
                async move {
                    let complaint = client.get_complaint(request).await?.into_inner().complaint.unwrap_or_default();
                    let due: Vec<_> = complaint
                        .follow_ups
                        .into_iter()
                        .filter(|f| f.state() == ticketing::FollowUpState::Due)
                        .collect();
                    Ok((!due.is_empty()).then_some(due))
                }
            })
            .await?;
        for follow_up in due {
            let request = ticketing::CompleteFollowUpRequest {
                request_id: request_id(),
                complaint_id: id.clone(),
                follow_up_id: follow_up.follow_up_id,
                outcome: ticketing::FollowUpOutcome::Satisfied.into(),
                note: "Ineza loved the cake.".into(),
                ..Default::default()
            };
            call!(self, ticketing.complete_follow_up, request, |_reply| "satisfied");
        }
        let request =
            ticketing::CloseComplaintRequest { request_id: request_id(), complaint_id: id, etag: String::new() };
        call!(self, ticketing.close_complaint, request, |_reply| "the complaint is closed");
        Ok(())
    }

    pub(super) async fn ask_for_feedback(&mut self, address: &str, customer: &str) -> anyhow::Result<()> {
        self.narrator.act("A survey invitation goes out and is answered");
        (self.advance)(2 * DAY_US + HOUR_US)?;
        self.narrator.aside("2 more days pass");
        let client = self.client.feedback();
        let sent = self
            .until("the invitation to go out", || {
                let request = feedback::ListInvitationsRequest {
                    customer_id: customer.into(),
                    state: feedback::InvitationState::Sent.into(),
                    ..Default::default()
                };
                let mut client = client.clone();
                async move { Ok(client.list_invitations(request).await?.into_inner().invitations.into_iter().next()) }
            })
            .await?;
        let request = feedback::CreateInvitationLinkRequest {
            request_id: request_id(),
            invitation_id: sent.invitation_id,
            etag: String::new(),
        };
        let link =
            call!(self, feedback.create_invitation_link, request, |_reply| "the notifier gets the personal link");

        // From here on it is the customer who calls, with the link and without any key.
        let key_holder = std::mem::replace(&mut self.client, Karibu::connect_publicly(address).await?);
        let answered = self.answer_survey(link.token).await;
        self.client = key_holder;
        answered?;

        let request = feedback::GetSurveyScoreRequest { survey_id: sent.survey_id, ..Default::default() };
        call!(self, feedback.get_survey_score, request, |reply| {
            let score = reply.score.clone().unwrap_or_default();
            let (value, low, high) =
                (score.value.unwrap_or(f64::NAN), score.low.unwrap_or(f64::NAN), score.high.unwrap_or(f64::NAN));
            format!("customer effort {value:.1}, 95 % interval {low:.1} to {high:.1}, {} answer", score.count)
        });
        Ok(())
    }

    async fn answer_survey(&mut self, token: String) -> anyhow::Result<()> {
        let request = feedback::GetSurveyPageRequest { token: token.clone(), locale: "en".into() };
        call!(self, feedback.get_survey_page, request, |_reply| "the customer opens the page");
        let answer = feedback::Answer { question_id: "effort".into(), value: Some(feedback::answer::Value::Number(6)) };
        let request = feedback::SubmitResponseRequest {
            request_id: request_id(),
            token,
            client_submission_id: request_id(),
            answers: vec![answer],
            locale: "en".into(),
        };
        call!(self, feedback.submit_response, request, |_reply| "6 of 7: it was easy");
        Ok(())
    }

    pub(super) async fn look_at_everything(&mut self, customer: &str) -> anyhow::Result<CustomerOverview> {
        self.narrator.act("The whole story on one page: the customer's 360° view");
        let client = self.client.overview();
        let request = GetCustomerOverviewRequest { customer_id: customer.into(), timeline_size: 100 };
        let reply = self
            .until("every service to have told the timeline", || {
                let (mut client, request) = (client.clone(), request.clone());
                async move {
                    let reply = client.get_customer_overview(request).await?.into_inner();
                    let overview = reply.overview.clone().unwrap_or_default();
                    Ok(is_settled(&overview).then_some(reply))
                }
            })
            .await?;
        ensure!(reply.unreachable.is_empty(), "these services did not answer: {:?}", reply.unreachable);
        let mut told = reply.clone();
        if let Some(overview) = &mut told.overview {
            // What different services do at one moment interleaves differently each time.
            overview.timeline.sort_by_key(|entry| {
                let mut facts: Vec<_> = entry.facts.clone().into_iter().collect();
                facts.sort();
                (entry.service.clone(), entry.event_type.clone(), facts)
            });
        }
        self.lines.add("overview.get_customer_overview", &told);
        let overview = part!(reply, overview);
        self.narrator.call("overview.get_customer_overview", "answered by every service");
        for line in view::lines(&overview) {
            self.narrator.view(&line);
        }
        Ok(overview)
    }
}

/// Whether the projections have caught up with the last act.
fn is_settled(overview: &CustomerOverview) -> bool {
    let told = |event: &str| overview.timeline.iter().any(|entry| entry.event_type == event);
    let summary = overview.summary.clone().unwrap_or_default();
    told(ComplaintClosed::TYPE)
        && told(feedback::ResponseCompleted::TYPE)
        && told(GoodwillGranted::TYPE)
        && summary.open_complaint_count == 0
        && summary.response_count == 1
}

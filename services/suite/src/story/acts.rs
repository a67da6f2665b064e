//! The acts of the story, one after the other. Each goes on only when what it needs is really there.

use anyhow::{Context, ensure};
use kernel::{DAY_US, HOUR_US};
use proto::karibu::feedback::v1 as feedback;
use proto::karibu::gateway::v1::{CustomerOverview, GetCustomerOverviewRequest};
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::profile::v1 as profile;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::types::v1::{Channel, LocalizedText, Money};
use proto::timestamp_from_us;

use super::Telling;
use client::{Karibu, patiently, request_id};

/// The name of a proto package's own event, as triggers name it.
const RESOLVED: &str = "karibu.ticketing.complaint.resolved.v1";
const REOPENED: &str = "karibu.ticketing.complaint.reopened.v1";
/// Points of goodwill that the chosen proposal promises.
const GOODWILL_POINTS: i64 = 500;
/// Days between resolution and the follow-up, with a margin for closed hours and weekends.
const FOLLOW_UP_DAYS: i64 = 4;

/// Calls the gateway, patiently, and tells what came of it.
macro_rules! call {
    ($telling:expr, $service:ident.$method:ident, $request:expr, |$reply:ident| $gist:expr) => {{
        let request = $request;
        let client = $telling.client.$service();
        let $reply = patiently(super::PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.$method(request).await }
        })
        .await
        .with_context(|| concat!(stringify!($service), ".", stringify!($method)))?
        .into_inner();
        let name = concat!(stringify!($service), ".", stringify!($method));
        $telling.lines.add(name, &$reply);
        $telling.narrator.call(name, &$gist);
        $reply
    }};
}

/// The part of an answer that must be there.
macro_rules! part {
    ($answer:expr, $field:ident) => {
        $answer.$field.context(concat!("the answer has no ", stringify!($field)))?
    };
}

/// The three branches of the business.
pub(crate) struct Branches {
    pub(crate) kimironko: String,
    pub(crate) nyamirambo: String,
    pub(crate) london: String,
}

impl Telling<'_> {
    /// All acts.
    pub(crate) async fn play(&mut self, address: &str) -> anyhow::Result<CustomerOverview> {
        let branches = self.open_business().await?;
        let customer = self.meet_customer(&branches).await?;
        self.sell(&branches, &customer).await?;
        let complaint = self.hear_complaint(&branches, &customer).await?;
        let complaint = self.solve(&customer, complaint).await?;
        self.follow_up(complaint).await?;
        self.ask_for_feedback(address, &customer).await?;
        self.look_at_everything(&customer).await
    }

    async fn branch(
        &mut self,
        code: &str,
        name: &str,
        parent: &str,
        zone: &str,
        currency: &str,
    ) -> anyhow::Result<String> {
        let kind =
            if parent.is_empty() { organization::BranchKind::Business } else { organization::BranchKind::Branch };
        let request = organization::CreateBranchRequest {
            request_id: request_id(),
            code: code.into(),
            display_name: name.into(),
            parent_branch_id: parent.into(),
            kind: kind.into(),
            time_zone: zone.into(),
            currency_code: currency.into(),
            locale: "en".into(),
        };
        let reply =
            call!(self, organization.create_branch, request, |_reply| format!("{name} ({code}, {zone}, {currency})"));
        Ok(part!(reply, branch).branch_id)
    }

    async fn open_business(&mut self) -> anyhow::Result<Branches> {
        self.narrator.act("A supermarket chain opens: two branches in Kigali, one in London");
        let business = self.branch("CHAIN", "Umurava Supermarkets", "", "Africa/Kigali", "RWF").await?;
        let kimironko = self.branch("KGL1", "Kimironko", &business, "Africa/Kigali", "RWF").await?;
        let nyamirambo = self.branch("KGL2", "Nyamirambo", &business, "Africa/Kigali", "RWF").await?;
        let london = self.branch("LON1", "Peckham", &business, "Europe/London", "GBP").await?;
        let earn =
            |currency: &str, per| loyalty::EarnRule { currency_code: currency.into(), points: 1, per_minor_units: per };
        let request = loyalty::CreateProgramRequest {
            request_id: request_id(),
            code: "UMURAVA".into(),
            display_name: "Umurava Card".into(),
            unit_label: "points".into(),
            earn_rules: vec![earn("RWF", 100), earn("GBP", 10)],
            rounding: loyalty::Rounding::Floor.into(),
            return_policy: loyalty::ReturnPolicy::Debt.into(),
            auto_enrol: true,
            goodwill_max_points: 1_000,
            default_time_zone: "Africa/Kigali".into(),
            ..Default::default()
        };
        call!(self, loyalty.create_program, request, |_reply| "1 point for each RWF 100 or GBP 0.10".to_owned());
        self.prepare_survey().await?;
        Ok(Branches { kimironko, nyamirambo, london })
    }

    async fn prepare_survey(&mut self) -> anyhow::Result<()> {
        let text = |text: &str| vec![LocalizedText { locale: "en".into(), text: text.into() }];
        let effort = feedback::Question {
            question_id: "effort".into(),
            r#type: feedback::QuestionType::Scale.into(),
            text: text("Umurava made it easy to have my complaint handled."),
            required: true,
            scale_min: 1,
            scale_max: 7,
            low_label: text("strongly disagree"),
            high_label: text("strongly agree"),
            choices: Vec::new(),
        };
        let trigger = feedback::TriggerRule {
            event_type: RESOLVED.into(),
            delay: Some(prost_types::Duration { seconds: 5 * 24 * 3_600, nanos: 0 }),
            cancel_on_event_types: vec![REOPENED.into()],
        };
        let request = feedback::CreateSurveyRequest {
            request_id: request_id(),
            code: "AFTERCARE".into(),
            display_name: "After care".into(),
            kind: feedback::SurveyKind::Ces.into(),
            locales: vec!["en".into()],
            questions: vec![effort],
            trigger: Some(trigger),
            ..Default::default()
        };
        let survey =
            call!(self, feedback.create_survey, request, |_reply| "customer effort, 5 days after a resolution"
                .to_owned());
        let survey_id = part!(survey, survey).survey_id;
        let request = feedback::ActivateSurveyRequest { request_id: request_id(), survey_id, etag: String::new() };
        call!(self, feedback.activate_survey, request, |_reply| "the survey is live".to_owned());
        Ok(())
    }

    async fn meet_customer(&mut self, branches: &Branches) -> anyhow::Result<String> {
        self.narrator.act("A visitor becomes a customer");
        let request = profile::RecordVisitRequest {
            request_id: request_id(),
            branch_id: branches.kimironko.clone(),
            channel: Channel::InPerson.into(),
            touchpoint_code: "entrance".into(),
            ..Default::default()
        };
        let visit =
            call!(self, profile.record_visit, request, |_reply| "somebody looks around in Kimironko".to_owned());
        let visitor = part!(visit, customer);
        let identifier = |kind: profile::IdentifierType, value: &str| profile::Identifier {
            r#type: kind.into(),
            value: value.into(),
            issuer: String::new(),
        };
        let request = profile::IdentifyCustomerRequest {
            request_id: request_id(),
            customer_id: visitor.customer_id.clone(),
            kind: profile::CustomerKind::Person.into(),
            preferred_name: "Keza Uwase".into(),
            identifiers: vec![identifier(profile::IdentifierType::Phone, "+250788000111")],
            locale: "rw".into(),
            ..Default::default()
        };
        call!(self, profile.identify_customer, request, |_reply| "the visitor is Keza Uwase".to_owned());
        Ok(visitor.customer_id)
    }

    async fn sell(&mut self, branches: &Branches, customer: &str) -> anyhow::Result<()> {
        self.narrator.act("Purchases are recorded and earn points");
        self.purchase(&branches.kimironko, customer, "RWF", "K-1001", &[("BREAD", 2, 1_200), ("COFFEE", 1, 6_500)])
            .await?;
        self.purchase(&branches.nyamirambo, customer, "RWF", "N-2001", &[("CAKE", 1, 15_000)]).await?;
        self.purchase(&branches.london, customer, "GBP", "L-3001", &[("TEA", 3, 450)]).await?;
        // 89 + 150 points in Kigali (RWF 100 each, rounded down by purchase), 135 in London.
        self.await_points(customer, 89 + 150 + 135).await?;
        Ok(())
    }

    async fn purchase(
        &mut self,
        branch: &str,
        customer: &str,
        currency: &str,
        receipt: &str,
        lines: &[(&str, i64, i64)],
    ) -> anyhow::Result<()> {
        let lines = lines.iter().map(|(sku, quantity, amount)| profile::PurchaseLine {
            sku: (*sku).into(),
            description: sku.to_lowercase(),
            quantity: *quantity,
            unit_amount_minor: *amount,
            earns: true,
            ..Default::default()
        });
        let now = jiff::Timestamp::now().as_microsecond();
        let purchase = profile::PurchaseInput {
            source_system: "till".into(),
            source_ref: receipt.into(),
            branch_id: branch.into(),
            customer: Some(profile::purchase_input::Customer::CustomerId(customer.into())),
            kind: profile::PurchaseKind::Sale.into(),
            occur_time: Some(timestamp_from_us(now)),
            currency_code: currency.into(),
            lines: lines.collect(),
            ..Default::default()
        };
        let request = profile::RecordPurchaseRequest { request_id: request_id(), purchase: Some(purchase) };
        call!(self, profile.record_purchase, request, |reply| {
            let total = reply.purchase.as_ref().and_then(|purchase| purchase.total.clone());
            format!("receipt {receipt}: {}", show(total))
        });
        Ok(())
    }

    async fn await_points(&mut self, customer: &str, points: i64) -> anyhow::Result<loyalty::Account> {
        let client = self.client.loyalty();
        let request = loyalty::FindAccountRequest { customer_id: customer.into(), ..Default::default() };
        let account = self
            .until(&format!("{points} points"), || {
                let (mut client, request) = (client.clone(), request.clone());
                async move {
                    let account = client.find_account(request).await?.into_inner().account;
                    let has = |a: &loyalty::Account| a.balances.as_ref().is_some_and(|b| b.available == points);
                    Ok(account.filter(has))
                }
            })
            .await?;
        self.lines.add("loyalty.find_account", &account);
        self.narrator.call("loyalty.find_account", &format!("{points} points on card {}", account.card_number));
        Ok(account)
    }

    async fn hear_complaint(&mut self, branches: &Branches, customer: &str) -> anyhow::Result<ticketing::Complaint> {
        self.narrator.act("The customer complains about a wrong item, and is heard");
        let agent = organization::CreateStaffMemberRequest {
            request_id: request_id(),
            display_name: "Aline, customer care".into(),
            role_grants: vec![organization::RoleGrant {
                role: "agent".into(),
                all_branches: false,
                branch_ids: vec![branches.nyamirambo.clone()],
            }],
            home_branch_id: branches.nyamirambo.clone(),
        };
        let agent =
            call!(self, organization.create_staff_member, agent, |_reply| "Aline works in Nyamirambo".to_owned());
        let agent = part!(agent, staff_member).staff_member_id;
        let request = ticketing::OpenComplaintRequest {
            request_id: request_id(),
            branch_id: branches.nyamirambo.clone(),
            customer_id: customer.into(),
            channel: Channel::Phone.into(),
            category_code: "wrong-item".into(),
            severity: ticketing::Severity::Medium.into(),
            subject: "The cake has the wrong name on it".into(),
            narrative: "I ordered a cake for my daughter Ineza. The name on it is Inez.".into(),
            ..Default::default()
        };
        let opened = call!(self, ticketing.open_complaint, request, |reply| {
            format!("complaint {}", reply.complaint.as_ref().map_or("", |c| &c.number))
        });
        let id = part!(opened, complaint).complaint_id;
        let request = ticketing::AcknowledgeComplaintRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            channel: Channel::Phone.into(),
            message: "Thank you for telling us. My name is Aline, I look after this.".into(),
            ..Default::default()
        };
        call!(self, ticketing.acknowledge_complaint, request, |_reply| "acknowledged, with a name to turn to"
            .to_owned());
        let request = ticketing::ConfirmUnderstandingRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            paraphrase: "The cake should say Ineza but says Inez, and the party is tomorrow.".into(),
            confirmed: true,
            desired_outcome: "A cake with the right name, tomorrow morning".into(),
            category_code: "wrong-item".into(),
            severity: ticketing::Severity::High.into(),
            apologized: true,
            ..Default::default()
        };
        call!(self, ticketing.confirm_understanding, request, |_reply| "the customer confirms the paraphrase"
            .to_owned());
        let request = ticketing::AssignComplaintRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            owner_staff_id: agent,
            ..Default::default()
        };
        let assigned = call!(self, ticketing.assign_complaint, request, |_reply| "Aline owns it".to_owned());
        Ok(part!(assigned, complaint))
    }

    async fn solve(&mut self, customer: &str, complaint: ticketing::Complaint) -> anyhow::Result<ticketing::Complaint> {
        self.narrator.act("A cause is found, two solutions are proposed, the customer chooses");
        let id = complaint.complaint_id;
        let request = ticketing::StartInvestigationRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            ..Default::default()
        };
        call!(self, ticketing.start_investigation, request, |_reply| "the order form is looked up".to_owned());
        let request = ticketing::RecordFindingRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            summary: "The name was read off a smudged order form.".into(),
            cause_code: "handwritten-order".into(),
            fact_status: ticketing::FactStatus::Established.into(),
            evidence_refs: vec!["order-form-2001".into()],
            ..Default::default()
        };
        call!(self, ticketing.record_finding, request, |_reply| "cause: a handwritten order form".to_owned());
        let chosen = self.propose(&id).await?;
        let request = ticketing::ChooseProposalRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            proposal_id: chosen,
            chosen_by: ticketing::ChoiceMaker::Customer.into(),
            ..Default::default()
        };
        let reply = call!(self, ticketing.choose_proposal, request, |_reply| "a new cake and 500 points".to_owned());
        for promise in part!(reply, complaint).promises {
            let request = ticketing::KeepPromiseRequest {
                request_id: request_id(),
                complaint_id: id.clone(),
                promise_id: promise.promise_id,
                proof_ref: "delivery-77".into(),
                ..Default::default()
            };
            call!(self, ticketing.keep_promise, request, |_reply| "the new cake was delivered".to_owned());
        }
        self.await_goodwill(customer, &id).await?;
        let request = ticketing::ResolveComplaintRequest {
            request_id: request_id(),
            complaint_id: id,
            decision: ticketing::Decision::Upheld.into(),
            decision_reason: "We wrote the wrong name.".into(),
            root_cause_code: "handwritten-order".into(),
            anything_else_asked: true,
            ..Default::default()
        };
        let resolved =
            call!(self, ticketing.resolve_complaint, request, |_reply| "upheld; nothing else is wanted".to_owned());
        Ok(part!(resolved, complaint))
    }

    async fn propose(&mut self, id: &str) -> anyhow::Result<String> {
        let replacement = ticketing::ProposalInput {
            kind: ticketing::ProposalKind::Replacement.into(),
            description: "A new cake by nine tomorrow morning, and 500 points".into(),
            cost: Some(Money { currency_code: "RWF".into(), minor_units: 15_000 }),
            compensation: Some(ticketing::CompensationTerms {
                kind: ticketing::CompensationKind::Points.into(),
                value: Some(ticketing::compensation_terms::Value::Points(GOODWILL_POINTS)),
            }),
            fulfil_by_time: None,
        };
        let refund = ticketing::ProposalInput {
            kind: ticketing::ProposalKind::Refund.into(),
            description: "The price of the cake back".into(),
            cost: Some(Money { currency_code: "RWF".into(), minor_units: 15_000 }),
            ..Default::default()
        };
        let request = ticketing::OfferProposalsRequest {
            request_id: request_id(),
            complaint_id: id.into(),
            proposals: vec![replacement, refund],
            ..Default::default()
        };
        let offered =
            call!(self, ticketing.offer_proposals, request, |_reply| "a new cake and points, or the money back"
                .to_owned());
        let sets = part!(offered, complaint).proposal_sets;
        let first = sets.last().and_then(|set| set.proposals.first()).context("no proposal was offered")?;
        Ok(first.proposal_id.clone())
    }

    /// The points arrive, and they arrive once.
    async fn await_goodwill(&mut self, customer: &str, id: &str) -> anyhow::Result<()> {
        let account = self.await_points(customer, 89 + 150 + 135 + GOODWILL_POINTS).await?;
        let client = self.client.ticketing();
        self.until("the compensation to be issued", || {
            let (mut client, request) = (client.clone(), ticketing::GetComplaintRequest { complaint_id: id.into() });
            async move {
                let complaint = client.get_complaint(request).await?.into_inner().complaint.unwrap_or_default();
                let issued = ticketing::CompensationState::Issued;
                Ok(complaint.compensations.iter().all(|c| c.state() == issued).then_some(()))
            }
        })
        .await?;
        let request = loyalty::ListLedgerEntriesRequest { account_id: account.account_id, ..Default::default() };
        let entries =
            call!(self, loyalty.list_ledger_entries, request, |reply| format!("{} entries", reply.entries.len()));
        let goodwill = entries.entries.iter().filter(|entry| entry.kind() == loyalty::EntryKind::Goodwill);
        let points: Vec<i64> = goodwill.map(|entry| entry.points).collect();
        ensure!(points == [GOODWILL_POINTS], "the goodwill must arrive exactly once, not as {points:?}");
        Ok(())
    }

    async fn follow_up(&mut self, complaint: ticketing::Complaint) -> anyhow::Result<()> {
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
            call!(self, ticketing.complete_follow_up, request, |_reply| "satisfied".to_owned());
        }
        let request =
            ticketing::CloseComplaintRequest { request_id: request_id(), complaint_id: id, etag: String::new() };
        call!(self, ticketing.close_complaint, request, |_reply| "the complaint is closed".to_owned());
        Ok(())
    }

    async fn ask_for_feedback(&mut self, address: &str, customer: &str) -> anyhow::Result<()> {
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
        let request =
            feedback::CreateInvitationLinkRequest { request_id: request_id(), invitation_id: sent.invitation_id };
        let link =
            call!(self, feedback.create_invitation_link, request, |_reply| "the notifier gets the personal link"
                .to_owned());

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
        call!(self, feedback.get_survey_page, request, |_reply| "the customer opens the page".to_owned());
        let answer = feedback::Answer { question_id: "effort".into(), value: Some(feedback::answer::Value::Number(6)) };
        let request = feedback::SubmitResponseRequest {
            request_id: request_id(),
            token,
            client_submission_id: request_id(),
            answers: vec![answer],
            locale: "en".into(),
        };
        call!(self, feedback.submit_response, request, |_reply| "6 of 7: it was easy".to_owned());
        Ok(())
    }

    async fn look_at_everything(&mut self, customer: &str) -> anyhow::Result<CustomerOverview> {
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
        self.lines.add("overview.get_customer_overview", &reply);
        let overview = part!(reply, overview);
        self.narrator.call("overview.get_customer_overview", "answered by every service");
        for line in super::view::lines(&overview) {
            self.narrator.view(&line);
        }
        Ok(overview)
    }
}

/// Whether the projections have caught up with the last act.
fn is_settled(overview: &CustomerOverview) -> bool {
    let told = |event: &str| overview.timeline.iter().any(|entry| entry.event_type == event);
    let summary = overview.summary.clone().unwrap_or_default();
    told("karibu.ticketing.complaint.closed.v1")
        && told("karibu.feedback.response.completed.v1")
        && told("karibu.loyalty.goodwill.granted.v1")
        && summary.open_complaint_count == 0
        && summary.response_count == 1
}

fn show(money: Option<Money>) -> String {
    money
        .and_then(|m| Some(kernel::Money::new(m.currency_code.parse().ok()?, m.minor_units).to_string()))
        .unwrap_or_default()
}

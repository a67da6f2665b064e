//! The complaint: heard, understood, looked into, and solved as the customer chooses.

use anyhow::{Context, ensure};
use client::request_id;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::types::v1::{Channel, Money};

use super::{Branches, Telling, call, part};

/// Points of goodwill that the chosen proposal promises.
const GOODWILL_POINTS: i64 = 500;

impl Telling<'_> {
    pub(super) async fn hear_complaint(
        &mut self,
        branches: &Branches,
        customer: &str,
    ) -> anyhow::Result<ticketing::Complaint> {
        self.narrator.act("The customer complains about a wrong item, and is heard");
        let agent = self.hire(branches).await?;
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
        call!(self, ticketing.acknowledge_complaint, request, |_reply| "acknowledged, with a name to turn to");
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
        call!(self, ticketing.confirm_understanding, request, |_reply| "the customer confirms the paraphrase");
        let request = ticketing::AssignComplaintRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            owner_staff_id: agent,
            ..Default::default()
        };
        let assigned = call!(self, ticketing.assign_complaint, request, |_reply| "Aline owns it");
        Ok(part!(assigned, complaint))
    }

    async fn hire(&mut self, branches: &Branches) -> anyhow::Result<String> {
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
        let agent = call!(self, organization.create_staff_member, agent, |_reply| "Aline works in Nyamirambo");
        Ok(part!(agent, staff_member).staff_member_id)
    }

    pub(super) async fn solve(
        &mut self,
        customer: &str,
        complaint: ticketing::Complaint,
    ) -> anyhow::Result<ticketing::Complaint> {
        self.narrator.act("A cause is found, two solutions are proposed, the customer chooses");
        let id = complaint.complaint_id;
        let request = ticketing::StartInvestigationRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            ..Default::default()
        };
        call!(self, ticketing.start_investigation, request, |_reply| "the order form is looked up");
        let request = ticketing::RecordFindingRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            summary: "The name was read off a smudged order form.".into(),
            cause_code: "handwritten-order".into(),
            fact_status: ticketing::FactStatus::Established.into(),
            evidence_refs: vec!["order-form-2001".into()],
            ..Default::default()
        };
        call!(self, ticketing.record_finding, request, |_reply| "cause: a handwritten order form");
        let chosen = self.propose(&id).await?;
        let request = ticketing::ChooseProposalRequest {
            request_id: request_id(),
            complaint_id: id.clone(),
            proposal_id: chosen,
            chosen_by: ticketing::ChoiceMaker::Customer.into(),
            ..Default::default()
        };
        let reply = call!(self, ticketing.choose_proposal, request, |_reply| "a new cake and 500 points");
        // Loyalty gives the points on its own time; the answers that follow say since when.
        self.until("the points to be given", || {
            let mut client = self.client.ticketing();
            let request = ticketing::GetComplaintRequest { complaint_id: id.clone() };
            async move {
                let complaint = client.get_complaint(request).await?.into_inner().complaint.unwrap_or_default();
                Ok(complaint.compensations.iter().all(|given| given.issue_time.is_some()).then_some(()))
            }
        })
        .await?;
        for promise in part!(reply, complaint).promises {
            let request = ticketing::KeepPromiseRequest {
                request_id: request_id(),
                complaint_id: id.clone(),
                promise_id: promise.promise_id,
                proof_ref: "delivery-77".into(),
                ..Default::default()
            };
            call!(self, ticketing.keep_promise, request, |_reply| "the new cake was delivered");
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
        let resolved = call!(self, ticketing.resolve_complaint, request, |_reply| "upheld; nothing else is wanted");
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
            call!(self, ticketing.offer_proposals, request, |_reply| "a new cake and points, or the money back");
        let sets = part!(offered, complaint).proposal_sets;
        let first = sets.last().and_then(|set| set.proposals.first()).context("no proposal was offered")?;
        Ok(first.proposal_id.clone())
    }

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
}

//! What is left of a complaint when its customer is erased: what happened, when, at what cost and why, in codes. Every
//! word that was said goes.

use super::care::{Care, Clarification};
use super::complaint::{Complaint, Reopening, Resolution, Story};
use super::follow_up::FollowUp;
use super::promise::Promise;
use super::proposal::{ProposalSet, SetState};

impl Complaint {
    /// Takes every word out of the complaint; its codes, times and amounts stay for statistics.
    pub fn erase(&mut self, now_us: i64) {
        // Named one by one, so that whoever adds a field decides whether it holds words.
        let Story {
            waiting_on: _,
            severity: _,
            subject,
            narrative,
            desired_outcome,
            category: _,
            touchpoint: _,
            purchases: _,
            acknowledged_at_us: _,
            understanding,
            class: _,
            care,
            routing,
            merge,
            absorbed: _,
            received_at_us: _,
            recused: _,
            links: _,
            findings,
            proposal_sets,
            promises,
            compensations: _,
            follow_ups: _,
            resolution,
            resolution_count: _,
            reopenings,
            closed_at_us: _,
            interaction_count: _,
            sla: _,
            origin: _,
            erased_at_us,
        } = &mut self.story;
        subject.clear();
        narrative.clear();
        (*desired_outcome, *understanding) = (None, None);
        erase_care(care);
        routing.needs.preferred.clear();
        if let Some(merge) = merge {
            merge.reason.clear();
        }
        for finding in findings {
            finding.summary.clear();
            finding.evidence.clear();
        }
        proposal_sets.iter_mut().for_each(erase_set);
        for Promise { text, state, .. } in promises {
            text.clear();
            state.forget_proof();
        }
        if let Some(Resolution { reason, anything_else, .. }) = resolution {
            reason.clear();
            anything_else.clear();
        }
        for Reopening { reason, .. } in reopenings {
            reason.clear();
        }
        *erased_at_us = Some(now_us);
        self.updated_at_us = now_us;
    }
}

fn erase_care(care: &mut Care) {
    let Care {
        clarifications,
        empathies,
        apologies: _,
        unapologized_reason,
        no_outcome_desired: _,
        evidence,
        impact: _,
    } = care;
    for Clarification { question, answer, .. } in clarifications {
        question.clear();
        if let Some((words, _)) = answer {
            words.clear();
        }
    }
    empathies.iter_mut().for_each(|empathy| empathy.words.clear());
    evidence.iter_mut().for_each(|item| item.reference.clear());
    *unapologized_reason = None;
}

fn erase_set(set: &mut ProposalSet) {
    for proposal in &mut set.proposals {
        proposal.description.clear();
    }
    match &mut set.state {
        SetState::Chosen(choice) => choice.consent_note.clear(),
        SetState::Countered { wish, .. } => wish.clear(),
        _ => {}
    }
}

impl FollowUp {
    /// Takes the words out of the follow-up.
    pub fn erase(&mut self) {
        self.note.clear();
    }
}

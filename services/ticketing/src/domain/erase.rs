//! What is left of a complaint when its customer is erased: what happened, when, at what cost and why, in codes. Every
//! word that was said goes.

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
            apologized: _,
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
            origin: _,
            erased_at_us,
        } = &mut self.story;
        subject.clear();
        narrative.clear();
        (*desired_outcome, *understanding) = (None, None);
        for finding in findings {
            finding.summary.clear();
            finding.evidence.clear();
        }
        proposal_sets.iter_mut().for_each(erase_set);
        for Promise { text, state, .. } in promises {
            text.clear();
            state.forget_proof();
        }
        if let Some(Resolution { reason, .. }) = resolution {
            reason.clear();
        }
        for Reopening { reason, .. } in reopenings {
            reason.clear();
        }
        *erased_at_us = Some(now_us);
        self.updated_at_us = now_us;
    }
}

fn erase_set(set: &mut ProposalSet) {
    for proposal in &mut set.proposals {
        proposal.description.clear();
    }
    if let SetState::Chosen(choice) = &mut set.state {
        choice.consent_note.clear();
    }
}

impl FollowUp {
    /// Takes the words out of the follow-up.
    pub fn erase(&mut self) {
        self.note.clear();
    }
}

//! Erase: a customer asked to be forgotten. The key of what was said goes at once; the complaints are rewritten a few
//! at a time, so that no transaction grows with the life of a customer.

use commit::Verb;
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::{ComplaintId, Cx, Desk, Outcome};

/// The profile says that a customer is erased.
#[derive(Clone, Debug)]
pub struct BeginErasure {
    /// Who.
    pub customer: Uuid,
    /// The id of the erasure.
    pub erasure: Uuid,
}

impl Verb<Ticketing> for BeginErasure {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let gone = desk.keys.destroy(self.customer, cx.now_us);
        desk.erasures.begin(self.customer, self.erasure, cx.now_us)?;
        Ok(gone?)
    }
}

/// Some complaints of an erased customer lose their words.
#[derive(Clone, Debug)]
pub struct EraseComplaints {
    /// Who.
    pub customer: Uuid,
    /// Which.
    pub complaints: Vec<ComplaintId>,
    /// No other is left.
    pub last: bool,
}

impl Verb<Ticketing> for EraseComplaints {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        // All are asked for before one is missed.
        let missing = self.complaints.iter().filter(|id| desk.complaints.get(**id).is_err()).count();
        if missing > 0 {
            return Err(commit::Stop::Missing);
        }
        for id in &self.complaints {
            let Some(complaint) = desk.complaints.edit(*id)? else { continue };
            complaint.erase(cx.now_us);
            for follow_up in complaint.story.follow_ups.clone() {
                if let Some(follow_up) = desk.follow_ups.edit(follow_up)? {
                    follow_up.erase();
                }
            }
        }
        Ok(desk.erasures.go_on(self.customer, self.complaints.len(), self.last, cx.now_us)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::Refusal;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, words};

    #[test]
    fn an_erased_complaint_keeps_its_codes_and_loses_its_words() {
        let (mut stage, case) = Stage::at(State::Resolved);
        stage.edit(&case, |complaint| {
            complaint.story.narrative = "CANARY".to_owned();
            complaint.story.subject = "CANARY".to_owned();
        });
        let customer = Uuid::from_u128(5);
        stage.play(&BeginErasure { customer, erasure: Uuid::from_u128(6) }).unwrap();
        stage.play(&EraseComplaints { customer, complaints: vec![case.complaint], last: true }).unwrap();
        let mut seen = None;
        stage.edit(&case, |complaint| seen = Some(complaint.clone()));
        let complaint = seen.unwrap();
        let text = format!("{complaint:?}");
        assert!(!text.contains("CANARY") && complaint.story.erased_at_us.is_some(), "{text}");
        assert_eq!(complaint.state, State::Resolved);
        assert!(complaint.story.resolution.is_some_and(|resolution| resolution.reason.is_empty()));
        assert_eq!(stage.play(&words(case)).unwrap_err(), Refusal::CustomerErased);
    }
}

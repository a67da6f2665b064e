//! Add evidence, record impact: what shows what happened, and what it means for the customer.

use commit::Verb;

use crate::Ticketing;
use crate::domain::care::{EvidenceItem, EvidenceKind, Impact};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, EvidenceId, Outcome};

/// This shows it.
#[derive(Clone, Debug)]
pub struct AddEvidence {
    /// The complaint.
    pub case: Case,
    /// What it is.
    pub kind: EvidenceKind,
    /// Where it is kept, or its number there.
    pub reference: String,
    /// SHA-256 of its content in hexadecimal digits, if known.
    pub sha256: Option<String>,
}

impl Verb<Ticketing> for AddEvidence {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::AddEvidence)?;

        let evidence = EvidenceId(cx.new_id());
        complaint.story.care.evidence.push(EvidenceItem {
            id: evidence,
            kind: self.kind,
            reference: self.reference.clone(),
            sha256: self.sha256.clone(),
            by: cx.by.to_owned(),
            at_us: cx.now_us,
        });
        let event = Event::EvidenceAdded { complaint: complaint.id, evidence, kind: self.kind };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

/// This is what it means for the customer.
#[derive(Clone, Debug)]
pub struct RecordImpact {
    /// The complaint.
    pub case: Case,
    /// What it means.
    pub impact: Impact,
}

impl Verb<Ticketing> for RecordImpact {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::RecordImpact)?;

        let severity = self.impact.severity(complaint.story.severity);
        complaint.story.severity = severity;
        let Impact { occasion, safety, vulnerable, repeat_of, .. } = self.impact;
        complaint.story.care.impact = Some(self.impact.clone());
        let event =
            Event::ImpactRecorded { complaint: complaint.id, severity, occasion, safety, vulnerable, repeat_of };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::class::Priority;
    use crate::domain::complaint::Severity;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, finding};
    use crate::domain::verbs::RecordFinding;

    #[test]
    fn danger_makes_it_critical_and_urgent_and_that_stays() {
        let (mut stage, case) = Stage::at(State::Received);
        let impact = Impact { safety: true, ..Impact::default() };
        let story = stage.play(&RecordImpact { case: case.clone(), impact }).unwrap().complaint.story;
        assert_eq!((story.severity, story.priority()), (Severity::Critical, Priority::Urgent));
        let story = stage.play(&RecordImpact { case, impact: Impact::default() }).unwrap().complaint.story;
        assert_eq!(story.severity, Severity::Critical);
    }

    #[test]
    fn evidence_on_file_shows_what_was_found_out() {
        let (mut stage, case) = Stage::at(State::Investigating);
        let reference = "till roll 7".to_owned();
        let verb = AddEvidence { case: case.clone(), kind: EvidenceKind::Order, reference, sha256: None };
        stage.play(&verb).unwrap();
        let verb = RecordFinding { evidence: Vec::new(), ..finding(case) };
        assert_eq!(stage.play(&verb).unwrap().complaint.state, State::Proposing);
    }
}

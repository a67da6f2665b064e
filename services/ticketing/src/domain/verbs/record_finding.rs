//! Record finding: what was found out is put on record. More findings may follow while solutions are
//! looked for.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::finding::{FactStatus, Finding};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, FindingId, Outcome, Refusal};

/// This was found out.
#[derive(Clone, Debug)]
pub struct RecordFinding {
    /// The complaint.
    pub case: Case,
    /// What was found, in words.
    pub summary: String,
    /// Code of the cause.
    pub cause: Option<String>,
    /// How sure it is.
    pub status: FactStatus,
    /// References to the evidence.
    pub evidence: Vec<String>,
}

impl Verb<Ticketing> for RecordFinding {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::RecordFinding)?;
        ensure!(self.cause.is_some() || self.status == FactStatus::Undetermined, Refusal::CauseNeeded);
        let shown = !self.evidence.is_empty() || !complaint.story.care.evidence.is_empty();
        ensure!(shown || self.status == FactStatus::Undetermined, Refusal::EvidenceNeeded);

        let finding = FindingId(cx.new_id());
        complaint.story.findings.push(Finding {
            id: finding,
            summary: self.summary.clone(),
            cause: self.cause.clone(),
            status: self.status,
            evidence: self.evidence.clone(),
            recorded_by: cx.by.to_owned(),
            recorded_at_us: cx.now_us,
        });
        let event =
            Event::FindingRecorded { complaint: complaint.id, finding, cause: self.cause.clone(), status: self.status };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, finding};

    #[test]
    fn only_what_could_not_be_found_out_has_no_cause() {
        for status in FactStatus::ALL {
            let (mut stage, case) = Stage::at(State::Investigating);
            let verb = RecordFinding { cause: None, status: *status, ..finding(case) };
            assert_eq!(stage.play(&verb).is_ok(), *status == FactStatus::Undetermined, "{status:?}");
        }
    }

    #[test]
    fn something_shows_what_was_found_out() {
        for (status, refusal) in
            [(FactStatus::Probable, Some(Refusal::EvidenceNeeded)), (FactStatus::Undetermined, None)]
        {
            let (mut stage, case) = Stage::at(State::Investigating);
            let verb = RecordFinding { evidence: Vec::new(), status, ..finding(case) };
            assert_eq!(stage.play(&verb).err(), refusal);
        }
    }

    #[test]
    fn a_second_finding_joins_the_first() {
        let (mut stage, case) = Stage::at(State::Proposing);
        let complaint = stage.play(&finding(case)).unwrap().complaint;
        assert_eq!((complaint.state, complaint.story.findings.len()), (State::Proposing, 2));
    }
}

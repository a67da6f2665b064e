//! Confirm understanding: our words for the complaint are put on record, confirmed by the customer or with
//! the reason why not.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::care::Apology;
use crate::domain::complaint::{Severity, Understanding};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// This is what we understood.
#[derive(Clone, Debug)]
pub struct ConfirmUnderstanding {
    /// The complaint.
    pub case: Case,
    /// Our words for it.
    pub paraphrase: String,
    /// The customer confirmed them.
    pub confirmed: bool,
    /// Why not, otherwise.
    pub unconfirmed_reason: String,
    /// What the customer wants; `None` keeps what stands.
    pub desired_outcome: Option<String>,
    /// Code of what it is about; `None` keeps what stands.
    pub category: Option<String>,
    /// How bad it is; `None` keeps what stands.
    pub severity: Option<Severity>,
    /// The customer was asked, and wants nothing in particular.
    pub no_outcome_desired: bool,
    /// An apology was made.
    pub apologized: bool,
    /// Why nobody apologized.
    pub unapologized_reason: Option<String>,
}

impl Verb<Ticketing> for ConfirmUnderstanding {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::ConfirmUnderstanding)?;
        ensure!(self.confirmed || !self.unconfirmed_reason.is_empty(), Refusal::ReasonNeeded);
        let story = &mut complaint.story;
        let Some(category) = self.category.clone().or_else(|| story.category.clone()) else {
            refuse!(Refusal::CategoryNeeded)
        };
        let sorry = self.apologized || !story.care.apologies.is_empty() || self.unapologized_reason.is_some();
        ensure!(sorry, Refusal::ApologyNeeded);
        let desired = self.desired_outcome.clone().or_else(|| story.desired_outcome.clone());
        ensure!(desired.is_some() || self.no_outcome_desired, Refusal::DesiredOutcomeNeeded);

        story.category = Some(category.clone());
        story.severity = self.severity.unwrap_or(story.severity);
        story.care.no_outcome_desired = desired.is_none();
        story.desired_outcome = desired;
        story.care.unapologized_reason.clone_from(&self.unapologized_reason);
        story.understanding = Some(Understanding {
            paraphrase: self.paraphrase.clone(),
            unconfirmed_reason: (!self.confirmed).then(|| self.unconfirmed_reason.clone()),
        });
        let event = Event::Understood {
            complaint: complaint.id,
            confirmed: self.confirmed,
            category,
            severity: story.severity,
            apologized: self.apologized || !story.care.apologies.is_empty(),
        };
        complaint.step(next, event, &mut desk.history, cx);
        if self.apologized {
            let channel = complaint.channel;
            Apology { channel, wording: None, admits_liability: false, by: cx.by.to_owned(), at_us: cx.now_us }.record(
                complaint,
                &mut desk.history,
                cx,
            );
        }
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, understanding};

    #[test]
    fn words_that_were_not_confirmed_need_a_reason() {
        let (mut stage, case) = Stage::at(State::Acknowledged);
        let verb = ConfirmUnderstanding { confirmed: false, ..understanding(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ReasonNeeded);
        let verb = ConfirmUnderstanding { unconfirmed_reason: "could not be reached".to_owned(), ..verb };
        let story = stage.play(&verb).unwrap().complaint.story;
        assert_eq!(story.understanding.unwrap().unconfirmed_reason.unwrap(), "could not be reached");
    }

    #[test]
    fn it_must_be_known_what_the_complaint_is_about() {
        let (mut stage, case) = Stage::at(State::Acknowledged);
        let verb = ConfirmUnderstanding { category: None, ..understanding(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::CategoryNeeded);
    }

    #[test]
    fn somebody_is_sorry_or_says_why_not_and_admits_nothing() {
        let (mut stage, case) = Stage::at(State::Acknowledged);
        let verb = ConfirmUnderstanding { apologized: false, ..understanding(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ApologyNeeded);
        let reasoned = ConfirmUnderstanding { unapologized_reason: Some("only a question".to_owned()), ..verb.clone() };
        assert!(stage.play(&reasoned).unwrap().complaint.story.care.apologies.is_empty());
        let (mut stage, case) = Stage::at(State::Acknowledged);
        let sorry = ConfirmUnderstanding { case, apologized: true, ..verb };
        let [apology] = &stage.play(&sorry).unwrap().complaint.story.care.apologies[..] else { unreachable!("one") };
        assert!(!apology.admits_liability);
        let told = stage.told();
        assert!(matches!(&told[..], [Event::Understood { .. }, Event::Apologized { admits_liability: false, .. }]));
    }

    #[test]
    fn what_the_customer_wants_is_on_record_before_anything_is_offered() {
        let (mut stage, case) = Stage::at(State::Acknowledged);
        stage.edit(&case, |complaint| complaint.story.desired_outcome = None);
        let verb = ConfirmUnderstanding { desired_outcome: None, ..understanding(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::DesiredOutcomeNeeded);
        let nothing = ConfirmUnderstanding { no_outcome_desired: true, ..verb };
        assert!(stage.play(&nothing).unwrap().complaint.story.care.no_outcome_desired);
    }

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        let (mut stage, case) = Stage::at(State::Acknowledged);
        let before = stage.complaint(&case).story.clone();
        let verb = ConfirmUnderstanding { desired_outcome: None, severity: None, ..understanding(case) };
        let story = stage.play(&verb).unwrap().complaint.story;
        assert_eq!((story.severity, story.desired_outcome), (before.severity, before.desired_outcome));
    }
}

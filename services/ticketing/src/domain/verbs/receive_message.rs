//! Receive message: words come in by a channel, once by their number there. They find the case that goes on for the
//! one that they name; what is over stays as it is and gets a case beside it.

use commit::{Verb, ensure};
use kernel::BranchScope;

use crate::Ticketing;
use crate::domain::class::LinkKind;
use crate::domain::code::Channel;
use crate::domain::complaint::{Severity, Story};
use crate::domain::interaction::{Direction, Extras};
use crate::domain::{BranchId, Case, CaseFile, ComplaintId, CustomerId, Cx, Desk, Outcome, Refusal};

use super::add_interaction::{AddInteraction, Added, earlier};
use super::open::NewCase;

/// This came in.
#[derive(Clone, Debug)]
pub struct ReceiveMessage {
    /// What the caller reaches.
    pub scope: BranchScope,
    /// The channel.
    pub channel: Channel,
    /// Number of the message in its channel.
    pub external_message_id: String,
    /// The case that it names.
    pub complaint: Option<ComplaintId>,
    /// Where a new case would be opened.
    pub branch: BranchId,
    /// Whose it is, if known; it does not change whose a case is that stands.
    pub customer: Option<CustomerId>,
    /// A line about it.
    pub subject: String,
    /// The words.
    pub body: String,
    /// When they were sent; `None` = now.
    pub occurred_at_us: Option<i64>,
    /// What came with them.
    pub extras: Extras,
}

impl ReceiveMessage {
    fn case(&self, complaint: ComplaintId) -> Case {
        Case { complaint, scope: self.scope.clone(), expected_version: None }
    }

    /// The case that the words belong to; a new one where none goes on.
    fn target(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<ComplaintId> {
        let story = Story { narrative: self.body.clone(), ..Story::new(self.subject.clone(), Severity::Medium) };
        let Some(named) = self.complaint else {
            ensure!(self.scope.allows(self.branch.uuid()), Refusal::BranchUnknown);
            let id = ComplaintId(cx.new_id());
            let Self { branch, customer, channel, .. } = *self;
            NewCase { id, branch, customer, channel, follow_on_of: None, story }.open(desk, cx)?;
            return Ok(id);
        };
        let mut found = self.case(named).see(&mut desk.complaints)?.clone();
        if let Some(merge) = &found.story.merge {
            // One step is enough: a merged case points straight at the one that goes on.
            found = self.case(merge.into).see(&mut desk.complaints)?.clone();
        }
        if !found.state.is_over() {
            return Ok(found.id);
        }
        let id = ComplaintId(cx.new_id());
        NewCase::beside(id, &found, LinkKind::CausedBy, self.channel, story).open(desk, cx)?;
        Ok(id)
    }
}

impl Verb<Ticketing> for ReceiveMessage {
    type Reply = Added;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Added> {
        if let Some(interaction) = earlier(self.channel, &self.external_message_id, desk)? {
            let complaint = self.case(interaction.complaint).see(&mut desk.complaints)?;
            return Ok(Added { file: CaseFile::of(complaint, &mut desk.follow_ups)?, interaction });
        }
        let target = self.target(desk, cx)?;
        let words = AddInteraction {
            case: self.case(target),
            direction: Direction::Inbound,
            channel: self.channel,
            body: self.body.clone(),
            external_message_id: Some(self.external_message_id.clone()),
            occurred_at_us: self.occurred_at_us,
            extras: self.extras.clone(),
        };
        words.decide(desk, cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::Event;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{AMINA, KIGALI, Stage, merging};

    fn message(number: &str, complaint: Option<ComplaintId>) -> ReceiveMessage {
        ReceiveMessage {
            scope: BranchScope::All,
            channel: Channel::Email,
            external_message_id: number.to_owned(),
            complaint,
            branch: KIGALI,
            customer: Some(AMINA),
            subject: "Tea".to_owned(),
            body: "I got tea again.".to_owned(),
            occurred_at_us: None,
            extras: Extras::default(),
        }
    }

    #[test]
    fn a26_the_same_message_twice_is_one_interaction_and_one_case() {
        let mut stage = Stage::new();
        let first = stage.play(&message("<1@x>", None)).unwrap();
        assert!(matches!(stage.told()[..], [Event::Opened { .. }, Event::InteractionAdded { .. }]));
        let again = stage.play(&message("<1@x>", None)).unwrap();
        assert_eq!((again.interaction.id, stage.told()), (first.interaction.id, vec![]));
        let other = stage.play(&message("<2@x>", Some(first.file.complaint.id))).unwrap();
        assert_eq!((other.file.complaint.id, other.interaction.seq), (first.file.complaint.id, 2));
    }

    #[test]
    fn words_reach_the_case_that_goes_on_for_a_merged_one() {
        let (mut stage, a) = Stage::at(State::Received);
        let b = stage.open();
        stage.play(&merging(&a, &b)).unwrap();
        assert_eq!(stage.play(&message("1", Some(a.complaint))).unwrap().file.complaint.id, b.complaint);
    }

    #[test]
    fn a30_what_is_over_stays_as_it_is_and_gets_a_case_beside_it() {
        let (mut stage, case) = Stage::at(State::Closed);
        let before = stage.complaint(&case);
        let added = stage.play(&message("1", Some(case.complaint))).unwrap();
        assert_eq!(added.file.complaint.story.links[0].other, case.complaint);
        assert_eq!(stage.complaint(&case), before);
    }

    #[test]
    fn a48_who_writes_does_not_change_whose_case_it_is() {
        let (mut stage, case) = Stage::at(State::Received);
        let verb = ReceiveMessage { customer: None, ..message("1", Some(case.complaint)) };
        assert_eq!(stage.play(&verb).unwrap().file.complaint.customer, Some(AMINA));
    }
}

//! Open follow-on: something came out of a case that is over. The old one does not change; the new one knows it.

use std::sync::Arc;

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::class::LinkKind;
use crate::domain::code::Channel;
use crate::domain::complaint::Story;
use crate::domain::lifecycle::{Command, State};
use crate::domain::{Case, CaseFile, ComplaintId, Cx, Desk, Outcome, Policy, Refusal};

use super::open::NewCase;

/// This came out of it.
#[derive(Clone, Debug)]
pub struct OpenFollowOn {
    /// The case that is over.
    pub case: Case,
    /// How the new one came in.
    pub channel: Channel,
    /// A line about it.
    pub subject: String,
    /// What the customer said.
    pub narrative: String,
    /// What the customer wants.
    pub desired_outcome: Option<String>,
    /// How long the old one can be reopened.
    pub policy: Arc<Policy>,
}

impl Verb<Ticketing> for OpenFollowOn {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let old = self.case.see(&mut desk.complaints)?.clone();
        let current = old.version;
        ensure!(self.case.expected_version.is_none_or(|known| known == current), Refusal::VersionMismatch { current });
        let Some(_) = old.state.after(Command::OpenFollowOn) else {
            refuse!(Refusal::WrongState { command: Command::OpenFollowOn, state: old.state })
        };
        let resolved_at_us = old.story.resolved_at_us().unwrap_or(old.opened_at_us);
        let may_reopen = old.state == State::Resolved && self.policy.may_reopen(resolved_at_us, cx.now_us);
        ensure!(!may_reopen, Refusal::ReopenWindowOpen);

        let mut story = Story::new(self.subject.clone(), old.story.severity);
        story.narrative.clone_from(&self.narrative);
        story.desired_outcome.clone_from(&self.desired_outcome);
        story.category.clone_from(&old.story.category);
        story.purchases.clone_from(&old.story.purchases);
        story.class.regime.clone_from(&old.story.class.regime);
        story.class.confidentiality = old.story.class.confidentiality;
        let id = ComplaintId(cx.new_id());
        let new = NewCase::beside(id, &old, LinkKind::CausedBy, self.channel, story).open(desk, cx)?.clone();
        Ok(CaseFile::of(&new, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::DAY_US;

    use super::*;
    use crate::domain::Event;
    use crate::domain::class::Link;
    use crate::domain::stage::{Stage, follow_on};

    #[test]
    fn a30_the_old_case_stays_as_it_is() {
        let (mut stage, case) = Stage::at(State::Closed);
        let before = stage.complaint(&case);
        let new = stage.play(&follow_on(case.clone())).unwrap().complaint;
        assert_eq!(new.story.links, [Link { other: before.id, kind: LinkKind::CausedBy }]);
        assert_eq!((new.state, new.customer), (State::Received, before.customer));
        let told = stage.told();
        assert!(matches!(&told[..], [Event::Opened { follow_on_of, .. }] if *follow_on_of == Some(before.id)));
        assert_eq!(stage.complaint(&case), before);
    }

    #[test]
    fn what_can_be_reopened_is_reopened() {
        let (mut stage, case) = Stage::at(State::Resolved);
        assert_eq!(stage.play(&follow_on(case.clone())).unwrap_err(), Refusal::ReopenWindowOpen);
        stage.pass(14 * DAY_US + 1);
        assert!(stage.play(&follow_on(case)).is_ok());
    }
}

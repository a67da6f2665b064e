//! Withdraw: the customer takes the complaint back. What was said about it is put on record. What concerns
//! safety, the conduct of staff or a regulation goes on as a case of our own.

use commit::Verb;

use crate::Ticketing;
use crate::domain::class::{CaseKind, Class, Confidentiality, Link, LinkKind};
use crate::domain::code::Channel;
use crate::domain::complaint::{Story, WaitingOn};
use crate::domain::interaction::{Direction, Extras, Interaction, Words};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, ComplaintId, Cx, Desk, Event, Outcome};

use super::offering::release;
use super::open::NewCase;

/// Leave it.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// The complaint.
    pub case: Case,
    /// What the customer said.
    pub statement: String,
}

impl Verb<Ticketing> for Withdraw {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Withdraw)?;

        let words = Words {
            direction: Direction::Inbound,
            channel: complaint.channel,
            body: self.statement.clone(),
            external_message_id: None,
            occurred_at_us: cx.now_us,
            extras: Extras::default(),
        };
        Interaction::record(words, complaint, &mut desk.interactions, &mut desk.history, cx);
        let holds = complaint.story.proposal_sets.last_mut().map(|last| last.give_way(cx.now_us));
        complaint.story.waiting_on = WaitingOn::Nobody;
        let inquiry = must_go_on(&complaint.story).then(|| ComplaintId(cx.new_id()));
        if let Some(other) = inquiry {
            complaint.story.links.push(Link { other, kind: LinkKind::Related });
        }
        complaint.step(next, Event::Withdrawn { complaint: complaint.id }, &mut desk.history, cx);
        let withdrawn = complaint.id;
        release(holds.unwrap_or_default(), withdrawn, desk, cx)?;
        let withdrawn = self.case.see(&mut desk.complaints)?.clone();
        if let Some(id) = inquiry {
            let class = Class { kind: CaseKind::Proactive, asked_for: None, ..withdrawn.story.class.clone() };
            let Story { subject, severity, category, .. } = withdrawn.story.clone();
            let story = Story { class, category, ..Story::new(subject, severity) };
            let channel = withdrawn.channel.unwrap_or(Channel::Referral);
            // Nobody is asked again: the customer wanted it to end.
            let new = NewCase::beside(id, &withdrawn, LinkKind::CausedBy, channel, story);
            NewCase { customer: None, ..new }.open(desk, cx)?;
        }
        Ok(CaseFile::of(&withdrawn, &mut desk.follow_ups)?)
    }
}

/// Whether we look into it whatever the customer wants.
fn must_go_on(story: &Story) -> bool {
    let danger = story.care.impact.as_ref().is_some_and(|impact| impact.safety);
    danger || story.class.confidentiality == Confidentiality::Hr || story.class.regime.is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::proposal::SetState;
    use crate::domain::stage::Stage;

    #[test]
    fn the_statement_is_on_record_and_the_offer_is_gone() {
        let (mut stage, case) = Stage::at(State::Offered);
        let verb = Withdraw { case, statement: "It was my mistake.".to_owned() };
        let complaint = stage.play(&verb).unwrap().complaint;
        assert_eq!((complaint.state, complaint.story.interaction_count), (State::Withdrawn, 1));
        assert_eq!(complaint.story.proposal_sets[0].state, SetState::Withdrawn);
        assert!(matches!(&stage.told()[..], [Event::InteractionAdded { .. }, Event::Withdrawn { .. }]));
    }

    #[test]
    fn what_concerns_safety_conduct_or_a_regulation_goes_on_without_the_customer() {
        for grave in [false, true] {
            let (mut stage, case) = Stage::at(State::Investigating);
            let class = Class { confidentiality: Confidentiality::Hr, ..Class::default() };
            stage.edit(&case, |complaint| complaint.story.class = if grave { class } else { Class::default() });
            let withdrawn = stage.play(&Withdraw { case, statement: "Leave it.".to_owned() }).unwrap().complaint;
            assert_eq!((withdrawn.state, withdrawn.story.links.len()), (State::Withdrawn, usize::from(grave)));
            if let [link] = withdrawn.story.links[..] {
                let inquiry = stage.stored(link.other);
                assert_eq!((inquiry.customer, inquiry.story.class.kind), (None, CaseKind::Proactive));
                assert_eq!(inquiry.story.class.confidentiality, Confidentiality::Hr);
            }
        }
    }
}

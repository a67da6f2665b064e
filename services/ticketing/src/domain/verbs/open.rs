//! Open: a case comes in. What comes out of another case, or up with it, is opened in the same way.

use commit::{Verb, ensure};
use kernel::BranchScope;

use crate::Ticketing;
use crate::domain::class::{Class, Link, LinkKind};
use crate::domain::code::Channel;
use crate::domain::complaint::{Complaint, Severity, Story};
use crate::domain::desk::branch_of;
use crate::domain::lifecycle::State;
use crate::domain::number::next_number;
use crate::domain::{BranchId, CaseFile, ComplaintId, CustomerId, Cx, Desk, Event, Outcome, PurchaseId, Refusal};

/// A complaint came in.
#[derive(Clone, Debug)]
pub struct Open {
    /// What the caller reaches.
    pub scope: BranchScope,
    /// Where it happened.
    pub branch: BranchId,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// How it came in.
    pub channel: Channel,
    /// Code of the place in the customer's journey.
    pub touchpoint: Option<String>,
    /// Code of what it is about.
    pub category: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// A line about it.
    pub subject: String,
    /// What the customer said.
    pub narrative: String,
    /// What the customer wants.
    pub desired_outcome: Option<String>,
    /// Purchases that it is about.
    pub purchases: Vec<PurchaseId>,
    /// What kind of case it is, and who may work on it.
    pub class: Class,
}

/// A case that is about to be opened.
pub(crate) struct NewCase {
    /// Its id.
    pub id: ComplaintId,
    /// Where it happened.
    pub branch: BranchId,
    /// Whose it is, if known.
    pub customer: Option<CustomerId>,
    /// How it came in.
    pub channel: Channel,
    /// The case that it came out of.
    pub follow_on_of: Option<ComplaintId>,
    /// What is known of it.
    pub story: Story,
}

impl NewCase {
    /// A case that belongs to another one, at the same branch and of the same customer.
    pub(super) fn beside(
        id: ComplaintId,
        other: &Complaint,
        kind: LinkKind,
        channel: Channel,
        mut story: Story,
    ) -> Self {
        story.links.push(Link { other: other.id, kind });
        let follow_on_of = (kind == LinkKind::CausedBy).then_some(other.id);
        Self { id, branch: other.branch, customer: other.customer, channel, follow_on_of, story }
    }

    /// Opens it: gives it a number, stores it and tells of it.
    pub(super) fn open<'w>(self, desk: &'w mut Desk, cx: &mut Cx<'_>) -> Outcome<&'w mut Complaint> {
        let branch = branch_of(&mut desk.branches, self.branch)?;
        ensure!(!branch.closed, Refusal::BranchClosed);
        let number = next_number(&mut desk.counters, branch, branch.year(cx.now_us))?;
        let event = Event::Opened {
            complaint: self.id,
            number: number.clone(),
            customer: self.customer,
            branch: self.branch,
            channel: self.channel,
            severity: self.story.severity,
            category: self.story.category.clone(),
            touchpoint: self.story.touchpoint.clone(),
            kind: self.story.class.kind,
            follow_on_of: self.follow_on_of,
        };
        let complaint = desk.complaints.insert(Complaint {
            id: self.id,
            version: 0,
            number,
            state: State::Received,
            branch: self.branch,
            customer: self.customer,
            owner: None,
            channel: Some(self.channel),
            opened_at_us: cx.now_us,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            story: self.story,
        });
        complaint.tell(event, &mut desk.history, cx);
        Ok(complaint)
    }
}

impl Verb<Ticketing> for Open {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        ensure!(self.scope.allows(self.branch.uuid()), Refusal::BranchUnknown);
        let story = Story {
            narrative: self.narrative.clone(),
            desired_outcome: self.desired_outcome.clone(),
            category: self.category.clone(),
            touchpoint: self.touchpoint.clone(),
            purchases: self.purchases.clone(),
            class: self.class.clone(),
            ..Story::new(self.subject.clone(), self.severity)
        };
        let id = ComplaintId(cx.new_id());
        let Self { branch, customer, channel, .. } = *self;
        let new = NewCase { id, branch, customer, channel, follow_on_of: None, story };
        let complaint = new.open(desk, cx)?.clone();
        Ok(CaseFile::of(&complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::stage::{KIGALI, LONDON, Stage, opening};

    #[test]
    fn a_complaint_gets_the_next_number_of_its_branch_and_year() {
        let mut stage = Stage::new();
        let numbers: Vec<String> = [KIGALI, KIGALI, LONDON]
            .map(|branch| stage.play(&Open { branch, ..opening() }).unwrap().complaint.number)
            .into();
        assert_eq!(numbers, ["KGL-1-2026-000001", "KGL-1-2026-000002", "LDN-2026-000001"]);
    }

    #[test]
    fn it_begins_received_and_is_told() {
        let mut stage = Stage::new();
        let file = stage.play(&opening()).unwrap();
        assert_eq!((file.complaint.state, file.complaint.version), (State::Received, 1));
        assert!(matches!(&stage.told()[..], [Event::Opened { complaint, .. }] if *complaint == file.complaint.id));
    }

    #[test]
    fn a_branch_that_is_unknown_closed_or_out_of_reach_is_refused() {
        let mut stage = Stage::new();
        let nowhere = BranchId(uuid::Uuid::from_u128(77));
        assert_eq!(stage.play(&Open { branch: nowhere, ..opening() }).unwrap_err(), Refusal::BranchUnknown);
        let scope = BranchScope::only([LONDON.uuid()]);
        assert_eq!(stage.play(&Open { scope, ..opening() }).unwrap_err(), Refusal::BranchUnknown);
        stage.play(&crate::domain::verbs::CloseBranch { branch: KIGALI }).unwrap();
        assert_eq!(stage.play(&opening()).unwrap_err(), Refusal::BranchClosed);
        assert!(stage.told().is_empty());
    }
}

//! Recalculate: a policy or opening hours changed, so the clocks of a case are reckoned anew. What they had consumed stays.
//! The job that walks over all open cases says when it is through.

use commit::Verb;

use crate::Ticketing;
use crate::domain::sla::rules::RuleBook;
use crate::domain::sla::watch::{adopt, note_circumstances};
use crate::domain::{ComplaintId, Cx, Desk, Event, Outcome};

/// Reckon anew.
#[derive(Clone, Debug)]
pub struct Recalculate {
    /// Whose clocks.
    pub complaint: ComplaintId,
}

impl Verb<Ticketing> for Recalculate {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let Some(found) = desk.complaints.get(self.complaint)? else { return Ok(()) };
        let unwatched = found.story.sla.marks.is_empty();
        let untouched = found.story.sla.revision == cx.settings.revision
            || !found.state.is_open()
            || (unwatched && cx.settings.terms_for(found).policy.is_none());
        if untouched {
            return Ok(());
        }
        let Some(complaint) = desk.complaints.edit(self.complaint)? else { return Ok(()) };
        let before = (complaint.story.sla.marks.len(), complaint.story.sla.due_at_us);
        if unwatched {
            adopt(complaint, cx);
        } else {
            note_circumstances(complaint, cx.now_us, cx);
        }
        complaint.story.sla.refresh(cx.settings, cx.now_us);
        let watch = &complaint.story.sla;
        if (watch.marks.len(), watch.due_at_us) != before {
            let policy = watch.terms().map(|terms| terms.code.clone()).unwrap_or_default();
            let event = Event::SlaRecalculated { complaint: complaint.id, policy, due_at_us: watch.due_at_us };
            complaint.tell(event, &mut desk.history, cx);
        }
        Ok(())
    }
}

/// All open cases were reckoned by the rules of `revision`.
#[derive(Clone, Debug)]
pub struct RulesSwept {
    /// The revision.
    pub revision: i64,
}

impl Verb<Ticketing> for RulesSwept {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, _: &mut Cx<'_>) -> Outcome<()> {
        Ok(RuleBook::note_swept(&mut desk.rule_books, self.revision)?)
    }
}

//! Clocks come due: the timer asks, and this verb decides what is to be told. Late or twice, a warning or a breach is told
//! once and with its true time.

use commit::Verb;

use crate::Ticketing;
use crate::domain::sla::{Alarm, AlarmKind};
use crate::domain::{ComplaintId, Cx, Desk, Event, Outcome};

/// The time has come.
#[derive(Clone, Debug)]
pub struct ClocksComeDue {
    /// Whose clocks.
    pub complaint: ComplaintId,
}

impl Verb<Ticketing> for ClocksComeDue {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let found = desk.complaints.get(self.complaint)?;
        let waits = found.is_some_and(|found| found.story.sla.next_at_us.is_some_and(|next_us| next_us <= cx.now_us));
        if !waits {
            return Ok(());
        }
        let Some(complaint) = desk.complaints.edit(self.complaint)? else { return Ok(()) };
        for alarm in complaint.story.sla.due(cx.settings, cx.now_us) {
            let Alarm { kind, metric, started_at_us, at_us, due_at_us, by_change } = alarm;
            complaint.story.sla.told.push((kind, metric, started_at_us));
            let (id, branch, owner) = (complaint.id, complaint.branch, complaint.owner);
            let event = match kind {
                AlarmKind::Warning => Event::SlaWarning { complaint: id, branch, owner, metric, due_at_us },
                AlarmKind::Breach => Event::SlaBreached { complaint: id, branch, owner, metric, due_at_us, by_change },
            };
            complaint.step_at(complaint.state, event, at_us.min(cx.now_us), &mut desk.history, cx);
        }
        complaint.story.sla.refresh(cx.settings, cx.now_us);
        Ok(())
    }
}

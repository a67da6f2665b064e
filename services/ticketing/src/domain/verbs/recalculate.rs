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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use calendar::{CalendarSpec, OpeningCalendar, Shift};
    use kernel::HOUR_US;

    use super::*;
    use crate::domain::complaint::Severity;
    use crate::domain::lifecycle::State;
    use crate::domain::sla::hours::Spell;
    use crate::domain::sla::policy::Scope;
    use crate::domain::sla::{Metric, SlaPolicy, Target, Terms};
    use crate::domain::stage::{KIGALI, Stage};

    fn policy(code: &str, severities: &[Severity], hours: i64) -> SlaPolicy {
        let target = Target { metric: Metric::Resolution, target_ms: hours * 3_600_000, around_the_clock: false };
        SlaPolicy {
            id: uuid::Uuid::from_u128(hours.unsigned_abs().into()).into(),
            version: 1,
            code: code.to_owned(),
            position: 1,
            scope: Scope { severities: severities.to_vec(), ..Scope::default() },
            terms: Terms { targets: vec![target], ..Terms::default() },
            retired: false,
            created_at_us: 0,
            updated_at_us: 0,
        }
    }

    fn promise(stage: &mut Stage, policies: Vec<SlaPolicy>) {
        stage.rules().revision += 1;
        stage.rules().policies = policies;
    }

    #[test]
    fn a16_hours_that_change_move_the_due_time_once_and_tell_it() {
        let mut stage = Stage::new();
        promise(&mut stage, vec![policy("ALL", &[], 8)]);
        let case = stage.open();
        let opened_us = stage.now_us();
        let verb = Recalculate { complaint: case.complaint };
        stage.pass(HOUR_US);
        let spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 17)]);
        let calendar = Some(Arc::new(OpeningCalendar::new(spec).unwrap()));
        let since_us = stage.now_us();
        stage.rules().hours.insert(KIGALI, vec![Spell { since_us, calendar }]);
        stage.rules().revision += 1;
        stage.play(&verb).unwrap();
        // One hour of Friday by the old hours, two by the new ones, five of Monday.
        let due_us = opened_us + (72 - 6 + 5) * HOUR_US;
        let expected =
            Event::SlaRecalculated { complaint: case.complaint, policy: "ALL".to_owned(), due_at_us: Some(due_us) };
        assert_eq!(stage.told(), [expected]);
        stage.play(&verb).unwrap();
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn cases_that_were_open_before_anything_was_promised_are_taken_in() {
        let (mut stage, case) = Stage::at(State::Understood);
        stage.pass(5 * HOUR_US);
        promise(&mut stage, vec![policy("ALL", &[], 8)]);
        stage.play(&Recalculate { complaint: case.complaint }).unwrap();
        assert!(matches!(&stage.told()[..], [Event::SlaRecalculated { .. }]));
        assert_eq!(stage.complaint(&case).story.sla.due_at_us, Some(stage.now_us() + 8 * HOUR_US));
        let (mut stage, case) = Stage::at(State::Resolved);
        promise(&mut stage, vec![policy("ALL", &[], 8)]);
        stage.play(&Recalculate { complaint: case.complaint }).unwrap();
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn a12_a_policy_that_goes_leaves_no_alarm() {
        let mut stage = Stage::new();
        promise(&mut stage, vec![policy("ALL", &[], 8)]);
        let case = stage.open();
        promise(&mut stage, vec![]);
        stage.play(&Recalculate { complaint: case.complaint }).unwrap();
        assert!(matches!(&stage.told()[..], [Event::SlaRecalculated { due_at_us: None, .. }]));
        assert_eq!(stage.complaint(&case).story.sla.next_at_us, None);
    }
}

//! Clocks come due: the timer asks, and this verb decides what is to be told. Late or twice, a warning or a breach is told
//! once and with its true time.

use commit::Verb;

use crate::Ticketing;
use crate::domain::sla::{Alarm, AlarmKind, Metric};
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
            let at_us = at_us.min(cx.now_us);
            complaint.step_at(complaint.state, event, at_us, &mut desk.history, cx);
            if (kind, metric) == (AlarmKind::Breach, Metric::Update) {
                let event = Event::Stale { complaint: id, branch, owner, due_at_us };
                complaint.step_at(complaint.state, event, at_us, &mut desk.history, cx);
            }
        }
        complaint.story.sla.refresh(cx.settings, cx.now_us);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::HOUR_US;

    use super::*;
    use crate::domain::Case;
    use crate::domain::complaint::WaitingOn;
    use crate::domain::interaction::Direction;
    use crate::domain::lifecycle::State;
    use crate::domain::sla::policy::Scope;
    use crate::domain::sla::{SlaPolicy, SlaState, Target, Terms};
    use crate::domain::stage::{Stage, merging, opening, words};
    use crate::domain::verbs::{AddInteraction, Open, SetWaiting, UndoMerge, Withdraw};

    /// Two hours to answer, eight to resolve.
    pub(crate) fn promise(stage: &mut Stage) {
        let target = |metric, hours: i64| Target { metric, target_ms: hours * 3_600_000, around_the_clock: false };
        stage.rules().revision += 1;
        stage.rules().policies = vec![SlaPolicy {
            id: uuid::Uuid::from_u128(70).into(),
            version: stage.rules().revision,
            code: "STANDARD".to_owned(),
            position: 1,
            scope: Scope::default(),
            terms: Terms {
                targets: vec![target(Metric::FirstResponse, 2), target(Metric::Resolution, 8)],
                pause_on: vec![WaitingOn::Customer],
                warn_percent: 75,
                ..Terms::default()
            },
            retired: false,
            created_at_us: 0,
            updated_at_us: 0,
        }];
    }

    fn watched() -> (Stage, Case) {
        let mut stage = Stage::new();
        promise(&mut stage);
        let written = Open { channel: crate::domain::code::Channel::Email, ..opening() };
        let complaint = stage.play(&written).unwrap().complaint.id;
        stage.told();
        (stage, Case { complaint, scope: kernel::BranchScope::All, expected_version: None })
    }

    fn told(stage: &mut Stage) -> Vec<(&'static str, Metric, i64)> {
        let start = stage.now_us();
        let told = stage.told();
        assert!(start > 0);
        told.into_iter()
            .filter_map(|event| match event {
                Event::SlaWarning { metric, due_at_us, .. } => Some(("warning", metric, due_at_us)),
                Event::SlaBreached { metric, due_at_us, .. } => Some(("breach", metric, due_at_us)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a20_after_an_outage_each_is_told_once_with_its_true_time() {
        let (mut stage, case) = watched();
        let opened_us = stage.now_us();
        let timer = ClocksComeDue { complaint: case.complaint };
        stage.pass(100 * HOUR_US);
        stage.play(&timer).unwrap();
        let (first, last) = (opened_us + 2 * HOUR_US, opened_us + 8 * HOUR_US);
        let expected = [("breach", Metric::FirstResponse, first), ("breach", Metric::Resolution, last)];
        assert_eq!(told(&mut stage), expected);
        stage.play(&timer).unwrap();
        stage.pass(100 * HOUR_US);
        stage.play(&timer).unwrap();
        assert_eq!(told(&mut stage), []);
        assert_eq!(stage.complaint(&case).story.sla.state, SlaState::Breached);
    }

    #[test]
    fn a21_a_second_worker_finds_nothing_left_to_tell() {
        let (mut stage, case) = watched();
        let timer = ClocksComeDue { complaint: case.complaint };
        stage.pass(90 * 60 * 1_000_000);
        stage.play(&timer).unwrap();
        let version = stage.complaint(&case).version;
        // The clock of the other one is a little behind.
        stage.pass(-1_000_000);
        stage.play(&timer).unwrap();
        assert_eq!(stage.complaint(&case).version, version);
        assert_eq!(told(&mut stage).len(), 1);
        assert_eq!(stage.complaint(&case).story.sla.state, SlaState::AtRisk);
    }

    #[test]
    fn every_step_is_followed_without_a_word_about_clocks_in_its_verb() {
        let (mut stage, case) = watched();
        let opened_us = stage.now_us();
        let due = |stage: &mut Stage| stage.complaint(&case).story.sla.due_at_us.map(|due| (due - opened_us) / HOUR_US);
        assert_eq!(due(&mut stage), Some(2));
        stage.pass(HOUR_US);
        stage.play(&AddInteraction { direction: Direction::Outbound, ..words(case.clone()) }).unwrap();
        assert_eq!(due(&mut stage), Some(8));
        stage.play(&SetWaiting { case: case.clone(), waiting_on: WaitingOn::Customer }).unwrap();
        assert_eq!((due(&mut stage), stage.complaint(&case).story.sla.state), (None, SlaState::Paused));
        // The customer wrote an hour ago; we learn it now.
        stage.pass(3 * HOUR_US);
        let written = stage.now_us() - HOUR_US;
        stage.play(&AddInteraction { occurred_at_us: Some(written), ..words(case.clone()) }).unwrap();
        assert_eq!(due(&mut stage), Some(10), "waiting ended when it was written");
        stage.play(&Withdraw { case: case.clone(), statement: "Leave it.".to_owned() }).unwrap();
        assert_eq!((due(&mut stage), stage.complaint(&case).story.sla.next_at_us), (None, None));
        assert_eq!(stage.complaint(&case).state, State::Withdrawn);
    }

    #[test]
    fn a_customer_who_hears_nothing_has_a_stale_case() {
        let mut stage = Stage::new();
        promise(&mut stage);
        let update = Target { metric: Metric::Update, target_ms: 4 * 3_600_000, around_the_clock: false };
        stage.rules().policies[0].terms.targets = vec![update];
        let case = stage.open();
        let opened_us = stage.now_us();
        stage.pass(5 * HOUR_US);
        stage.play(&ClocksComeDue { complaint: case.complaint }).unwrap();
        let due_us = opened_us + 4 * HOUR_US;
        assert!(
            matches!(&stage.told()[..], [Event::SlaBreached { .. }, Event::Stale { due_at_us, .. }] if *due_at_us == due_us)
        );
        // A word of ours begins a new run, which can be stale again.
        stage.play(&AddInteraction { direction: Direction::Outbound, ..words(case.clone()) }).unwrap();
        assert_eq!(stage.complaint(&case).story.sla.due_at_us, Some(opened_us + 9 * HOUR_US));
    }

    #[test]
    fn a17_the_case_that_goes_on_keeps_its_clocks_and_the_earliest_receipt() {
        let mut stage = Stage::new();
        promise(&mut stage);
        let day = Target { metric: Metric::RegulatoryFinal, target_ms: 24 * 3_600_000, around_the_clock: true };
        stage.rules().policies[0].terms.targets.push(day);
        let first = stage.open();
        let first_us = stage.now_us();
        stage.pass(HOUR_US);
        let second = stage.open();
        stage.play(&merging(&first, &second)).unwrap();
        let rules = stage.rules().clone();
        let now_us = stage.now_us();
        let clocks = stage.complaint(&second).story.sla.clocks(&rules, now_us);
        let due = |metric| clocks.iter().find(|clock| clock.metric == metric).and_then(|clock| clock.due_at_us);
        assert_eq!(due(Metric::RegulatoryFinal), Some(first_us + 24 * HOUR_US));
        assert_eq!(due(Metric::Resolution), Some(first_us + 9 * HOUR_US), "the others are its own");
        assert_eq!(stage.complaint(&first).story.sla.next_at_us, None);
        stage.pass(HOUR_US);
        stage.play(&UndoMerge { case: first.clone() }).unwrap();
        assert_eq!(stage.complaint(&first).story.sla.due_at_us, Some(first_us + 9 * HOUR_US));
    }

    #[test]
    fn where_nothing_is_promised_nothing_is_noted() {
        let (mut stage, case) = Stage::at(State::Closed);
        assert!(stage.complaint(&case).story.sla.is_empty());
    }
}

//! The watch over a case: its marks, what was told of its clocks, and what lists and timers find it by. It follows every
//! step of a complaint, so that no verb has to think of clocks.

use serde::{Deserialize, Serialize};

use super::mark::{Fact, Mark};
use super::policy::Terms;
use super::replay::{Alarm, AlarmKind, ClockRun, alarms, replay};
use super::rules::Rules;
use super::{ClockState, Metric, SlaState};
use crate::domain::complaint::{Complaint, WaitingOn};
use crate::domain::interaction::Direction;
use crate::domain::{BranchId, Cx, Event};

/// Marks of one case. Beyond this, messages are no longer marked: their clocks stay as they are.
const MAX_MARKS: usize = 500;
/// How the names of those who ask begin that are no people: consumers and timers.
const MACHINES: [&str; 3] = ["timer:", "consumer:", "bot:"];

/// The watch over a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// What happened; empty while nothing is promised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// What was told of which run of which clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<(AlarmKind, Metric, i64)>,
    /// How the case stands with its clocks, as of the last step or timer.
    #[serde(default)]
    pub state: SlaState,
    /// When the first of its running clocks is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at_us: Option<i64>,
    /// When a timer has to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at_us: Option<i64>,
    /// Revision of the rules by which this was reckoned.
    #[serde(default)]
    pub revision: i64,
}

impl Watch {
    /// Whether nothing was ever promised.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The clocks at `now_us`.
    pub fn clocks(&self, rules: &Rules, now_us: i64) -> Vec<ClockRun> {
        replay(&self.marks, rules, now_us)
    }

    /// What has to be told at `now_us`, in the order in which it came to pass.
    pub fn due(&self, rules: &Rules, now_us: i64) -> Vec<Alarm> {
        let mut due = alarms(&self.clocks(rules, now_us), |kind, metric, run| self.told.contains(&(kind, metric, run)));
        due.retain(|alarm| alarm.at_us <= now_us);
        due
    }

    /// What holds for the case.
    pub fn terms(&self) -> Option<&Terms> {
        self.marks.iter().rev().find_map(|mark| match &mark.fact {
            Fact::Terms(terms) => Some(terms.as_ref()),
            _ => None,
        })
    }

    /// Reckons anew how the case stands.
    pub fn refresh(&mut self, rules: &Rules, now_us: i64) {
        let clocks = self.clocks(rules, now_us);
        self.state = state_of(&clocks, now_us);
        let running = clocks.iter().filter(|clock| clock.state == ClockState::Running);
        self.due_at_us = running.filter_map(|clock| clock.due_at_us).min();
        let left = alarms(&clocks, |kind, metric, run| self.told.contains(&(kind, metric, run)));
        self.next_at_us = left.first().map(|alarm| alarm.at_us);
        self.revision = rules.revision;
    }

    fn waits_for(&self) -> (WaitingOn, i64) {
        let last = self.marks.iter().rev().find_map(|mark| match mark.fact {
            Fact::Waits(whom) => Some((whom, mark.at_us)),
            _ => None,
        });
        last.unwrap_or((WaitingOn::Nobody, i64::MIN))
    }

    /// Whether nothing is owed any more.
    fn has_ended(&self) -> bool {
        let last = self.marks.iter().rev().find(|mark| matches!(mark.fact, Fact::Ended | Fact::Revived));
        last.is_some_and(|mark| mark.fact == Fact::Ended)
    }

    /// When it came in, or the first of the cases that go on in it.
    fn received_at_us(&self) -> i64 {
        let received = self.marks.iter().filter_map(|mark| match mark.fact {
            Fact::Opened { .. } => Some(mark.at_us),
            Fact::ReceivedEarlier { at_us } => Some(at_us),
            _ => None,
        });
        received.min().unwrap_or(i64::MIN)
    }

    fn branch(&self) -> Option<BranchId> {
        self.marks.iter().rev().find_map(|mark| match mark.fact {
            Fact::Opened { branch, .. } | Fact::Moved(branch) => Some(branch),
            _ => None,
        })
    }

    fn mark(&mut self, at_us: i64, fact: Fact) {
        let is_message = matches!(fact, Fact::Heard | Fact::Answered { .. });
        if !(is_message && self.marks.len() >= MAX_MARKS) {
            self.marks.push(Mark { at_us, fact });
        }
    }
}

/// How a case stands with these clocks.
fn state_of(clocks: &[ClockRun], now_us: i64) -> SlaState {
    let open = || clocks.iter().filter(|clock| clock.is_open());
    let mut running = open().filter(|clock| clock.state == ClockState::Running).peekable();
    if clocks.is_empty() {
        SlaState::Unwatched
    } else if open().any(|clock| clock.breached_at_us.is_some()) {
        SlaState::Breached
    } else if open().next().is_none() {
        SlaState::Done
    } else if running.peek().is_none() {
        SlaState::Paused
    } else if running.any(|clock| clock.warn_at_us.is_some_and(|at_us| at_us <= now_us)) {
        SlaState::AtRisk
    } else {
        SlaState::OnTrack
    }
}

/// Follows a step of a complaint. Called where every step is told, before the event leaves.
pub fn follow(complaint: &mut Complaint, event: &Event, occurred_at_us: i64, cx: &Cx<'_>) {
    let rules: &Rules = cx.settings;
    let is_new = matches!(event, Event::Opened { .. });
    if complaint.story.sla.marks.is_empty() && (!is_new || rules.terms_for(complaint).policy.is_none()) {
        return;
    }
    let at_us = occurred_at_us.clamp(complaint.opened_at_us, cx.now_us.max(complaint.opened_at_us));
    let before = complaint.story.sla.marks.len();
    for fact in facts(complaint, event, cx.by).into_iter().flatten() {
        complaint.story.sla.mark(at_us, fact);
    }
    note_circumstances(complaint, at_us, cx);
    let stale = complaint.story.sla.revision != rules.revision;
    if stale || complaint.story.sla.marks.len() != before {
        complaint.story.sla.refresh(rules, cx.now_us);
    }
}

/// What an event means for clocks.
fn facts(complaint: &Complaint, event: &Event, by: &str) -> [Option<Fact>; 2] {
    let by_person = !MACHINES.iter().any(|machine| by.starts_with(machine));
    match event {
        Event::Opened { channel, .. } => {
            [Some(Fact::Opened { branch: complaint.branch, answered: channel.is_spoken() && by_person }), None]
        }
        Event::Acknowledged { channel, .. } => {
            [Some(Fact::Acknowledged), channel.is_spoken().then_some(Fact::Answered { by_person })]
        }
        Event::InteractionAdded { direction: Direction::Inbound, .. } => [Some(Fact::Heard), None],
        Event::InteractionAdded { direction: Direction::Outbound, .. } => [Some(Fact::Answered { by_person }), None],
        Event::Assigned { .. } => [Some(Fact::Assigned), None],
        Event::Resolved { .. } => [Some(Fact::Resolved), None],
        Event::Reopened { .. } => [Some(Fact::Reopened), None],
        _ if complaint.state.is_over() => [Some(Fact::Ended), None],
        _ => [None, None],
    }
}

/// Marks for whom the complaint waits, who handles it and what holds for it, where that changed.
pub(crate) fn note_circumstances(complaint: &mut Complaint, at_us: i64, cx: &Cx<'_>) {
    if complaint.story.sla.has_ended() && !complaint.state.is_over() {
        complaint.story.sla.mark(cx.now_us, Fact::Revived);
    }
    if let Some(earlier_us) = complaint.story.received_at_us
        && complaint.story.sla.received_at_us() > earlier_us
    {
        complaint.story.sla.mark(at_us, Fact::ReceivedEarlier { at_us: earlier_us });
    }
    let whom = complaint.story.waiting_on;
    let (marked, since_us) = complaint.story.sla.waits_for();
    if marked != whom {
        // A reply ends the waiting when it was written, but not before the waiting began.
        complaint.story.sla.mark(at_us.max(since_us), Fact::Waits(whom));
    }
    if complaint.story.sla.branch().is_some_and(|branch| branch != complaint.branch) {
        complaint.story.sla.mark(cx.now_us, Fact::Moved(complaint.branch));
    }
    if complaint.state.is_open() {
        let terms = cx.settings.terms_for(complaint);
        let known = complaint.story.sla.terms();
        if known.map(|known| &known.policy) != Some(&terms.policy) {
            let first = known.is_none();
            let at_us = if first { at_us } else { cx.now_us };
            complaint.story.sla.mark(at_us, Fact::Terms(Box::new(terms)));
        }
    }
}

/// Puts a complaint under watch that came in before anything was promised for such cases: its clocks run from now on.
pub(crate) fn adopt(complaint: &mut Complaint, cx: &Cx<'_>) {
    let answered = complaint.channel.is_some_and(crate::domain::code::Channel::is_spoken);
    let opened = Fact::Opened { branch: complaint.branch, answered };
    complaint.story.sla.mark(complaint.opened_at_us, opened);
    if let Some(at_us) = complaint.story.acknowledged_at_us {
        complaint.story.sla.mark(at_us, Fact::Acknowledged);
    }
    if complaint.owner.is_some() {
        complaint.story.sla.mark(cx.now_us, Fact::Assigned);
    }
    note_circumstances(complaint, cx.now_us, cx);
}

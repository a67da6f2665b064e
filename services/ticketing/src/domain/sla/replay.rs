//! The replay: from marks to clocks. A clock is the sum of its intervals, each counted by the hours of the branch that
//! handled the case; where the sum reaches the target lies the due time. The same marks give the same clocks.

use super::hours::Hours;
use super::mark::{Fact, Mark};
use super::policy::{Target, Terms};
use super::rules::Rules;
use super::{ClockState, Metric, Reason};
use crate::domain::BranchId;
use crate::domain::complaint::WaitingOn;

/// One run of a clock, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRun {
    /// What it measures.
    pub metric: Metric,
    /// Which run of this metric it is, from 1.
    pub cycle: u32,
    /// How far it is.
    pub state: ClockState,
    /// How much time there is, and by which hours.
    pub target: Target,
    /// When it began; with the metric its identity.
    pub started_at_us: i64,
    /// When it ended.
    pub ended_at_us: Option<i64>,
    /// Why it ended.
    pub end: Option<Reason>,
    /// Time that counted so far, microseconds.
    pub consumed_us: i64,
    /// When it is due, or was when it ended; `None` while it pauses.
    pub due_at_us: Option<i64>,
    /// When the share of its target has passed after which a warning is told.
    pub warn_at_us: Option<i64>,
    /// When its time was over, if it was.
    pub breached_at_us: Option<i64>,
    /// It was over because the target changed.
    pub by_change: bool,
    /// How its time came about; the last one is open while the clock is.
    pub intervals: Vec<Interval>,
}

/// A part of the time of a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// When it began.
    pub from_us: i64,
    /// When it ended; the time of the replay for one that is open.
    pub to_us: i64,
    /// Whether time counted; otherwise the clock paused.
    pub runs: bool,
    /// What began it.
    pub reason: Reason,
    /// The branch by whose hours it was counted.
    pub branch: BranchId,
    /// Time that counted, microseconds.
    pub counted_us: i64,
}

/// What a timer has to tell of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What is told.
    pub kind: AlarmKind,
    /// Of what.
    pub metric: Metric,
    /// Of which run of it.
    pub started_at_us: i64,
    /// When it came to pass.
    pub at_us: i64,
    /// When the clock is or was due.
    pub due_at_us: i64,
    /// The time is over because the target changed.
    pub by_change: bool,
}

/// What is told of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmKind {
    /// Most of the time has passed.
    Warning,
    /// The time is over.
    Breach,
}

impl ClockRun {
    /// Whether what it measures is still owed.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ClockState::Running | ClockState::Paused)
    }

    /// The whole target, microseconds.
    pub const fn target_us(&self) -> i64 {
        self.target.target_ms.saturating_mul(1_000)
    }

    /// What is left of the target, milliseconds; negative when it is over.
    pub const fn remaining_ms(&self) -> i64 {
        (self.target_us() - self.consumed_us) / 1_000
    }

    fn interval(&self) -> Option<&Interval> {
        self.intervals.last()
    }
}

/// The clocks of a case at `now_us`, in the order in which they began.
pub fn replay(marks: &[Mark], rules: &Rules, now_us: i64) -> Vec<ClockRun> {
    let mut ordered: Vec<&Mark> = marks.iter().collect();
    ordered.sort_by_key(|mark| mark.at_us);
    let mut play = Replay::new(rules);
    for mark in ordered {
        play.apply(mark);
    }
    play.finish(now_us)
}

struct Replay<'a> {
    rules: &'a Rules,
    terms: Option<&'a Terms>,
    branch: Option<BranchId>,
    received_at_us: i64,
    waiting_on: WaitingOn,
    acknowledged: bool,
    answered: bool,
    unanswered: bool,
    assigned: bool,
    resolved: bool,
    ended: bool,
    clocks: Vec<ClockRun>,
}

impl<'a> Replay<'a> {
    const fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            terms: None,
            branch: None,
            received_at_us: i64::MAX,
            waiting_on: WaitingOn::Nobody,
            acknowledged: false,
            answered: false,
            unanswered: false,
            assigned: false,
            resolved: false,
            ended: false,
            clocks: Vec::new(),
        }
    }

    fn apply(&mut self, mark: &'a Mark) {
        use Metric as M;
        let at_us = mark.at_us;
        if self.ended && mark.fact != Fact::Revived {
            return;
        }
        match &mark.fact {
            Fact::Opened { branch, answered } => {
                self.branch = Some(*branch);
                self.answered = *answered;
                self.received_at_us = self.received_at_us.min(at_us);
            }
            Fact::ReceivedEarlier { at_us: earlier_us } => self.receive_earlier(*earlier_us),
            Fact::Acknowledged => {
                self.acknowledged = true;
                self.stop(&[M::Ack, M::RegulatoryAck], ClockState::Met, at_us, Reason::Acknowledged);
            }
            Fact::Heard => self.hear(at_us),
            Fact::Answered { by_person } => self.answer(*by_person, at_us),
            Fact::Waits(whom) => {
                self.waiting_on = *whom;
                let reason = if *whom == WaitingOn::Nobody { Reason::WaitEnded } else { Reason::WaitBegan };
                self.flow(at_us, reason);
            }
            Fact::Assigned => {
                self.assigned = true;
                self.stop(&[M::TeamResolution], ClockState::Cancelled, at_us, Reason::Assigned);
                self.start(M::TeamResolution, at_us, Reason::Assigned);
            }
            Fact::Moved(branch) => {
                self.branch = Some(*branch);
                self.flow(at_us, Reason::Moved);
            }
            Fact::Terms(terms) => self.agree(terms, at_us),
            Fact::Resolved => {
                self.resolved = true;
                let met = [M::Ack, M::FirstResponse, M::NextResponse, M::Resolution, M::TeamResolution];
                self.stop(&met, ClockState::Met, at_us, Reason::Resolved);
                self.stop(&[M::RegulatoryAck, M::RegulatoryFinal], ClockState::Met, at_us, Reason::Resolved);
                self.stop(&[M::Update], ClockState::Cancelled, at_us, Reason::Resolved);
                (self.acknowledged, self.answered, self.unanswered) = (true, true, false);
            }
            Fact::Reopened => self.reopen(at_us),
            Fact::Ended => {
                self.stop(Metric::ALL, ClockState::Cancelled, at_us, Reason::Ended);
                self.ended = true;
            }
            Fact::Revived => self.revive(at_us),
        }
    }

    /// Regulatory time counts from the earliest receipt.
    fn receive_earlier(&mut self, earlier_us: i64) {
        self.received_at_us = self.received_at_us.min(earlier_us);
        for clock in self.clocks.iter_mut().filter(|clock| clock.metric.is_regulatory() && clock.is_open()) {
            clock.started_at_us = clock.started_at_us.min(earlier_us);
            if let Some(first) = clock.intervals.first_mut() {
                first.from_us = first.from_us.min(earlier_us);
            }
        }
    }

    /// Waiting begins with the first message that nobody answered, not with the latest.
    fn hear(&mut self, at_us: i64) {
        if self.answered && !self.unanswered && !self.resolved {
            self.unanswered = true;
            self.start(Metric::NextResponse, at_us, Reason::CustomerWrote);
        }
    }

    fn answer(&mut self, by_person: bool, at_us: i64) {
        self.acknowledged = true;
        self.stop(&[Metric::Ack], ClockState::Met, at_us, Reason::Answered);
        if by_person {
            (self.answered, self.unanswered) = (true, false);
            let met = [Metric::FirstResponse, Metric::NextResponse, Metric::Update];
            self.stop(&met, ClockState::Met, at_us, Reason::Answered);
            if !self.resolved {
                self.start(Metric::Update, at_us, Reason::Answered);
            }
        }
    }

    fn reopen(&mut self, at_us: i64) {
        self.resolved = false;
        let restarts = self.terms.is_some_and(|terms| terms.restart_on_reopen);
        for metric in [Metric::Resolution, Metric::RegulatoryFinal] {
            let goes_on = metric.is_regulatory() || !restarts;
            let last = self.clocks.iter().rposition(|clock| clock.metric == metric);
            match last.filter(|_| goes_on) {
                Some(place) if self.clocks[place].state == ClockState::Met => {
                    let clock = &mut self.clocks[place];
                    (clock.state, clock.ended_at_us, clock.end) = (ClockState::Running, None, None);
                    self.begin(place, at_us, Reason::Reopened);
                }
                _ => self.start(metric, at_us, Reason::Reopened),
            }
        }
        if self.assigned {
            self.start(Metric::TeamResolution, at_us, Reason::Reopened);
        }
        self.start(Metric::Update, at_us, Reason::Reopened);
    }

    /// What ended with the case goes on with it; the time between is nobody's.
    fn revive(&mut self, at_us: i64) {
        self.ended = false;
        for place in 0..self.clocks.len() {
            let clock = &mut self.clocks[place];
            if clock.end == Some(Reason::Ended) {
                (clock.ended_at_us, clock.end) = (None, None);
                self.begin(place, at_us, Reason::Reopened);
            }
        }
    }

    /// Other targets hold: what was consumed stays, and what is no longer promised is no longer owed.
    fn agree(&mut self, terms: &'a Terms, at_us: i64) {
        let first = self.terms.is_none();
        self.terms = Some(terms);
        for place in 0..self.clocks.len() {
            if !self.clocks[place].is_open() {
                continue;
            }
            match terms.find(self.clocks[place].metric) {
                None => self.end(place, ClockState::Cancelled, at_us, Reason::TermsChanged),
                Some(target) if *target != self.clocks[place].target => {
                    self.pause_here(place, at_us);
                    let clock = &mut self.clocks[place];
                    clock.target = *target;
                    if clock.breached_at_us.is_none() && clock.consumed_us > clock.target_us() {
                        (clock.breached_at_us, clock.by_change) = (Some(at_us), true);
                    }
                    self.begin(place, at_us, Reason::TermsChanged);
                }
                Some(_) => {}
            }
        }
        let reason = if first { Reason::Opened } else { Reason::TermsChanged };
        for target in &terms.targets {
            if self.is_owed(target.metric) && !self.clocks.iter().any(|clock| clock.metric == target.metric) {
                let from_us = if target.metric.is_regulatory() { self.received_at_us.min(at_us) } else { at_us };
                self.start(target.metric, from_us, reason);
            } else if first && self.answered && target.metric == Metric::FirstResponse {
                // Somebody spoke with the customer as it came in.
                self.start(Metric::FirstResponse, at_us, reason);
                self.stop(&[Metric::FirstResponse], ClockState::Met, at_us, Reason::Answered);
            }
        }
        self.flow(at_us, Reason::TermsChanged);
    }

    const fn is_owed(&self, metric: Metric) -> bool {
        !self.resolved
            && match metric {
                Metric::Ack | Metric::RegulatoryAck => !self.acknowledged,
                Metric::FirstResponse => !self.answered,
                Metric::NextResponse => self.unanswered,
                Metric::TeamResolution => self.assigned,
                Metric::Update | Metric::Resolution | Metric::RegulatoryFinal => true,
            }
    }

    /// Begins a run of `metric`, if it is promised and none is open.
    fn start(&mut self, metric: Metric, at_us: i64, reason: Reason) {
        let Some(target) = self.terms.and_then(|terms| terms.find(metric)).copied() else { return };
        if self.clocks.iter().any(|clock| clock.metric == metric && clock.is_open()) {
            return;
        }
        let earlier = self.clocks.iter().filter(|clock| clock.metric == metric).count();
        self.clocks.push(ClockRun {
            metric,
            cycle: u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1),
            state: ClockState::Running,
            target,
            started_at_us: at_us,
            ended_at_us: None,
            end: None,
            consumed_us: 0,
            due_at_us: None,
            warn_at_us: None,
            breached_at_us: None,
            by_change: false,
            intervals: Vec::new(),
        });
        self.begin(self.clocks.len() - 1, at_us, reason);
    }

    /// Whether time counts for `metric` now.
    fn runs(&self, metric: Metric) -> bool {
        metric.is_regulatory() || !self.terms.is_some_and(|terms| terms.pause_on.contains(&self.waiting_on))
    }

    /// Opens an interval of a clock.
    fn begin(&mut self, place: usize, at_us: i64, reason: Reason) {
        let Some(branch) = self.branch else { return };
        let runs = self.runs(self.clocks[place].metric);
        let clock = &mut self.clocks[place];
        clock.state = if runs { ClockState::Running } else { ClockState::Paused };
        clock.intervals.push(Interval { from_us: at_us, to_us: at_us, runs, reason, branch, counted_us: 0 });
    }

    /// Closes the open interval of a clock and counts it.
    fn pause_here(&mut self, place: usize, at_us: i64) {
        let clock = &mut self.clocks[place];
        let target_us = clock.target_us();
        let Some(interval) = clock.intervals.last_mut() else { return };
        interval.to_us = at_us.max(interval.from_us);
        clock.due_at_us = None;
        if !interval.runs {
            return;
        }
        let hours = hours(self.rules, &clock.target, clock.metric, interval.branch);
        let before_us = clock.consumed_us;
        interval.counted_us = hours.elapsed_us(interval.from_us, interval.to_us);
        clock.consumed_us += interval.counted_us;
        clock.due_at_us = clock.breached_at_us.or_else(|| hours.add_us(interval.from_us, target_us - before_us));
        if clock.due_at_us.is_some_and(|due_us| due_us < interval.to_us) {
            clock.breached_at_us = clock.due_at_us;
        }
    }

    fn end(&mut self, place: usize, state: ClockState, at_us: i64, reason: Reason) {
        self.pause_here(place, at_us);
        let clock = &mut self.clocks[place];
        let ended_at_us = clock.interval().map_or(at_us, |last| last.to_us);
        (clock.state, clock.ended_at_us, clock.end) = (state, Some(ended_at_us), Some(reason));
    }

    fn stop(&mut self, metrics: &[Metric], state: ClockState, at_us: i64, reason: Reason) {
        for place in 0..self.clocks.len() {
            if self.clocks[place].is_open() && metrics.contains(&self.clocks[place].metric) {
                self.end(place, state, at_us, reason);
            }
        }
    }

    /// Begins a new interval of every open clock that now runs otherwise, or by the hours of another branch.
    fn flow(&mut self, at_us: i64, reason: Reason) {
        for place in 0..self.clocks.len() {
            let clock = &self.clocks[place];
            let changed = clock.interval().is_some_and(|last| {
                last.runs != self.runs(clock.metric)
                    || (Some(last.branch) != self.branch && !clock.metric.is_regulatory())
            });
            if clock.is_open() && changed {
                self.pause_here(place, at_us);
                self.begin(place, at_us, reason);
            }
        }
    }

    /// Counts what is open up to `now_us` and reckons when it falls due.
    fn finish(mut self, now_us: i64) -> Vec<ClockRun> {
        let percent = self.terms.map_or(0, |terms| terms.warn_percent);
        for place in 0..self.clocks.len() {
            if !self.clocks[place].is_open() {
                continue;
            }
            self.pause_here(place, now_us);
            let clock = &mut self.clocks[place];
            let warn_us = clock.target_us() / 100 * percent;
            let Some(last) = clock.intervals.last().filter(|last| last.runs && percent > 0) else { continue };
            let before_us = clock.consumed_us - last.counted_us;
            let hours = hours(self.rules, &clock.target, clock.metric, last.branch);
            clock.warn_at_us = hours.add_us(last.from_us, warn_us - before_us);
        }
        self.clocks
    }
}

/// The hours by which a clock runs.
fn hours<'a>(rules: &'a Rules, target: &Target, metric: Metric, branch: BranchId) -> Hours<'a> {
    if target.around_the_clock || metric.is_regulatory() { Hours::Always } else { rules.hours(branch) }
}

/// What is still to be told of `clocks`, soonest first; some of it may lie ahead. `told` says what was told before.
pub fn alarms(clocks: &[ClockRun], told: impl Fn(AlarmKind, Metric, i64) -> bool) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for clock in clocks {
        let alarm = |kind, at_us, due_at_us| Alarm {
            kind,
            metric: clock.metric,
            started_at_us: clock.started_at_us,
            at_us,
            due_at_us,
            by_change: clock.by_change,
        };
        let was_told = |kind| told(kind, clock.metric, clock.started_at_us);
        let runs = clock.state == ClockState::Running;
        // Done at the due time is done in time: the time is over an instant later.
        let over_us = clock.breached_at_us.or(clock.due_at_us.filter(|_| runs).map(|due_us| due_us.saturating_add(1)));
        if let Some(over_us) = over_us
            && !was_told(AlarmKind::Breach)
        {
            let due_us = clock.breached_at_us.or(clock.due_at_us).unwrap_or(over_us);
            alarms.push(alarm(AlarmKind::Breach, over_us, due_us));
        }
        // Nobody needs a warning of what is over.
        if let (Some(warn_us), Some(due_us), None) = (clock.warn_at_us, clock.due_at_us, clock.breached_at_us)
            && runs
            && !was_told(AlarmKind::Warning)
        {
            alarms.push(alarm(AlarmKind::Warning, warn_us, due_us));
        }
    }
    alarms.sort_by_key(|alarm| alarm.at_us);
    alarms
}

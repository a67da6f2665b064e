//! Tests of the replay, under the numbers of the design: clocks that pause, resume, change their target, their hours and
//! their branch, and are explained.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use calendar::{CalendarSpec, OpeningCalendar, Shift};
use kernel::HOUR_US;
use uuid::Uuid;

use super::hours::Spell;
use super::replay::alarms;
use super::*;
use crate::domain::complaint::WaitingOn;
use crate::domain::stage::{KIGALI, LONDON};
use crate::domain::{BranchId, SlaPolicyId};

/// Monday, 09:00 in Kigali.
const MONDAY: &str = "2026-11-16T09:00:00+02:00";

fn us(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// `hours` after Monday morning.
fn at(hours: i64) -> i64 {
    us(MONDAY) + hours * HOUR_US
}

fn target(metric: Metric, hours: i64) -> Target {
    Target { metric, target_ms: hours * HOUR_US / 1_000, around_the_clock: false }
}

fn terms(version: i64, targets: &[Target]) -> Terms {
    Terms {
        policy: Some((SlaPolicyId(Uuid::from_u128(7)), version)),
        code: "STANDARD".to_owned(),
        targets: targets.to_vec(),
        pause_on: vec![WaitingOn::Customer],
        warn_percent: 75,
        restart_on_reopen: false,
    }
}

fn mark(at_us: i64, fact: Fact) -> Mark {
    Mark { at_us, fact }
}

/// A case that came in on Monday morning.
fn opened(targets: &[Target]) -> Vec<Mark> {
    vec![
        mark(at(0), Fact::Opened { branch: KIGALI, answered: false }),
        mark(at(0), Fact::Terms(Box::new(terms(1, targets)))),
    ]
}

fn with<const N: usize>(mut marks: Vec<Mark>, more: [(i64, Fact); N]) -> Vec<Mark> {
    marks.extend(more.map(|(hours, fact)| mark(at(hours), fact)));
    marks
}

fn open(branch: BranchId, zone: &str, shifts: &[Shift], since_us: i64) -> (BranchId, Spell) {
    let calendar = OpeningCalendar::new(CalendarSpec::weekdays(zone, shifts)).unwrap();
    (branch, Spell { since_us, calendar: Some(Arc::new(calendar)) })
}

fn rules(hours: impl IntoIterator<Item = (BranchId, Spell)>) -> Rules {
    let mut rules = Rules::default();
    for (branch, spell) in hours {
        rules.hours.entry(branch).or_default().push(spell);
    }
    rules
}

fn find(clocks: &[ClockRun], metric: Metric) -> &ClockRun {
    clocks.iter().rev().find(|clock| clock.metric == metric).unwrap()
}

fn untold(clocks: &[ClockRun]) -> Vec<(AlarmKind, Metric, i64)> {
    alarms(clocks, |_, _, _| false).into_iter().map(|alarm| (alarm.kind, alarm.metric, alarm.at_us)).collect()
}

#[test]
fn a09_paused_then_resolved_keeps_the_pause_out() {
    let marks =
        with(opened(&[target(Metric::Resolution, 8)]), [(2, Fact::Waits(WaitingOn::Customer)), (72, Fact::Resolved)]);
    let clocks = replay(&marks, &Rules::default(), at(100));
    let clock = find(&clocks, Metric::Resolution);
    assert_eq!((clock.state, clock.consumed_us, clock.breached_at_us), (ClockState::Met, 2 * HOUR_US, None));
    let parts: Vec<_> = clock.intervals.iter().map(|part| (part.runs, part.reason, part.counted_us)).collect();
    assert_eq!(parts, [(true, Reason::Opened, 2 * HOUR_US), (false, Reason::WaitBegan, 0)]);
    assert_eq!(clock.end, Some(Reason::Resolved));
}

#[test]
fn a10_a_reply_that_arrives_late_resumes_when_it_was_written() {
    // Written at three, recorded long after: the marks come in the order in which they became known.
    let marks = with(
        opened(&[target(Metric::Resolution, 8)]),
        [(1, Fact::Waits(WaitingOn::Customer)), (5, Fact::Assigned), (3, Fact::Waits(WaitingOn::Nobody))],
    );
    let clocks = replay(&marks, &Rules::default(), at(6));
    let clock = find(&clocks, Metric::Resolution);
    assert_eq!((clock.consumed_us, clock.due_at_us), (4 * HOUR_US, Some(at(10))));
    // So late that the time was over before anybody knew: the breach has its true time.
    let clocks = replay(&marks, &Rules::default(), at(20));
    assert_eq!(find(&clocks, Metric::Resolution).breached_at_us, Some(at(10)));
}

#[test]
fn a11_waiting_twice_and_resuming_twice_change_nothing() {
    let once = [(1, Fact::Waits(WaitingOn::Customer)), (3, Fact::Waits(WaitingOn::Nobody))];
    let twice = [
        (1, Fact::Waits(WaitingOn::Customer)),
        (2, Fact::Waits(WaitingOn::Customer)),
        (3, Fact::Waits(WaitingOn::Nobody)),
        (4, Fact::Waits(WaitingOn::Nobody)),
    ];
    let targets = [target(Metric::Resolution, 8)];
    let expected = replay(&with(opened(&targets), once), &Rules::default(), at(6));
    assert_eq!(replay(&with(opened(&targets), twice), &Rules::default(), at(6)), expected);
    assert_eq!(expected[0].consumed_us, 4 * HOUR_US);
    // Waiting for somebody whom the policy does not name is our time.
    let other = with(opened(&targets), [(1, Fact::Waits(WaitingOn::Approval))]);
    assert_eq!(replay(&other, &Rules::default(), at(6))[0].consumed_us, 6 * HOUR_US);
}

#[test]
fn a12_another_target_keeps_what_was_consumed_and_leaves_no_orphans() {
    let changed = |hours, version, targets: &[Target]| (hours, Fact::Terms(Box::new(terms(version, targets))));
    let marks = opened(&[target(Metric::Resolution, 8)]);
    // After the breach a longer target does not take it back, and nothing is told twice.
    let later = with(marks.clone(), [changed(10, 2, &[target(Metric::Resolution, 20)])]);
    let clocks = replay(&later, &Rules::default(), at(30));
    let clock = find(&clocks, Metric::Resolution);
    assert_eq!((clock.breached_at_us, clock.by_change, clock.consumed_us), (Some(at(8)), false, 30 * HOUR_US));
    assert_eq!(untold(&clocks), [(AlarmKind::Breach, Metric::Resolution, at(8))]);
    // A shorter one that is over already is breached at the change.
    let shorter = with(marks.clone(), [changed(5, 2, &[target(Metric::Resolution, 4)])]);
    let clocks = replay(&shorter, &Rules::default(), at(6));
    assert_eq!((clocks[0].breached_at_us, clocks[0].by_change), (Some(at(5)), true));
    // One that is not over runs on to its own time.
    let tighter = with(marks.clone(), [changed(5, 2, &[target(Metric::Resolution, 6)])]);
    assert_eq!(replay(&tighter, &Rules::default(), at(5))[0].due_at_us, Some(at(6)));
    // The policy is gone: so are clock and alarm.
    let gone = with(marks, [changed(5, 0, &[])]);
    let clocks = replay(&gone, &Rules::default(), at(30));
    assert_eq!((clocks[0].state, clocks[0].end), (ClockState::Cancelled, Some(Reason::TermsChanged)));
    assert_eq!(untold(&clocks), []);
}

#[test]
fn a13_a_short_update_target_does_not_stand_in_for_the_first_response() {
    let targets = [target(Metric::FirstResponse, 8), target(Metric::Update, 2)];
    let clocks = replay(&opened(&targets), &Rules::default(), at(1));
    assert_eq!(find(&clocks, Metric::FirstResponse).due_at_us, Some(at(8)));
    assert_eq!(find(&clocks, Metric::Update).due_at_us, Some(at(2)));
    // Each word of ours meets one run of the update clock and begins the next.
    let marks =
        with(opened(&targets), [(1, Fact::Answered { by_person: true }), (2, Fact::Answered { by_person: true })]);
    let clocks = replay(&marks, &Rules::default(), at(3));
    let cycles: Vec<_> =
        clocks.iter().filter(|clock| clock.metric == Metric::Update).map(|c| (c.cycle, c.state)).collect();
    assert_eq!(cycles, [(1, ClockState::Met), (2, ClockState::Met), (3, ClockState::Running)]);
}

#[test]
fn a14_reopening_goes_on_or_begins_anew_and_the_first_response_stays() {
    let facts = [(1, Fact::Answered { by_person: true }), (3, Fact::Resolved), (10, Fact::Reopened)];
    let targets = [target(Metric::FirstResponse, 2), target(Metric::Resolution, 8)];
    let clocks = replay(&with(opened(&targets), facts.clone()), &Rules::default(), at(11));
    let clock = find(&clocks, Metric::Resolution);
    assert_eq!((clock.cycle, clock.consumed_us, clock.due_at_us), (1, 4 * HOUR_US, Some(at(15))));
    let first = find(&clocks, Metric::FirstResponse);
    assert_eq!((first.state, first.consumed_us, first.cycle), (ClockState::Met, HOUR_US, 1));

    let mut anew = opened(&targets);
    anew[1].fact = Fact::Terms(Box::new(Terms { restart_on_reopen: true, ..terms(1, &targets) }));
    let clocks = replay(&with(anew, facts), &Rules::default(), at(11));
    let clock = find(&clocks, Metric::Resolution);
    assert_eq!((clock.cycle, clock.consumed_us, clock.due_at_us), (2, HOUR_US, Some(at(18))));
}

#[test]
fn a15_new_hours_of_a_branch_count_from_the_change_on() {
    let all_day = [Shift::WHOLE_DAY];
    let before = open(KIGALI, "Africa/Kigali", &all_day, 0);
    let after = open(KIGALI, "Africa/Kigali", &[Shift::hours(9, 11)], at(4));
    let rules = rules([before, after]);
    let clocks = replay(&opened(&[target(Metric::Resolution, 8)]), &rules, at(30));
    // Four hours on Monday; two of Tuesday, two of Wednesday.
    assert_eq!(clocks[0].due_at_us, Some(us("2026-11-18T11:00:00+02:00")));
    assert_eq!(clocks[0].consumed_us, 6 * HOUR_US);
}

#[test]
fn a17_regulatory_time_ignores_pauses_and_keeps_the_earliest_receipt() {
    let shut = open(KIGALI, "Africa/Kigali", &[Shift::hours(8, 9)], 0);
    let targets = [target(Metric::RegulatoryFinal, 8 * 7 * 24), target(Metric::RegulatoryAck, 24)];
    let facts = [
        (1, Fact::Acknowledged),
        (2, Fact::Waits(WaitingOn::Customer)),
        (3, Fact::ReceivedEarlier { at_us: at(-48) }),
        (4, Fact::Resolved),
        (5, Fact::Reopened),
    ];
    let clocks = replay(&with(opened(&targets), facts), &rules([shut]), at(100));
    let clock = find(&clocks, Metric::RegulatoryFinal);
    assert_eq!((clock.state, clock.started_at_us), (ClockState::Running, at(-48)));
    assert_eq!(clock.due_at_us, Some(at(8 * 7 * 24 - 48 + 1)), "only the hour in which it was resolved is not ours");
    assert_eq!(find(&clocks, Metric::RegulatoryAck).state, ClockState::Met);
}

#[test]
fn a42_a_merge_that_is_undone_lets_the_clocks_go_on() {
    let marks = with(opened(&[target(Metric::Resolution, 8)]), [(2, Fact::Ended), (10, Fact::Revived)]);
    let clocks = replay(&marks[..3], &Rules::default(), at(5));
    assert_eq!((clocks[0].state, untold(&clocks)), (ClockState::Cancelled, vec![]));
    let clocks = replay(&marks, &Rules::default(), at(11));
    assert_eq!((clocks[0].state, clocks[0].consumed_us), (ClockState::Running, 3 * HOUR_US));
    assert_eq!(clocks[0].due_at_us, Some(at(16)));
}

#[test]
fn a19_a_case_that_moves_keeps_its_time_and_runs_by_other_hours() {
    let kigali = open(KIGALI, "Africa/Kigali", &[Shift::hours(8, 17)], 0);
    let mut london = CalendarSpec::weekdays("Europe/London", &[Shift::hours(9, 17)]);
    // Tuesday is a holiday there.
    let tuesday = calendar::HolidayDay::On("2026-11-17".parse().unwrap());
    london.holidays.push(calendar::Holiday { day: tuesday, closed: vec![], set_code: "GB".to_owned() });
    let london = OpeningCalendar::new(london).unwrap();
    let rules = rules([kigali, (LONDON, Spell { since_us: 0, calendar: Some(Arc::new(london)) })]);
    let marks = with(opened(&[target(Metric::Resolution, 12)]), [(8, Fact::Moved(LONDON))]);
    let clocks = replay(&marks, &rules, at(8));
    // Eight hours in Kigali; at 15:00 of Monday two in London, and then two of Wednesday.
    assert_eq!((clocks[0].consumed_us, clocks[0].due_at_us), (8 * HOUR_US, Some(us("2026-11-18T11:00:00Z"))));
    let branches: Vec<_> = clocks[0].intervals.iter().map(|part| part.branch).collect();
    assert_eq!(branches, [KIGALI, LONDON]);
}

#[test]
fn the_next_response_is_owed_from_the_first_message_that_nobody_answered() {
    let targets = [target(Metric::FirstResponse, 2), target(Metric::NextResponse, 4)];
    let marks = with(
        opened(&targets),
        [
            // Before our first word it is the first response that is owed.
            (0, Fact::Heard),
            (1, Fact::Answered { by_person: true }),
            (2, Fact::Heard),
            (3, Fact::Heard),
            (4, Fact::Answered { by_person: false }),
        ],
    );
    let clocks = replay(&marks, &Rules::default(), at(5));
    let next: Vec<_> = clocks.iter().filter(|clock| clock.metric == Metric::NextResponse).collect();
    assert_eq!(next.len(), 1);
    assert_eq!((next[0].started_at_us, next[0].due_at_us), (at(2), Some(at(6))), "a machine is no answer");
}

#[test]
fn machines_acknowledge_but_do_not_respond() {
    let targets = [target(Metric::Ack, 1), target(Metric::FirstResponse, 2)];
    let marks = with(opened(&targets), [(0, Fact::Answered { by_person: false })]);
    let clocks = replay(&marks, &Rules::default(), at(1));
    assert_eq!(find(&clocks, Metric::Ack).state, ClockState::Met);
    assert_eq!(find(&clocks, Metric::FirstResponse).state, ClockState::Running);
    // A case that a person takes down on the phone is answered as it comes in.
    let mut spoken = opened(&targets);
    spoken[0].fact = Fact::Opened { branch: KIGALI, answered: true };
    let clock = find(&replay(&spoken, &Rules::default(), at(1)), Metric::FirstResponse).clone();
    assert_eq!((clock.state, clock.consumed_us), (ClockState::Met, 0));
}

#[test]
fn a_team_answers_for_its_own_time_alone() {
    let marks = with(
        opened(&[target(Metric::TeamResolution, 4)]),
        [(3, Fact::Assigned), (6, Fact::Assigned), (8, Fact::Resolved)],
    );
    let clocks = replay(&marks, &Rules::default(), at(9));
    let runs: Vec<_> = clocks.iter().map(|clock| (clock.state, clock.consumed_us / HOUR_US)).collect();
    assert_eq!(runs, [(ClockState::Cancelled, 3), (ClockState::Met, 2)]);
}

#[test]
fn done_at_the_due_time_is_done_in_time() {
    for (late_us, breached) in [(0, None), (1, Some(at(8)))] {
        let mut marks = opened(&[target(Metric::Resolution, 8)]);
        marks.push(mark(at(8) + late_us, Fact::Resolved));
        assert_eq!(replay(&marks, &Rules::default(), at(9))[0].breached_at_us, breached);
    }
    // Also when the due time is closing time, and the next morning has not come.
    let rules = rules([open(KIGALI, "Africa/Kigali", &[Shift::hours(9, 17)], 0)]);
    let mut marks = opened(&[target(Metric::Resolution, 8)]);
    marks.push(mark(us("2026-11-17T07:00:00+02:00"), Fact::Resolved));
    assert_eq!(replay(&marks, &rules, at(30))[0].breached_at_us, Some(us("2026-11-16T17:00:00+02:00")));
}

#[test]
fn warnings_come_with_three_quarters_of_the_time_that_counts() {
    let rules = rules([open(KIGALI, "Africa/Kigali", &[Shift::hours(9, 17)], 0)]);
    let marks = with(
        opened(&[target(Metric::Resolution, 16)]),
        [(2, Fact::Waits(WaitingOn::Customer)), (4, Fact::Waits(WaitingOn::Nobody))],
    );
    // Two hours and four on Monday, six of Tuesday: twelve.
    let warn_us = us("2026-11-17T15:00:00+02:00");
    let clocks = replay(&marks, &rules, at(5));
    assert_eq!(clocks[0].warn_at_us, Some(warn_us));
    assert_eq!(clocks[0].due_at_us, Some(us("2026-11-18T11:00:00+02:00")));
    assert_eq!(untold(&clocks)[0], (AlarmKind::Warning, Metric::Resolution, warn_us));
}

#[test]
fn the_parts_of_a_clock_add_up() {
    let rules = rules([
        open(KIGALI, "Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(13, 17)], 0),
        open(LONDON, "Europe/London", &[Shift::hours(20, 30)], 0),
    ]);
    let marks = with(
        opened(&[target(Metric::Resolution, 30)]),
        [
            (2, Fact::Waits(WaitingOn::Customer)),
            (26, Fact::Waits(WaitingOn::Nobody)),
            (30, Fact::Moved(LONDON)),
            (50, Fact::Resolved),
            (70, Fact::Reopened),
        ],
    );
    for hours in 0..200 {
        let clocks = replay(
            &marks.iter().filter(|mark| mark.at_us <= at(hours)).cloned().collect::<Vec<_>>(),
            &rules,
            at(hours),
        );
        let clock = &clocks[0];
        assert_eq!(clock.intervals.iter().map(|part| part.counted_us).sum::<i64>(), clock.consumed_us);
        let gapless = clock.intervals.windows(2).all(|pair| pair[0].to_us <= pair[1].from_us);
        assert!(gapless, "{hours}");
        if let (Some(due_us), ClockState::Running, None) = (clock.due_at_us, clock.state, clock.breached_at_us) {
            let later = replay(
                &marks.iter().filter(|mark| mark.at_us <= at(hours)).cloned().collect::<Vec<_>>(),
                &rules,
                due_us,
            );
            assert_eq!(later[0].consumed_us, later[0].target_us(), "{hours}: what is left is over at the due time");
        }
    }
}

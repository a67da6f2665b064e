//! What clocks go by survives its row on both engines: policies, the count of changes, hours, and the watch over a case.

use calendar::{CalendarSpec, DateHours, Holiday, HolidayDay, Shift};
use stage::check_survival;
use ticketing::domain::branch::Branch;
use ticketing::domain::class::{CaseKind, Priority};
use ticketing::domain::complaint::{Severity, WaitingOn};
use ticketing::domain::sla::policy::Scope;
use ticketing::domain::sla::rules::RuleBook;
use ticketing::domain::sla::{AlarmKind, Fact, Mark, Metric, SlaPolicy, SlaState, Target, Terms, Watch};
use uuid::Uuid;

use crate::bench::both;

fn hours() -> CalendarSpec {
    let mut hours = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(13, 26)]);
    let day = HolidayDay::EveryYear { month: 7, day: 4 };
    hours.holidays = vec![Holiday { day, closed: vec![Shift::hours(8, 9)], set_code: "RW".into() }];
    hours.overrides = vec![DateHours { date: "2026-12-31".parse().unwrap(), shifts: vec![] }];
    hours
}

fn terms() -> Terms {
    Terms {
        policy: Some((Uuid::from_u128(4).into(), 7)),
        code: "GOLD".into(),
        targets: Metric::ALL
            .iter()
            .map(|metric| Target { metric: *metric, target_ms: 1, around_the_clock: *metric == Metric::Ack })
            .collect(),
        pause_on: WaitingOn::ALL.to_vec(),
        warn_percent: 80,
        restart_on_reopen: true,
    }
}

#[tokio::test]
async fn what_clocks_go_by_survives_its_row() {
    for bench in both().await {
        let policy = SlaPolicy {
            id: Uuid::from_u128(4).into(),
            version: 7,
            code: "GOLD".into(),
            position: 3,
            scope: Scope {
                branches: vec![Uuid::from_u128(5).into()],
                kinds: vec![CaseKind::Complaint],
                severities: vec![Severity::Critical],
                priorities: vec![Priority::Urgent],
            },
            terms: terms(),
            retired: true,
            created_at_us: 1,
            updated_at_us: 2,
        };
        check_survival(&bench, policy.clone()).await;
        let bare = SlaPolicy {
            id: Uuid::from_u128(5).into(),
            code: "B".into(),
            scope: Scope::default(),
            terms: Terms::default(),
            retired: false,
            ..policy
        };
        check_survival(&bench, bare).await;
        check_survival(&bench, RuleBook { id: Uuid::from_u128(1), version: 3, revision: 2, swept: 1 }).await;
        let branch = Branch {
            id: Uuid::from_u128(6).into(),
            version: 1,
            code: "KGL-1".into(),
            time_zone: "Africa/Kigali".into(),
            currency: "RWF".parse().unwrap(),
            closed: false,
            parent: None,
            calendar: Some(hours()),
        };
        check_survival(&bench, branch).await;
    }
}

#[test]
fn a_watch_is_stored_as_it_is_and_nothing_at_all_when_nothing_is_promised() {
    let branch = Uuid::from_u128(6).into();
    let facts = [
        Fact::Opened { branch, answered: true },
        Fact::ReceivedEarlier { at_us: 3 },
        Fact::Acknowledged,
        Fact::Heard,
        Fact::Answered { by_person: false },
        Fact::Waits(WaitingOn::ThirdParty),
        Fact::Assigned,
        Fact::Moved(branch),
        Fact::Terms(Box::new(terms())),
        Fact::Resolved,
        Fact::Reopened,
        Fact::Ended,
        Fact::Revived,
    ];
    let watch = Watch {
        marks: (1..).zip(facts).map(|(at_us, fact)| Mark { at_us, fact }).collect(),
        told: vec![(AlarmKind::Warning, Metric::Update, 5), (AlarmKind::Breach, Metric::Ack, 6)],
        state: SlaState::AtRisk,
        due_at_us: Some(8),
        next_at_us: Some(7),
        revision: 9,
    };
    let stored = serde_json::to_string(&watch).unwrap();
    assert_eq!(serde_json::from_str::<Watch>(&stored).unwrap(), watch);
    assert!(Watch::default().is_empty());
}

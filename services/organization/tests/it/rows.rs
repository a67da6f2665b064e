//! Each aggregate survives its row on both engines.

use calendar::{DateHours, Holiday, HolidayDay, Shift};
use organization::domain::{
    self, ApiKey, ApiKeyId, ApiKeyUse, Branch, BranchCalendar, BranchId, BranchKind, Children, Counted,
    ExternalIdentity, FormerSecret, HolidaySet, HolidaySetId, HolidayUse, OpeningHours, Permission, Presence,
    PresenceState, Reach, Role, RoleGrant, RoleId, Roster, ShiftId, Skill, StaffMember, StaffMemberId, Tally, Team,
    TeamId,
};
use stage::check_survival;
use uuid::Uuid;

use crate::bench::both;

async fn check_calendars(bench: &stage::Bench) {
    let id = Uuid::from_u128;
    let holiday = |day| Holiday { day, closed: vec![Shift::hours(12, 18)], set_code: "RW".into() };
    let hours = OpeningHours {
        weekly: std::array::from_fn(|_| vec![Shift::hours(8, 12), Shift::hours(20, 28)]),
        holidays: vec![holiday(HolidayDay::EveryYear { month: 2, day: 29 })],
        overrides: vec![DateHours { date: "2026-12-24".parse().unwrap(), shifts: vec![] }],
        set_ids: vec![HolidaySetId(id(7))],
    };
    let own =
        BranchCalendar { id: BranchId(id(1)), version: 2, hours: Some(hours), created_at_us: 3, updated_at_us: 4 };
    check_survival(bench, BranchCalendar { id: BranchId(id(2)), hours: None, ..own.clone() }).await;
    check_survival(bench, own).await;
    let set = HolidaySet {
        id: HolidaySetId(id(1)),
        version: 2,
        code: "RW".into(),
        display_name: "Rwanda".into(),
        holidays: vec![holiday(HolidayDay::On("2027-04-07".parse().unwrap()))],
        created_at_us: 3,
        updated_at_us: 4,
    };
    check_survival(bench, set).await;
    check_survival(bench, HolidayUse { id: HolidaySetId(id(1)), branches: vec![BranchId(id(2))], version: 0 }).await;
}

async fn check_people_at_work(bench: &stage::Bench) {
    let id = Uuid::from_u128;
    let team = Team {
        id: TeamId(id(1)),
        version: 2,
        branch: BranchId(id(3)),
        display_name: "Till".into(),
        members: vec![StaffMemberId(id(4)), StaffMemberId(id(5))],
        lead: Some(StaffMemberId(id(5))),
        created_at_us: 6,
        updated_at_us: 7,
        dissolved_at_us: Some(8),
    };
    let bare = Team { id: TeamId(id(2)), members: vec![], lead: None, dissolved_at_us: None, ..team.clone() };
    check_survival(bench, bare).await;
    check_survival(bench, team).await;
    let shift = domain::Shift {
        id: ShiftId(id(1)),
        version: 2,
        member: StaffMemberId(id(3)),
        branch: BranchId(id(4)),
        starts_at_us: 5,
        ends_at_us: 6,
        created_at_us: 7,
        updated_at_us: 8,
        cancelled_at_us: Some(9),
    };
    check_survival(bench, domain::Shift { id: ShiftId(id(2)), cancelled_at_us: None, ..shift.clone() }).await;
    check_survival(bench, shift).await;
    let shifts = vec![(ShiftId(id(1)), 5, 6), (ShiftId(id(2)), 7, 8)];
    check_survival(bench, Roster { id: StaffMemberId(id(1)), shifts, version: 0 }).await;
    for (number, state) in (1..).zip(PresenceState::ALL) {
        let until_us = (number == 2).then_some(9);
        check_survival(
            bench,
            Presence {
                id: StaffMemberId(id(number)),
                version: 2,
                branch: BranchId(id(3)),
                state,
                since_us: 4,
                until_us,
                created_at_us: 5,
                updated_at_us: 6,
            },
        )
        .await;
    }
}

#[tokio::test]
async fn every_aggregate_survives_its_row() {
    let id = Uuid::from_u128;
    for bench in both().await {
        let branch = Branch {
            id: BranchId(id(1)),
            version: 2,
            parent: Some(BranchId(id(3))),
            code: "KGL-1".into(),
            kind: BranchKind::Desk,
            display_name: "Ikaze \"Kigali\" ✓".into(),
            time_zone: "Africa/Kigali".into(),
            currency: "RWF".parse().unwrap(),
            locale: "rw".into(),
            created_at_us: 4,
            updated_at_us: 5,
            suspended_at_us: Some(5),
            closed_at_us: Some(6),
        };
        check_survival(
            &bench,
            Branch { id: BranchId(id(2)), code: "A".into(), parent: None, closed_at_us: None, ..branch.clone() },
        )
        .await;
        check_survival(&bench, branch).await;
        check_survival(&bench, Children { id: BranchId(id(1)), ids: vec![BranchId(id(8))], version: 0 }).await;
        check_calendars(&bench).await;
        check_people_at_work(&bench).await;
        let some = Reach::Branches(vec![id(8), id(9)]);
        check_survival(
            &bench,
            StaffMember {
                id: StaffMemberId(id(1)),
                version: 2,
                display_name: "Uwase".into(),
                grants: vec![
                    RoleGrant { role: "agent".into(), reach: some.clone() },
                    RoleGrant { role: "auditor".into(), reach: Reach::All },
                ],
                home: Some(BranchId(id(3))),
                identity: Some(ExternalIdentity { issuer: "https://id.example/".into(), subject: "ü|7".into() }),
                skills: vec![Skill { code: "loans".into(), level: 7, trained_until_us: Some(9) }],
                languages: vec!["rw".into(), "fr".into()],
                matching_attributes: vec!["woman".into()],
                matching_opted_in_at_us: Some(3),
                teams: vec![TeamId(id(6))],
                created_at_us: 4,
                updated_at_us: 5,
                deactivated_at_us: Some(6),
            },
        )
        .await;
        let bare = StaffMember::new(StaffMemberId(id(2)), "", 8);
        check_survival(&bench, StaffMember { version: 1, ..bare }).await;
        let key = ApiKey {
            id: ApiKeyId(id(1)),
            version: 2,
            secret_hash: [0xFE; 32],
            display_name: "till".into(),
            roles: vec!["agent".into(), "marketing".into()],
            reach: some,
            staff_member: Some(StaffMemberId(id(3))),
            expires_at_us: Some(4),
            revoked_at_us: Some(5),
            former: Some(FormerSecret { hash: [0xAB; 32], until_us: 8 }),
            rotated_at_us: Some(9),
            created_at_us: 6,
            updated_at_us: 7,
        };
        let bare = ApiKey {
            id: ApiKeyId(id(2)),
            reach: Reach::All,
            staff_member: None,
            expires_at_us: None,
            revoked_at_us: None,
            former: None,
            rotated_at_us: None,
            ..key.clone()
        };
        check_survival(&bench, key).await;
        check_survival(&bench, bare).await;
        let role = Role {
            id: RoleId::of("night_desk"),
            version: 3,
            code: "night_desk".into(),
            display_name: "Night desk".into(),
            permissions: [Permission::CustomerRead, Permission::ComplaintRead].into(),
            created_at_us: 4,
            updated_at_us: 5,
            deleted_at_us: Some(6),
        };
        let bare =
            Role { id: RoleId::of("x"), code: "x".into(), permissions: [].into(), deleted_at_us: None, ..role.clone() };
        check_survival(&bench, role).await;
        check_survival(&bench, bare).await;
        check_survival(&bench, ApiKeyUse { id: ApiKeyId(id(1)), last_used_at_us: 7, version: 0 }).await;
        check_survival(&bench, Tally { id: Counted::OwnRoles.id(), count: 7, version: 0 }).await;
    }
}

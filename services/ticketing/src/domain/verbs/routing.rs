//! The laws of routing, played with the real verbs. For tests alone.

#![allow(clippy::unwrap_used)]

use kernel::{BranchScope, DAY_US, HOUR_US};
use uuid::Uuid;

use super::*;
use crate::domain::code::Channel;
use crate::domain::follow_up::FollowUpOutcome;
use crate::domain::lifecycle::State as S;
use crate::domain::routing::{AskState, Needs, Trigger};
use crate::domain::staff::{Grant, Profile, Skill};
use crate::domain::stage::{KIGALI, LONDON, Stage, offer, reopening, resolution};
use crate::domain::{BranchId, Case, Event, Refusal, StaffId};

const ANNA: StaffId = StaffId(Uuid::from_u128(0xA1));
const BEN: StaffId = StaffId(Uuid::from_u128(0xB2));
const CHIEF: StaffId = StaffId(Uuid::from_u128(0xC3));
const REGION: BranchId = BranchId(Uuid::from_u128(0x33));
const BUSINESS: BranchId = BranchId(Uuid::from_u128(0x44));

fn hire(stage: &mut Stage, staff: StaffId, home: BranchId) {
    let grants = vec![Grant { role: "agent".to_owned(), branches: Some(vec![home]) }];
    stage.play(&PutStaff { staff, home: Some(home), grants }).unwrap();
}

fn can(stage: &mut Stage, staff: StaffId, profile: Profile) {
    stage.play(&PutProfile { scope: BranchScope::All, staff, expected_version: None, profile }).unwrap();
}

/// A complaint at a branch below a region below the business, with Anna and Ben at the branch and the chief above.
fn staffed() -> (Stage, Case) {
    let (mut stage, case) = Stage::at(S::Understood);
    stage.edit(&case, |complaint| complaint.owner = None);
    stage.grow(KIGALI, REGION);
    stage.grow(REGION, BUSINESS);
    hire(&mut stage, ANNA, KIGALI);
    hire(&mut stage, BEN, KIGALI);
    hire(&mut stage, CHIEF, REGION);
    stage.told();
    (stage, case)
}

fn route(case: &Case) -> Route {
    Route { case: case.clone(), needs: Needs::default() }
}

fn asked(stage: &mut Stage, case: &Case) -> Option<StaffId> {
    stage.complaint(case).story.routing.standing_ask().map(|ask| ask.staff)
}

fn answer(stage: &mut Stage, case: &Case, who: StaffId, takes: bool) -> Result<(), Refusal> {
    stage.as_somebody(&who.to_string());
    stage.play(&AnswerAsk { case: case.clone(), takes }).map(drop)
}

#[test]
fn who_fits_best_is_asked_and_why_is_on_record() {
    let (mut stage, case) = staffed();
    let skill = Skill { code: "cards".to_owned(), level: 9, trained_until_us: None };
    can(&mut stage, BEN, Profile { skills: vec![skill], ..Profile::default() });
    let needs = Needs { skill: Some(("cards".to_owned(), 5)), ..Needs::default() };
    let routed = stage.play(&Route { case: case.clone(), needs }).unwrap().complaint;
    let ask = routed.story.routing.standing_ask().unwrap();
    assert_eq!((ask.staff, ask.score.skill, ask.relaxed), (BEN, 900, false));
    assert_eq!(answer(&mut stage, &case, ANNA, true), Err(Refusal::NotAsked));
    answer(&mut stage, &case, BEN, true).unwrap();
    assert_eq!(stage.complaint(&case).owner, Some(BEN));
}

#[test]
fn a36_two_workers_route_one_case_and_it_has_one_owner() {
    let (mut stage, case) = staffed();
    stage.play(&route(&case)).unwrap();
    assert_eq!(stage.play(&route(&case)).unwrap_err(), Refusal::AskStanding);
    let who = asked(&mut stage, &case).unwrap();
    answer(&mut stage, &case, who, true).unwrap();
    assert_eq!(answer(&mut stage, &case, who, true), Err(Refusal::NotAsked));
    assert_eq!(stage.play(&route(&case)).unwrap_err(), Refusal::AlreadyAssigned);
}

#[test]
fn who_declines_or_does_not_answer_makes_room_for_the_next() {
    let (mut stage, case) = staffed();
    stage.play(&route(&case)).unwrap();
    assert_eq!(asked(&mut stage, &case), Some(ANNA));
    answer(&mut stage, &case, ANNA, false).unwrap();
    assert_eq!(asked(&mut stage, &case), Some(BEN));
    stage.pass(HOUR_US);
    stage.fire_deadlines();
    assert_eq!(asked(&mut stage, &case), Some(CHIEF), "somebody above, once nobody is left");
    stage.pass(HOUR_US);
    stage.told();
    stage.fire_deadlines();
    assert!(matches!(stage.told()[..], [Event::AskEnded { timed_out: true, .. }, Event::Queued { nobody: false, .. }]));
    let states: Vec<_> = stage.complaint(&case).story.routing.asks.iter().map(|ask| ask.state).collect();
    assert_eq!(states, [AskState::Declined, AskState::TimedOut, AskState::TimedOut]);
}

#[test]
fn a34_a_complaint_about_the_only_people_of_a_branch_goes_up() {
    let (mut stage, case) = staffed();
    for staff in [ANNA, BEN] {
        stage.play(&Recuse { case: case.clone(), staff }).unwrap();
    }
    stage.play(&route(&case)).unwrap();
    assert_eq!(asked(&mut stage, &case), Some(CHIEF));
}

#[test]
fn a35_stepping_back_when_all_are_recused_ends_in_the_queue_with_an_alarm() {
    let (mut stage, case) = staffed();
    for staff in [BEN, CHIEF] {
        stage.play(&Recuse { case: case.clone(), staff }).unwrap();
    }
    stage.play(&Assign { case: case.clone(), owner: ANNA }).unwrap();
    stage.told();
    let file = stage.play(&StepBack { case: case.clone(), reason_code: "INVOLVED".to_owned() }).unwrap();
    assert_eq!(file.complaint.owner, None);
    assert!(matches!(stage.told()[..], [Event::SteppedBack { .. }, Event::Queued { nobody: true, .. }]));
    assert_eq!(stage.play(&Assign { case, owner: ANNA }).unwrap_err(), Refusal::Recused);
}

#[test]
fn a37_who_leaves_gives_their_open_cases_back() {
    let (mut stage, case) = staffed();
    stage.play(&Assign { case: case.clone(), owner: ANNA }).unwrap();
    stage.told();
    stage.play(&PutStaff { staff: ANNA, home: Some(KIGALI), grants: Vec::new() }).unwrap();
    assert!(matches!(stage.told()[..], [Event::OwnerLeft { staff: ANNA, .. }, Event::Asked { staff: BEN, .. }]));
    assert_eq!(stage.complaint(&case).owner, None);
    assert_eq!(stage.play(&Assign { case, owner: ANNA }).unwrap_err(), Refusal::StaffLeft);
}

#[test]
fn a38_less_capacity_than_cases_brings_nothing_new_and_drops_nothing() {
    let (mut stage, case) = staffed();
    stage.play(&Assign { case: case.clone(), owner: ANNA }).unwrap();
    can(&mut stage, ANNA, Profile { capacity: 0, ..Profile::default() });
    let next = stage.open();
    stage.play(&route(&next)).unwrap();
    assert_eq!(asked(&mut stage, &next), Some(BEN));
    assert_eq!(stage.complaint(&case).owner, Some(ANNA));
}

#[test]
fn a_level_of_skill_is_let_go_of_after_ten_minutes_and_a_language_never() {
    let (mut stage, case) = staffed();
    let skill = Skill { code: "cards".to_owned(), level: 4, trained_until_us: None };
    can(&mut stage, ANNA, Profile { skills: vec![skill], ..Profile::default() });
    let needs = Needs { skill: Some(("cards".to_owned(), 5)), ..Needs::default() };
    stage.play(&Route { case: case.clone(), needs: needs.clone() }).unwrap();
    assert_eq!(asked(&mut stage, &case), None);
    stage.pass(HOUR_US / 6);
    let spoken = Needs { language: Some("fr".to_owned()), ..needs.clone() };
    stage.play(&Route { case: case.clone(), needs: spoken }).unwrap();
    assert_eq!(asked(&mut stage, &case), None);
    let routed = stage.play(&Route { case, needs }).unwrap().complaint;
    assert!(routed.story.routing.standing_ask().is_some_and(|ask| ask.staff == ANNA && ask.relaxed));
}

#[test]
fn a_customer_comes_back_to_who_satisfied_them() {
    let (mut stage, case) = Stage::ready_to_resolve();
    for staff in [ANNA, BEN] {
        hire(&mut stage, staff, KIGALI);
    }
    stage.edit(&case, |complaint| complaint.owner = Some(BEN));
    stage.play(&resolution(case.clone())).unwrap();
    stage.complete(&case, FollowUpOutcome::Satisfied);
    let next = stage.open();
    let routed = stage.play(&route(&next)).unwrap().complaint;
    let ask = routed.story.routing.standing_ask().unwrap();
    assert_eq!((ask.staff, ask.score.affinity), (BEN, 1_000));
}

#[test]
fn escalation_rises_strictly_and_the_owner_keeps_it_until_somebody_accepts() {
    let (mut stage, case) = staffed();
    stage.play(&Assign { case: case.clone(), owner: ANNA }).unwrap();
    stage.told();
    let verb = Escalate { case: case.clone(), trigger: Trigger::CustomerRequest };
    stage.play(&verb).unwrap();
    let told = stage.told();
    assert!(matches!(told[..], [Event::Escalated { level: 1, branch: REGION, staff: Some(CHIEF), .. }]));
    assert_eq!(stage.complaint(&case).owner, Some(ANNA));
    stage.as_somebody(&CHIEF.to_string());
    stage.play(&AcceptEscalation { case: case.clone() }).unwrap();
    assert_eq!(stage.complaint(&case).owner, Some(CHIEF));
    stage.play(&verb).unwrap();
    stage.pass(HOUR_US);
    stage.fire_deadlines();
    let levels: Vec<u8> = stage.complaint(&case).story.routing.escalations.iter().map(|one| one.level).collect();
    assert_eq!(levels, [1, 2], "there is nothing above the business");
    assert_eq!(stage.play(&verb).unwrap_err(), Refusal::NothingAbove);
}

#[test]
fn nobody_accepting_makes_it_rise_again() {
    let (mut stage, case) = staffed();
    stage.play(&Escalate { case: case.clone(), trigger: Trigger::Manual }).unwrap();
    stage.pass(HOUR_US);
    stage.fire_deadlines();
    let last = stage.complaint(&case).story.routing.escalations.pop().unwrap();
    assert_eq!((last.level, last.branch, last.trigger), (2, BUSINESS, Trigger::NotAccepted));
}

#[test]
fn a_second_reopening_and_a_third_round_rise_by_themselves() {
    let (mut stage, case) = Stage::at(S::Resolved);
    stage.grow(KIGALI, LONDON);
    stage.play(&reopening(case.clone())).unwrap();
    assert_eq!(stage.complaint(&case).story.routing.level(), 0);
    stage.edit(&case, |complaint| complaint.state = S::Resolved);
    stage.pass(DAY_US);
    stage.play(&reopening(case.clone())).unwrap();
    assert_eq!(stage.complaint(&case).story.routing.escalations[0].trigger, Trigger::SecondReopening);

    let (mut stage, case) = Stage::at(S::Proposing);
    stage.grow(KIGALI, LONDON);
    for round in 1..=3 {
        stage.play(&offer(case.clone())).unwrap();
        stage.play(&CounterProposals { case: case.clone(), wish: String::new() }).unwrap();
        assert_eq!(stage.complaint(&case).story.routing.level(), u8::from(round == 3));
    }
}

#[test]
fn a_preference_that_the_customer_stated_matches_only_with_who_opted_in() {
    let (mut stage, case) = staffed();
    can(&mut stage, BEN, Profile { opted_in: vec!["speaks-football".to_owned()], ..Profile::default() });
    let needs = Needs { preferred: vec!["speaks-football".to_owned()], ..Needs::default() };
    stage.play(&Route { case: case.clone(), needs }).unwrap();
    assert_eq!(asked(&mut stage, &case), Some(BEN));
    assert_eq!(stage.complaint(&case).channel, Some(Channel::InPerson));
}

//! The whole table of states and commands, played with the real verbs: what fits moves the complaint and is
//! told, what does not is refused with the state, tells nothing and changes nothing.

#![allow(clippy::unwrap_used)]

use kernel::Points;

use super::*;
use crate::domain::care::{EvidenceKind, Impact};
use crate::domain::class::{LinkKind, Priority};
use crate::domain::code::Channel;
use crate::domain::compensation::{Authority, Terms};
use crate::domain::complaint::WaitingOn;
use crate::domain::follow_up::FollowUpOutcome;
use crate::domain::lifecycle::{Command as C, State as S};
use crate::domain::routing::{Needs, Trigger};
use crate::domain::staff::Grant;
use crate::domain::stage::{
    KIGALI, LONDON, Stage, acknowledgement, at_the_counter, choice, closing, completion, finding, follow_on, keeping,
    merging, offer, reclassification, reopening, resolution, reversal, transferring, understanding, waiving,
    withdrawal, words,
};
use crate::domain::{BranchId, Case, Refusal, StaffId};

/// What fits every open state and leaves it as it is.
const WHILE_OPEN: &[C] = &[
    C::Assign,
    C::AddInteraction,
    C::SetWaiting,
    C::SetPriority,
    C::AskQuestion,
    C::RecordAnswer,
    C::ShowEmpathy,
    C::Apologize,
    C::AddEvidence,
    C::RecordImpact,
    C::MakePromise,
    C::KeepPromise,
    C::WaivePromise,
    C::Route,
    C::AnswerAsk,
    C::StepBack,
    C::Recuse,
    C::Escalate,
    C::AcceptEscalation,
    C::Link,
    C::Transfer,
];

/// What fits while nobody looks for the cause yet.
const EARLY: &[(C, S)] = &[(C::FastTrack, S::Resolved), (C::Reclassify, S::Reclassified)];

/// Every other pair that fits, and where it leads. What is not here must be refused.
const FITS: &[(S, &[(C, S)])] = &[
    (S::Received, &[(C::Acknowledge, S::Acknowledged), (C::Withdraw, S::Withdrawn)]),
    (S::Acknowledged, &[(C::ConfirmUnderstanding, S::Understood), (C::Withdraw, S::Withdrawn)]),
    (S::Understood, &[(C::StartInvestigation, S::Investigating), (C::Withdraw, S::Withdrawn)]),
    (S::Investigating, &[(C::RecordFinding, S::Proposing), (C::Withdraw, S::Withdrawn)]),
    (
        S::Proposing,
        &[
            (C::RecordFinding, S::Proposing),
            (C::OfferProposals, S::Offered),
            (C::ApproveProposals, S::Offered),
            (C::DeclineProposals, S::Proposing),
            (C::Withdraw, S::Withdrawn),
        ],
    ),
    (
        S::Offered,
        &[
            (C::OfferProposals, S::Offered),
            (C::ChooseProposal, S::Fulfilling),
            (C::CounterProposals, S::Proposing),
            (C::Withdraw, S::Withdrawn),
        ],
    ),
    (S::Fulfilling, &[(C::ReverseCompensation, S::Fulfilling), (C::Resolve, S::Resolved), (C::Withdraw, S::Withdrawn)]),
    (
        S::Resolved,
        &[
            (C::Assign, S::Resolved),
            (C::AddInteraction, S::Resolved),
            (C::Close, S::Closed),
            (C::Reopen, S::Investigating),
            (C::CompleteFollowUp, S::Resolved),
            (C::ShowEmpathy, S::Resolved),
            (C::Apologize, S::Resolved),
            (C::OpenFollowOn, S::Resolved),
            (C::ReverseCompensation, S::Resolved),
            (C::Link, S::Resolved),
        ],
    ),
    (S::Closed, &[(C::OpenFollowOn, S::Closed)]),
    (S::Withdrawn, &[(C::OpenFollowOn, S::Withdrawn)]),
    (S::Reclassified, &[]),
    (S::Merged, &[(C::UndoMerge, S::Received)]),
];

const OPEN: &[S] =
    &[S::Received, S::Acknowledged, S::Understood, S::Investigating, S::Proposing, S::Offered, S::Fulfilling];

fn fits(state: S, command: C) -> Option<S> {
    if OPEN.contains(&state) && WHILE_OPEN.contains(&command) {
        return Some(state);
    }
    if OPEN.contains(&state) && command == C::Merge {
        return Some(S::Merged);
    }
    let early = matches!(state, S::Received | S::Acknowledged | S::Understood);
    if let Some((_, next)) = EARLY.iter().find(|(of, _)| early && *of == command) {
        return Some(*next);
    }
    let (_, row) = FITS.iter().find(|(of, _)| *of == state).unwrap();
    row.iter().find(|(of, _)| *of == command).map(|(_, next)| *next)
}

/// A complaint in `state` for which `command`, where it fits, has nothing else against it.
fn given(state: S, command: C) -> (Stage, Case) {
    match (state, command) {
        (S::Fulfilling, C::Resolve) => Stage::ready_to_resolve(),
        (S::Resolved, C::Close) => {
            let (mut stage, case) = Stage::at(S::Resolved);
            stage.complete(&case, FollowUpOutcome::Satisfied);
            stage.told();
            (stage, case)
        }
        (_, C::RecordAnswer) => {
            let (mut stage, case) = Stage::at(state);
            if state.after(C::AskQuestion).is_some() {
                stage.play(&AskQuestion { case: case.clone(), question: "Which?".to_owned() }).unwrap();
                stage.told();
            }
            (stage, case)
        }
        (S::Resolved, C::OpenFollowOn) => {
            let (mut stage, case) = Stage::at(S::Resolved);
            stage.pass(15 * kernel::DAY_US);
            (stage, case)
        }
        (S::Merged, C::UndoMerge) => {
            let (mut stage, case) = Stage::at(S::Received);
            let other = stage.open();
            stage.play(&merging(&case, &other)).unwrap();
            stage.told();
            (stage, case)
        }
        // Nothing is owed and nothing on its way, so that it may be merged.
        (S::Fulfilling, C::Merge) => Stage::ready_to_resolve(),
        (open, C::Route | C::AnswerAsk) if OPEN.contains(&open) => {
            let (mut stage, case) = Stage::at(state);
            stage.edit(&case, |complaint| complaint.owner = None);
            if command == C::AnswerAsk {
                hire(&mut stage, KIGALI);
                stage.play(&Route { case: case.clone(), needs: Needs::default() }).unwrap();
                stage.told();
                stage.as_somebody(&ANNA.to_string());
            }
            (stage, case)
        }
        (open, C::StepBack) if OPEN.contains(&open) => {
            let (mut stage, case) = Stage::at(state);
            stage.edit(&case, |complaint| complaint.owner = Some(ANNA));
            (stage, case)
        }
        (open, C::Escalate | C::AcceptEscalation) if OPEN.contains(&open) => {
            let (mut stage, case) = Stage::at(state);
            stage.grow(KIGALI, LONDON);
            hire(&mut stage, LONDON);
            if command == C::AcceptEscalation {
                stage.play(&Escalate { case: case.clone(), trigger: Trigger::Manual }).unwrap();
                stage.told();
                stage.as_somebody(&ANNA.to_string());
            }
            (stage, case)
        }
        (open, C::KeepPromise | C::WaivePromise) if OPEN.contains(&open) => {
            let (mut stage, case) = Stage::at(state);
            stage.play(&promise(case.clone())).unwrap();
            stage.told();
            (stage, case)
        }
        (S::Proposing, C::ApproveProposals | C::DeclineProposals) => {
            let (mut stage, case) = Stage::at(state);
            let mut verb = OfferProposals { request_approval: true, ..offer(case.clone()) };
            verb.solutions[0].compensation = Some(Terms::Points(Points(50_000)));
            stage.play(&verb).unwrap();
            stage.as_somebody("boss");
            stage.told();
            (stage, case)
        }
        (S::Fulfilling, C::ReverseCompensation) => {
            let (mut stage, case) = Stage::ready_to_resolve();
            stage.as_somebody("boss");
            (stage, case)
        }
        (_, C::ReverseCompensation) => {
            let (mut stage, case) = Stage::at(state);
            stage.as_somebody("boss");
            (stage, case)
        }
        _ => Stage::at(state),
    }
}

fn play(stage: &mut Stage, case: Case, command: C) -> Result<S, Refusal> {
    let now = stage.complaint(&case);
    let file = match command {
        C::Acknowledge => stage.play(&acknowledgement(case)),
        C::ConfirmUnderstanding => stage.play(&understanding(case)),
        C::Assign => stage.play(&Assign { case, owner: StaffId(uuid::Uuid::from_u128(99)) }),
        C::StartInvestigation => {
            stage.edit(&case, |complaint| complaint.owner = Some(StaffId(uuid::Uuid::from_u128(9))));
            stage.play(&StartInvestigation { case })
        }
        C::RecordFinding => stage.play(&finding(case)),
        C::OfferProposals => stage.play(&offer(case)),
        C::ChooseProposal => stage.play(&choice(&now, case)),
        C::KeepPromise => stage.play(&keeping(&now, case)),
        C::Resolve => stage.play(&resolution(case)),
        C::Close => stage.play(&closing(case)),
        C::Reopen => stage.play(&reopening(case)),
        C::Withdraw => stage.play(&withdrawal(case)),
        C::AddInteraction => stage.play(&words(case)).map(|added| added.file),
        C::CompleteFollowUp => {
            let last = now.story.follow_ups.last().copied();
            let last = last.unwrap_or_else(|| uuid::Uuid::nil().into());
            stage.play(&completion(case, last, FollowUpOutcome::Satisfied))
        }
        beside => return play_beside(stage, case, beside),
    };
    file.map(|file| file.complaint.state)
}

const ANNA: StaffId = StaffId(uuid::Uuid::from_u128(0xA1));

/// Anna works at a branch.
fn hire(stage: &mut Stage, home: BranchId) {
    let grants = vec![Grant { role: "agent".to_owned(), branches: None }];
    stage.play(&PutStaff { staff: ANNA, home: Some(home), grants }).unwrap();
}

fn promise(case: Case) -> MakePromise {
    MakePromise { case, text: "We call you.".to_owned(), due_at_us: None, owner: None }
}

/// Commands beside the main path.
fn play_beside(stage: &mut Stage, case: Case, command: C) -> Result<S, Refusal> {
    let now = stage.complaint(&case);
    let file = match command {
        C::FastTrack => stage.play(&at_the_counter(case)),
        C::SetWaiting => stage.play(&SetWaiting { case, waiting_on: WaitingOn::ThirdParty }),
        C::SetPriority => stage.play(&SetPriority { case, priority: Priority::Urgent }),
        C::AskQuestion => stage.play(&AskQuestion { case, question: "Which?".to_owned() }),
        C::RecordAnswer => {
            let asked = now.story.care.clarifications.last().map(|asked| asked.id);
            let clarification = asked.unwrap_or_else(|| uuid::Uuid::nil().into());
            stage.play(&RecordAnswer { case, clarification, answer: "That one".to_owned() })
        }
        C::ShowEmpathy => stage.play(&ShowEmpathy { case, words: String::new() }),
        C::Apologize => {
            let (channel, authority) = (Channel::Phone, Authority::Limited);
            stage.play(&Apologize { case, channel, wording: None, admits_liability: false, authority })
        }
        C::AddEvidence => {
            let reference = "photo-2".to_owned();
            stage.play(&AddEvidence { case, kind: EvidenceKind::Image, reference, sha256: None })
        }
        C::RecordImpact => stage.play(&RecordImpact { case, impact: Impact::default() }),
        C::Reclassify => stage.play(&reclassification(case)),
        C::OpenFollowOn => {
            let new = stage.play(&follow_on(case.clone()))?;
            assert_ne!(new.complaint.id, case.complaint);
            return Ok(stage.complaint(&case).state);
        }
        C::ApproveProposals => {
            let (authority, policy) = (Authority::Approver, crate::domain::stage::policy());
            stage.play(&ApproveProposals { case, authority, policy })
        }
        C::DeclineProposals => stage.play(&DeclineProposals { case }),
        C::Route => stage.play(&Route { case, needs: Needs::default() }),
        C::AnswerAsk => stage.play(&AnswerAsk { case, takes: true }),
        C::StepBack => stage.play(&StepBack { case, reason_code: "INVOLVED".to_owned() }),
        C::Recuse => stage.play(&Recuse { case, staff: ANNA }),
        C::Escalate => stage.play(&Escalate { case, trigger: Trigger::Manual }),
        C::AcceptEscalation => stage.play(&AcceptEscalation { case }),
        C::Merge => {
            let other = stage.open();
            stage.play(&merging(&case, &other))?;
            return Ok(stage.complaint(&case).state);
        }
        C::UndoMerge => stage.play(&UndoMerge { case }),
        C::Link => {
            let other = stage.open();
            stage.play(&LinkComplaints { case, other: other.complaint, kind: LinkKind::Related })
        }
        C::Transfer => stage.play(&transferring(case)),
        C::CounterProposals => stage.play(&CounterProposals { case, wish: "Both".to_owned() }),
        C::MakePromise => stage.play(&promise(case)),
        C::WaivePromise => stage.play(&waiving(&now, case)),
        C::ReverseCompensation => stage.play(&reversal(&now, case)),
        _ => unreachable!("on the main path"),
    };
    file.map(|file| file.complaint.state)
}

#[test]
fn a32_every_pair_of_state_and_command_moves_or_is_refused() {
    for state in S::ALL.iter().copied() {
        for command in C::ALL.iter().copied() {
            let (mut stage, case) = given(state, command);
            let before = stage.complaint(&case);
            let result = play(&mut stage, case.clone(), command);
            match fits(state, command) {
                Some(next) => {
                    assert_eq!(result, Ok(next), "{state:?} {command:?}");
                    assert!(!stage.told().is_empty(), "{state:?} {command:?} is told");
                }
                None => {
                    assert_eq!(result, Err(Refusal::WrongState { command, state }));
                    assert!(stage.told().is_empty(), "{state:?} {command:?} tells nothing");
                    assert_eq!(stage.complaint(&case).story, before.story);
                }
            }
        }
    }
}

#[test]
fn the_version_is_looked_at_before_the_state() {
    let (mut stage, case) = Stage::at(S::Closed);
    let current = stage.complaint(&case).version;
    let stale = Case { expected_version: Some(current - 1), ..case };
    assert_eq!(stage.play(&acknowledgement(stale)).unwrap_err(), Refusal::VersionMismatch { current });
}

#[test]
fn what_is_out_of_reach_looks_like_what_is_not_there() {
    let (mut stage, case) = Stage::at(S::Received);
    let scope = kernel::BranchScope::only([crate::domain::stage::LONDON.uuid()]);
    let hidden = Case { scope, ..case.clone() };
    assert_eq!(stage.play(&acknowledgement(hidden)).unwrap_err(), Refusal::ComplaintNotFound);
    let absent = Case { complaint: uuid::Uuid::from_u128(1).into(), ..case };
    assert_eq!(stage.play(&acknowledgement(absent)).unwrap_err(), Refusal::ComplaintNotFound);
}

//! The whole table of states and commands, played with the real verbs: what fits moves the complaint and is
//! told, what does not is refused with the state, tells nothing and changes nothing.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::follow_up::FollowUpOutcome;
use crate::domain::lifecycle::{Command as C, State as S};
use crate::domain::stage::{
    Stage, acknowledgement, choice, closing, completion, finding, keeping, offer, reopening, resolution, understanding,
    withdrawal, words,
};
use crate::domain::{Case, Refusal, StaffId};

/// Every pair that fits, and where it leads. What is not here must be refused.
const FITS: &[(S, &[(C, S)])] = &[
    (
        S::Received,
        &[
            (C::Acknowledge, S::Acknowledged),
            (C::Assign, S::Received),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Received),
        ],
    ),
    (
        S::Acknowledged,
        &[
            (C::ConfirmUnderstanding, S::Understood),
            (C::Assign, S::Acknowledged),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Acknowledged),
        ],
    ),
    (
        S::Understood,
        &[
            (C::Assign, S::Understood),
            (C::StartInvestigation, S::Investigating),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Understood),
        ],
    ),
    (
        S::Investigating,
        &[
            (C::Assign, S::Investigating),
            (C::RecordFinding, S::Proposing),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Investigating),
        ],
    ),
    (
        S::Proposing,
        &[
            (C::Assign, S::Proposing),
            (C::RecordFinding, S::Proposing),
            (C::OfferProposals, S::Offered),
            (C::KeepPromise, S::Proposing),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Proposing),
        ],
    ),
    (
        S::Offered,
        &[
            (C::Assign, S::Offered),
            (C::OfferProposals, S::Offered),
            (C::ChooseProposal, S::Fulfilling),
            (C::KeepPromise, S::Offered),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Offered),
        ],
    ),
    (
        S::Fulfilling,
        &[
            (C::Assign, S::Fulfilling),
            (C::KeepPromise, S::Fulfilling),
            (C::Resolve, S::Resolved),
            (C::Withdraw, S::Withdrawn),
            (C::AddInteraction, S::Fulfilling),
        ],
    ),
    (
        S::Resolved,
        &[
            (C::Assign, S::Resolved),
            (C::Close, S::Closed),
            (C::Reopen, S::Investigating),
            (C::AddInteraction, S::Resolved),
            (C::CompleteFollowUp, S::Resolved),
        ],
    ),
    (S::Closed, &[]),
    (S::Withdrawn, &[]),
];

fn fits(state: S, command: C) -> Option<S> {
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
        // A promise of an earlier round is open while another solution is looked for.
        (S::Proposing | S::Offered, C::KeepPromise) => {
            let (mut stage, case) = Stage::at(S::Fulfilling);
            stage.settle(&case, Settlement::Refused { reason: "NO_PROGRAM".to_owned() });
            if state == S::Offered {
                stage.play(&offer(case.clone())).unwrap();
            }
            stage.told();
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
    };
    file.map(|file| file.complaint.state)
}

#[test]
fn every_pair_of_state_and_command_moves_or_is_refused() {
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

//! Points are given or taken by hand.

use commit::{Verb, ensure};
use kernel::{BranchScope, Points};

use super::shared::{reach_account, reach_open_branch};
use crate::Loyalty;
use crate::domain::posting::Pen;
use crate::domain::{
    Account, AccountId, AccountState, Books, BranchId, Cause, Cx, Entry, EntryKind, Event, Refusal, Stop,
};

/// Gives or takes points.
#[derive(Clone, Debug)]
pub struct AdjustPoints {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The account.
    pub account: AccountId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// Points; negative takes. Not 0.
    pub points: Points,
    /// Code of the reason.
    pub reason_code: String,
    /// Where it is done.
    pub branch: BranchId,
}

/// The account after, and the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The account.
    pub account: Account,
    /// What was written.
    pub entry: Entry,
}

impl Verb<Loyalty> for AdjustPoints {
    type Reply = Adjusted;

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<Adjusted, Stop> {
        reach_open_branch(w, &self.scope, self.branch)?;
        let account = reach_account(&mut w.accounts, &self.scope, self.account, self.expected_version)?;
        ensure!(account.is_open(), Refusal::AccountClosed);
        ensure!(account.state != AccountState::Frozen || self.points > Points::ZERO, Refusal::AccountFrozen);
        let cause = Cause {
            reason_code: self.reason_code.clone(),
            branch: Some(self.branch),
            rule_version: cx.settings.find(account.program).map_or(0, |program| program.rule_version),
            occurred_at_us: cx.now_us,
            ..Cause::default()
        };
        let mut pen = Pen { entries: &mut w.entries, presences: &mut w.presences, cx, cause };
        let entry = if self.points > Points::ZERO {
            pen.give(account, EntryKind::AdjustUp, self.points)?
        } else {
            pen.take(account, Points(self.points.0.saturating_neg()))?
        };
        let event = Event::PointsAdjusted { moved: account.moved(self.points), reason_code: self.reason_code.clone() };
        cx.emit(account, event);
        Ok(Adjusted { account: account.clone(), entry })
    }
}

#[cfg(test)]
mod tests {
    use kernel::{BranchScope, Points};
    use uuid::Uuid;

    use super::*;
    use crate::domain::verbs::testing::{ANN, HERE, THERE, Till, terms};
    use crate::domain::{EntryKind as K, LedgerAccount as L};

    fn adjust(till: &mut Till, points: i64) -> AdjustPoints {
        AdjustPoints {
            scope: BranchScope::All,
            account: till.account(ANN).id,
            expected_version: None,
            points: Points(points),
            reason_code: "correction".to_owned(),
            branch: HERE,
        }
    }

    fn member() -> Till {
        let mut till = Till::open(terms());
        till.enrol(ANN).unwrap();
        till.told();
        till
    }

    #[test]
    fn points_are_given_and_taken_with_their_reason() {
        let mut till = member();
        let given = adjust(&mut till, 40);
        let given = till.stage.play(&given).unwrap();
        assert_eq!((given.entry.kind, given.entry.points, given.entry.seq), (K::AdjustUp, Points(40), 1));
        assert_eq!((given.entry.cause.reason_code.as_str(), given.entry.actor.as_str()), ("correction", "tester"));
        let taken = AdjustPoints { expected_version: Some(given.account.version), ..adjust(&mut till, -15) };
        let taken = till.stage.play(&taken).unwrap();
        assert_eq!((taken.entry.kind, taken.account.balances.of(L::Available)), (K::AdjustDown, Points(25)));
        assert_eq!(taken.account.balances.of(L::Reversed), Points(15));
        assert!(matches!(&till.told()[..], [Event::PointsAdjusted { .. }, Event::PointsAdjusted { moved, .. }]
            if moved.points == Points(-15)));
    }

    #[test]
    fn what_is_not_there_cannot_be_taken() {
        let mut till = member();
        let too_many = adjust(&mut till, -1);
        assert_eq!(till.stage.play(&too_many), Err(Refusal::InsufficientPoints { available: 0 }));
        let largest = adjust(&mut till, i64::MAX);
        till.stage.play(&largest).unwrap();
        let one_more = adjust(&mut till, 1);
        assert_eq!(till.stage.play(&one_more), Err(Refusal::TooManyPoints));
        assert_eq!(till.account(ANN).last_seq, 1);
    }

    #[test]
    fn only_known_branches_and_accounts_within_reach_are_touched() {
        let mut till = member();
        let right = adjust(&mut till, 1);
        let unknown = BranchId(Uuid::from_u128(99));
        let cases = [
            (AdjustPoints { branch: unknown, ..right.clone() }, Refusal::BranchUnknown),
            (
                AdjustPoints { branch: HERE, scope: BranchScope::only([THERE.uuid()]), ..right.clone() },
                Refusal::BranchNotFound,
            ),
            (
                AdjustPoints { branch: THERE, scope: BranchScope::only([THERE.uuid()]), ..right.clone() },
                Refusal::AccountNotFound,
            ),
            (AdjustPoints { account: AccountId(unknown.uuid()), ..right.clone() }, Refusal::AccountNotFound),
            (AdjustPoints { expected_version: Some(77), ..right.clone() }, Refusal::VersionMismatch { current: 1 }),
        ];
        for (verb, refusal) in cases {
            assert_eq!(till.stage.play(&verb), Err(refusal));
        }
        till.close_branch(HERE);
        assert_eq!(till.stage.play(&right), Err(Refusal::BranchClosed));
    }

    #[test]
    fn an_account_is_seen_where_points_came() {
        let mut till = member();
        let there = BranchScope::only([THERE.uuid()]);
        let from_above = AdjustPoints { branch: THERE, ..adjust(&mut till, 5) };
        assert!(!till.account(ANN).is_within(&there));
        till.stage.play(&from_above).unwrap();
        till.stage.play(&AdjustPoints { scope: there, ..from_above }).unwrap();
        assert_eq!(till.account(ANN).branches, [HERE, THERE]);
        assert_eq!(till.stage.world.presences.pushed().count(), 2);
    }

    #[test]
    fn a_frozen_account_can_only_gain() {
        let mut till = member();
        till.account_state(ANN, AccountState::Frozen);
        let (more, less) = (adjust(&mut till, 5), adjust(&mut till, -5));
        till.stage.play(&more).unwrap();
        assert_eq!(till.stage.play(&less), Err(Refusal::AccountFrozen));
        till.account_state(ANN, AccountState::Merged);
        assert_eq!(till.stage.play(&more), Err(Refusal::AccountClosed));
    }
}

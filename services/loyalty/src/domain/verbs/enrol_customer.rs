//! A customer becomes a member of a programme.

use commit::{Verb, ensure, refuse};
use kernel::BranchScope;

use super::shared::{Newcomer, enrol, member, reach_open_branch};
use crate::Loyalty;
use crate::domain::{Account, AccountKind, Books, BranchId, CustomerId, Cx, ProgramId, Refusal, Stop};

/// Gives a customer an account. Whether there is such a customer is known to the profile service alone.
#[derive(Clone, Debug)]
pub struct EnrolCustomer {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The programme.
    pub program: ProgramId,
    /// The customer.
    pub customer: CustomerId,
    /// Who shares the account.
    pub kind: AccountKind,
    /// Where it is at home.
    pub home_branch: Option<BranchId>,
}

/// The account, new or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The account.
    pub account: Account,
    /// The customer had it already.
    pub already: bool,
}

impl Verb<Loyalty> for EnrolCustomer {
    type Reply = Enrolled;

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<Enrolled, Stop> {
        let Some(program) = cx.settings.find(self.program) else { refuse!(Refusal::ProgramNotFound) };
        if let Some(id) = member(w, program.id, self.customer)? {
            return match w.accounts.get(id)? {
                Some(account) if account.is_within(&self.scope) => {
                    Ok(Enrolled { account: account.clone(), already: true })
                }
                _ => refuse!(Refusal::EnrolledElsewhere),
            };
        }
        ensure!(program.is_active(), Refusal::ProgramClosed);
        match self.home_branch {
            Some(branch) => reach_open_branch(w, &self.scope, branch)?,
            // Else the account would be out of reach of the one who made it.
            None => ensure!(self.scope.is_all(), Refusal::HomeBranchNeeded),
        }
        let new = Newcomer { customer: self.customer, kind: self.kind, home_branch: self.home_branch };
        let id = enrol(w, cx, program, new)?;
        match w.accounts.get(id)? {
            Some(account) => Ok(Enrolled { account: account.clone(), already: false }),
            None => refuse!(Refusal::AccountNotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::verbs::testing::{ANN, BOB, HERE, THERE, Till, terms};
    use crate::domain::{Event, ProgramState, is_card_number};

    fn verb(till: &Till, customer: CustomerId) -> EnrolCustomer {
        EnrolCustomer {
            scope: BranchScope::All,
            program: till.program,
            customer,
            kind: AccountKind::Person,
            home_branch: Some(HERE),
        }
    }

    #[test]
    fn a_member_gets_one_account_and_a_card() {
        let mut till = Till::open(terms());
        let (ann, bob) = (verb(&till, ANN), verb(&till, BOB));
        let first = till.stage.play(&ann).unwrap();
        assert!(!first.already && is_card_number(&first.account.card_number), "{first:?}");
        assert_eq!(till.stage.play(&ann), Ok(Enrolled { already: true, ..first.clone() }));
        let other = till.stage.play(&bob).unwrap().account;
        assert_ne!((first.account.id, first.account.card_number), (other.id, other.card_number));
        assert!(matches!(
            &till.told()[..],
            [Event::AccountEnrolled { .. }, Event::AccountEnrolled { customer: BOB, .. }]
        ));
    }

    #[test]
    fn a_card_number_that_is_taken_is_passed_over() {
        let mut till = Till::open(terms());
        let ann = verb(&till, ANN);
        let first = crate::domain::card::card_number(till.program, ANN, 0);
        till.stage.world.claims.given(crate::domain::CLAIM_CARD, first.as_bytes(), Some(Uuid::from_u128(9)));
        let number = till.stage.play(&ann).unwrap().account.card_number;
        assert_eq!(number, crate::domain::card::card_number(till.program, ANN, 1));
    }

    #[test]
    fn the_rules_of_joining() {
        let mut till = Till::open(terms());
        let right = verb(&till, ANN);
        let there = BranchScope::only([THERE.uuid()]);
        let cases = [
            (EnrolCustomer { program: ProgramId(Uuid::nil()), ..right.clone() }, Refusal::ProgramNotFound),
            (EnrolCustomer { home_branch: Some(BranchId(Uuid::nil())), ..right.clone() }, Refusal::BranchUnknown),
            (EnrolCustomer { scope: there.clone(), ..right.clone() }, Refusal::BranchNotFound),
            (EnrolCustomer { scope: there.clone(), home_branch: None, ..right.clone() }, Refusal::HomeBranchNeeded),
        ];
        for (verb, refusal) in cases {
            assert_eq!(till.stage.play(&verb), Err(refusal));
        }
        till.stage.play(&right).unwrap();
        let from_there = EnrolCustomer { scope: there, ..right.clone() };
        assert_eq!(till.stage.play(&from_there), Err(Refusal::EnrolledElsewhere));
        till.program_state(ProgramState::Closed);
        assert_eq!(till.stage.play(&EnrolCustomer { customer: BOB, ..right }), Err(Refusal::ProgramClosed));
    }
}

//! Erase: a customer asked to be forgotten. The card goes and the account is closed for good; the ledger stays, since
//! points are money to the business.

use commit::Verb;
use uuid::Uuid;

use crate::Loyalty;
use crate::domain::{AccountId, AccountState, Books, CLAIM_CARD, Cx, Stop};

/// The profile says that a customer is erased.
#[derive(Clone, Debug)]
pub struct BeginErasure {
    /// Who.
    pub customer: Uuid,
    /// The id of the erasure.
    pub erasure: Uuid,
}

impl Verb<Loyalty> for BeginErasure {
    type Reply = ();

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let gone = w.keys.destroy(self.customer, cx.now_us);
        w.erasures.begin(self.customer, self.erasure, cx.now_us)?;
        Ok(gone?)
    }
}

/// Some accounts of an erased customer lose their card.
#[derive(Clone, Debug)]
pub struct EraseAccounts {
    /// Who.
    pub customer: Uuid,
    /// Which.
    pub accounts: Vec<AccountId>,
    /// No other is left.
    pub last: bool,
}

impl Verb<Loyalty> for EraseAccounts {
    type Reply = ();

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        // All are asked for before one is missed.
        let missing = self.accounts.iter().filter(|id| w.accounts.get(**id).is_err()).count();
        if missing > 0 {
            return Err(Stop::Missing);
        }
        for id in &self.accounts {
            let Some(account) = w.accounts.edit(*id)? else { continue };
            let card = std::mem::take(&mut account.card_number);
            account.state = AccountState::Erased;
            account.updated_at_us = cx.now_us;
            w.claims.release(CLAIM_CARD, card.as_bytes())?;
        }
        Ok(w.erasures.go_on(self.customer, self.accounts.len(), self.last, cx.now_us)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verbs::testing::{ANN, HERE, Till, terms};
    use crate::domain::{AccountKind, EnrolCustomer};
    use kernel::BranchScope;

    #[test]
    fn an_erased_account_has_no_card_and_takes_no_points() {
        let mut till = Till::open(terms());
        let (scope, program, home_branch) = (BranchScope::All, till.program, Some(HERE));
        let enrol = EnrolCustomer { scope, program, customer: ANN, kind: AccountKind::Person, home_branch };
        let account = till.stage.play(&enrol).unwrap().account;
        let (id, card) = (account.id, account.card_number);
        assert!(!card.is_empty());
        let customer = ANN.uuid();
        assert_eq!(till.stage.play(&BeginErasure { customer, erasure: Uuid::max() }), Ok(()));
        assert_eq!(till.stage.play(&EraseAccounts { customer, accounts: vec![id], last: true }), Ok(()));
        let left = till.stage.world.accounts.get(id).unwrap().cloned().unwrap();
        assert!(left.card_number.is_empty() && !left.is_open());
        assert_eq!(till.stage.world.claims.owner(CLAIM_CARD, card.as_bytes()), Ok(None));
    }
}

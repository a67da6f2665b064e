//! Rules that several verbs share: who may reach an account or a branch, how a customer becomes a member, and how a verb
//! goes through all programmes.

use commit::{Missing, Slot, ensure, refuse};
use kernel::{BranchScope, Points};
use uuid::Uuid;

use crate::domain::card::card_number;
use crate::domain::{
    Account, AccountId, AccountKind, AccountState, Balances, Books, BranchId, CLAIM_CARD, CLAIM_MEMBER, CustomerId, Cx,
    Event, Program, ProgramId, Refusal, Remainders, Stop,
};

/// Card numbers tried for one member. Two members in a million share the first one tried.
const CARD_ATTEMPTS: u8 = 8;

/// Refuses a stale etag. `expected` of `None` does not check.
pub(super) fn check_version(expected: Option<i64>, current: i64) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != current => Err(Refusal::VersionMismatch { current }),
        _ => Ok(()),
    }
}

/// Refuses a branch that is out of reach, unknown or closed.
pub(super) fn reach_open_branch(w: &mut Books, scope: &BranchScope, id: BranchId) -> Result<(), Stop> {
    ensure!(scope.allows(id.uuid()), Refusal::BranchNotFound);
    match w.branches.get(id)? {
        Some(branch) if branch.closed => refuse!(Refusal::BranchClosed),
        Some(_) => Ok(()),
        None => refuse!(Refusal::BranchUnknown),
    }
}

/// The account, if the caller may see it: the only way of a verb of a caller to an existing account by its id.
pub(super) fn reach_account<'a>(
    accounts: &'a mut Slot<Account>,
    scope: &BranchScope,
    id: AccountId,
    expected_version: Option<i64>,
) -> Result<&'a mut Account, Stop> {
    match accounts.edit(id)? {
        Some(account) if account.is_within(scope) => {
            check_version(expected_version, account.version)?;
            Ok(account)
        }
        _ => refuse!(Refusal::AccountNotFound),
    }
}

/// A draft of an account that stands because something refers to it.
pub(super) fn edit_account(accounts: &mut Slot<Account>, id: AccountId) -> Result<&mut Account, Stop> {
    match accounts.edit(id)? {
        Some(account) => Ok(account),
        None => refuse!(Refusal::AccountNotFound),
    }
}

/// Who may become a member, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    pub(super) customer: CustomerId,
    pub(super) kind: AccountKind,
    pub(super) home_branch: Option<BranchId>,
}

/// The account of a customer in a programme.
pub(super) fn member(w: &mut Books, program: ProgramId, customer: CustomerId) -> Result<Option<AccountId>, Missing> {
    Ok(w.claims.owner(CLAIM_MEMBER, &member_key(program, customer))?.map(AccountId))
}

/// Makes a customer a member who is none yet: see [`member`].
pub(super) fn enrol(w: &mut Books, cx: &mut Cx<'_>, program: &Program, new: Newcomer) -> Result<AccountId, Stop> {
    let id = AccountId(cx.new_id());
    let key = member_key(program.id, new.customer);
    ensure!(w.claims.take(CLAIM_MEMBER, &key, id)?.is_ok(), Refusal::EnrolledElsewhere);
    let card_number = take_card(w, program.id, new.customer, id)?;
    let mut account = Account {
        id,
        version: 0,
        program: program.id,
        customer: new.customer,
        home_branch: new.home_branch,
        branches: Vec::new(),
        kind: new.kind,
        state: AccountState::Active,
        card_number,
        balances: Balances::default(),
        earned: Points::ZERO,
        last_seq: 0,
        seal: Uuid::nil(),
        spent_remainders: Remainders::default(),
        returned_remainders: Remainders::default(),
        created_at_us: cx.now_us,
        updated_at_us: cx.now_us,
    };
    if let Some(presence) = new.home_branch.and_then(|branch| account.arrive(branch)) {
        w.presences.push(presence);
    }
    let event = Event::AccountEnrolled {
        account: id,
        program: program.id,
        customer: new.customer,
        kind: new.kind,
        home_branch: new.home_branch,
    };
    cx.emit(w.accounts.insert(account), event);
    Ok(id)
}

fn take_card(w: &mut Books, program: ProgramId, customer: CustomerId, owner: AccountId) -> Result<String, Stop> {
    for attempt in 0..CARD_ATTEMPTS {
        let number = card_number(program, customer, attempt);
        if w.claims.take(CLAIM_CARD, number.as_bytes(), owner)?.is_ok() {
            return Ok(number);
        }
    }
    refuse!(Refusal::CardNumbersTaken)
}

fn member_key(program: ProgramId, customer: CustomerId) -> [u8; 32] {
    let mut key = [0; 32];
    let (left, right) = key.split_at_mut(16);
    left.copy_from_slice(program.uuid().as_bytes());
    right.copy_from_slice(customer.uuid().as_bytes());
    key
}

/// Takes a step for each programme. What one of them misses does not keep the others from asking, so that a few rounds
/// of loading do for any number of programmes.
pub(super) fn for_each_program<'p>(
    programs: impl Iterator<Item = &'p Program>,
    mut step: impl FnMut(&'p Program) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut all = Ok(());
    for program in programs {
        match step(program) {
            Err(Stop::Missing) => all = Err(Stop::Missing),
            other => other?,
        }
    }
    all
}

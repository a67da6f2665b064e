//! The rules of loyalty: programmes, accounts, and the double-entry ledger of points. Pure: no I/O, no clock, no
//! randomness; what verbs need comes in through the world and the context.

mod account;
mod audit;
mod branch;
mod card;
mod earning;
mod event;
mod goodwill;
mod ledger;
mod posting;
mod program;
mod refusal;
mod verbs;

pub use account::{Account, AccountKind, AccountState, Presence, Remainders};
pub use audit::{Audit, Finding, Law, Replay, Report};
pub use branch::Branch;
pub use card::is_card_number;
pub use earning::{Earning, Returned, Sale, earning_id};
pub use event::{Event, Moved};
pub use goodwill::{ComplaintGoodwill, GoodwillRefusal};
pub use ledger::{Balances, Cause, Entry, EntryKind, LedgerAccount, Unfit};
pub use program::{EarnRule, Program, ProgramState, Programs, ReturnPolicy, Rounding, Terms};
pub use refusal::Refusal;
pub use verbs::{
    AdjustPoints, Adjusted, BeginErasure, CreateProgram, Created, EnrolCustomer, Enrolled, EraseAccounts,
    GrantGoodwill, KeepBranch, ProgramChange, RecordReturn, RecordSale, UpdateProgram, Updated,
};

use commit::{Claims, Erasure, Keys, Log, Slot};

kernel::ids! {
    /// A loyalty programme.
    pub ProgramId;
    /// The account of a customer in a programme.
    pub AccountId;
    /// A ledger entry.
    pub EntryId;
    /// A customer, known from the events of the profile service.
    pub CustomerId;
    /// A branch of the business, known from the events of its owner.
    pub BranchId;
    /// A purchase or a return, known from the events of the profile service.
    pub PurchaseId;
    /// A compensation, known from the events of ticketing.
    pub CompensationId;
    /// A complaint, known from the events of ticketing.
    pub ComplaintId;
}

commit::world! {
    /// Everything that the verbs of this service can ask for and change.
    pub struct Books {
        /// Programmes.
        pub programs: Slot<Program>,
        /// Accounts with their balances.
        pub accounts: Slot<Account>,
        /// What purchases earned, by the id that follows from programme and receipt.
        pub earnings: Slot<Earning>,
        /// Points given for a complaint, by its id.
        pub goodwill: Slot<ComplaintGoodwill>,
        /// Branches, as far as this service must know them.
        pub branches: Slot<Branch>,
        /// The ledger.
        pub entries: Log<Entry>,
        /// At which branches an account is seen.
        pub presences: Log<Presence>,
        /// Codes of programmes, members, card numbers, compensations that were settled.
        pub claims: Claims,
        /// Keys under which texts are sealed.
        pub keys: Keys,
        /// Customers whose cards go.
        pub erasures: Slot<Erasure>,
    }
}

/// Natural key: the code of a programme.
const CLAIM_CODE: &str = "program_code";
/// Natural key: the one account of a customer in a programme.
const CLAIM_MEMBER: &str = "member";
/// Natural key: the number of a card.
const CLAIM_CARD: &str = "card";
/// Natural key: a compensation for which points were given or refused.
const CLAIM_COMPENSATION: &str = "compensation";

/// How verbs of this service stop.
pub(crate) type Stop = commit::Stop<Refusal>;
/// The context of its verbs.
pub(crate) type Cx<'a> = commit::Cx<'a, crate::Loyalty>;

//! Why ticketing says no. A refusal is a result, not a failure; how it is shown to a caller stands in the
//! room `error`.

use super::lifecycle::{Command, State};

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such complaint within the caller's reach.
    ComplaintNotFound,
    /// The branch is not known here, or not within the caller's reach.
    BranchUnknown,
    /// The branch takes no new complaints.
    BranchClosed,
    /// Someone changed the complaint in between.
    VersionMismatch {
        /// Its version now.
        current: i64,
    },
    /// The command does not fit the state.
    WrongState {
        /// What was asked.
        command: Command,
        /// Where the complaint stands.
        state: State,
    },
    /// Nothing was said that could be put on record.
    MessageNeeded,
    /// The customer did not confirm our words, and no reason is given.
    ReasonNeeded,
    /// It is not on record what the complaint is about.
    CategoryNeeded,
    /// It belongs to this person already.
    AlreadyAssigned,
    /// Nobody takes care of it yet.
    OwnerNeeded,
    /// A finding that is not undetermined has a cause.
    CauseNeeded,
    /// Points can only be given to a customer whom we know.
    CustomerNeeded,
    /// The end of an offer must lie ahead.
    ExpiryPassed,
    /// An amount must be above zero.
    AmountNotPositive {
        /// Which of the proposals.
        proposal: usize,
    },
    /// An amount is not in the currency of the branch.
    CurrencyMismatch {
        /// Which of the proposals.
        proposal: usize,
    },
    /// A compensation is more than the caller may promise.
    AboveAuthority {
        /// Which of the proposals.
        proposal: usize,
    },
    /// The offer has run out.
    ProposalsExpired,
    /// It is none of the proposals on offer.
    ProposalNotFound,
    /// An agent who records a choice says how the customer agreed.
    ConsentNeeded,
    /// There is no such promise.
    PromiseNotFound,
    /// The promise was kept already.
    PromiseNotOpen,
    /// Something that we promised is not done.
    PromiseOpen,
    /// Something that was agreed has not reached the customer.
    CompensationPending,
    /// There is no such compensation.
    CompensationNotFound,
    /// The customer was not asked whether anything else is open.
    AnythingElseNotAsked,
    /// There is no such follow-up.
    FollowUpNotFound,
    /// The follow-up was done already, or is no longer needed.
    FollowUpNotOpen,
    /// The customer has not been asked again.
    FollowUpOpen,
    /// The customer was not reached and may still come back.
    ReopenWindowOpen,
    /// It was resolved too long ago; open a new one.
    ReopenWindowOver,
    /// The message is on record with another complaint.
    MessageElsewhere,
    /// What is said to have happened lies ahead.
    NotYetHappened {
        /// The field that says so.
        field: &'static str,
    },
    /// It was passed on before it came in.
    SentBeforeReceived,
    /// The case stands already, with other content.
    CaseMismatch,
    /// There is no such policy.
    PolicyNotFound,
    /// Someone changed the policy in between.
    PolicyVersionMismatch {
        /// Its version now.
        current: i64,
    },
    /// A metric has two targets.
    TargetTwice,
    /// Nobody apologized, and no reason is given.
    ApologyNeeded,
    /// It is not on record what the customer wants, nor that there is nothing.
    DesiredOutcomeNeeded,
    /// Nothing shows what was found out.
    EvidenceNeeded,
    /// Words for the customer blame the customer.
    BlamesCustomer {
        /// The field that does.
        field: &'static str,
        /// The words.
        phrase: &'static str,
    },
    /// It cannot be handed over at the counter.
    NotImmediate,
    /// It is so already.
    AlreadySo,
    /// There is no such question.
    QuestionNotFound,
    /// The customer answered it already.
    QuestionAnswered,
    /// Only who may approve compensations admits that we are liable.
    LiabilityNeedsApprover,
    /// Reclassified as what it is.
    NotAnotherKind,
    /// Somebody is not satisfied, and a regulation holds: it stays a complaint.
    StillAComplaint,
    /// A second person must ask for the same.
    SecondPersonNeeded,
    /// What is promised lies in the past already.
    PromisePast {
        /// Which of the proposals.
        proposal: usize,
    },
    /// The customer has an offer; what waits for approval cannot take its place.
    OfferStanding,
    /// Nothing waits for approval.
    ApprovalNotPending,
    /// Nobody approves their own, nor twice, nor what is about themselves.
    OwnApproval,
    /// The budget of the branch has not enough left.
    BudgetExhausted,
    /// It was not given, or was taken back already.
    NotReversible,
    /// A case is not merged into itself, nor linked to itself.
    MergeWithItself,
    /// The other case does not go on: it is resolved, over or merged.
    MergeTargetOver,
    /// They are cases of different customers.
    CustomersDiffer,
    /// It was merged too long ago.
    UndoOver,
    /// Another merge came on top; it must be undone first.
    MergeOverwritten,
    /// Somebody is asked already.
    AskStanding,
    /// The caller was not asked.
    NotAsked,
    /// The person must not work on it.
    Recused,
    /// The person works here no longer.
    StaffLeft,
    /// The person is not known here, or out of reach.
    StaffUnknown,
    /// It is at the highest place.
    NothingAbove,
    /// A place of a text is not closed, or has no name.
    TemplateBroken,
    /// There is no such text in any language that would do.
    TemplateNotFound,
    /// A place of a text has no value.
    ValueMissing {
        /// The name of the place.
        name: String,
    },
    /// The branch has no mandate, or is out of reach.
    MandateNotFound,
}

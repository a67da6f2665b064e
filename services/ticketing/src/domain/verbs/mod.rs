//! The verbs, one per file: each a struct with what is asked and a `decide` with what then happens. Those
//! that people ask for begin with `Case::take`, which checks scope, version and state.

mod acknowledge;
mod add_interaction;
mod assign;
mod branch;
mod choose_proposal;
mod close;
mod complete_follow_up;
mod confirm_understanding;
mod erase;
mod follow_up_due;
mod import;
mod keep_promise;
mod offer_proposals;
mod open;
mod record_finding;
mod reopen;
mod resolve;
mod settle_compensation;
mod start_investigation;
#[cfg(test)]
mod state_table;
mod withdraw;

pub use acknowledge::Acknowledge;
pub use add_interaction::{AddInteraction, Added};
pub use assign::Assign;
pub use branch::{CloseBranch, PutBranch, UpdateBranch};
pub use choose_proposal::ChooseProposal;
pub use close::Close;
pub use complete_follow_up::CompleteFollowUp;
pub use confirm_understanding::ConfirmUnderstanding;
pub use erase::{BeginErasure, EraseComplaints};
pub use follow_up_due::FollowUpComesDue;
pub use import::{ImportComplaints, ImportItem, Imported, Imports};
pub use keep_promise::KeepPromise;
pub use offer_proposals::OfferProposals;
pub use open::Open;
pub use record_finding::RecordFinding;
pub use reopen::Reopen;
pub use resolve::Resolve;
pub use settle_compensation::{SettleCompensation, Settlement};
pub use start_investigation::StartInvestigation;
pub use withdraw::Withdraw;

//! The verbs of this service, one file each, and the few rules that several of them share.

mod add_identifier;
mod create_customer;
mod erase_customer;
mod identify_customer;
mod keep_branch;
mod note_fact;
mod record_purchase;
mod record_visit;
mod shared;
#[cfg(test)]
mod testing;
mod update_customer;

pub use add_identifier::AddIdentifier;
pub use create_customer::{CreateCustomer, NewCustomer};
pub use erase_customer::{EraseCustomer, Erased};
pub use identify_customer::IdentifyCustomer;
pub use keep_branch::KeepBranch;
pub use note_fact::{Change, NoteFact};
pub use record_purchase::{RecordPurchase, Recorded};
pub use record_visit::{RecordVisit, VisitReply};
pub use shared::CustomerReply;
pub use update_customer::{Changes, UpdateCustomer};

//! The verbs of loyalty, one per file.

mod adjust_points;
mod enrol_customer;
mod erase;
mod grant_goodwill;
mod keep_branch;
#[cfg(test)]
mod laws;
mod program;
mod record_return;
mod record_sale;
mod shared;
#[cfg(test)]
mod testing;

pub use adjust_points::{AdjustPoints, Adjusted};
pub use enrol_customer::{EnrolCustomer, Enrolled};
pub use erase::{BeginErasure, EraseAccounts};
pub use grant_goodwill::GrantGoodwill;
pub use keep_branch::KeepBranch;
pub use program::{CreateProgram, Created, ProgramChange, UpdateProgram, Updated};
pub use record_return::RecordReturn;
pub use record_sale::RecordSale;

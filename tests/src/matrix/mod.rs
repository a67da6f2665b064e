//! The security matrix: every method of the contract, called as every role, with ids of the caller's own branch, of a
//! foreign branch and of nobody. Requests are derived from the descriptors, so that a new method is in it by itself;
//! what must come of a call is derived from its permission and the decision table in `table`.

mod call;
mod leak;
mod request;
mod run;
mod seed;
pub mod table;
mod wishes;

pub use call::{Answer, Caller};
pub use request::{Reference, Request, references};
pub use run::{Matrix, Summary};
pub use seed::World;

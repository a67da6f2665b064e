//! The values that every crate shares: ids, the clock, money, points, branch scope and paging.
//! No I/O, no async, no database or network types may live here.

mod clock;
mod id;
mod money;
mod page;
mod points;
mod scope;

pub use clock::{Clock, DAY_US, HOUR_US, MINUTE_US, SECOND_US};
pub use id::IdSource;
pub use money::{Currency, Money, MoneyError};
pub use page::{Cursor, PageError, PageKeys, PageRequest};
pub use points::{Points, PointsError};
pub use scope::BranchScope;

#[doc(hidden)]
pub mod macros {
    pub use serde;
    pub use uuid;
}

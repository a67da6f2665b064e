//! Events for subscribers outside: one stream or page over the logs of all services, filtered by what the caller wants
//! and bounded by what it may see, with tokens to go on from.

mod branches;
mod cloud_event;
mod cursor;
mod filter;
mod seats;
mod service;
mod tails;
mod token;

pub use branches::Branches;
pub use cloud_event::cloud_event;
pub use cursor::{Batch, Cursor, Start};
pub use filter::Filter;
pub use seats::{Seat, Seats};
pub use service::Api;
pub use tails::{Away, Bounds, Tail, Tails};
pub use token::{Place, TokenFault, Tokens};

//! A world: everything that the verbs of one service can ask for and change, declared with [`crate::world!`].

use std::future::Future;

use store::{Conn, Rows};

use crate::aggregate::Corrupt;

/// One room of a world: a [`crate::Slot`], a [`crate::Log`] or [`crate::Claims`].
pub trait Room: Default + Send + Sync {
    /// Whether a verb asked for something that is not in memory.
    fn is_missing(&self) -> bool;
    /// Loads all that is missing with one statement.
    fn load(&mut self, conn: &mut Conn) -> impl Future<Output = store::Result<Result<(), Corrupt>>> + Send;
    /// The batch is saved: what was read and written stays in memory as what is stored, the rest is forgotten.
    fn settle(&mut self);
    /// The verb succeeded: its drafts become the state.
    fn keep(&mut self);
    /// The verb refused: its drafts are forgotten.
    fn drop_drafts(&mut self);
    /// What is missing does not exist: takes the place of loading in a [`crate::Rehearsal`].
    fn forgo(&mut self);
    /// The rows to save.
    fn rows(&self, into: &mut Vec<Rows>);
}

/// All rooms of a service. It stays in memory from batch to batch while no other replica writes.
pub trait World: Room + 'static {}

/// Declares the world of a service:
/// `commit::world! { /// What ticketing knows. pub struct Desk { pub complaints: Slot<Complaint>, pub claims: Claims } }`.
#[macro_export]
macro_rules! world {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($(#[$field_doc:meta])* $field_vis:vis $field:ident: $room:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        $vis struct $name { $($(#[$field_doc])* $field_vis $field: $room),+ }

        impl $crate::Room for $name {
            fn is_missing(&self) -> bool { $($crate::Room::is_missing(&self.$field))||+ }
            async fn load(&mut self, conn: &mut $crate::macros::Conn)
                -> $crate::macros::StoreResult<Result<(), $crate::Corrupt>>
            {
                $(if let Err(corrupt) = $crate::Room::load(&mut self.$field, conn).await? { return Ok(Err(corrupt)); })+
                Ok(Ok(()))
            }
            fn settle(&mut self) { $($crate::Room::settle(&mut self.$field);)+ }
            fn keep(&mut self) { $($crate::Room::keep(&mut self.$field);)+ }
            fn drop_drafts(&mut self) { $($crate::Room::drop_drafts(&mut self.$field);)+ }
            fn forgo(&mut self) { $($crate::Room::forgo(&mut self.$field);)+ }
            fn rows(&self, into: &mut Vec<$crate::macros::Rows>) { $($crate::Room::rows(&self.$field, into);)+ }
        }
        impl $crate::World for $name {}
    };
}

#[doc(hidden)]
pub mod macros {
    pub use store::{Conn, Result as StoreResult, Rows};
    pub use uuid::Uuid;
}

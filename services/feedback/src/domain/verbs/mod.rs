//! The verbs of feedback, one tight family per file.

mod case;
mod erase;
mod invitation;
mod keep;
mod response;
mod survey;

pub use case::Followed;
pub use erase::{BeginErasure, EraseResponses};
pub use invitation::{ExpireInvitation, SendInvitation};
pub use keep::{KeepBranch, KeepLinkSecret};
pub use response::{SubmitResponse, Submitted};
pub use survey::{ActivateSurvey, CloseSurvey, CreateSurvey, PauseSurvey};

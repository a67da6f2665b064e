//! Erase: a customer asked to be forgotten. Answers go a few at a time; scores stay, without whose they were.

use commit::{Cx, Stop, Verb};
use uuid::Uuid;

use crate::Feedback;
use crate::domain::{Desk, Refusal, ResponseId};

/// The profile says that a customer is erased.
#[derive(Clone, Debug)]
pub struct BeginErasure {
    /// Who.
    pub customer: Uuid,
    /// The id of the erasure.
    pub erasure: Uuid,
}

impl Verb<Feedback> for BeginErasure {
    type Reply = ();

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        let gone = world.keys.destroy(self.customer, cx.now_us);
        world.erasures.begin(self.customer, self.erasure, cx.now_us)?;
        Ok(gone?)
    }
}

/// Some responses of an erased customer lose their answers.
#[derive(Clone, Debug)]
pub struct EraseResponses {
    /// Who.
    pub customer: Uuid,
    /// Which.
    pub responses: Vec<ResponseId>,
    /// No other is left.
    pub last: bool,
}

impl Verb<Feedback> for EraseResponses {
    type Reply = ();

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        // All are asked for before one is missed.
        let missing = self.responses.iter().filter(|id| world.responses.get(**id).is_err()).count();
        if missing > 0 {
            return Err(Stop::Missing);
        }
        for id in &self.responses {
            if let Some(response) = world.responses.edit(*id)? {
                response.erase(cx.now_us);
            }
        }
        Ok(world.erasures.go_on(self.customer, self.responses.len(), self.last, cx.now_us)?)
    }
}

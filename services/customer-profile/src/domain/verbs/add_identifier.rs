//! A customer gets one more handle. One that it has already changes nothing.

use commit::Verb;
use kernel::BranchScope;

use super::shared::{CustomerReply, claim, edit_customer, reach_customer};
use crate::Profile;
use crate::domain::{CustomerId, Cx, Desk, Event, Identifier, Refusal, Stop};

/// Gives a customer a handle.
#[derive(Clone, Debug)]
pub struct AddIdentifier {
    /// Where the caller works.
    pub scope: BranchScope,
    /// Who.
    pub customer: CustomerId,
    /// The version that the caller knows; none does not check.
    pub expected_version: Option<i64>,
    /// The handle.
    pub identifier: Identifier,
}

impl Verb<Profile> for AddIdentifier {
    type Reply = CustomerReply;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<CustomerReply, Stop> {
        let claimed = claim(w, self.customer, std::slice::from_ref(&self.identifier));
        reach_customer(w, &self.scope, self.customer)?;
        let Some(known) = w.customers.get(self.customer)? else { commit::refuse!(Refusal::CustomerNotFound) };
        known.ensure_version(self.expected_version).map_err(Stop::Refused)?;
        claimed.map_err(alone)?;
        let mut new = known.clone();
        new.add_identifier(self.identifier.clone()).map_err(Stop::Refused)?;
        if new == *known {
            return Ok(CustomerReply(new));
        }
        new.updated_at_us = cx.now_us;
        let customer = edit_customer(w, self.customer)?;
        *customer = new;
        let identifier_type = self.identifier.kind;
        cx.emit(customer, Event::IdentifierAdded { customer: self.customer, identifier_type });
        Ok(CustomerReply(customer.clone()))
    }
}

/// The request has just one handle, so its place says nothing.
const fn alone(stop: Stop) -> Stop {
    match stop {
        Stop::Refused(Refusal::IdentifierTaken { .. }) => Stop::Refused(Refusal::IdentifierTaken { at: None }),
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{ANN, Desks, NOBODY, email};
    use super::*;

    fn add(customer: CustomerId, address: &str) -> AddIdentifier {
        let identifier = email(address);
        AddIdentifier { scope: BranchScope::All, customer, expected_version: None, identifier }
    }

    #[test]
    fn a_new_handle_is_added_and_its_own_again_is_not() {
        let mut desks = Desks::new();
        assert_eq!(desks.decide(&add(ANN, "ann2@example.rw")).unwrap().0.details.identifiers.len(), 2);
        assert_eq!(desks.decide(&add(ANN, "ANN@example.rw")).unwrap().0.version, 4);
        assert_eq!(desks.told(), ["customer.identifier_added"]);
    }

    #[test]
    fn a_handle_of_another_is_refused() {
        let refused = Desks::new().decide(&add(NOBODY, "ann@example.rw")).unwrap_err();
        assert_eq!(refused, commit::Stop::Refused(Refusal::IdentifierTaken { at: None }));
    }
}

//! An anonymous visitor says who it is and becomes a known customer, with everything recorded of it so far.

use commit::{Verb, ensure};
use kernel::BranchScope;

use super::create_customer::NewCustomer;
use super::shared::{CustomerReply, claim, edit_customer, own_entry, reach_customer};
use crate::Profile;
use crate::domain::{CustomerId, CustomerKind, Cx, Desk, Event, Refusal, Stop};

/// Turns an anonymous visitor into a known customer.
#[derive(Clone, Debug)]
pub struct IdentifyCustomer {
    /// Where the caller works.
    pub scope: BranchScope,
    /// Who.
    pub customer: CustomerId,
    /// The version that the caller knows; none does not check.
    pub expected_version: Option<i64>,
    /// What it is: a person or an organization.
    pub kind: CustomerKind,
    /// What it told; an empty language means that of its branch.
    pub told: NewCustomer,
}

impl Verb<Profile> for IdentifyCustomer {
    type Reply = CustomerReply;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<CustomerReply, Stop> {
        ensure!(self.kind != CustomerKind::Anonymous, Refusal::KindNotAllowed);
        reach_customer(w, &self.scope, self.customer)?;
        let customer = edit_customer(w, self.customer)?;
        customer.ensure_version(self.expected_version).map_err(Stop::Refused)?;
        ensure!(customer.kind == CustomerKind::Anonymous, Refusal::CustomerAlreadyIdentified);
        let home_branch = customer.home_branch;
        claim(w, self.customer, &self.told.identifiers)?;
        let mut details = self.told.clone().into_details().map_err(Stop::Refused)?;
        let identifier_types = details.identifiers.iter().map(|each| each.kind).collect();
        if details.locale.is_empty() {
            let spoken = w.branches.get(home_branch)?.map(|branch| branch.locale.clone());
            details.locale = spoken.unwrap_or_default();
        }

        let customer = edit_customer(w, self.customer)?;
        // What was known before stays unless something new was told.
        if details.locale.is_empty() {
            details.locale.clone_from(&customer.details.locale);
        }
        details.tags.append(&mut customer.details.tags);
        details.tags.sort();
        details.tags.dedup();
        let mut known = std::mem::take(&mut customer.details.identifiers);
        std::mem::swap(&mut known, &mut details.identifiers);
        customer.details = details;
        for identifier in known {
            customer.add_identifier(identifier).map_err(Stop::Refused)?;
        }
        customer.kind = self.kind;
        customer.updated_at_us = cx.now_us;
        let event = Event::CustomerIdentified {
            customer: self.customer,
            kind: self.kind,
            home_branch,
            locale: customer.details.locale.clone(),
            identifier_types,
        };
        let subject = self.customer.uuid();
        let entry = own_entry(cx, &event, self.customer, "customer", subject, Some(home_branch), cx.now_us);
        cx.emit(customer, event);
        let reply = CustomerReply(customer.clone());
        w.timeline.push(entry);
        Ok(reply)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{ANN, Desks, NOBODY, email};
    use super::*;

    fn identify(customer: CustomerId) -> IdentifyCustomer {
        let told = NewCustomer {
            preferred_name: "Beza".to_owned(),
            identifiers: vec![email("beza@example.rw")],
            ..NewCustomer::default()
        };
        let kind = CustomerKind::Person;
        IdentifyCustomer { scope: BranchScope::All, customer, expected_version: Some(1), kind, told }
    }

    #[test]
    fn a_visitor_becomes_a_person_and_speaks_the_language_of_its_branch() {
        let mut desks = Desks::new();
        let customer = desks.decide(&identify(NOBODY)).unwrap().0;
        assert_eq!((customer.kind, customer.version), (CustomerKind::Person, 2));
        assert_eq!(customer.details.locale, "rw");
        assert_eq!(desks.owner_of(&email("beza@example.rw")), Some(NOBODY));
        assert_eq!(desks.told(), ["customer.identified"]);
    }

    #[test]
    fn only_a_visitor_can_be_identified_once_and_as_somebody() {
        let mut again = identify(ANN);
        again.expected_version = None;
        let mut stale = identify(NOBODY);
        stale.expected_version = Some(7);
        let mut nobody = identify(NOBODY);
        nobody.kind = CustomerKind::Anonymous;
        let mut taken = identify(NOBODY);
        taken.told.identifiers = vec![email("ann@example.rw")];
        for (verb, refusal) in [
            (again, Refusal::CustomerAlreadyIdentified),
            (stale, Refusal::VersionMismatch { current: 1 }),
            (nobody, Refusal::KindNotAllowed),
            (taken, Refusal::IdentifierTaken { at: Some(0) }),
        ] {
            assert_eq!(Desks::new().decide(&verb).unwrap_err(), commit::Stop::Refused(refusal));
        }
    }
}

//! A customer is created with what it told of itself.

use commit::{Verb, ensure};
use kernel::BranchScope;

use super::shared::{CustomerReply, Newcomer, claim, create, reach_open_branch};
use crate::Profile;
use crate::domain::{
    BirthDay, BranchId, CustomerId, CustomerKind, Cx, Desk, Details, Identifier, MAX_IDENTIFIERS, Refusal, Stop,
};

/// What a new customer told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCustomer {
    /// How it wants to be called; may be empty.
    pub preferred_name: String,
    /// Its handles.
    pub identifiers: Vec<Identifier>,
    /// Its language; may be empty.
    pub locale: String,
    /// Its birthday.
    pub birthday: Option<BirthDay>,
    /// Codes that the business puts on it.
    pub tags: Vec<String>,
}

impl NewCustomer {
    /// The same without repeats, as it is kept.
    pub(super) fn into_details(self) -> Result<Details, Refusal> {
        let mut identifiers: Vec<Identifier> = Vec::with_capacity(self.identifiers.len());
        for new in self.identifiers {
            if identifiers.iter().all(|known| known.lookup != new.lookup) {
                identifiers.push(new);
            }
        }
        if identifiers.len() > MAX_IDENTIFIERS {
            return Err(Refusal::TooManyIdentifiers);
        }
        let mut tags = self.tags;
        tags.sort();
        tags.dedup();
        let (preferred_name, locale, birthday) = (self.preferred_name.trim().to_owned(), self.locale, self.birthday);
        Ok(Details { preferred_name, identifiers, locale, birthday, tags })
    }
}

/// Creates a customer.
#[derive(Clone, Debug)]
pub struct CreateCustomer {
    /// Where the caller works.
    pub scope: BranchScope,
    /// What it is.
    pub kind: CustomerKind,
    /// The branch that it belongs to.
    pub home_branch: BranchId,
    /// What it told.
    pub told: NewCustomer,
}

impl Verb<Profile> for CreateCustomer {
    type Reply = CustomerReply;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<CustomerReply, Stop> {
        let branch = reach_open_branch(w, &self.scope, self.home_branch).map(|_| ());
        let id = CustomerId(cx.new_id());
        let claimed = claim(w, id, &self.told.identifiers);
        branch?;
        claimed?;
        let details = self.told.clone().into_details().map_err(Stop::Refused)?;
        if self.kind == CustomerKind::Anonymous {
            let is_blank = Details { locale: String::new(), tags: Vec::new(), ..details.clone() } == Details::default();
            ensure!(is_blank, Refusal::AnonymousWithDetails);
        }
        let newcomer =
            Newcomer { kind: self.kind, home_branch: self.home_branch, details, first_seen_at_us: cx.now_us };
        create(w, cx, id, newcomer);
        let Some(customer) = w.customers.get(id)? else { commit::refuse!(Refusal::CustomerNotFound) };
        Ok(CustomerReply(customer.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{ANN, Desks, HERE, email};
    use super::*;

    fn create_with(told: NewCustomer) -> CreateCustomer {
        CreateCustomer { scope: BranchScope::All, kind: CustomerKind::Person, home_branch: HERE, told }
    }

    #[test]
    fn a_customer_holds_its_handles() {
        let mut desks = Desks::new();
        let told = NewCustomer {
            preferred_name: " Beza ".to_owned(),
            identifiers: vec![email("beza@example.rw"), email("BEZA@example.rw")],
            tags: vec!["vip".to_owned(), "choir".to_owned(), "vip".to_owned()],
            ..NewCustomer::default()
        };
        let customer = desks.decide(&create_with(told)).unwrap().0;
        assert_eq!(customer.details.preferred_name, "Beza");
        assert_eq!(customer.details.identifiers, [email("beza@example.rw")]);
        assert_eq!(customer.details.tags, ["choir", "vip"]);
        assert_eq!(desks.owner_of(&email("Beza@Example.rw")), Some(customer.id));
        assert_eq!(desks.told(), ["customer.created"]);
    }

    #[test]
    fn a_handle_of_another_is_refused_and_named_by_its_place() {
        let told = NewCustomer {
            identifiers: vec![email("new@example.rw"), email("ann@example.rw")],
            ..NewCustomer::default()
        };
        let mut desks = Desks::new();
        let refused = desks.decide(&create_with(told)).unwrap_err();
        assert_eq!(refused, commit::Stop::Refused(Refusal::IdentifierTaken { at: Some(1) }));
        assert_eq!(desks.owner_of(&email("new@example.rw")), None, "a refusal leaves no trace");
        assert_eq!(desks.owner_of(&email("ann@example.rw")), Some(ANN));
    }

    #[test]
    fn an_anonymous_customer_tells_nothing() {
        let mut verb = create_with(NewCustomer { locale: "rw".to_owned(), ..NewCustomer::default() });
        verb.kind = CustomerKind::Anonymous;
        assert!(Desks::new().decide(&verb).is_ok());
        verb.told.preferred_name = "Beza".to_owned();
        let refused = Desks::new().decide(&verb).unwrap_err();
        assert_eq!(refused, commit::Stop::Refused(Refusal::AnonymousWithDetails));
    }
}

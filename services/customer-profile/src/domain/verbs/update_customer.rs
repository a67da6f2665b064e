//! Some fields of a customer are changed. A change that changes nothing tells nothing.

use commit::Verb;
use kernel::BranchScope;

use super::shared::{CustomerReply, arrive, edit_customer, reach_customer, reach_open_branch};
use crate::Profile;
use crate::domain::{BirthDay, BranchId, CustomerId, Cx, Desk, Event, Refusal, Stop};

/// New values of the fields to change; none leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// How the customer wants to be called.
    pub preferred_name: Option<String>,
    /// Its language.
    pub locale: Option<String>,
    /// Its birthday; the inner none takes it away.
    pub birthday: Option<Option<BirthDay>>,
    /// The branch that it belongs to.
    pub home_branch: Option<BranchId>,
    /// Codes that the business puts on it; replaces all.
    pub tags: Option<Vec<String>>,
}

/// Changes a customer.
#[derive(Clone, Debug)]
pub struct UpdateCustomer {
    /// Where the caller works.
    pub scope: BranchScope,
    /// Who.
    pub customer: CustomerId,
    /// The version that the caller knows; none does not check.
    pub expected_version: Option<i64>,
    /// What changes.
    pub changes: Changes,
}

impl Verb<Profile> for UpdateCustomer {
    type Reply = CustomerReply;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<CustomerReply, Stop> {
        reach_customer(w, &self.scope, self.customer)?;
        let Some(known) = w.customers.get(self.customer)? else { commit::refuse!(Refusal::CustomerNotFound) };
        known.ensure_version(self.expected_version).map_err(Stop::Refused)?;
        let mut new = known.clone();
        let changed = apply(&mut new, &self.changes);
        if changed.is_empty() {
            return Ok(CustomerReply(new));
        }
        if changed.contains(&"home_branch_id") {
            reach_open_branch(w, &self.scope, new.home_branch)?;
            arrive(w, self.customer, new.home_branch)?;
        }
        new.updated_at_us = cx.now_us;
        let (home_branch, locale) = (new.home_branch, new.details.locale.clone());
        let customer = edit_customer(w, self.customer)?;
        *customer = new;
        cx.emit(customer, Event::CustomerUpdated { customer: self.customer, changed, home_branch, locale });
        Ok(CustomerReply(customer.clone()))
    }
}

/// Sets what changes and names the fields that are different now.
fn apply(customer: &mut crate::domain::Customer, changes: &Changes) -> Vec<&'static str> {
    fn set<T: PartialEq + Clone>(field: &mut T, new: Option<&T>, name: &'static str, changed: &mut Vec<&'static str>) {
        if let Some(new) = new.filter(|new| *new != field) {
            field.clone_from(new);
            changed.push(name);
        }
    }
    let mut changed = Vec::new();
    let name = changes.preferred_name.as_ref().map(|name| name.trim().to_owned());
    let tags = changes.tags.clone().map(|mut tags| {
        tags.sort();
        tags.dedup();
        tags
    });
    let details = &mut customer.details;
    set(&mut details.preferred_name, name.as_ref(), "preferred_name", &mut changed);
    set(&mut details.locale, changes.locale.as_ref(), "locale", &mut changed);
    set(&mut details.birthday, changes.birthday.as_ref(), "birthday", &mut changed);
    set(&mut customer.home_branch, changes.home_branch.as_ref(), "home_branch_id", &mut changed);
    set(&mut details.tags, tags.as_ref(), "tags", &mut changed);
    changed
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{ANN, Desks, HERE, THERE};
    use super::*;

    fn update(changes: Changes) -> UpdateCustomer {
        UpdateCustomer { scope: BranchScope::All, customer: ANN, expected_version: None, changes }
    }

    #[test]
    fn only_what_differs_is_told() {
        let mut desks = Desks::new();
        let changes = Changes {
            preferred_name: Some("Ann".to_owned()),
            locale: Some("fr".to_owned()),
            home_branch: Some(THERE),
            ..Changes::default()
        };
        let customer = desks.decide(&update(changes)).unwrap().0;
        assert_eq!((customer.version, customer.home_branch), (4, THERE));
        assert_eq!(desks.tally(ANN).totals.branches, [HERE, THERE]);
        let told = desks.events.last().unwrap();
        assert!(matches!(told, Event::CustomerUpdated { changed, .. } if changed == &["locale", "home_branch_id"]));
    }

    #[test]
    fn a_change_without_effect_leaves_the_version() {
        let mut desks = Desks::new();
        let changes = Changes { preferred_name: Some(" Ann ".to_owned()), ..Changes::default() };
        assert_eq!(desks.decide(&update(changes)).unwrap().0.version, 3);
        assert!(desks.told().is_empty());
    }

    #[test]
    fn a_stale_version_and_a_branch_out_of_reach_are_refused() {
        let mut stale = update(Changes::default());
        stale.expected_version = Some(2);
        let mut away = update(Changes { home_branch: Some(THERE), ..Changes::default() });
        away.scope = BranchScope::only([HERE.uuid()]);
        for (verb, refusal) in [(stale, Refusal::VersionMismatch { current: 3 }), (away, Refusal::BranchNotFound)] {
            assert_eq!(Desks::new().decide(&verb).unwrap_err(), commit::Stop::Refused(refusal));
        }
    }
}

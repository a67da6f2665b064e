//! Erasing a customer: what goes at once, what waits for an open complaint, and what is left at the end.

use commit::Claims;
use uuid::Uuid;

use super::{Customer, CustomerId, CustomerState, Cx, Desk, Details, Event, Stop, Tally, identifier};

/// That a customer asked to be forgotten, and how far it is. Its certificate is made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgetting {
    /// Who.
    pub customer: CustomerId,
    /// Counts up with every change.
    pub version: i64,
    /// The id of the erasure in the whole installation.
    pub erasure: Uuid,
    /// Code of the reason.
    pub reason_code: String,
    /// When it was asked for, microseconds since the Unix epoch.
    pub requested_at_us: i64,
    /// When it was complete, microseconds since the Unix epoch; `None` while it is held.
    pub completed_at_us: Option<i64>,
}

impl Customer {
    /// Takes away at once what no open complaint needs: what was inferred or is there to win the customer.
    fn restrict(&mut self, now_us: i64) {
        self.state = CustomerState::Restricted;
        self.details.tags.clear();
        self.details.birthday = None;
        self.updated_at_us = now_us;
    }

    /// Takes everything away that says who it is; gives the handles to release.
    fn erase(&mut self, now_us: i64) -> Vec<super::Identifier> {
        self.state = CustomerState::Erased;
        self.updated_at_us = now_us;
        std::mem::take(&mut self.details).identifiers
    }
}

impl Tally {
    /// A complaint of the customer is on its way, or ends; gives whether any other is.
    pub fn hold(&mut self, complaint: Uuid, is_on_its_way: bool) -> bool {
        self.totals.unclosed.retain(|held| *held != complaint);
        if is_on_its_way {
            self.totals.unclosed.push(complaint);
        }
        !self.totals.unclosed.is_empty()
    }
}

/// Erases what may go now: everything when no complaint is on its way, else what none needs. Does nothing for a
/// customer that did not ask, or that is erased already.
pub(super) fn go_on(w: &mut Desk, cx: &mut Cx<'_>, id: CustomerId) -> Result<(), Stop> {
    // All are asked for before one is missed.
    let (asked, tally, customer) = (
        w.forgettings.get(id).map(Option::<&_>::cloned),
        w.tallies.get(id).map(Option::<&_>::cloned),
        w.customers.get(id).map(Option::<&_>::cloned),
    );
    let (Some(asked), Some(tally), Some(known)) = (asked?, tally?, customer?) else { return Ok(()) };
    if asked.completed_at_us.is_some() {
        return Ok(());
    }
    let (erasure, reason_code) = (asked.erasure, asked.reason_code);
    if !tally.totals.unclosed.is_empty() {
        if known.state != CustomerState::Restricted
            && let Some(customer) = w.customers.edit(id)?
        {
            customer.restrict(cx.now_us);
            cx.emit(customer, Event::CustomerRestricted { customer: id, erasure, reason_code });
        }
        return Ok(());
    }
    release(&mut w.claims, &known.details)?;
    w.keys.destroy(id, cx.now_us)?;
    w.erasures.begin(id.uuid(), erasure, cx.now_us)?;
    w.erasures.go_on(id.uuid(), 1, true, cx.now_us)?;
    if let Some(asked) = w.forgettings.edit(id)? {
        asked.completed_at_us = Some(cx.now_us);
    }
    if let Some(customer) = w.customers.edit(id)? {
        customer.erase(cx.now_us);
        cx.emit(customer, Event::CustomerErased { customer: id, erasure, reason_code });
    }
    Ok(())
}

/// Lets the handles go, so that nothing leads to the customer any more.
fn release(claims: &mut Claims, details: &Details) -> Result<(), Stop> {
    let released: Vec<_> =
        details.identifiers.iter().map(|handle| claims.release(identifier::CLAIM, handle.claim())).collect();
    Ok(released.into_iter().collect::<Result<(), _>>()?)
}

//! The domain in the words of the contract. Replies that are stored hold no personal data: the handlers add it from
//! the customer as it stands.

use commit::Answer;
use kernel::Money;
use proto::karibu::profile::v1 as pb;
use proto::karibu::types::v1::{Channel, Money as WireMoney, MonthDay};
use proto::timestamp_from_us;

use crate::domain::{
    Customer, CustomerKind, CustomerReply, CustomerState, Identifier, IdentifierType, Line, Purchase, PurchaseKind,
    Recorded, TimelineEntry, Visit, VisitReply,
};
use crate::events::full_type;
use crate::store::{Buyers, Summary, Sums};

pub(crate) const fn customer_kind(kind: CustomerKind) -> pb::CustomerKind {
    match kind {
        CustomerKind::Person => pb::CustomerKind::Person,
        CustomerKind::Organization => pb::CustomerKind::Organization,
        CustomerKind::Anonymous => pb::CustomerKind::Anonymous,
    }
}

const fn customer_state(state: CustomerState) -> pb::CustomerState {
    match state {
        CustomerState::Active => pb::CustomerState::Active,
        CustomerState::Restricted => pb::CustomerState::Restricted,
        CustomerState::Merged => pb::CustomerState::Merged,
        CustomerState::Erased => pb::CustomerState::Erased,
    }
}

pub(crate) const fn identifier_type(kind: IdentifierType) -> pb::IdentifierType {
    match kind {
        IdentifierType::Email => pb::IdentifierType::Email,
        IdentifierType::Phone => pb::IdentifierType::Phone,
        IdentifierType::LoyaltyCard => pb::IdentifierType::LoyaltyCard,
        IdentifierType::External => pb::IdentifierType::External,
        IdentifierType::Device => pb::IdentifierType::Device,
    }
}

const fn purchase_kind(kind: PurchaseKind) -> pb::PurchaseKind {
    match kind {
        PurchaseKind::Sale => pb::PurchaseKind::Sale,
        PurchaseKind::Return => pb::PurchaseKind::Return,
    }
}

/// The channel with this code, such as `IN_PERSON`: the name of the enum value without its prefix.
pub(crate) fn channel(code: &str) -> Channel {
    Channel::from_str_name(&format!("CHANNEL_{code}")).unwrap_or(Channel::Unspecified)
}

pub(super) fn channel_code(channel: Channel) -> String {
    let name = channel.as_str_name();
    name.strip_prefix("CHANNEL_").unwrap_or(name).to_owned()
}

pub(crate) fn money(money: Money) -> WireMoney {
    WireMoney { currency_code: money.currency.to_string(), minor_units: money.minor }
}

fn identifier(identifier: &Identifier) -> pb::Identifier {
    pb::Identifier {
        r#type: identifier_type(identifier.kind).into(),
        value: identifier.value.clone(),
        issuer: identifier.issuer.clone(),
    }
}

impl Answer for CustomerReply {
    type Wire = pb::Customer;

    fn to_wire(&self) -> pb::Customer {
        let customer = &self.0;
        pb::Customer {
            customer_id: customer.id.to_string(),
            kind: customer_kind(customer.kind).into(),
            state: customer_state(customer.state).into(),
            locale: customer.details.locale.clone(),
            home_branch_id: customer.home_branch.to_string(),
            tags: customer.details.tags.clone(),
            etag: customer.version.to_string(),
            create_time: Some(timestamp_from_us(customer.created_at_us)),
            update_time: Some(timestamp_from_us(customer.updated_at_us)),
            ..pb::Customer::default()
        }
    }
}

/// Adds to a stored reply what it must not hold, from the customer as it stands now.
pub(super) fn complete(reply: &mut pb::Customer, customer: &Customer, first_seen_at_us: i64) {
    let details = &customer.details;
    reply.preferred_name.clone_from(&details.preferred_name);
    reply.identifiers = details.identifiers.iter().map(identifier).collect();
    reply.birthday =
        details.birthday.map(|birthday| MonthDay { month: birthday.month.into(), day: birthday.day.into() });
    reply.first_seen_time = Some(timestamp_from_us(first_seen_at_us));
}

/// The whole customer.
pub(super) fn whole(customer: Customer, first_seen_at_us: i64) -> pb::Customer {
    let reply = CustomerReply(customer);
    let mut whole = reply.to_wire();
    complete(&mut whole, &reply.0, first_seen_at_us);
    whole
}

impl Answer for VisitReply {
    type Wire = pb::RecordVisitResponse;

    fn to_wire(&self) -> pb::RecordVisitResponse {
        pb::RecordVisitResponse { visit: Some(visit(&self.visit)), customer: Some(self.customer.to_wire()) }
    }
}

fn visit(visit: &Visit) -> pb::Visit {
    pb::Visit {
        visit_id: visit.id.to_string(),
        customer_id: visit.customer.to_string(),
        branch_id: visit.branch.to_string(),
        channel: channel(&visit.channel).into(),
        touchpoint_code: visit.touchpoint_code.clone(),
        occur_time: Some(timestamp_from_us(visit.occurred_at_us)),
        etag: visit.version.to_string(),
        create_time: Some(timestamp_from_us(visit.recorded_at_us)),
        update_time: Some(timestamp_from_us(visit.recorded_at_us)),
    }
}

impl Answer for Recorded {
    type Wire = pb::PurchaseResult;

    fn to_wire(&self) -> pb::PurchaseResult {
        pb::PurchaseResult {
            result: Some(pb::purchase_result::Result::PurchaseId(self.purchase.to_string())),
            customer_id: self.customer.map(|id| id.to_string()).unwrap_or_default(),
            already_recorded: self.already_recorded,
            customer_created: self.customer_created,
        }
    }
}

fn line(line: Line) -> pb::PurchaseLine {
    pb::PurchaseLine {
        sku: line.sku,
        description: line.description,
        category_code: line.category_code,
        quantity: line.quantity,
        unit_amount_minor: line.unit_minor,
        earns: line.earns,
    }
}

pub(super) fn purchase(purchase: Purchase) -> pb::Purchase {
    pb::Purchase {
        purchase_id: purchase.id.to_string(),
        source_system: purchase.source_system,
        source_ref: purchase.source_ref,
        branch_id: purchase.branch.to_string(),
        customer_id: purchase.customer.map(|id| id.to_string()).unwrap_or_default(),
        kind: purchase_kind(purchase.kind).into(),
        occur_time: Some(timestamp_from_us(purchase.occurred_at_us)),
        lines: purchase.lines.into_iter().map(line).collect(),
        total: Some(money(purchase.total)),
        earning_total: Some(money(purchase.earning_total)),
        original_source_ref: purchase.original_source_ref,
        etag: purchase.version.to_string(),
        create_time: Some(timestamp_from_us(purchase.recorded_at_us)),
        update_time: Some(timestamp_from_us(purchase.recorded_at_us)),
    }
}

pub(super) fn timeline_entry(entry: TimelineEntry) -> pb::TimelineEntry {
    pb::TimelineEntry {
        entry_id: entry.id.to_string(),
        customer_id: entry.customer.to_string(),
        occur_time: Some(timestamp_from_us(entry.occurred_at_us)),
        event_type: full_type(&entry.service, &entry.kind),
        service: entry.service,
        subject_type: entry.subject_type,
        subject_id: entry.subject_id.to_string(),
        branch_id: entry.branch.map(|id| id.to_string()).unwrap_or_default(),
        facts: entry.facts.into_iter().collect(),
    }
}

pub(super) fn summary(customer_id: String, summary: Summary, as_of_us: i64) -> pb::CustomerSummary {
    let Summary { first_seen_at_us, totals, favourites } = summary;
    let favourite = |one: crate::domain::Favourite| pb::Favourite {
        sku: one.sku,
        description: one.description,
        category_code: one.category_code,
        quantity: one.quantity,
    };
    let net = totals.net_minor.into_iter().map(|(currency, minor)| money(Money::new(currency, minor)));
    pb::CustomerSummary {
        customer_id,
        visit_count: totals.visits,
        purchase_count: totals.sales,
        return_count: totals.returns,
        net_totals: net.collect(),
        first_seen_time: Some(timestamp_from_us(first_seen_at_us)),
        last_seen_time: totals.last_seen_at_us.map(timestamp_from_us),
        last_purchase_time: totals.last_sale_at_us.map(timestamp_from_us),
        favourites: favourites.into_iter().map(favourite).collect(),
        open_complaint_count: totals.open_complaints,
        complaint_count: totals.complaints,
        response_count: totals.responses,
        available_points: totals.points.iter().fold(0, |sum, account| sum.saturating_add(account.available)),
        as_of_time: Some(timestamp_from_us(as_of_us)),
    }
}

/// Sums come ordered by kind and currency.
pub(super) fn statistics(sums: &[Sums], buyers: Buyers) -> pb::PurchaseStatistics {
    let of = |kind: PurchaseKind| sums.iter().filter(move |sum| sum.kind == kind.code());
    let totals = |kind| {
        of(kind).map(|sum| WireMoney { currency_code: sum.currency.clone(), minor_units: sum.total_minor }).collect()
    };
    pb::PurchaseStatistics {
        sale_count: of(PurchaseKind::Sale).map(|sum| sum.purchases).sum(),
        return_count: of(PurchaseKind::Return).map(|sum| sum.purchases).sum(),
        line_count: sums.iter().map(|sum| sum.lines).sum(),
        customer_count: buyers.customers,
        unknown_customer_count: buyers.unknown,
        sale_totals: totals(PurchaseKind::Sale),
        return_totals: totals(PurchaseKind::Return),
    }
}

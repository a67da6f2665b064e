//! From the contract to the domain. Field rules were checked before; what is left are forms that only the domain knows.

use proto::karibu::profile::v1 as pb;
use proto::karibu::types::v1::MonthDay;
use proto::us_from_timestamp;
use server::status;
use tonic::Status;
use uuid::Uuid;
use vault::LookupKey;

use crate::domain::{
    BirthDay, BranchId, Buyer, Changes, CustomerId, CustomerKind, Identifier, IdentifierFault, IdentifierType, Line,
    NewCustomer, NewPurchase, PurchaseKind, Refusal,
};

/// The id in a field.
pub(super) fn id(field: &str, text: &str) -> Result<Uuid, Status> {
    text.parse().map_err(|_| status::invalid([(field, "must be a UUID")]))
}

/// The id in a field that may be empty.
pub(super) fn maybe_id(field: &str, text: &str) -> Result<Option<Uuid>, Status> {
    if text.is_empty() { Ok(None) } else { id(field, text).map(Some) }
}

/// The instant in a field that may be unset, microseconds since the Unix epoch.
pub(super) fn maybe_instant(field: &str, at: Option<&prost_types::Timestamp>) -> Result<Option<i64>, Status> {
    at.map(us_from_timestamp).transpose().map_err(|_| status::invalid([(field, "must be within the years 1 to 9999")]))
}

/// The version in an etag; empty does not check.
pub(super) fn version(etag: &str) -> Result<Option<i64>, Status> {
    if etag.is_empty() {
        return Ok(None);
    }
    etag.parse().map(Some).map_err(|_| status::invalid([("etag", "must be the etag of the resource as it was given")]))
}

/// The kind of a customer; unspecified means a person.
pub(super) const fn customer_kind(kind: pb::CustomerKind) -> CustomerKind {
    match kind {
        pb::CustomerKind::Unspecified | pb::CustomerKind::Person => CustomerKind::Person,
        pb::CustomerKind::Organization => CustomerKind::Organization,
        pb::CustomerKind::Anonymous => CustomerKind::Anonymous,
    }
}

/// A handle; `at` is its place in a list of them.
pub(super) fn identifier(given: &pb::Identifier, at: Option<usize>, key: &LookupKey) -> Result<Identifier, Refusal> {
    let kind = match given.r#type() {
        pb::IdentifierType::Email => IdentifierType::Email,
        pb::IdentifierType::Phone => IdentifierType::Phone,
        pb::IdentifierType::LoyaltyCard => IdentifierType::LoyaltyCard,
        pb::IdentifierType::External => IdentifierType::External,
        pb::IdentifierType::Device => IdentifierType::Device,
        pb::IdentifierType::Unspecified => {
            return Err(Refusal::IdentifierInvalid { at, fault: IdentifierFault::Empty });
        }
    };
    Identifier::new(kind, &given.value, &given.issuer, key).map_err(|fault| Refusal::IdentifierInvalid { at, fault })
}

fn identifiers(given: &[pb::Identifier], key: &LookupKey) -> Result<Vec<Identifier>, Refusal> {
    given.iter().enumerate().map(|(at, each)| identifier(each, Some(at), key)).collect()
}

fn birthday(given: MonthDay) -> Result<BirthDay, Refusal> {
    let part = |number: i32| u8::try_from(number).map_err(|_| Refusal::BirthdayInvalid);
    BirthDay::new(part(given.month)?, part(given.day)?)
}

/// What the request to create a customer tells of it.
pub(super) fn created(given: pb::CreateCustomerRequest, key: &LookupKey) -> Result<NewCustomer, Refusal> {
    Ok(NewCustomer {
        identifiers: identifiers(&given.identifiers, key)?,
        birthday: given.birthday.map(birthday).transpose()?,
        preferred_name: given.preferred_name,
        locale: given.locale,
        tags: given.tags,
    })
}

/// What the request to identify a customer tells of it.
pub(super) fn identified(given: pb::IdentifyCustomerRequest, key: &LookupKey) -> Result<NewCustomer, Refusal> {
    Ok(NewCustomer {
        identifiers: identifiers(&given.identifiers, key)?,
        birthday: given.birthday.map(birthday).transpose()?,
        preferred_name: given.preferred_name,
        locale: given.locale,
        tags: Vec::new(),
    })
}

/// The changes that the mask of a request names.
pub(super) fn changes(given: pb::UpdateCustomerRequest) -> Result<Changes, Status> {
    let mask = given.update_mask.unwrap_or_default().paths;
    let all = mask.iter().any(|path| path == "*");
    let named = |field: &str| all || mask.iter().any(|path| path == field);
    if mask.iter().any(|path| matches!(path.as_str(), "customer_id" | "etag" | "request_id" | "update_mask")) {
        return Err(status::invalid([("update_mask", "names a field that cannot be changed")]));
    }
    let home = maybe_id("home_branch_id", &given.home_branch_id)?;
    if named("home_branch_id") && home.is_none() && !all {
        return Err(status::invalid([("home_branch_id", "must be given when the mask names it")]));
    }
    let birthday = given.birthday.map(birthday).transpose().map_err(crate::error::refusal)?;
    Ok(Changes {
        preferred_name: named("preferred_name").then_some(given.preferred_name),
        locale: named("locale").then_some(given.locale),
        birthday: named("birthday").then_some(birthday),
        home_branch: home.filter(|_| named("home_branch_id")).map(BranchId),
        tags: named("tags").then_some(given.tags),
    })
}

/// A purchase as it was reported.
pub(super) fn purchase(given: pb::PurchaseInput, key: &LookupKey) -> Result<NewPurchase, Refusal> {
    let kind = match given.kind() {
        pb::PurchaseKind::Return => PurchaseKind::Return,
        pb::PurchaseKind::Sale | pb::PurchaseKind::Unspecified => PurchaseKind::Sale,
    };
    let create = given.create_customer_if_missing;
    let buyer = match given.customer {
        None => Buyer::Unknown,
        // An empty id is none: the text form of the contract cannot tell the two apart.
        Some(pb::purchase_input::Customer::CustomerId(text)) if text.is_empty() => Buyer::Unknown,
        Some(pb::purchase_input::Customer::CustomerId(text)) => {
            Buyer::Customer(text.parse::<CustomerId>().map_err(|_| Refusal::CustomerNotFound)?)
        }
        Some(pb::purchase_input::Customer::Identifier(given)) => {
            Buyer::Handle { identifier: identifier(&given, None, key)?, create }
        }
    };
    let line = |line: pb::PurchaseLine| Line {
        sku: line.sku,
        description: line.description,
        category_code: line.category_code,
        quantity: line.quantity,
        unit_minor: line.unit_amount_minor,
        earns: line.earns,
    };
    let occurred_at_us = given.occur_time.as_ref().map(us_from_timestamp).transpose();
    Ok(NewPurchase {
        branch: given.branch_id.parse().map_err(|_| Refusal::BranchNotFound)?,
        buyer,
        kind,
        // The field rules ask for an instant within range, so both are there.
        occurred_at_us: occurred_at_us.ok().flatten().unwrap_or_default(),
        currency: given.currency_code.parse().map_err(|_| Refusal::CurrencyUnknown)?,
        lines: given.lines.into_iter().map(line).collect(),
        total_minor: given.total_minor,
        original_source_ref: given.original_source_ref,
        source_system: given.source_system,
        source_ref: given.source_ref,
    })
}

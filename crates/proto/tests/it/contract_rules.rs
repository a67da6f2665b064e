//! The laws of the contract, as functions from descriptors to findings, so that they can be tried on a contract that
//! breaks them.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use proto::karibu::options::v1::Pattern;
use proto::options::{event_rule, field_rule, resource_rule};
use proto::{HttpMethod, MethodInfo, Methods, Permission};

/// Answers of `Get…` that are no resources: they are computed, not stored, so they have no version.
const VIEWS: [&str; 10] = [
    "karibu.organization.v1.OpenState",
    "karibu.profile.v1.CustomerSummary",
    "karibu.profile.v1.PurchaseStatistics",
    "karibu.ticketing.v1.ComplaintStatistics",
    "karibu.loyalty.v1.LoyaltyStatistics",
    "karibu.feedback.v1.SurveyPage",
    "karibu.feedback.v1.SurveyScore",
    "karibu.gateway.v1.CustomerOverview",
    "karibu.gateway.v1.OwnCard",
    "karibu.gateway.v1.OwnComplaint",
];

/// Texts of events that are codes though their names do not end like one.
const CODES: [&str; 9] = ["code", "number", "locale", "languages", "role", "roles", "reason", "skill", "unit"];

/// Everything that is wrong with a contract.
pub(crate) fn findings(pool: &DescriptorPool) -> Vec<String> {
    let mut found = Vec::new();
    let methods = Methods::read(pool);
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    for method in methods.iter() {
        access(method, &mut found);
        http(method, &mut addresses, &mut found);
        mutation(method, &mut found);
        list(method, &mut found);
        answer(method, &mut found);
        if !method.is_internal() {
            bounded(method, &mut found);
        }
    }
    for message in pool.all_messages().filter(|message| message.package_name().starts_with("karibu.")) {
        resource(&message, &mut found);
        event(&message, &mut found);
    }
    found
}

/// Every method says who may call it, and a method that several services answer says how it is routed.
fn access(method: &MethodInfo, found: &mut Vec<String>) {
    if method.permission == Permission::Unspecified {
        found.push(format!("{}: no permission", method.path));
    }
    if let Some(name) = &method.route_by {
        let field = method.descriptor.input().get_field_by_name(name);
        if !field.is_some_and(|field| is_required(&field) && field.kind() == Kind::String) {
            found.push(format!("{}: route_by names no required text", method.path));
        }
    }
}

/// Every method that the public door knows has an address of its own, and no other method has one.
fn http(method: &MethodInfo, addresses: &mut BTreeMap<String, String>, found: &mut Vec<String>) {
    if method.is_internal() != method.http.is_empty() {
        found.push(format!("{}: public methods have an HTTP mapping, internal ones have none", method.path));
    }
    for binding in &method.http {
        let address = format!("{} {}", binding.method.as_str(), shape(&binding.path));
        if let Some(other) = addresses.insert(address, method.path.clone()) {
            found.push(format!("{}: the address belongs to {other}", method.path));
        }
        if !binding.path.starts_with("/v1/") {
            found.push(format!("{}: the address does not begin with /v1/", method.path));
        }
        if binding.has_body == matches!(binding.method, HttpMethod::Get | HttpMethod::Delete) {
            found.push(format!("{}: a body belongs to POST, PUT and PATCH", method.path));
        }
        for name in path_fields(&binding.path) {
            match method.descriptor.input().get_field_by_name(&name) {
                Some(field) if field.kind() == Kind::String && is_required(&field) => {}
                _ => found.push(format!("{}: `{name}` of the path is no required text", method.path)),
            }
        }
    }
    // What stands in an address stands in logs.
    if method.http.iter().any(|binding| !binding.has_body)
        && everything_in(&method.descriptor.input()).iter().any(|field| rule(field).personal)
    {
        found.push(format!("{}: personal data in an address", method.path));
    }
}

/// Every change can be repeated safely, and a change of something that stands can name the version it means.
fn mutation(method: &MethodInfo, found: &mut Vec<String>) {
    if method.read_only || method.is_internal() {
        return;
    }
    let request = method.descriptor.input();
    let key = request.get_field(1).filter(|field| field.name() == "request_id");
    if key.is_none_or(|field| rule(&field).pattern() != Pattern::RequestId) {
        found.push(format!("{}: field 1 is not `request_id`", method.path));
    }
    let of_resource =
        method.http.iter().flat_map(|binding| path_fields(&binding.path)).any(|name| name.ends_with("_id"));
    if of_resource {
        let etag = request.get_field_by_name("etag");
        if etag.is_none_or(|field| rule(&field).pattern() != Pattern::Etag) {
            found.push(format!("{}: changes something that stands, but takes no `etag`", method.path));
        }
    }
}

/// Every list comes in pages.
fn list(method: &MethodInfo, found: &mut Vec<String>) {
    if !method.descriptor.name().starts_with("List") {
        return;
    }
    let (request, response) = (method.descriptor.input(), method.descriptor.output());
    let has = |message: &MessageDescriptor, name: &str, kind: Kind| {
        message.get_field_by_name(name).is_some_and(|field| field.kind() == kind)
    };
    if !(has(&request, "page_size", Kind::Int32)
        && has(&request, "page_token", Kind::String)
        && has(&response, "next_page_token", Kind::String))
    {
        found.push(format!("{}: a list without pages", method.path));
    }
}

/// What `Create…`, `Get…` and `Update…` answer with is a resource, or known as a view.
fn answer(method: &MethodInfo, found: &mut Vec<String>) {
    let name = method.descriptor.name();
    if !["Create", "Get", "Update"].iter().any(|verb| name.starts_with(verb)) {
        return;
    }
    let first = method.descriptor.output().get_field(1).map(|field| field.kind());
    if let Some(Kind::Message(message)) = first
        && resource_rule(&message).is_none()
        && !VIEWS.contains(&message.full_name())
    {
        found.push(format!("{}: answers with {}, which is no resource", method.path, message.full_name()));
    }
}

/// Nothing in a request is without a limit.
fn bounded(method: &MethodInfo, found: &mut Vec<String>) {
    for field in everything_in(&method.descriptor.input()) {
        let rule = rule(&field);
        let text_is_bounded = rule.max_len > 0 || rule.uuid || rule.pattern() != Pattern::Unspecified;
        if field.kind() == Kind::String && !text_is_bounded {
            found.push(format!("{}: a text without a limit", field.full_name()));
        }
        if field.kind() == Kind::Bytes {
            found.push(format!("{}: bytes have no rules, use a text", field.full_name()));
        }
        if field.cardinality() == Cardinality::Repeated && rule.max_items == 0 {
            found.push(format!("{}: a list without a limit", field.full_name()));
        }
    }
}

/// A resource has an id, a version and its instants.
fn resource(message: &MessageDescriptor, found: &mut Vec<String>) {
    let Some(rule) = resource_rule(message) else { return };
    let is_text = |name: &str| message.get_field_by_name(name).is_some_and(|field| field.kind() == Kind::String);
    let is_instant = |name: &str| {
        message.get_field_by_name(name).is_some_and(
            |field| matches!(field.kind(), Kind::Message(kind) if kind.full_name() == "google.protobuf.Timestamp"),
        )
    };
    if !is_text(&rule.id_field) {
        found.push(format!("{}: no id `{}`", message.full_name(), rule.id_field));
    }
    if !is_text("etag") {
        found.push(format!("{}: no `etag`", message.full_name()));
    }
    if !is_instant("create_time") || !is_instant("update_time") {
        found.push(format!("{}: no `create_time` or no `update_time`", message.full_name()));
    }
}

/// An event carries no personal data, no secrets and no whole resources.
fn event(message: &MessageDescriptor, found: &mut Vec<String>) {
    if event_rule(message).is_none() {
        return;
    }
    for field in everything_in(message) {
        let rule = rule(&field);
        if rule.personal || rule.secret {
            found.push(format!("{}: {} is personal or secret", message.full_name(), field.full_name()));
        }
        if field.kind() == Kind::String && !is_code(field.name()) {
            found.push(format!("{}: {} may hold free text", message.full_name(), field.full_name()));
        }
        if resource_rule(field.parent_message()).is_some() {
            found.push(format!("{}: holds {}", message.full_name(), field.parent_message().full_name()));
        }
    }
}

/// Whether a text of this name is an id or a code: what events may hold, since nothing can be taken out of a log again.
fn is_code(name: &str) -> bool {
    let ends = ["_id", "_ids", "_code", "_codes", "_ref", "_system", "_type", "_types", "_zone", "_fields"];
    CODES.contains(&name) || ends.iter().any(|end| name.ends_with(end))
}

/// All fields of a message and of every message of ours inside it.
fn everything_in(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut seen = BTreeSet::new();
    let mut open = vec![message.clone()];
    let mut fields = Vec::new();
    while let Some(next) = open.pop() {
        if !seen.insert(next.full_name().to_owned()) {
            continue;
        }
        for field in next.fields() {
            if let Kind::Message(inner) = field.kind()
                && inner.package_name().starts_with("karibu.")
            {
                open.push(inner);
            }
            fields.push(field);
        }
    }
    fields
}

fn rule(field: &FieldDescriptor) -> proto::karibu::options::v1::FieldRule {
    field_rule(field).unwrap_or_default()
}

fn is_required(field: &FieldDescriptor) -> bool {
    rule(field).required
}

/// `/v1/a/{b}:c` -> `b`.
fn path_fields(path: &str) -> Vec<String> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

/// The path without the names of its fields: two paths of one shape cannot be told apart.
fn shape(path: &str) -> String {
    path_fields(path).iter().fold(path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), "{}"))
}

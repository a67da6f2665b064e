//! Requests made from their descriptors: every required field filled by its rule, every id taken from a world, every
//! free text carrying the mark of that world.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use proto::karibu::options::v1::{FieldRule, Pattern};
use proto::options::field_rule;
use proto::{MethodInfo, Permission};
use uuid::Uuid;

use super::seed::World;
use super::wishes::{is_made_by_caller, is_on_trust, plain, wish};

/// The kind of a reference by e-mail address, phone number or card number.
pub(super) const HANDLE: &str = "handle";
/// What happened, happened then: seconds since the Unix epoch.
const LONG_AGO_S: i64 = 1_735_689_600;
/// What is planned begins so many seconds from now.
const PLANNED_AHEAD_S: i64 = 40 * 86_400;
/// Deepest message that is filled.
const MAX_DEPTH: usize = 8;

/// A field of a request that names a record by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands, such as `purchase.branch_id`.
    pub path: String,
    /// What it names, such as `branch_id`.
    pub kind: String,
}

/// Makes requests.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where ids come from.
    pub world: &'a World,
    /// One reference that gets another value than that of the world.
    pub instead: Option<(&'a str, &'a str)>,
    /// Makes texts that must be unique unique.
    pub serial: u64,
}

/// The references of a request that a world can fill: those that are required, and those that may be given.
pub fn references(method: &MethodInfo, world: &World) -> Vec<Reference> {
    let mut found = Vec::new();
    gather(&method.descriptor.input(), "", world, 0, &mut found);
    found
}

fn gather(message: &MessageDescriptor, path: &str, world: &World, depth: usize, found: &mut Vec<Reference>) {
    for field in message.fields().filter(|_| depth < MAX_DEPTH) {
        let rule = field_rule(&field).unwrap_or_default();
        let path = join(path, field.name());
        if is_reference(&field, &rule) {
            if let Some(kind) = world.kind_of(field.name()).filter(|_| !is_on_trust(message.name(), field.name())) {
                found.push(Reference { path, kind });
            }
        } else if is_handle(message, &field) {
            found.push(Reference { path, kind: HANDLE.to_owned() });
        } else if let Kind::Message(inner) = field.kind()
            && is_filled(message, &field, &rule)
        {
            gather(&inner, &path, world, depth + 1, found);
        }
    }
}

/// Whether the field is a handle by which a customer is found.
fn is_handle(message: &MessageDescriptor, field: &FieldDescriptor) -> bool {
    message.name() == "Identifier" && field.name() == "value"
}

/// Whether the field names a record that is there already.
pub(super) fn is_reference(field: &FieldDescriptor, rule: &FieldRule) -> bool {
    rule.uuid && !is_made_by_caller(field.name())
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// Whether the field gets a value though it is not a reference.
fn is_filled(message: &MessageDescriptor, field: &FieldDescriptor, rule: &FieldRule) -> bool {
    match wish(message.name(), field.name()) {
        Some(value) => value != "-",
        // A filter of a read is worth filling: its ids are a way to ask.
        None => rule.required || field.name() == "filter" || is_canary(field, rule),
    }
}

/// Free text about a person: it carries the mark of its world.
fn is_canary(field: &FieldDescriptor, rule: &FieldRule) -> bool {
    rule.personal
        && rule.pattern() == Pattern::Unspecified
        && field.kind() == Kind::String
        && field.containing_oneof().is_none_or(|oneof| oneof.is_synthetic())
}

impl Request<'_> {
    /// The request of this method. Fails with the name of an id that the world does not hold.
    pub fn make(&self, method: &MethodInfo) -> Result<DynamicMessage, String> {
        debug_assert_ne!(method.permission, Permission::Unspecified);
        Draft { request: *self, looks_up: method.read_only }.message(&method.descriptor.input(), "", 0)
    }
}

/// One request while it is made.
struct Draft<'a> {
    request: Request<'a>,
    /// It asks for what is there: handles are those of the world, not new ones.
    looks_up: bool,
}

impl Draft<'_> {
    fn message(&self, descriptor: &MessageDescriptor, path: &str, depth: usize) -> Result<DynamicMessage, String> {
        let mut message = DynamicMessage::new(descriptor.clone());
        if let Some(()) = well_known(&mut message, path) {
            return Ok(message);
        }
        for field in descriptor.fields().filter(|_| depth < MAX_DEPTH) {
            let rule = field_rule(&field).unwrap_or_default();
            let path = join(path, field.name());
            let value = if is_reference(&field, &rule) {
                let left_out = wish(descriptor.name(), field.name()) == Some("-")
                    || (has_other_choice(&message, &field) && self.instead_at(&path).is_none());
                if left_out { None } else { self.id(&field, &rule, &path)? }
            } else if field.name() == "request_id" {
                Some(Value::String(format!("matrix-{}", self.request.serial)))
            } else if is_filled(descriptor, &field, &rule) && !has_other_choice(&message, &field) {
                Some(self.value(descriptor, &field, &rule, &path, depth)?)
            } else {
                None
            };
            if let Some(value) = value {
                let value = if field.is_list() { Value::List(vec![value]) } else { value };
                message.set_field(&field, value);
            }
        }
        name_what_changes(&mut message, &self.text(120));
        Ok(message)
    }

    fn id(&self, field: &FieldDescriptor, rule: &FieldRule, path: &str) -> Result<Option<Value>, String> {
        match self.instead_at(path).or_else(|| self.request.world.find(field.name()).map(|id| id.to_string())) {
            Some(id) => Ok(Some(Value::String(id))),
            None if rule.required => Err(plain(field.name())),
            None => Ok(None),
        }
    }

    fn instead_at(&self, path: &str) -> Option<String> {
        self.request.instead.filter(|(place, _)| *place == path).map(|(_, value)| value.to_owned())
    }

    fn value(
        &self,
        message: &MessageDescriptor,
        field: &FieldDescriptor,
        rule: &FieldRule,
        path: &str,
        depth: usize,
    ) -> Result<Value, String> {
        let wish = wish(message.name(), field.name()).filter(|wish| *wish != "+");
        let least = rule.min.unwrap_or(0).max(i64::from(rule.required));
        let number = wish.and_then(|wish| wish.parse().ok()).unwrap_or(least);
        Ok(match field.kind() {
            Kind::Message(inner) => Value::Message(self.message(&inner, path, depth + 1)?),
            Kind::Enum(kind) => {
                let named = wish.and_then(|wish| kind.get_value_by_name(wish)).map(|value| value.number());
                let first = kind.values().map(|value| value.number()).find(|number| *number != 0);
                Value::EnumNumber(named.or(first).unwrap_or_default())
            }
            Kind::String => Value::String(match (wish, field.name()) {
                _ if self.instead_at(path).is_some() => self.instead_at(path).unwrap_or_default(),
                (Some(wish), _) => wish.to_owned(),
                (None, "token") if self.request.world.token().is_some() => {
                    self.request.world.token().unwrap_or_default()
                }
                (None, _) => self.text_for(message, field, rule),
            }),
            Kind::Bool => Value::Bool(wish == Some("true")),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(i32::try_from(number).unwrap()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::try_from(number).unwrap()),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::try_from(number).unwrap()),
            Kind::Float => Value::F32(1.0),
            Kind::Double => Value::F64(1.0),
            Kind::Bytes => Value::Bytes(bytes::Bytes::from_static(b"matrix")),
        })
    }

    fn text_for(&self, message: &MessageDescriptor, field: &FieldDescriptor, rule: &FieldRule) -> String {
        let serial = self.request.serial;
        if rule.uuid {
            return Uuid::now_v7().to_string();
        }
        if is_handle(message, field) {
            let known = self.request.world.handle().filter(|_| self.looks_up);
            return known.unwrap_or_else(|| format!("{}{serial}@example.org", self.request.world.mark));
        }
        match field.name() {
            // Methods that every service answers are asked of one.
            "service" => return "ticketing".to_owned(),
            "source_log" => return "organization".to_owned(),
            _ => {}
        }
        match rule.pattern() {
            Pattern::Unspecified => self.text(rule.max_len as usize),
            Pattern::Currency => "RWF".to_owned(),
            Pattern::Locale => "en".to_owned(),
            Pattern::TimeZone => "Africa/Kigali".to_owned(),
            Pattern::Email => format!("{}{serial}@example.org", self.request.world.mark),
            Pattern::Phone => format!("+25078{:07}", serial % 10_000_000),
            Pattern::Code => format!("c{serial}"),
            Pattern::Etag => "1".to_owned(),
            Pattern::RequestId => format!("matrix-{serial}"),
            Pattern::EventType => "karibu.ticketing.complaint.*".to_owned(),
            Pattern::Token => "nobody-has-this-token-0123456789".to_owned(),
        }
    }

    fn text(&self, most: usize) -> String {
        let text = format!("{} {}", self.request.world.mark, self.request.serial);
        if most == 0 { text } else { text.chars().take(most).collect() }
    }
}

/// Whether another member of the same choice is set already.
fn has_other_choice(message: &DynamicMessage, field: &FieldDescriptor) -> bool {
    let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) else { return false };
    oneof.fields().any(|other| message.has_field(&other))
}

/// Fills messages whose fields have no rules of ours.
fn well_known(message: &mut DynamicMessage, path: &str) -> Option<()> {
    use prost_reflect::ReflectMessage;
    match message.descriptor().full_name() {
        "google.protobuf.Timestamp" => {
            // What was, was long ago; what is planned begins in some weeks and lasts four hours.
            let now_s = kernel::Clock::system().now_us() / kernel::SECOND_US;
            let seconds = match path.rsplit('.').next() {
                Some("start_time") => now_s + PLANNED_AHEAD_S,
                Some("end_time") => now_s + PLANNED_AHEAD_S + 4 * 3_600,
                _ => LONG_AGO_S,
            };
            message.set_field_by_name("seconds", Value::I64(seconds));
        }
        "google.protobuf.Duration" => message.set_field_by_name("seconds", Value::I64(86_400)),
        "google.protobuf.FieldMask" => {}
        _ => return None,
    }
    Some(())
}

/// A change names the field that it changes: the first text after the mask.
fn name_what_changes(message: &mut DynamicMessage, text: &str) {
    use prost_reflect::ReflectMessage;
    let descriptor = message.descriptor();
    let Some(mask) = descriptor.get_field_by_name("update_mask") else { return };
    let is_text = |field: &FieldDescriptor| {
        let rule = field_rule(field).unwrap_or_default();
        field.number() > mask.number()
            && field.kind() == Kind::String
            && !field.is_list()
            && !rule.uuid
            && rule.pattern() == Pattern::Unspecified
    };
    if let Some(field) = descriptor.fields().find(is_text)
        && let Some(mut paths) = message.get_field(&mask).as_message().cloned()
    {
        paths.set_field_by_name("paths", Value::List(vec![Value::String(field.name().to_owned())]));
        message.set_field(&mask, Value::Message(paths));
        message.set_field(&field, Value::String(text.to_owned()));
    }
}

/// The key of a map entry as text, for messages.
pub(super) fn key_text(key: &MapKey) -> String {
    format!("{key:?}")
}

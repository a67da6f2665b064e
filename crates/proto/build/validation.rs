//! Generates `Validate` for every request message and for every message inside one, from their field rules. The
//! generated code only names fields and rules; how a rule is checked stands in `src/validate.rs`.

use std::collections::BTreeMap;
use std::fmt::Write;

use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::naming::{enum_path, field_ident, message_path, oneof_path, variant_ident};
use crate::rules::{FieldRule, choice_required};

type Failure = Box<dyn std::error::Error>;

/// Fields that a mask can never name: they say which request and which resource it is.
const NEVER_MASKED: [&str; 3] = ["request_id", "etag", "update_mask"];

/// One `impl Validate` per message.
pub(crate) fn generate(pool: &DescriptorPool) -> Result<String, Failure> {
    let mut code = String::from("use crate::validate::check;\nuse crate::validate::{NumberRule, TextRule};\n");
    for message in request_messages(pool).values() {
        write_message(&mut code, pool, message)?;
    }
    Ok(code)
}

/// All request messages of our services and everything of ours inside them, by name.
fn request_messages(pool: &DescriptorPool) -> BTreeMap<String, MessageDescriptor> {
    let mut found = BTreeMap::new();
    let mut open: Vec<MessageDescriptor> = pool
        .services()
        .filter(|service| service.package_name().starts_with("karibu."))
        .flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>())
        .collect();
    while let Some(message) = open.pop() {
        if found.contains_key(message.full_name()) {
            continue;
        }
        open.extend(message.fields().filter_map(|field| ours(&field)));
        found.insert(message.full_name().to_owned(), message);
    }
    found
}

/// The message of ours that the field holds, if it holds one.
fn ours(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if message.package_name().starts_with("karibu.") => Some(message),
        _ => None,
    }
}

fn write_message(code: &mut String, pool: &DescriptorPool, message: &MessageDescriptor) -> Result<(), Failure> {
    let mut body = String::new();
    for field in message.fields().filter(|field| real_oneof(field).is_none()) {
        write_field(&mut body, pool, &field)?;
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let ident = field_ident(oneof.name());
        if choice_required(pool, &oneof) {
            writeln!(body, "check::present(self.{ident}.is_some(), &at.field({:?}), found);", oneof.name())?;
        }
        let mut arms = String::new();
        for field in oneof.fields() {
            let rule = FieldRule::of(pool, &field);
            if let Some(call) = value_check(&field, &rule, "value")? {
                let pattern = format!("{}::{}(value)", oneof_path(&oneof), variant_ident(&field));
                writeln!(arms, "Some({pattern}) => {{ let at = at.field({:?}); {call} }}", field.name())?;
            }
        }
        if !arms.is_empty() {
            writeln!(body, "match &self.{ident} {{\n{arms}_ => {{}}\n}}")?;
        }
    }
    let (at, found) = if body.is_empty() { ("_at", "_found") } else { ("at", "found") };
    writeln!(
        code,
        "impl crate::Validate for {} {{\nfn check(&self, {at}: &crate::FieldPath<'_>, {found}: &mut crate::Violations) \
         {{\n{body}}}\n}}",
        message_path(message)
    )?;
    Ok(())
}

/// The `oneof` that a person wrote; not the one behind `optional`.
fn real_oneof(field: &FieldDescriptor) -> Option<prost_reflect::OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

fn write_field(body: &mut String, pool: &DescriptorPool, field: &FieldDescriptor) -> Result<(), Failure> {
    let rule = FieldRule::of(pool, field);
    let ident = field_ident(field.name());
    let name = field.name();
    if field.is_map() {
        return Err(format!("{}: a request cannot hold a map, its keys have no rule", field.full_name()).into());
    }
    if field.cardinality() == Cardinality::Repeated {
        let (min, max) = (rule.min_items.max(u32::from(rule.required)), rule.max_items);
        writeln!(body, "check::items(self.{ident}.len(), {min}, {max}, &at.field({name:?}), found);")?;
        let each = FieldRule { required: false, ..rule };
        if !each.items_apart
            && let Some(call) = value_check(field, &each, "value")?
        {
            // The list may be longer than allowed: what is over the limit is not looked at.
            writeln!(
                body,
                "for (index, value) in self.{ident}.iter().enumerate().take({}) {{ let at = at.field({name:?}); \
                 let at = at.item(index); {call} }}",
                if max == 0 { "usize::MAX".to_owned() } else { max.to_string() }
            )?;
        }
    } else if field.supports_presence() {
        if rule.required {
            writeln!(body, "check::present(self.{ident}.is_some(), &at.field({name:?}), found);")?;
        }
        let call = match masked_fields(field)? {
            Some(fields) => Some(format!("check::mask(value, &{fields:?}, &at, found);")),
            None => value_check(field, &FieldRule { required: false, ..rule }, "value")?,
        };
        if let Some(call) = call {
            writeln!(body, "if let Some(value) = &self.{ident} {{ let at = at.field({name:?}); {call} }}")?;
        }
    } else if let Some(call) = value_check(field, &rule, &format!("&self.{ident}"))? {
        writeln!(body, "{{ let at = at.field({name:?}); {call} }}")?;
    }
    Ok(())
}

/// The statement that checks one value, which stands behind the reference `value`; none if nothing can be wrong with it.
fn value_check(field: &FieldDescriptor, rule: &FieldRule, value: &str) -> Result<Option<String>, Failure> {
    let no_text_rule = rule.min_len == 0 && rule.max_len == 0 && !rule.uuid && rule.pattern == 0;
    let no_bounds = rule.min.is_none() && rule.max.is_none();
    let misplaced = || -> Failure { format!("{}: the rule does not fit the type", field.full_name()).into() };
    let number = |value: String| {
        let (min, max) = (rule.min.unwrap_or(i64::MIN), rule.max.unwrap_or(i64::MAX));
        format!(
            "check::number({value}, &NumberRule {{ required: {}, min: {min}, max: {max} }}, &at, found);",
            rule.required
        )
    };
    Ok(match field.kind() {
        Kind::String if no_bounds => (rule.required || !no_text_rule).then(|| {
            format!(
                "check::text({value}, &TextRule {{ required: {}, min_len: {}, max_len: {}, uuid: {}, pattern: {} }}, \
                 &at, found);",
                rule.required, rule.min_len, rule.max_len, rule.uuid, rule.pattern
            )
        }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 if no_text_rule => {
            (rule.required || !no_bounds).then(|| number(format!("i64::from(*({value}))")))
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 if no_text_rule => {
            (rule.required || !no_bounds).then(|| number(format!("*({value})")))
        }
        Kind::Enum(kind) if no_text_rule && no_bounds => Some(format!(
            "check::enumeration({}::try_from(*({value})).is_ok(), *({value}), {}, &at, found);",
            enum_path(&kind),
            rule.required
        )),
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" if no_text_rule && no_bounds => {
                Some(format!("check::instant({value}, &at, found);"))
            }
            "google.protobuf.Duration" if no_text_rule => Some(format!(
                "check::duration({value}, {}, {}, &at, found);",
                rule.min.unwrap_or(i64::MIN),
                rule.max.unwrap_or(i64::MAX)
            )),
            name if name.starts_with("karibu.") && no_text_rule && no_bounds => {
                Some(format!("crate::Validate::check({value}, &at, found);"))
            }
            _ => return Err(misplaced()),
        },
        Kind::Bool | Kind::Bytes | Kind::Double | Kind::Float | Kind::Uint64 | Kind::Fixed64
            if no_text_rule && no_bounds && !rule.required =>
        {
            None
        }
        _ => return Err(misplaced()),
    })
}

/// For a field mask: the fields of its request that it may name, in the order of the contract.
fn masked_fields(field: &FieldDescriptor) -> Result<Option<Vec<String>>, Failure> {
    match field.kind() {
        Kind::Message(message) if message.full_name() == "google.protobuf.FieldMask" => {}
        _ => return Ok(None),
    }
    let request = field.parent_message();
    let mask_number = field.number();
    let names: Vec<String> = request
        .fields()
        .filter(|other| other.number() > mask_number && !NEVER_MASKED.contains(&other.name()))
        .map(|other| other.name().to_owned())
        .collect();
    if names.is_empty() {
        return Err(format!("{}: no field comes after the mask", field.full_name()).into());
    }
    Ok(Some(names))
}

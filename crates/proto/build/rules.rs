//! Reads our options off the descriptors.

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, OneofDescriptor, Value};

/// The options of one field, as `karibu.options.v1.FieldRule` describes them.
#[derive(Default)]
pub(crate) struct FieldRule {
    pub(crate) required: bool,
    pub(crate) min_len: u32,
    pub(crate) max_len: u32,
    pub(crate) uuid: bool,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) pattern: i32,
    pub(crate) min_items: u32,
    pub(crate) max_items: u32,
    pub(crate) items_apart: bool,
}

impl FieldRule {
    /// The rule of `field`; an empty one if it has none.
    pub(crate) fn of(pool: &DescriptorPool, field: &FieldDescriptor) -> Self {
        let Some(rule) = extension(pool, &field.options(), "karibu.options.v1.field") else {
            return Self::default();
        };
        Self {
            required: flag(&rule, "required"),
            min_len: count(&rule, "min_len"),
            max_len: count(&rule, "max_len"),
            uuid: flag(&rule, "uuid"),
            min: bound(&rule, "min"),
            max: bound(&rule, "max"),
            pattern: rule.get_field_by_name("pattern").and_then(|value| value.as_enum_number()).unwrap_or(0),
            min_items: count(&rule, "min_items"),
            max_items: count(&rule, "max_items"),
            items_apart: flag(&rule, "items_apart"),
        }
    }
}

/// Whether one field of the `oneof` must be set.
pub(crate) fn choice_required(pool: &DescriptorPool, oneof: &OneofDescriptor) -> bool {
    extension(pool, &oneof.options(), "karibu.options.v1.choice").is_some_and(|rule| flag(&rule, "required"))
}

/// Value of a message option of ours, if it is set.
pub(crate) fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    match options.get_extension(&extension).into_owned() {
        Value::Message(rule) => Some(rule),
        _ => None,
    }
}

fn flag(rule: &DynamicMessage, name: &str) -> bool {
    rule.get_field_by_name(name).and_then(|value| value.as_bool()).unwrap_or(false)
}

fn count(rule: &DynamicMessage, name: &str) -> u32 {
    rule.get_field_by_name(name).and_then(|value| value.as_u32()).unwrap_or(0)
}

fn bound(rule: &DynamicMessage, name: &str) -> Option<i64> {
    if !rule.has_field_by_name(name) {
        return None;
    }
    rule.get_field_by_name(name).and_then(|value| value.as_i64())
}

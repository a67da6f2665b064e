//! Reads our options, and Google's HTTP annotation, off descriptors. What they mean is for others.

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, MessageDescriptor, MethodDescriptor, Value,
};

use crate::karibu::options::v1::{EventRule, FieldRule, MethodRule, ResourceRule};

/// The rule of a field; none if it has no rule.
pub fn field_rule(field: &FieldDescriptor) -> Option<FieldRule> {
    rule(field.parent_pool(), &field.options(), "karibu.options.v1.field")
}

/// The rule of a method: who may call it and how it is routed.
pub fn method_rule(method: &MethodDescriptor) -> Option<MethodRule> {
    rule(method.parent_pool(), &method.options(), "karibu.options.v1.method")
}

/// What makes a message a resource; none if it is not one.
pub fn resource_rule(message: &MessageDescriptor) -> Option<ResourceRule> {
    rule(message.parent_pool(), &message.options(), "karibu.options.v1.resource")
}

/// The event type of a payload message; none if it is not one.
pub fn event_rule(message: &MessageDescriptor) -> Option<EventRule> {
    rule(message.parent_pool(), &message.options(), "karibu.options.v1.event")
}

/// The value of a message option, as it stands in the descriptors.
pub(crate) fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension: ExtensionDescriptor = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    match options.get_extension(&extension).into_owned() {
        Value::Message(rule) => Some(rule),
        _ => None,
    }
}

fn rule<T: Message + Default>(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<T> {
    option(pool, options, name)?.transcode_to().ok()
}

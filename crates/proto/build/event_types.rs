//! Generates `EventPayload` for every message that is the payload of an event type.

use std::fmt::Write;

use prost_reflect::DescriptorPool;

use crate::naming::{camel_case, message_path};
use crate::rules::extension;

/// One `impl EventPayload` per payload message. Fails when a type does not follow its form, does not belong to the
/// package it stands in, or is not the one that the name of its message promises.
pub(crate) fn generate(pool: &DescriptorPool) -> Result<String, Box<dyn std::error::Error>> {
    let mut code = String::new();
    for message in pool.all_messages() {
        let Some(rule) = extension(pool, &message.options(), "karibu.options.v1.event") else { continue };
        let kind =
            rule.get_field_by_name("type").and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let parts: Vec<&str> = kind.split('.').collect();
        let ["karibu", service, entity, event, "v1"] = parts.as_slice() else {
            return Err(format!("{}: `{kind}` is not karibu.<service>.<entity>.<event>.v1", message.full_name()).into());
        };
        if message.package_name() != format!("karibu.{service}.v1") {
            return Err(format!("{}: `{kind}` belongs to another service", message.full_name()).into());
        }
        let expected = camel_case(entity) + &camel_case(event);
        if message.name() != expected {
            return Err(format!("{}: the payload of `{kind}` must be called {expected}", message.full_name()).into());
        }
        writeln!(
            code,
            "impl crate::EventPayload for {} {{\n    const TYPE: &'static str = \"{kind}\";\n    \
             const SERVICE: &'static str = \"{service}\";\n    const ENTITY: &'static str = \"{entity}\";\n    \
             const EVENT: &'static str = \"{event}\";\n}}",
            message_path(&message)
        )?;
    }
    Ok(code)
}

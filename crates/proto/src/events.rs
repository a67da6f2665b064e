//! Event types: which message is the payload of which type. The envelope around a payload lives in the events crate.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use prost_reflect::MessageDescriptor;

use crate::options::event_rule;
use crate::pool;

/// A message that is the payload of one event type. Implemented by the build for every such message.
pub trait EventPayload: prost::Message + prost::Name + Default {
    /// Full type, for example `karibu.ticketing.complaint.opened.v1`.
    const TYPE: &'static str;
    /// Short name of the service that publishes it, for example `ticketing`.
    const SERVICE: &'static str;
    /// What changed, for example `complaint`.
    const ENTITY: &'static str;
    /// What happened, in the past tense, for example `opened`.
    const EVENT: &'static str;
}

/// One event type as the descriptors know it.
#[derive(Debug, Clone)]
pub struct EventType {
    /// Full type, for example `karibu.ticketing.complaint.opened.v1`.
    pub type_name: String,
    /// Short name of the service that publishes it.
    pub service: String,
    /// What changed.
    pub entity: String,
    /// What happened.
    pub event: String,
    /// The payload message.
    pub payload: MessageDescriptor,
}

/// All event types of the contract.
#[derive(Debug)]
pub struct EventTypes {
    by_type: BTreeMap<String, EventType>,
}

impl EventTypes {
    /// The event type with this full name.
    pub fn find(&self, type_name: &str) -> Option<&EventType> {
        self.by_type.get(type_name)
    }

    /// All event types, by full name.
    pub fn iter(&self) -> impl Iterator<Item = &EventType> {
        self.by_type.values()
    }
}

/// All event types of the contract, read off the descriptors once per process.
pub fn event_types() -> &'static EventTypes {
    static TYPES: OnceLock<EventTypes> = OnceLock::new();
    TYPES.get_or_init(|| EventTypes {
        by_type: pool().all_messages().filter_map(event_type).map(|kind| (kind.type_name.clone(), kind)).collect(),
    })
}

fn event_type(payload: MessageDescriptor) -> Option<EventType> {
    let type_name = event_rule(&payload)?.r#type;
    let mut parts = type_name.split('.').skip(1).map(str::to_owned);
    let (service, entity, event) = (parts.next()?, parts.next()?, parts.next()?);
    Some(EventType { type_name, service, entity, event, payload })
}

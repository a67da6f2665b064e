//! An event of a log as CloudEvents 1.0: the same attributes as on the bus, without their `ce-` prefix.

use commit::LogEvent;
use events::Envelope;
use prost_reflect::DynamicMessage;
use proto::karibu::gateway::v1::CloudEvent;

use crate::transcode::output;

/// Before the name of an attribute on the bus.
const PREFIX: &str = "ce-";

/// The event as a subscriber gets it; with `json`, the payload also as canonical JSON.
pub fn cloud_event(log: &str, epoch: i64, event: &LogEvent, json: bool) -> CloudEvent {
    let json_data = if json { payload_json(event) } else { String::new() };
    let mut cloud = CloudEvent { proto_data: event.payload.clone(), json_data, ..CloudEvent::default() };
    let envelope = Envelope { log: log.to_owned(), epoch, event: event.clone() };
    for (name, value) in envelope.headers() {
        match name.strip_prefix(PREFIX) {
            Some("id") => cloud.id = value,
            Some("source") => cloud.source = value,
            Some("specversion") => cloud.spec_version = value,
            Some("type") => cloud.r#type = value,
            Some(name) => {
                cloud.attributes.insert(name.to_owned(), value);
            }
            // What the hop needs is not of the event.
            None => {}
        }
    }
    cloud
}

/// Empty for a type that this version does not know: the bytes are there all the same.
fn payload_json(event: &LogEvent) -> String {
    let Some(kind) = proto::event_types().find(&event.kind) else { return String::new() };
    let Ok(payload) = DynamicMessage::decode(kind.payload.clone(), event.payload.clone()) else { return String::new() };
    output::message(&payload).ok().and_then(|json| String::from_utf8(json).ok()).unwrap_or_default()
}

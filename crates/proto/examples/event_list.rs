//! Prints docs/events.md: every event type with its payload, from the comments of the contract.
//! `cargo run -p karibu-proto --example event_list > docs/events.md`; a test compares the two.
#![allow(clippy::print_stdout, dead_code, unreachable_pub)]

use std::fmt::Write;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

const HEAD: &str = "# Events

Every fact is an event: CloudEvents 1.0, protobuf data. This page is written by
`cargo run -p karibu-proto --example event_list > docs/events.md`.

* **Order**: total within a service's log, and so within each aggregate. Across logs there is none.
* **Delivery**: nothing is lost and nothing skipped; after a reconnect the last events may come again, with the same id and sequence.
* **Compatibility**: within `v1` fields are only added. Ignore what you do not know.
* **Privacy**: ids, codes and amounts; no personal data, no free text. Ask the owning service for the rest.

| attribute | header on NATS | what it is |
|---|---|---|
| `id` | `ce-id` | UUIDv7 of the event |
| `source` | `ce-source` | the log and its epoch: `//karibu/ticketing/1` |
| `type` | `ce-type` | as listed below |
| `subject` | `ce-subject` | what it is about: `complaint/<id>` |
| `time` | `ce-time` | when it happened |
| `recordedtime` | `ce-recordedtime` | when it was recorded |
| `sequence` | `ce-sequence` | its place in the log, 20 digits, without gaps |
| `partitionkey` | `ce-partitionkey` | the aggregate's id |
| `aggregateversion` | `ce-aggregateversion` | the aggregate's version after it |
| `branch`, `customer` | `ce-branch`, `ce-customer` | whom it concerns, where known |
| `traceparent` | `ce-traceparent` | the trace that began it |
";

fn main() {
    print!("{}", page());
}

/// The whole page.
pub fn page() -> String {
    let pool = DescriptorPool::decode(karibu_proto::DESCRIPTOR_SET).unwrap_or_default();
    let mut page = HEAD.to_owned();
    let mut service = String::new();
    for kind in karibu_proto::event_types().iter() {
        let Some(payload) = pool.get_message_by_name(kind.payload.full_name()) else { continue };
        if kind.service != service {
            service.clone_from(&kind.service);
            let _ = write!(page, "\n## {service}\n\n| type | when | payload |\n|---|---|---|\n");
        }
        let fields: Vec<String> =
            payload.fields().map(|field| format!("`{}` {}", field.name(), type_of(&field.kind()))).collect();
        let _ = writeln!(page, "| `{}` | {} | {} |", kind.type_name, comment(&payload), fields.join(", "));
    }
    page
}

fn type_of(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.name().to_owned(),
        Kind::Enum(kind) => kind.name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// The comment above a message, on one line.
fn comment(message: &MessageDescriptor) -> String {
    let file = message.parent_file();
    let file = file.file_descriptor_proto();
    let place =
        file.message_type.iter().position(|m| m.name() == message.name()).and_then(|place| i32::try_from(place).ok());
    // 4 is the number of message_type in FileDescriptorProto.
    let path = place.map(|place| vec![4, place]).unwrap_or_default();
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    let found =
        locations.filter(|location| location.path == path).find_map(|location| location.leading_comments.clone());
    found.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

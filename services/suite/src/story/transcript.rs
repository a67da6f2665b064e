//! What was answered, as canonical JSON, and how two tellings are compared: ids and times differ from one
//! to the next, everything else must not.

use std::collections::HashMap;

use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use serde_json::Value;

/// Values that are secret or random by purpose, by the name of their field.
const RANDOM_FIELDS: [&str; 6] = ["token", "urlPath", "secret", "resumeToken", "nextPageToken", "cardNumber"];

/// Every answer of a telling, in order.
#[derive(Debug, Default)]
pub struct Transcript(pub Vec<(String, Value)>);

impl Transcript {
    pub(crate) fn add<M: Message + Name>(&mut self, call: &str, reply: &M) {
        self.0.push((call.to_owned(), to_json(reply)));
    }
}

/// The canonical protobuf JSON of a message of the contract.
pub(crate) fn to_json<M: Message + Name>(message: &M) -> Value {
    let decoded = proto::pool()
        .get_message_by_name(&M::full_name())
        .and_then(|descriptor| DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok());
    decoded.and_then(|decoded| serde_json::to_value(decoded).ok()).unwrap_or(Value::Null)
}

/// The transcript as text, with each id replaced by its place of first sight, each time by `<time>`, and
/// random values by `<random>`. Equal texts mean equal answers.
pub fn normalise(transcript: &Transcript) -> String {
    let mut ids = HashMap::new();
    let mut text = String::new();
    for (call, reply) in &transcript.0 {
        let mut reply = reply.clone();
        mask(&mut reply, &mut ids);
        text.push_str(call);
        text.push(' ');
        text.push_str(&serde_json::to_string_pretty(&reply).unwrap_or_default());
        text.push('\n');
    }
    text
}

fn mask(value: &mut Value, ids: &mut HashMap<String, usize>) {
    match value {
        Value::String(text) => {
            if uuid::Uuid::parse_str(text).is_ok() {
                let next = ids.len() + 1;
                *text = format!("<id {}>", ids.entry(text.clone()).or_insert(next));
            } else if text.parse::<jiff::Timestamp>().is_ok() {
                "<time>".clone_into(text);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, ids)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if RANDOM_FIELDS.contains(&name.as_str()) {
                    *value = Value::String("<random>".to_owned());
                } else {
                    mask(value, ids);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_times_and_random_values_are_masked() {
        let (one, two) = (uuid::Uuid::from_u128(1).to_string(), uuid::Uuid::from_u128(2).to_string());
        let reply = serde_json::json!({
            "a": one, "b": [two, one], "at": "2026-11-22T10:00:00Z", "secret": "x", "points": "500", "note": "kept"
        });
        let text = normalise(&Transcript(vec![("Get".to_owned(), reply)]));
        for part in ["<id 1>", "<id 2>", "<time>", "<random>", "500", "kept"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains(&one) && !text.contains("2026"));
    }
}

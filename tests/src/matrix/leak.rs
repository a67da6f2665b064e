//! What an answer shows: whether anything of another world is in it, and what it says once all that differs from call to
//! call is taken out.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use proto::options::resource_rule;
use uuid::Uuid;

use super::request::key_text;
use super::wishes::is_business_wide;

/// The places at which a message holds one of `secrets` or the text `mark`.
pub(super) fn find_leaks(message: &DynamicMessage, mark: &str, secrets: &BTreeSet<Uuid>) -> Vec<String> {
    let mut found = Vec::new();
    walk(message, "", &mut |path, value| {
        if let Value::String(text) = value
            && (text.contains(mark) || text.parse().is_ok_and(|id: Uuid| secrets.contains(&id)))
        {
            found.push(format!("{path} = {text:?}"));
        }
        if let Value::Bytes(bytes) = value {
            let text = String::from_utf8_lossy(bytes);
            if text.contains(mark) || secrets.iter().any(|id| text.contains(&id.to_string())) {
                found.push(format!("{path} = {text:?}"));
            }
        }
    });
    found
}

/// The message as text without ids, instants, tokens and numbers of events.
pub(super) fn essence(message: &DynamicMessage) -> String {
    let mut lines = Vec::new();
    walk(message, "", &mut |path, value| {
        let last = path.rsplit('.').next().unwrap_or(path);
        let passing = ["token", "time", "seconds", "nanos", "lag_count", "etag", "url_path", "secret", "number"];
        if passing.iter().any(|end| last == *end || last.ends_with(&format!("_{end}"))) {
            return;
        }
        let text = match value {
            Value::String(text) => without_ids(text),
            other => format!("{other:?}"),
        };
        lines.push(format!("{path}={text}"));
    });
    lines.join("\n")
}

/// The text with every id replaced by the same word.
pub(super) fn without_ids(text: &str) -> String {
    const LENGTH: usize = 36;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.get(..LENGTH).is_some_and(|start| start.parse::<Uuid>().is_ok()) {
            out.push_str("<id>");
            rest = &rest[LENGTH..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Every value that is no message, with its path. What belongs to the business as a whole is passed over.
fn walk(message: &DynamicMessage, path: &str, see: &mut impl FnMut(&str, &Value)) {
    let descriptor = message.descriptor();
    if resource_rule(&descriptor).is_some_and(|rule| is_business_wide(&rule.id_field)) {
        return;
    }
    for (field, value) in message.fields() {
        if is_business_wide(field.name()) {
            continue;
        }
        value_at(value, &format!("{path}.{}", field.name()), see);
    }
}

fn value_at(value: &Value, path: &str, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Message(inner) => walk(inner, path, see),
        Value::List(items) => items.iter().for_each(|item| value_at(item, path, see)),
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key_text(key), value)).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.iter().for_each(|(key, value)| value_at(value, &format!("{path}[{key}]"), see));
        }
        plain => see(path, plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_wherever_they_stand() {
        let id = Uuid::from_u128(7);
        assert_eq!(without_ids(&format!("a {id}, é {id}")), "a <id>, é <id>");
    }
}

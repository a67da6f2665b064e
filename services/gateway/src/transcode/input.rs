//! From HTTP/JSON to a request message: body, path, query and the headers that stand for fields. Whatever is wrong is
//! said with the field at fault; what a value means is checked by the service.

use prost_reflect::{
    DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::Value as Json;
use serde_path_to_error::{Segment, Track};
use server::status;
use tonic::Status;

use super::percent;
use super::routes::Found;

/// Deepest nesting of lists and objects in a body: twice what the contract needs.
pub const MAX_JSON_DEPTH: usize = 32;
/// Most parameters of one query.
pub const MAX_PARAMETERS: usize = 200;

/// The parts of an HTTP request that become fields.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// What stands behind the `?`.
    pub query: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// Fields that headers stand for, by their names in the contract. A field that the request does not have is left
    /// out; one that was given otherwise too must be the same.
    pub headers: Vec<(&'static str, String)>,
}

/// The request message that `parts` describe.
pub fn request(found: &Found<'_>, parts: &Parts<'_>) -> Result<DynamicMessage, Status> {
    let descriptor = found.route.method.descriptor.input();
    let mut message = if found.route.has_body {
        body(&descriptor, parts.body)?
    } else if parts.body.iter().all(u8::is_ascii_whitespace) {
        DynamicMessage::new(descriptor)
    } else {
        return Err(status::invalid([("", "this method takes no body")]));
    };
    let parameters = parameters(parts.query.unwrap_or_default())?;
    if found.route.has_body {
        if let Some((name, _)) = parameters.first() {
            return Err(status::invalid([(name.as_str(), "fields of this method belong into the body")]));
        }
    } else {
        apply_parameters(&mut message, parameters)?;
    }
    for (name, value) in &found.captures {
        settle(&mut message, name, value, "the path")?;
    }
    for (name, value) in &parts.headers {
        if message.descriptor().get_field_by_name(name).is_some() {
            settle(&mut message, name, value, "a header")?;
        }
    }
    Ok(message)
}

/// Sets a field that stands outside of the body. What was said twice must be the same, or one of them is a mistake.
fn settle(message: &mut DynamicMessage, name: &str, text: &str, place: &str) -> Result<(), Status> {
    let Some(field) = message.descriptor().get_field_by_name(name) else { return Err(status::internal()) };
    let value = value(&field, &[text.to_owned()]).map_err(|what| status::invalid([(name, what)]))?;
    if message.has_field(&field) && *message.get_field(&field) != value {
        return Err(status::invalid([(name, format!("differs from the value in {place}"))]));
    }
    message.set_field(&field, value);
    Ok(())
}

fn body(descriptor: &MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, Status> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(DynamicMessage::new(descriptor.clone()));
    }
    if is_too_deep(bytes) {
        let what = format!("the body is nested deeper than {MAX_JSON_DEPTH} levels");
        return Err(status::invalid([("", what)]));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let message = read(descriptor, &mut json).map_err(|(field, what)| status::invalid([(field, what)]))?;
    json.end().map_err(|_| status::invalid([("", "the body goes on behind its JSON value")]))?;
    Ok(message)
}

/// A message from any source of JSON; the error is (field path in names of the contract, what is wrong).
fn read<'de, D>(descriptor: &MessageDescriptor, json: D) -> Result<DynamicMessage, (String, String)>
where
    D: serde::Deserializer<'de>,
    D::Error: std::fmt::Display,
{
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(json, &mut track);
    DynamicMessage::deserialize_with_options(descriptor.clone(), tracked, &options).map_err(|error| {
        let mut path: Vec<Segment> = track.path().iter().cloned().collect();
        // Without the position in the text: it means nothing for values from a query, and the field is named.
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text);
        let unknown = text.strip_prefix("unrecognized field name '").and_then(|name| name.strip_suffix('\''));
        let Some(name) = unknown else { return (field_path(descriptor, &path), text.to_owned()) };
        path.push(Segment::Map { key: name.to_owned() });
        (field_path(descriptor, &path), "there is no such field".to_owned())
    })
}

/// The path as it stands in the contract: `purchase.lines[3].unit_price`. Names that are unknown stay as they came.
fn field_path(root: &MessageDescriptor, segments: &[Segment]) -> String {
    let mut path = String::new();
    let mut at = Some(root.clone());
    let mut inside_map = false;
    for segment in segments {
        match segment {
            Segment::Seq { index } => path.push_str(&format!("[{index}]")),
            Segment::Map { key } if inside_map => {
                path.push_str(&format!("[{:?}]", clip(key)));
                inside_map = false;
            }
            Segment::Map { key } => {
                let field = at.as_ref().and_then(|message| named(message, key));
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(field.as_ref().map_or(clip(key), FieldDescriptor::name));
                inside_map = field.as_ref().is_some_and(FieldDescriptor::is_map);
                at = field.and_then(|field| match field.kind() {
                    Kind::Message(entry) if field.is_map() => match entry.map_entry_value_field().kind() {
                        Kind::Message(value) => Some(value),
                        _ => None,
                    },
                    Kind::Message(message) => Some(message),
                    _ => None,
                });
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    path
}

/// The start of a name from outside: an error does not repeat kilobytes.
fn clip(name: &str) -> &str {
    const LONGEST: usize = 64;
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => &name[..end],
        None => name,
    }
}

fn named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Whether brackets outside of strings nest too deep. A text that is no JSON may be judged wrongly; it fails anyway.
fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_JSON_DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Names and values of a query; a name that comes again adds a value.
fn parameters(query: &str) -> Result<Vec<(String, Vec<String>)>, Status> {
    let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
    for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PARAMETERS {
            return Err(status::invalid([("", format!("a query may have {MAX_PARAMETERS} parameters at most"))]));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let garbled = || status::invalid([("", "the query holds a broken escape or is not UTF-8")]);
        let name = percent::decode(name, true).ok_or_else(garbled)?;
        let value = percent::decode(value, true).ok_or_else(garbled)?;
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => parameters.push((name, vec![value])),
        }
    }
    Ok(parameters)
}

fn apply_parameters(message: &mut DynamicMessage, parameters: Vec<(String, Vec<String>)>) -> Result<(), Status> {
    for (name, values) in parameters {
        apply(message, &name, &values).map_err(|what| status::invalid([(clip(&name), what)]))?;
    }
    Ok(())
}

/// Sets the field at a dotted path, making the messages on the way.
fn apply(message: &mut DynamicMessage, path: &str, values: &[String]) -> Result<(), String> {
    const UNKNOWN: &str = "there is no such field";
    let mut at = message;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let field = named(&at.descriptor(), name).ok_or(UNKNOWN)?;
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        if oneof.is_some_and(|oneof| oneof.fields().any(|other| other != field && at.has_field(&other))) {
            return Err("another of the fields that exclude each other is given too".to_owned());
        }
        if names.peek().is_none() {
            let value = value(&field, values)?;
            at.set_field(&field, value);
            return Ok(());
        }
        if field.is_list() || field.is_map() || !matches!(field.kind(), Kind::Message(_)) {
            return Err(UNKNOWN.to_owned());
        }
        at = at.get_field_mut(&field).as_message_mut().ok_or(UNKNOWN)?;
    }
    Err(UNKNOWN.to_owned())
}

/// The value that these texts mean for `field`: all kinds but messages with fields of their own, which have no form as
/// one text. Canonical JSON takes numbers, enums and instants as strings, so the texts go through it as they are.
fn value(field: &FieldDescriptor, texts: &[String]) -> Result<Value, String> {
    let json = |text: &String| match field.kind() {
        Kind::Bool => text.parse().map(Json::Bool).map_err(|_| "must be true or false".to_owned()),
        Kind::Enum(_) => Ok(text.parse::<i32>().map_or_else(|_| Json::String(text.clone()), Json::from)),
        _ => Ok(Json::String(text.clone())),
    };
    let json = match texts {
        _ if field.is_map() => return Err("cannot be given as a parameter".to_owned()),
        many if field.is_list() => Json::Array(many.iter().map(json).collect::<Result<_, _>>()?),
        [one] => json(one)?,
        _ => return Err("is given more than once".to_owned()),
    };
    let parent = field.parent_message();
    let object = Json::Object([(field.name().to_owned(), json)].into_iter().collect());
    let mut read = read(parent, object).map_err(|(_, what)| what)?;
    Ok(read.take_field(field).unwrap_or_else(|| Value::default_value_for_field(field)))
}

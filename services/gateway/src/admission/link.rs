//! Callers of public methods. They have no credential; what they hold is a link, whose secret stands in the request.
//! Each link is a caller of its own, so that two customers never share request ids or a rate.

use std::collections::HashMap;

use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use proto::MethodInfo;
use server::auth::{Kind, PermissionSet, Principal};
use sha2::{Digest, Sha256};

/// Name of the option that marks a field as secret.
const FIELD_OPTION: &str = "karibu.options.v1.field";

/// The secret fields of public methods, by method path.
#[derive(Clone, Debug)]
pub struct Links(HashMap<&'static str, Vec<FieldDescriptor>>);

impl Links {
    /// Reads the secret fields off the contract.
    pub fn of(methods: impl Iterator<Item = &'static MethodInfo>) -> Self {
        let public = methods.filter(|method| method.is_public());
        Self(public.map(|method| (method.path.as_str(), secrets(method))).collect())
    }

    /// The caller of a public method: the holder of the link in `message`, or nobody.
    pub fn principal(&self, method: &MethodInfo, message: Bytes) -> Principal {
        let Some(fields) = self.0.get(method.path.as_str()) else { return Principal::anonymous() };
        let Ok(message) = DynamicMessage::decode(method.descriptor.input(), message) else {
            // The service answers for a message that does not decode.
            return Principal::anonymous();
        };
        let mut hash = Sha256::new();
        let mut held = false;
        for field in fields {
            if let Some(secret) = message.get_field(field).as_str().filter(|secret| !secret.is_empty()) {
                held = true;
                hash.update(secret.as_bytes());
                hash.update([0]);
            }
        }
        if !held {
            return Principal::anonymous();
        }
        let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let scope = Principal::anonymous().scope;
        let subject = format!("link:{name}").into();
        Principal { subject, kind: Kind::Customer, permissions: PermissionSet::NONE, scope }
    }
}

fn secrets(method: &MethodInfo) -> Vec<FieldDescriptor> {
    let Some(option) = proto::pool().get_extension_by_name(FIELD_OPTION) else { return Vec::new() };
    let is_secret = |field: &FieldDescriptor| match field.options().get_extension(&option).as_ref() {
        Value::Message(rule) => rule.get_field_by_name("secret").and_then(|secret| secret.as_bool()).unwrap_or(false),
        _ => false,
    };
    method.descriptor.input().fields().filter(is_secret).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prost::Message;
    use proto::karibu::feedback::v1::GetSurveyPageRequest;

    use super::*;

    #[test]
    fn every_link_is_a_caller_of_its_own_and_may_nothing() {
        let links = Links::of(proto::methods().iter());
        let method = proto::methods().find("/karibu.feedback.v1.FeedbackService/GetSurveyPage").unwrap();
        let of = |token: &str| {
            let request = GetSurveyPageRequest { token: token.to_owned(), ..Default::default() };
            links.principal(method, request.encode_to_vec().into())
        };
        assert_eq!(of("aaaa").subject, of("aaaa").subject);
        assert_ne!(of("aaaa").subject, of("bbbb").subject);
        assert!(!of("aaaa").subject.contains("aaaa"));
        assert_eq!((of("aaaa").kind, of("aaaa").permissions), (Kind::Customer, PermissionSet::NONE));
        assert!(!of("aaaa").scope.is_all());
        assert_eq!(of("").kind, Kind::Anonymous);
        assert_eq!(links.principal(method, Bytes::from_static(b"\xff")).kind, Kind::Anonymous);
    }

    /// A public method whose request holds no secret could be called by anyone for anything.
    #[test]
    fn every_public_method_is_guarded_by_a_secret() {
        for method in proto::methods().iter().filter(|method| method.is_public()) {
            assert!(!secrets(method).is_empty(), "{}", method.path);
        }
    }
}

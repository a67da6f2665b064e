//! The first line of every handler: from a request to what a command needs. A handler that begins with
//! [`Call::admit`] cannot forget to validate, and never looks at metadata itself.

use std::sync::Arc;
use std::time::Instant;

use commit::{Cause, CauseParts};
use prost::Message;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::auth::Principal;
use crate::edge::Admitted;
use crate::origin::Via;
use crate::read_audit::ReadAudit;
use crate::{Pages, status, trace};

/// One admitted call.
#[derive(Clone, Debug)]
pub struct Call<T> {
    /// The request; it keeps its field rules.
    pub body: T,
    /// Who calls.
    pub principal: Principal,
    /// Key of the command: the same for a repeat by the same caller, method and `request_id`; random without one.
    pub key: Uuid,
    /// First eight bytes of the SHA-256 of the request: a repeat with another one is refused. 0 when reading.
    pub fingerprint: i64,
    /// When the caller stops waiting.
    pub until: Instant,
    /// Pages of what the caller lists.
    pub pages: Pages,
    /// Where from, by which method: for the audit trail.
    pub via: Via,
    /// The trace to store with what happens: of this call, or of the caller when this process traces nothing.
    pub trace: Option<String>,
}

/// What every changing request begins with; the rest of it is skipped.
#[derive(Message)]
struct Keyed {
    #[prost(string, tag = "1")]
    request_id: String,
}

impl<T: Message + proto::Validate> Call<T> {
    /// Checks the field rules and works out the key. Fails with INVALID_ARGUMENT and one violation per field, or
    /// with INTERNAL when no edge stands before the handler.
    pub fn admit(request: Request<T>) -> Result<Self, Status> {
        let (_, mut extensions, body) = request.into_parts();
        let Some(Admitted { principal, until, rule, traceparent, pages, via }) = extensions.remove() else {
            tracing::error!("a handler was called without an edge before it");
            return Err(status::internal());
        };
        let reads: Option<ReadAudit> = extensions.remove();
        body.validate().map_err(status::violated)?;
        let (key, fingerprint) = if rule.read_only {
            (Uuid::nil(), 0)
        } else {
            key_and_fingerprint(&principal, rule.path, &body.encode_to_vec())
        };
        let call = Self {
            body,
            principal,
            key,
            fingerprint,
            until: until.0.into_std(),
            pages,
            via,
            trace: trace::current().or(traceparent),
        };
        if let Some(reads) = reads {
            reads.note(&rule, call.cause(), &call.body)?;
        }
        Ok(call)
    }
}

impl<T> Call<T> {
    /// Who calls, from where, by which method, as the audit trail tells it.
    pub fn cause(&self) -> Cause {
        let (kind, who) = (self.principal.kind.as_str(), &*self.principal.subject);
        Cause::new(CauseParts { kind, from: self.via.origin.as_str(), act: self.via.act, who })
    }

    /// What the write path needs to know of this call beside the verb.
    pub fn submission(&self) -> commit::Submission {
        commit::Submission {
            key: self.key,
            fingerprint: self.fingerprint,
            until: self.until,
            by: self.principal.subject.clone(),
            trace: self.trace.as_deref().map(Arc::from),
            cause: Some(self.cause()),
        }
    }
}

fn key_and_fingerprint(principal: &Principal, path: &str, encoded: &[u8]) -> (Uuid, i64) {
    // A message whose first field is no text has no request id; it was encoded here, so nothing else can fail.
    let request_id = Keyed::decode(encoded).map(|keyed| keyed.request_id).unwrap_or_default();
    let key = if request_id.is_empty() {
        Uuid::now_v7()
    } else {
        commit::key(&[principal.subject.as_bytes(), path.as_bytes(), request_id.as_bytes()])
    };
    (key, commit::fingerprint(encoded))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_caller_method_and_request_id() {
        let encoded = |id: &str| Keyed { request_id: id.to_owned() }.encode_to_vec();
        let (ann, bob) = (Principal::system("ann"), Principal::system("bob"));
        let key = key_and_fingerprint(&ann, "/a/B", &encoded("r1"));
        assert_eq!(key, key_and_fingerprint(&ann, "/a/B", &encoded("r1")));
        for other in [
            key_and_fingerprint(&bob, "/a/B", &encoded("r1")),
            key_and_fingerprint(&ann, "/a/C", &encoded("r1")),
            key_and_fingerprint(&ann, "/a/B", &encoded("r2")),
        ] {
            assert_ne!(key.0, other.0);
        }
        assert_ne!(key_and_fingerprint(&ann, "/a/B", &encoded("")).0, key_and_fingerprint(&ann, "/a/B", &[]).0);
    }

    /// The trick with `Keyed` rests on this habit of the contract.
    #[test]
    fn every_changing_request_of_the_contract_begins_with_its_request_id() {
        for method in proto::methods().iter().filter(|method| !method.read_only && method.is_unary()) {
            let first = method.descriptor.input().get_field(1);
            assert!(
                first.is_some_and(|field| field.name() == "request_id") || method.is_internal(),
                "{} changes something, and field 1 of its request is not request_id",
                method.path
            );
        }
    }
}

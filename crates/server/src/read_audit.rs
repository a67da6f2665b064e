//! Notes about who read personal data, where the business wants them: gathered in memory, written many at a time. A
//! read whose note finds no place is refused, so that none goes unnoticed. Off unless the settings switch it on.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use commit::{AuditNote, Cause, Door};
use prost::Message;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage};
use proto::options::field_rule;
use tokio::sync::mpsc;
use tonic::Status;

use crate::auth::Rule;
use crate::{Stop, status};

/// Notes that wait at most; a read that finds no place is told to come again.
const MAX_WAITING: usize = 10_000;
/// Notes of one transaction at most.
const MAX_TOGETHER: usize = 500;
/// Pause before notes that could not be written are tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes the notes of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ReadAudit {
    queue: mpsc::Sender<AuditNote>,
    /// Paths of the methods whose answers hold personal data.
    methods: Arc<HashSet<&'static str>>,
}

/// The read audits of a process, by service.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadAudits(Arc<Mutex<HashMap<&'static str, ReadAudit>>>);

impl ReadAudits {
    /// The audit of a service, if it has one.
    pub(crate) fn find(&self, service: &str) -> Option<ReadAudit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned()
    }

    /// Starts the audit of a service; gives the work that writes what it gathers until the process stops.
    pub(crate) fn start<S: commit::Service>(&self, door: Door<S>, stop: Stop) -> impl Future<Output = ()> + use<S> {
        let (queue, notes) = mpsc::channel(MAX_WAITING);
        let methods = proto::methods().iter().filter(|method| method.read_only && shows(&method.descriptor.output()));
        let audit = ReadAudit { queue, methods: Arc::new(methods.map(|method| method.path.as_str()).collect()) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(S::NAME, audit);
        write(door, notes, stop)
    }
}

impl ReadAudit {
    /// Notes that `request` of a method was asked, if its answer holds personal data.
    pub(crate) fn note<T: Message>(&self, rule: &Rule, cause: Cause, request: &T) -> Result<(), Status> {
        if !self.methods.contains(rule.path) {
            return Ok(());
        }
        let (record_type, record_id) = record(rule.path, request).unwrap_or_default();
        let customer = record_id.filter(|_| record_type == "customer");
        let note =
            AuditNote { cause, record_type, record_id, customer, branch: None, items: 1, reason: None, trace: None };
        self.queue.try_send(note).map_err(|_| status::overloaded())
    }
}

/// Whether a message, or one inside of it, holds personal data.
fn shows(message: &MessageDescriptor) -> bool {
    let (mut seen, mut open) = (HashSet::new(), vec![message.clone()]);
    while let Some(next) = open.pop() {
        if !seen.insert(next.full_name().to_owned()) {
            continue;
        }
        for field in next.fields() {
            if field_rule(&field).is_some_and(|rule| rule.personal) {
                return true;
            }
            if let Kind::Message(inner) = field.kind() {
                open.push(inner);
            }
        }
    }
    false
}

/// The record that a request names: its first id, and what kind of thing that is.
fn record<T: Message>(path: &str, request: &T) -> Option<(String, Option<uuid::Uuid>)> {
    let input = proto::methods().find(path)?.descriptor.input();
    let message = DynamicMessage::decode(input, request.encode_to_vec().as_slice()).ok()?;
    message.descriptor().fields().find_map(|field| {
        let kind = field.name().strip_suffix("_id").filter(|_| field_rule(&field).is_some_and(|rule| rule.uuid))?;
        let id = message.get_field(&field).as_str()?.parse().ok()?;
        Some((kind.to_owned(), Some(id)))
    })
}

async fn write<S: commit::Service>(door: Door<S>, mut notes: mpsc::Receiver<AuditNote>, stop: Stop) {
    let mut waiting = Vec::new();
    loop {
        if waiting.is_empty() {
            let taken = tokio::select! {
                taken = notes.recv_many(&mut waiting, MAX_TOGETHER) => taken,
                () = stop.cancelled() => notes.try_recv().map_or(0, |note| { waiting.push(note); 1 }),
            };
            if taken == 0 {
                return;
            }
        }
        match door.note(waiting.clone()).await {
            Ok(()) => waiting.clear(),
            Err(refused) if stop.is_cancelled() => {
                tracing::error!(service = S::NAME, lost = waiting.len(), %refused, "notes about reads were not written");
                return;
            }
            Err(refused) => {
                tracing::warn!(service = S::NAME, %refused, "notes about reads wait for the database");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proto::karibu::profile::v1 as profile;

    use super::*;

    #[test]
    fn answers_with_personal_data_are_known_and_their_record_is_found() {
        let shown = |path: &str| shows(&proto::methods().find(path).unwrap().descriptor.output());
        assert!(shown("/karibu.profile.v1.ProfileService/GetCustomer"));
        assert!(shown("/karibu.ticketing.v1.TicketingService/ListInteractions"));
        assert!(!shown("/karibu.profile.v1.ProfileService/GetPurchaseStatistics"));
        let id = uuid::Uuid::from_u128(7);
        let request = profile::GetCustomerRequest { customer_id: id.to_string() };
        let found = record("/karibu.profile.v1.ProfileService/GetCustomer", &request);
        assert_eq!(found, Some(("customer".to_owned(), Some(id))));
        let all = record("/karibu.profile.v1.ProfileService/ListCustomers", &profile::ListCustomersRequest::default());
        assert_eq!(all, None);
    }
}

//! `karibu.events.v1.DeadLetterService`: what a consuming service could not take in, for operators. The same for
//! every service; what an event means to it stands in its own `events.rs`.

use std::sync::Arc;

use commit::{AuditNote, Service};
use events::{Redrive, RedriveError};
use kernel::Cursor;
use proto::karibu::events::v1::dead_letter_service_server::{DeadLetterService, DeadLetterServiceServer};
use proto::karibu::events::v1::{
    DeadLetter, DeadLetterState, DiscardDeadLettersRequest, DiscardDeadLettersResponse, ListDeadLettersRequest,
    ListDeadLettersResponse, RedriveDeadLettersRequest, RedriveDeadLettersResponse,
};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::call::Call;
use crate::{limits, status};

/// Reason of a dead letter on the wire; the cause itself is its detail.
const NOT_APPLIED: &str = "EVENT_NOT_APPLIED";

/// The dead letters of one consumer.
#[derive(Debug)]
pub struct DeadLetterOffice<S: Service> {
    service: &'static str,
    sources: &'static [&'static str],
    redrive: Redrive<S>,
}

/// Serves the dead letters of the service `service`, which consumes the logs `sources`; add it to its routes.
pub fn dead_letter_service<S: Service>(
    service: &'static str,
    sources: &'static [&'static str],
    redrive: Redrive<S>,
) -> DeadLetterServiceServer<DeadLetterOffice<S>> {
    DeadLetterServiceServer::new(DeadLetterOffice { service, sources, redrive })
        .max_encoding_message_size(limits::MAX_REPLY_BYTES)
}

#[tonic::async_trait]
impl<S: Service> DeadLetterService for DeadLetterOffice<S> {
    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let Call { body: ask, pages, .. } = Call::admit(request)?;
        if !matches!(ask.state(), DeadLetterState::Unspecified | DeadLetterState::Parked | DeadLetterState::Blocked) {
            return Err(status::invalid([("state", "only dead letters that wait can be listed")]));
        }
        let page = pages.read("dead letters", ask.page_size, &ask.page_token, &ask.source_log)?;
        // A place in the list is a source, by its number, and a sequence in its log.
        let (first, after) = page.after.map_or((0, 0), |place| (place.id.as_u128(), place.sort));
        let mut rows = Vec::new();
        for (number, source) in (0_u128..).zip(self.sources) {
            let left = page.limit() - i64::try_from(rows.len()).unwrap_or(i64::MAX);
            if number < first || left <= 0 || !(ask.source_log.is_empty() || ask.source_log == *source) {
                continue;
            }
            let after = if number == first { after } else { 0 };
            let found = self.redrive.list(source, after, left).await.map_err(|error| status::of_store(&error))?;
            rows.extend(found.into_iter().map(|letter| (number, letter)));
        }
        let next_page_token =
            page.cut(&mut rows, |(number, letter)| Cursor { sort: letter.seq, id: Uuid::from_u128(*number) });
        let dead_letters = rows.into_iter().map(|(_, letter)| self.letter(letter)).collect();
        Ok(Response::new(ListDeadLettersResponse { dead_letters, next_page_token }))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<RedriveDeadLettersRequest>,
    ) -> Result<Response<RedriveDeadLettersResponse>, Status> {
        let call = Call::admit(request)?;
        let aggregate = aggregate(&call.body.aggregate_id)?;
        let done = self
            .redrive
            .noted(note(&call, aggregate, None))
            .redrive(&call.body.source_log, aggregate)
            .await
            .map_err(failed)?;
        let by = &*call.principal.subject;
        tracing::info!(by, %aggregate, done = done.done, remaining = done.remaining, "dead letters redriven");
        Ok(Response::new(RedriveDeadLettersResponse {
            redriven_count: count(done.done),
            remaining_count: count(done.remaining),
        }))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<DiscardDeadLettersRequest>,
    ) -> Result<Response<DiscardDeadLettersResponse>, Status> {
        let call = Call::admit(request)?;
        let aggregate = aggregate(&call.body.aggregate_id)?;
        let note = note(&call, aggregate, Some(call.body.reason.clone()));
        let done = self.redrive.noted(note).discard(&call.body.source_log, aggregate).await.map_err(failed)?;
        let by = &*call.principal.subject;
        tracing::warn!(by, %aggregate, done = done.done, "dead letters discarded");
        Ok(Response::new(DiscardDeadLettersResponse { discarded_count: count(done.done) }))
    }
}

impl<S: Service> DeadLetterOffice<S> {
    fn letter(&self, letter: commit::DeadLetter) -> DeadLetter {
        let event_id = commit::LogEvent::from_bytes(&letter.event).map(|event| event.event_id.to_string());
        let parked_at = proto::timestamp_from_us(letter.parked_at_us);
        DeadLetter {
            dead_letter_id: letter.id.to_string(),
            service: self.service.to_owned(),
            source_log: letter.source_log,
            seq: letter.seq,
            event_id: event_id.unwrap_or_default(),
            event_type: letter.kind,
            aggregate_id: letter.aggregate_id.to_string(),
            state: DeadLetterState::Parked.into(),
            reason: NOT_APPLIED.to_owned(),
            detail: letter.reason,
            attempt_count: 1,
            create_time: Some(parked_at),
            update_time: Some(parked_at),
        }
    }
}

/// What the audit trail tells of the letters of one aggregate that are taken up or given up.
fn note<T>(call: &Call<T>, aggregate: Uuid, reason: Option<String>) -> AuditNote {
    AuditNote {
        cause: call.cause(),
        record_type: "dead_letter".to_owned(),
        record_id: Some(aggregate),
        customer: None,
        branch: None,
        items: 1,
        reason,
        trace: call.trace.as_deref().map(Arc::from),
    }
}

/// The field rules have checked it already.
fn aggregate(id: &str) -> Result<Uuid, Status> {
    id.parse().map_err(|_| status::invalid([("aggregate_id", "must be a UUID")]))
}

fn count(of: u64) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

fn failed(error: RedriveError) -> Status {
    match error {
        RedriveError::Store(error) => status::of_store(&error),
        RedriveError::Busy(why) => {
            tracing::debug!(why, "a redrive met a busy write path");
            status::retry_later(Code::Unavailable, status::reason::UNAVAILABLE, "try again", limits::RETRY_AFTER)
        }
    }
}

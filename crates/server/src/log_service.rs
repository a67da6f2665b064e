//! `karibu.events.v1.LogService`: a service's event log as its peers read it, and their end of it. The bus needs it
//! for what a stream lost; the log is the truth.

use std::sync::Arc;
use std::time::Duration;

use commit::{EventLog, LogBounds, LogEvent};
use events::{Backfill, BackfillOf, BoxError, Page};
use proto::karibu::events::v1::log_service_client::LogServiceClient;
use proto::karibu::events::v1::log_service_server::{LogService, LogServiceServer};
use proto::karibu::events::v1::{EventRecord, ReadLogRequest, ReadLogResponse};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::auth::{Minter, Principal};
use crate::call::Call;
use crate::hop::Peers;
use crate::{limits, status};

/// Events of one answer, when the caller asks for none or for more.
const DEFAULT_EVENTS: u32 = 500;
const MAX_EVENTS: u32 = 1_000;
/// Payload bytes of one answer; the first event always goes.
const MAX_BYTES: usize = limits::MAX_REPLY_BYTES / 2;
/// What is left of the time for the answer to travel, when a caller waits for events until its deadline.
const ANSWER_TIME: Duration = Duration::from_millis(50);

/// The server of one log.
#[derive(Debug)]
pub struct Log(EventLog);

/// Serves `log` to peers; add it to the routes of the service that owns it.
pub fn log_service(log: EventLog) -> LogServiceServer<Log> {
    LogServiceServer::new(Log(log)).max_encoding_message_size(limits::MAX_REPLY_BYTES)
}

#[tonic::async_trait]
impl LogService for Log {
    async fn read_log(&self, request: Request<ReadLogRequest>) -> Result<Response<ReadLogResponse>, Status> {
        let Call { body: ask, until, .. } = Call::admit(request)?;
        if !ask.log_id.is_empty() && ask.log_id != self.0.name() {
            return Err(status::with_reason(Code::NotFound, "LOG_NOT_FOUND", "this service has no log of that name"));
        }
        let wait_until = Instant::now() + Duration::from_millis(ask.wait_ms.into());
        self.wait(ask.after_seq, wait_until.min(Instant::from_std(until) - ANSWER_TIME)).await;

        let LogBounds { epoch, floor_seq, last_seq } =
            self.0.bounds().await.map_err(|error| status::of_store(&error))?;
        if ask.epoch != 0 && ask.epoch != epoch {
            let message = "the history of this log forked; positions mean something else now";
            return Err(status::with_reason(Code::FailedPrecondition, "LOG_EPOCH_CHANGED", message));
        }
        if ask.after_seq + 1 < floor_seq {
            let message = format!("events before {floor_seq} are no longer kept");
            let facts = [("floor_seq", floor_seq.to_string())];
            return Err(status::with_facts(Code::OutOfRange, "LOG_POSITION_EXPIRED", message, facts));
        }
        let max = if ask.max_events == 0 { DEFAULT_EVENTS } else { ask.max_events.min(MAX_EVENTS) };
        let found = self.0.read(ask.after_seq, max as usize).await.map_err(|error| status::of_store(&error))?;
        let (mut events, mut bytes) = (Vec::with_capacity(found.len()), 0);
        for event in found {
            bytes += event.payload.len();
            if bytes > MAX_BYTES && !events.is_empty() {
                break;
            }
            events.push(record(&event));
        }
        // What another replica wrote between the two reads may be among the events.
        let head_seq = events.last().map_or(last_seq, |event: &EventRecord| last_seq.max(event.seq));
        let log_id = self.0.name().to_owned();
        Ok(Response::new(ReadLogResponse { events, head_seq, floor_seq, epoch, log_id }))
    }
}

impl Log {
    /// Until there is an event behind `after`, as far as this process hears of it.
    async fn wait(&self, after: i64, until: Instant) {
        let mut head = self.0.head();
        // An error means that the log is gone with its process; then there is nothing to wait for.
        let _ = timeout_at(until, head.wait_for(|head| *head > after)).await;
    }
}

fn record(event: &LogEvent) -> EventRecord {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    EventRecord {
        seq: event.seq,
        event_id: event.event_id.to_string(),
        r#type: event.kind.clone(),
        aggregate_type: event.aggregate_type.clone(),
        aggregate_id: event.aggregate_id.to_string(),
        aggregate_version: event.aggregate_version,
        branch_id: id(event.branch_id),
        customer_id: id(event.customer_id),
        occurred_at_us: event.occurred_at_us,
        recorded_at_us: event.recorded_at_us,
        trace_context: event.trace_context.clone().unwrap_or_default(),
        payload: event.payload.clone(),
    }
}

fn event(record: EventRecord) -> Result<LogEvent, BoxError> {
    let maybe = |id: &str| if id.is_empty() { Ok(None) } else { id.parse::<Uuid>().map(Some) };
    Ok(LogEvent {
        seq: record.seq,
        event_id: record.event_id.parse()?,
        kind: record.r#type,
        aggregate_type: record.aggregate_type,
        aggregate_id: record.aggregate_id.parse()?,
        aggregate_version: record.aggregate_version,
        branch_id: maybe(&record.branch_id)?,
        customer_id: maybe(&record.customer_id)?,
        occurred_at_us: record.occurred_at_us,
        recorded_at_us: record.recorded_at_us,
        trace_context: Some(record.trace_context).filter(|trace| !trace.is_empty()),
        payload: record.payload,
    })
}

/// How the service `reader` reads the logs of its peers: by name, as itself. A log whose owner is no peer has no
/// such way.
pub(crate) fn backfill_of(reader: &str, peers: &Peers, minter: Option<&Minter>) -> BackfillOf {
    let (principal, peers, minter) = (Principal::system(reader), peers.clone(), minter.cloned());
    Arc::new(move |log: &str| {
        let way = peers.find(log)?.acting_as(principal.clone(), minter.clone()?, log);
        let client = LogServiceClient::new(way).max_decoding_message_size(limits::MAX_REPLY_BYTES);
        let backfill: Backfill = Arc::new(move |after, max| {
            let mut client = client.clone();
            Box::pin(async move {
                let max_events = u32::try_from(max).unwrap_or(MAX_EVENTS);
                let ask = ReadLogRequest { after_seq: after, max_events, ..ReadLogRequest::default() };
                page(client.read_log(ask).await?.into_inner())
            })
        });
        Some(backfill)
    })
}

fn page(answer: ReadLogResponse) -> Result<Page, BoxError> {
    let events = answer.events.into_iter().map(|record| event(record).map(Arc::new)).collect::<Result<_, _>>()?;
    Ok(Page { epoch: answer.epoch, floor_seq: answer.floor_seq, head_seq: answer.head_seq, events })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_the_way_to_a_peer() {
        for (branch, trace) in [(None, None), (Some(Uuid::from_u128(5)), Some("00-a-b-01".to_owned()))] {
            let sent = LogEvent {
                seq: 7,
                event_id: Uuid::from_u128(1),
                kind: "karibu.x.y.z.v1".into(),
                aggregate_type: "y".into(),
                aggregate_id: Uuid::from_u128(2),
                aggregate_version: 3,
                branch_id: branch,
                customer_id: branch,
                occurred_at_us: 5,
                recorded_at_us: 6,
                trace_context: trace,
                payload: vec![1, 2].into(),
            };
            assert_eq!(event(record(&sent)).unwrap(), sent);
        }
    }
}

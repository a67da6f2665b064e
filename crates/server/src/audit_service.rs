//! `karibu.audit.v1.AuditService`: who did what in a service, for auditors. The same for every service; the trail is
//! written by the write path, and nothing here can change it.

use commit::{AuditFilter, AuditLog, Cause, CauseParts, Change, KeyRing, NoteRow};
use kernel::{Cursor, PageRequest};
use proto::karibu::audit::v1::audit_service_server::{AuditService, AuditServiceServer};
use proto::karibu::audit::v1::{AuditEntry, AuditTrail, ListAuditEntriesRequest, ListAuditEntriesResponse};
use proto::timestamp_from_us;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::call::Call;
use crate::{field, limits, status};

/// The audit trail of one service.
#[derive(Debug)]
pub struct AuditOffice {
    service: &'static str,
    trail: AuditLog,
    keys: KeyRing,
}

/// Serves the audit trail of the service `service`; add it to its routes.
pub fn audit_service(service: &'static str, db: store::Db, keys: KeyRing) -> AuditServiceServer<AuditOffice> {
    AuditServiceServer::new(AuditOffice { service, trail: AuditLog::new(db), keys })
        .max_encoding_message_size(limits::MAX_REPLY_BYTES)
}

#[tonic::async_trait]
impl AuditService for AuditOffice {
    async fn list_audit_entries(
        &self,
        request: Request<ListAuditEntriesRequest>,
    ) -> Result<Response<ListAuditEntriesResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = pages.read("audit entries", size, &token, &body)?;
        let filter = AuditFilter {
            scope: principal.scope,
            record: field::maybe_id(&body.record_id),
            customer: field::maybe_id(&body.customer_id),
            start_us: field::instant(body.start_time.as_ref()).unwrap_or(i64::MIN),
            end_us: field::instant(body.end_time.as_ref()).unwrap_or(i64::MAX),
            who: std::mem::take(&mut body.actor),
        };
        let answer = match body.trail() {
            AuditTrail::Unspecified | AuditTrail::Changes => self.changes(&filter, &page).await,
            AuditTrail::Notes => self.notes(&filter, &page).await,
        };
        answer.map(Response::new).map_err(|error| status::of_store(&error))
    }
}

impl AuditOffice {
    async fn changes(&self, filter: &AuditFilter, page: &PageRequest) -> store::Result<ListAuditEntriesResponse> {
        let before = page.after.map(|place| place.sort);
        let size = i64::try_from(page.size).unwrap_or(i64::MAX);
        let (rows, next) = self.trail.changes(filter, before, size).await?;
        let next_page_token = next.map(|seq| token(page, Cursor { sort: seq, id: Uuid::nil() })).unwrap_or_default();
        let audit_entries = rows.into_iter().map(|row| self.change(row)).collect();
        Ok(ListAuditEntriesResponse { audit_entries, next_page_token })
    }

    async fn notes(&self, filter: &AuditFilter, page: &PageRequest) -> store::Result<ListAuditEntriesResponse> {
        let mut rows = self.trail.notes(filter, page.after.map(|place| place.id), page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |row| Cursor { sort: 0, id: row.id });
        let sealed: Vec<(Uuid, Uuid, &[u8])> = rows
            .iter()
            .filter_map(|row| Some((row.customer_id.unwrap_or_default(), row.id, row.reason.as_deref()?)))
            .collect();
        let mut reasons = self.keys.open("audit_log", "reason", &sealed).await?.into_iter();
        let reasons: Vec<Option<String>> =
            rows.iter().map(|row| row.reason.as_ref().and_then(|_| reasons.next().flatten())).collect();
        let entries = rows.into_iter().zip(reasons).map(|(row, reason)| self.note(row, reason));
        Ok(ListAuditEntriesResponse { audit_entries: entries.collect(), next_page_token })
    }

    fn change(&self, row: Change) -> AuditEntry {
        AuditEntry {
            audit_entry_id: row.seq.to_string(),
            event_type: row.kind,
            record_type: row.aggregate_type,
            record_id: row.aggregate_id.to_string(),
            old_version: row.aggregate_version.saturating_sub(1),
            new_version: row.aggregate_version,
            branch_id: text(row.branch_id),
            customer_id: text(row.customer_id),
            record_count: 1,
            ..self.entry(row.caused_by.as_deref(), row.recorded_at_us, row.trace_context.as_deref())
        }
    }

    fn note(&self, row: NoteRow, reason: Option<String>) -> AuditEntry {
        AuditEntry {
            audit_entry_id: row.id.to_string(),
            record_type: row.record_type,
            record_id: text(row.record_id),
            branch_id: text(row.branch_id),
            customer_id: text(row.customer_id),
            record_count: row.items,
            reason: reason.unwrap_or_default(),
            ..self.entry(Some(&row.caused_by), row.recorded_at_us, row.trace_context.as_deref())
        }
    }

    fn entry(&self, caused_by: Option<&str>, recorded_at_us: i64, trace: Option<&str>) -> AuditEntry {
        let cause = caused_by.and_then(Cause::parse);
        let CauseParts { kind, from, act, who } = cause.unwrap_or(CauseParts { kind: "", from: "", act: "", who: "" });
        let known = |part: &str| if part == "-" { String::new() } else { part.to_owned() };
        AuditEntry {
            service: self.service.to_owned(),
            record_time: Some(timestamp_from_us(recorded_at_us)),
            actor_kind: known(kind),
            actor: who.to_owned(),
            origin: known(from),
            action: known(act),
            trace_id: trace.and_then(|trace| trace.split('-').nth(1)).unwrap_or_default().to_owned(),
            ..AuditEntry::default()
        }
    }
}

fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// The token of a page that goes on behind `place`, whether or not anything was found before it.
fn token(page: &PageRequest, place: Cursor) -> String {
    let mut page = page.clone();
    page.size = 1;
    page.cut(&mut vec![(), ()], |()| place)
}

//! Bringing in many cases with one command: items that break a field rule are answered here, the others by
//! the verb, each in its place.

use commit::Door;
use proto::Validate;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1::ItemError;
use server::Call;
use tonic::Status;
use wire::complaint_import_result::Result as Outcome;

use super::codes::Coded;
use super::decode;
use crate::Ticketing;
use crate::domain::historical::HistoricalCase;
use crate::domain::verbs::{ImportComplaints, ImportItem};
use crate::error;

/// Brings in the cases of a call. Fails as a whole only when something is away or full; then it can be repeated.
pub(super) async fn bring_in(
    door: &Door<Ticketing>,
    mut call: Call<wire::ImportComplaintsRequest>,
) -> Result<wire::ImportComplaintsResponse, Status> {
    let mut items = Vec::with_capacity(call.body.complaints.len());
    let mut faults = Vec::with_capacity(call.body.complaints.len());
    for input in std::mem::take(&mut call.body.complaints) {
        match read(input) {
            Ok(item) => {
                items.push(item);
                faults.push(None);
            }
            Err(fault) => faults.push(Some(fault)),
        }
    }
    let verb = ImportComplaints { scope: call.principal.scope.clone(), items };
    let reply = door.submit(call.submission(), verb).await.map_err(error::refused)?;
    let mut decided = reply.results.into_iter();
    let results = faults.into_iter().filter_map(|fault| match fault {
        Some(fault) => {
            Some(wire::ComplaintImportResult { result: Some(Outcome::Error(fault)), already_imported: false })
        }
        None => decided.next(),
    });
    Ok(wire::ImportComplaintsResponse { results: results.collect() })
}

fn read(input: wire::ComplaintImport) -> Result<ImportItem, ItemError> {
    input.validate().map_err(|violations| {
        violations
            .first()
            .map_or_else(ItemError::default, |first| error::item_invalid(&first.field, &first.description))
    })?;
    let wire::ComplaintImport { branch_id, customer_id, historical_case } = input;
    let case = historical_case.unwrap_or_default();
    let invalid = |(field, what): decode::Fault| error::item_invalid(&format!("historical_case.{field}"), what);
    let received_on = decode::date(&case.receive_date.unwrap_or_default(), "receive_date").map_err(invalid)?;
    let sent_on = case.send_date.map(|date| decode::date(&date, "send_date")).transpose().map_err(invalid)?;
    let response = Coded::read(case.company_response)
        .ok_or_else(|| error::item_invalid("historical_case.company_response", "must be given"))?;
    Ok(ImportItem {
        branch: decode::id(&branch_id),
        customer: decode::maybe_id(&customer_id),
        channel: Coded::read(case.channel),
        case: HistoricalCase {
            timely: flag(case.timely()),
            disputed: flag(case.disputed()),
            source_system: case.source_system,
            source_ref: case.source_ref,
            product: case.product,
            sub_product: case.sub_product,
            issue: case.issue,
            sub_issue: case.sub_issue,
            organization: case.organization,
            region: case.region,
            response,
            received_on,
            sent_on,
        },
    })
}

const fn flag(ternary: wire::Ternary) -> Option<bool> {
    match ternary {
        wire::Ternary::Yes => Some(true),
        wire::Ternary::No => Some(false),
        wire::Ternary::Unspecified => None,
    }
}

//! Many purchases in one call, each a command of its own: one that is refused never touches its neighbours.

use commit::{Door, Refused, Submission};
use futures_util::stream::{self, StreamExt};
use proto::Validate;
use proto::karibu::profile::v1 as pb;
use server::Call;
use tonic::Status;
use vault::LookupKey;

use super::decode;
use crate::domain::RecordPurchase;
use crate::{Profile, error};

/// Commands of one call that wait at the door at the same time: as many as the write path takes in one transaction.
const IN_FLIGHT: usize = 256;

/// Records the purchases of a call, in their order. Fails as a whole only when something is away or full; then the
/// call can be repeated as it is, and what was recorded stands.
pub(super) async fn record(
    door: &Door<Profile>,
    key: &LookupKey,
    mut call: Call<pb::BatchRecordPurchasesRequest>,
) -> Result<Vec<pb::PurchaseResult>, Status> {
    let items = std::mem::take(&mut call.body.purchases);
    let call = &call;
    let mut outcomes = stream::iter(items.into_iter().enumerate())
        .map(|(place, item)| record_one(door, key, call, place, item))
        .buffered(IN_FLIGHT);
    let mut results = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        results.push(outcome?);
    }
    Ok(results)
}

async fn record_one(
    door: &Door<Profile>,
    key: &LookupKey,
    call: &Call<pb::BatchRecordPurchasesRequest>,
    place: usize,
    item: pb::PurchaseInput,
) -> Result<pb::PurchaseResult, Status> {
    if let Err(violations) = item.validate() {
        return Ok(refused(error::item_violated(&violations)));
    }
    let new = match decode::purchase(item, key) {
        Ok(new) => new,
        Err(refusal) => return Ok(refused(error::item(refusal))),
    };
    // The place is part of the key and the fingerprint is that of the whole call: the same call again is answered
    // item by item as before, and another one under its request id is refused.
    let once = commit::key(&[call.key.as_bytes(), &(place as u64).to_be_bytes()]);
    let submission = Submission { key: once, ..call.submission() };
    match door.submit(submission, RecordPurchase::new(call.principal.scope.clone(), new)).await {
        Ok(recorded) => Ok(recorded),
        Err(Refused::Refusal(refusal)) => Ok(refused(error::item(refusal))),
        Err(other) => Err(error::refused(other)),
    }
}

const fn refused(error: proto::karibu::types::v1::ItemError) -> pb::PurchaseResult {
    pb::PurchaseResult {
        result: Some(pb::purchase_result::Result::Error(error)),
        customer_id: String::new(),
        already_recorded: false,
        customer_created: false,
    }
}

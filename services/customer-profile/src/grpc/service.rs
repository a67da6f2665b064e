//! One handler per method of the contract.

use commit::{Corrupt, Door};
use kernel::{BranchScope, Clock};
use proto::karibu::profile::v1 as pb;
use proto::karibu::profile::v1::profile_service_server::ProfileService;
use proto::karibu::types::v1::Channel;
use server::{Call, status};
use tonic::{Request, Response, Status};
use vault::LookupKey;

use super::{batch, decode, wire};
use crate::domain::{
    AddIdentifier, BranchId, CreateCustomer, CustomerId, EraseCustomer, IdentifyCustomer, PurchaseId, RecordPurchase,
    RecordVisit, Refusal, UpdateCustomer,
};
use crate::store::{CustomerFilter, CustomerView, PurchaseFilter, Reads};
use crate::{Profile, error};

/// The methods of the service.
#[derive(Clone)]
pub(crate) struct Api {
    door: Door<Profile>,
    reads: Reads,
    clock: Clock,
    /// Of the look-ups by handle.
    key: LookupKey,
}

type Answer<T> = Result<Response<T>, Status>;

impl Api {
    pub(crate) const fn new(door: Door<Profile>, reads: Reads, clock: Clock, key: LookupKey) -> Self {
        Self { door, reads, clock, key }
    }

    /// Adds the personal data that stored replies must not hold. The caller was let in by the command.
    async fn complete(&self, mut reply: pb::Customer) -> Result<pb::Customer, Status> {
        let id = CustomerId(decode::id("customer_id", &reply.customer_id)?);
        let found = self.reads.find_customer(&BranchScope::All, id).await.map_err(|e| status::of_store(&e))?;
        if let Some(view) = found {
            let (customer, first_seen_at_us) = view.into_parts().map_err(|e| corrupt(&e))?;
            wire::complete(&mut reply, &customer, first_seen_at_us);
        }
        Ok(reply)
    }
}

fn corrupt(error: &Corrupt) -> Status {
    tracing::error!(%error, "a row cannot be read");
    status::internal()
}

fn whole(view: CustomerView) -> Result<pb::Customer, Status> {
    let (customer, first_seen_at_us) = view.into_parts().map_err(|error| corrupt(&error))?;
    Ok(wire::whole(customer, first_seen_at_us))
}

#[tonic::async_trait]
impl ProfileService for Api {
    async fn record_visit(&self, request: Request<pb::RecordVisitRequest>) -> Answer<pb::RecordVisitResponse> {
        let call = Call::admit(request)?;
        let channel = match call.body.channel() {
            Channel::Unspecified => Channel::InPerson,
            said => said,
        };
        let verb = RecordVisit {
            scope: call.principal.scope.clone(),
            customer: decode::maybe_id("customer_id", &call.body.customer_id)?.map(CustomerId),
            branch: BranchId(decode::id("branch_id", &call.body.branch_id)?),
            channel: wire::channel_code(channel),
            touchpoint_code: call.body.touchpoint_code.clone(),
            occurred_at_us: decode::maybe_instant("occur_time", call.body.occur_time.as_ref())?,
        };
        let mut reply = self.door.submit(call.submission(), verb).await.map_err(error::refused)?;
        reply.customer = Some(self.complete(reply.customer.unwrap_or_default()).await?);
        Ok(Response::new(reply))
    }

    async fn identify_customer(
        &self,
        request: Request<pb::IdentifyCustomerRequest>,
    ) -> Answer<pb::IdentifyCustomerResponse> {
        let mut call = Call::admit(request)?;
        let body = std::mem::take(&mut call.body);
        let verb = IdentifyCustomer {
            scope: call.principal.scope.clone(),
            customer: CustomerId(decode::id("customer_id", &body.customer_id)?),
            expected_version: decode::version(&body.etag)?,
            kind: decode::customer_kind(body.kind()),
            told: decode::identified(body, &self.key).map_err(error::refusal)?,
        };
        let reply = self.door.submit(call.submission(), verb).await.map_err(error::refused)?;
        Ok(Response::new(pb::IdentifyCustomerResponse { customer: Some(self.complete(reply).await?) }))
    }

    async fn create_customer(&self, request: Request<pb::CreateCustomerRequest>) -> Answer<pb::CreateCustomerResponse> {
        let mut call = Call::admit(request)?;
        let body = std::mem::take(&mut call.body);
        let verb = CreateCustomer {
            scope: call.principal.scope.clone(),
            kind: decode::customer_kind(body.kind()),
            home_branch: BranchId(decode::id("home_branch_id", &body.home_branch_id)?),
            told: decode::created(body, &self.key).map_err(error::refusal)?,
        };
        let reply = self.door.submit(call.submission(), verb).await.map_err(error::refused)?;
        Ok(Response::new(pb::CreateCustomerResponse { customer: Some(self.complete(reply).await?) }))
    }

    async fn get_customer(&self, request: Request<pb::GetCustomerRequest>) -> Answer<pb::GetCustomerResponse> {
        let call = Call::admit(request)?;
        let id = CustomerId(decode::id("customer_id", &call.body.customer_id)?);
        let found = self.reads.find_customer(&call.principal.scope, id).await.map_err(|e| status::of_store(&e))?;
        let view = found.ok_or_else(|| error::refusal(Refusal::CustomerNotFound))?;
        Ok(Response::new(pb::GetCustomerResponse { customer: Some(whole(view)?) }))
    }

    async fn lookup_customer(&self, request: Request<pb::LookupCustomerRequest>) -> Answer<pb::LookupCustomerResponse> {
        let call = Call::admit(request)?;
        let given = call.body.identifier.unwrap_or_default();
        let handle = decode::identifier(&given, None, &self.key).map_err(error::refusal)?;
        let found =
            self.reads.find_by_handle(&call.principal.scope, &handle).await.map_err(|e| status::of_store(&e))?;
        let view = found.ok_or_else(|| error::refusal(Refusal::CustomerNotFound))?;
        Ok(Response::new(pb::LookupCustomerResponse { customer: Some(whole(view)?) }))
    }

    async fn list_customers(&self, request: Request<pb::ListCustomersRequest>) -> Answer<pb::ListCustomersResponse> {
        let call = Call::admit(request)?;
        let (size, token) = (call.body.page_size, call.body.page_token.clone());
        let selects = pb::ListCustomersRequest { page_size: 0, page_token: String::new(), ..call.body };
        let page = call.pages.read("customers", size, &token, &selects)?;
        let kind = match selects.kind() {
            pb::CustomerKind::Unspecified => None,
            said => Some(decode::customer_kind(said)),
        };
        let home_branch = decode::maybe_id("home_branch_id", &selects.home_branch_id)?.map(BranchId);
        let filter = CustomerFilter { home_branch, kind, tag: selects.tag };
        let found = self.reads.list_customers(&call.principal.scope, &filter, &page).await;
        let (views, next_page_token) = found.map_err(|e| status::of_store(&e))?;
        let customers = views.into_iter().map(whole).collect::<Result<_, _>>()?;
        Ok(Response::new(pb::ListCustomersResponse { customers, next_page_token }))
    }

    async fn update_customer(&self, request: Request<pb::UpdateCustomerRequest>) -> Answer<pb::UpdateCustomerResponse> {
        let mut call = Call::admit(request)?;
        let body = std::mem::take(&mut call.body);
        let verb = UpdateCustomer {
            scope: call.principal.scope.clone(),
            customer: CustomerId(decode::id("customer_id", &body.customer_id)?),
            expected_version: decode::version(&body.etag)?,
            changes: decode::changes(body)?,
        };
        let reply = self.door.submit(call.submission(), verb).await.map_err(error::refused)?;
        Ok(Response::new(pb::UpdateCustomerResponse { customer: Some(self.complete(reply).await?) }))
    }

    async fn add_identifier(&self, request: Request<pb::AddIdentifierRequest>) -> Answer<pb::AddIdentifierResponse> {
        let mut call = Call::admit(request)?;
        let body = std::mem::take(&mut call.body);
        let given = body.identifier.unwrap_or_default();
        let verb = AddIdentifier {
            scope: call.principal.scope.clone(),
            customer: CustomerId(decode::id("customer_id", &body.customer_id)?),
            expected_version: decode::version(&body.etag)?,
            identifier: decode::identifier(&given, None, &self.key).map_err(error::refusal)?,
        };
        let reply = self.door.submit(call.submission(), verb).await.map_err(error::refused)?;
        Ok(Response::new(pb::AddIdentifierResponse { customer: Some(self.complete(reply).await?) }))
    }

    async fn erase_customer(&self, request: Request<pb::EraseCustomerRequest>) -> Answer<pb::EraseCustomerResponse> {
        let mut call = Call::admit(request)?;
        let body = std::mem::take(&mut call.body);
        let verb = EraseCustomer {
            scope: call.principal.scope.clone(),
            customer: CustomerId(decode::id("customer_id", &body.customer_id)?),
            expected_version: decode::version(&body.etag)?,
            reason_code: body.reason_code,
        };
        let reply = self.door.submit(call.submission(), verb).await.map_err(error::refused)?;
        Ok(Response::new(reply))
    }

    async fn record_purchase(&self, request: Request<pb::RecordPurchaseRequest>) -> Answer<pb::RecordPurchaseResponse> {
        let mut call = Call::admit(request)?;
        let given = call.body.purchase.take().unwrap_or_default();
        let within = |refusal| error::refusal_within("purchase.", refusal);
        let new = decode::purchase(given, &self.key).map_err(within)?;
        let id = new.id();
        let verb = RecordPurchase::new(call.principal.scope.clone(), new);
        let recorded = self.door.submit(call.submission(), verb).await;
        let recorded = recorded.map_err(|refused| status::of_refused(refused, within))?;
        // A purchase never changes, so what is read now is what was recorded, also for a repeat.
        let found = self.reads.find_purchase(&BranchScope::All, id).await.map_err(|e| status::of_store(&e))?;
        let row = found.ok_or_else(status::internal)?;
        let purchase = wire::purchase(row.into_purchase().map_err(|error| corrupt(&error))?);
        let already_recorded = recorded.already_recorded;
        Ok(Response::new(pb::RecordPurchaseResponse { purchase: Some(purchase), already_recorded }))
    }

    async fn batch_record_purchases(
        &self,
        request: Request<pb::BatchRecordPurchasesRequest>,
    ) -> Answer<pb::BatchRecordPurchasesResponse> {
        let call = Call::admit(request)?;
        let results = batch::record(&self.door, &self.key, call).await?;
        Ok(Response::new(pb::BatchRecordPurchasesResponse { results }))
    }

    async fn get_purchase(&self, request: Request<pb::GetPurchaseRequest>) -> Answer<pb::GetPurchaseResponse> {
        let call = Call::admit(request)?;
        let id = PurchaseId(decode::id("purchase_id", &call.body.purchase_id)?);
        let found = self.reads.find_purchase(&call.principal.scope, id).await.map_err(|e| status::of_store(&e))?;
        let row = found.ok_or_else(error::no_such_purchase)?;
        let purchase = wire::purchase(row.into_purchase().map_err(|error| corrupt(&error))?);
        Ok(Response::new(pb::GetPurchaseResponse { purchase: Some(purchase) }))
    }

    async fn list_purchases(&self, request: Request<pb::ListPurchasesRequest>) -> Answer<pb::ListPurchasesResponse> {
        let call = Call::admit(request)?;
        let (size, token) = (call.body.page_size, call.body.page_token.clone());
        let selects = pb::ListPurchasesRequest { page_size: 0, page_token: String::new(), ..call.body };
        let page = call.pages.read("purchases", size, &token, &selects)?;
        let filter = PurchaseFilter {
            customer: decode::maybe_id("customer_id", &selects.customer_id)?.map(CustomerId),
            branch: decode::maybe_id("branch_id", &selects.branch_id)?.map(BranchId),
            source_system: String::new(),
            start_at_us: decode::maybe_instant("start_time", selects.start_time.as_ref())?.unwrap_or(i64::MIN),
            end_at_us: decode::maybe_instant("end_time", selects.end_time.as_ref())?.unwrap_or(i64::MAX),
        };
        let found = self.reads.list_purchases(&call.principal.scope, &filter, &page).await;
        let (rows, next_page_token) = found.map_err(|e| status::of_store(&e))?;
        let purchases = rows.into_iter().map(|row| row.into_purchase().map(wire::purchase));
        let purchases = purchases.collect::<Result<_, _>>().map_err(|error| corrupt(&error))?;
        Ok(Response::new(pb::ListPurchasesResponse { purchases, next_page_token }))
    }

    async fn get_purchase_statistics(
        &self,
        request: Request<pb::GetPurchaseStatisticsRequest>,
    ) -> Answer<pb::GetPurchaseStatisticsResponse> {
        let call = Call::admit(request)?;
        let filter = PurchaseFilter {
            customer: None,
            branch: decode::maybe_id("branch_id", &call.body.branch_id)?.map(BranchId),
            start_at_us: decode::maybe_instant("start_time", call.body.start_time.as_ref())?.unwrap_or(i64::MIN),
            end_at_us: decode::maybe_instant("end_time", call.body.end_time.as_ref())?.unwrap_or(i64::MAX),
            source_system: call.body.source_system,
        };
        let found = self.reads.sum_purchases(&call.principal.scope, &filter).await;
        let (sums, buyers) = found.map_err(|e| status::of_store(&e))?;
        let statistics = Some(wire::statistics(&sums, buyers));
        Ok(Response::new(pb::GetPurchaseStatisticsResponse { statistics }))
    }

    async fn list_timeline_entries(
        &self,
        request: Request<pb::ListTimelineEntriesRequest>,
    ) -> Answer<pb::ListTimelineEntriesResponse> {
        let call = Call::admit(request)?;
        let (size, token) = (call.body.page_size, call.body.page_token.clone());
        let selects = pb::ListTimelineEntriesRequest { page_size: 0, page_token: String::new(), ..call.body };
        let page = call.pages.read("timeline", size, &token, &selects)?;
        let (scope, id) = (&call.principal.scope, CustomerId(decode::id("customer_id", &selects.customer_id)?));
        let found = self.reads.find_customer(scope, id).await.map_err(|e| status::of_store(&e))?;
        found.ok_or_else(|| error::refusal(Refusal::CustomerNotFound))?;
        let found = self.reads.list_timeline(scope, id, &selects.services, &page).await;
        let (rows, next_page_token) = found.map_err(|e| status::of_store(&e))?;
        let entries = rows.into_iter().map(|row| wire::timeline_entry(row.into())).collect();
        Ok(Response::new(pb::ListTimelineEntriesResponse { entries, next_page_token }))
    }

    async fn get_customer_summary(
        &self,
        request: Request<pb::GetCustomerSummaryRequest>,
    ) -> Answer<pb::GetCustomerSummaryResponse> {
        let call = Call::admit(request)?;
        let id = CustomerId(decode::id("customer_id", &call.body.customer_id)?);
        let found = self.reads.find_summary(&call.principal.scope, id).await.map_err(|e| status::of_store(&e))?;
        let summary = found.ok_or_else(|| error::refusal(Refusal::CustomerNotFound))?;
        let summary = wire::summary(id.to_string(), summary, self.clock.now_us());
        Ok(Response::new(pb::GetCustomerSummaryResponse { summary: Some(summary) }))
    }
}

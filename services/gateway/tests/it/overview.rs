//! The overview is whole, or says what is missing.

use proto::Permission;
use proto::karibu::gateway::v1::overview_service_client::OverviewServiceClient;
use proto::karibu::gateway::v1::{GetCustomerOverviewRequest, GetCustomerOverviewResponse};
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::loyalty::v1::loyalty_service_server::{LoyaltyService, LoyaltyServiceServer};
use proto::karibu::profile::v1::profile_service_server::{ProfileService, ProfileServiceServer};
use proto::karibu::profile::v1::*;
use server::{Call, Upstream, status};
use tonic::{Code, Request, Response, Status};

use crate::not_here::not_here;
use crate::stage::{Stage, keyed, reason};

const ANN: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad92";

/// Knows one customer, and never gives her numbers.
struct Profile;

#[tonic::async_trait]
impl ProfileService for Profile {
    async fn get_customer(
        &self,
        request: Request<GetCustomerRequest>,
    ) -> Result<Response<GetCustomerResponse>, Status> {
        let call = Call::admit(request)?;
        if call.body.customer_id != ANN {
            return Err(status::with_reason(Code::NotFound, "CUSTOMER_NOT_FOUND", "no such customer"));
        }
        let customer = Customer { customer_id: ANN.into(), ..Default::default() };
        Ok(Response::new(GetCustomerResponse { customer: Some(customer) }))
    }

    async fn list_timeline_entries(
        &self,
        request: Request<ListTimelineEntriesRequest>,
    ) -> Result<Response<ListTimelineEntriesResponse>, Status> {
        let call = Call::admit(request)?;
        let count = usize::try_from(call.body.page_size).unwrap();
        let entries = vec![TimelineEntry::default(); count];
        Ok(Response::new(ListTimelineEntriesResponse { entries, next_page_token: String::new() }))
    }

    async fn get_customer_summary(
        &self,
        _: Request<GetCustomerSummaryRequest>,
    ) -> Result<Response<GetCustomerSummaryResponse>, Status> {
        std::future::pending().await
    }

    not_here! {
        record_visit(RecordVisitRequest) -> RecordVisitResponse;
        identify_customer(IdentifyCustomerRequest) -> IdentifyCustomerResponse;
        create_customer(CreateCustomerRequest) -> CreateCustomerResponse;
        lookup_customer(LookupCustomerRequest) -> LookupCustomerResponse;
        list_customers(ListCustomersRequest) -> ListCustomersResponse;
        update_customer(UpdateCustomerRequest) -> UpdateCustomerResponse;
        add_identifier(AddIdentifierRequest) -> AddIdentifierResponse;
        erase_customer(EraseCustomerRequest) -> EraseCustomerResponse;
        record_purchase(RecordPurchaseRequest) -> RecordPurchaseResponse;
        batch_record_purchases(BatchRecordPurchasesRequest) -> BatchRecordPurchasesResponse;
        get_purchase(GetPurchaseRequest) -> GetPurchaseResponse;
        list_purchases(ListPurchasesRequest) -> ListPurchasesResponse;
        get_purchase_statistics(GetPurchaseStatisticsRequest) -> GetPurchaseStatisticsResponse;
    }
}

/// Has an account for everyone, and no entries.
struct Loyalty;

#[tonic::async_trait]
impl LoyaltyService for Loyalty {
    async fn find_account(
        &self,
        request: Request<loyalty::FindAccountRequest>,
    ) -> Result<Response<loyalty::FindAccountResponse>, Status> {
        let call = Call::admit(request)?;
        let account =
            loyalty::Account { customer_id: call.body.customer_id, account_id: NOBODY.into(), ..Default::default() };
        Ok(Response::new(loyalty::FindAccountResponse { account: Some(account) }))
    }

    async fn list_ledger_entries(
        &self,
        _: Request<loyalty::ListLedgerEntriesRequest>,
    ) -> Result<Response<loyalty::ListLedgerEntriesResponse>, Status> {
        Ok(Response::new(loyalty::ListLedgerEntriesResponse::default()))
    }

    not_here! {
        create_program(loyalty::CreateProgramRequest) -> loyalty::CreateProgramResponse;
        get_program(loyalty::GetProgramRequest) -> loyalty::GetProgramResponse;
        list_programs(loyalty::ListProgramsRequest) -> loyalty::ListProgramsResponse;
        update_program(loyalty::UpdateProgramRequest) -> loyalty::UpdateProgramResponse;
        enrol_customer(loyalty::EnrolCustomerRequest) -> loyalty::EnrolCustomerResponse;
        get_account(loyalty::GetAccountRequest) -> loyalty::GetAccountResponse;
        list_accounts(loyalty::ListAccountsRequest) -> loyalty::ListAccountsResponse;
        adjust_points(loyalty::AdjustPointsRequest) -> loyalty::AdjustPointsResponse;
        verify_ledger(loyalty::VerifyLedgerRequest) -> loyalty::VerifyLedgerResponse;
        get_loyalty_statistics(loyalty::GetLoyaltyStatisticsRequest) -> loyalty::GetLoyaltyStatisticsResponse;
    }
}

fn put(stage: &Stage, started: server::Started) {
    stage.house.peers.put(started.name, Upstream::Local(started.routes));
}

async fn stage() -> Stage {
    let stage = Stage::new().await;
    let profile = stage.house.kit("profile", "sqlite:unused").routes().with(ProfileServiceServer::new(Profile));
    put(&stage, profile.started(|| async { Ok(()) }));
    let loyalty = stage.house.kit("loyalty", "sqlite:unused").routes().with(LoyaltyServiceServer::new(Loyalty));
    put(&stage, loyalty.started(|| async { Ok(()) }));
    stage
}

async fn ask(stage: &Stage, key: &str, customer_id: &str) -> Result<GetCustomerOverviewResponse, Status> {
    let request = GetCustomerOverviewRequest { customer_id: customer_id.into(), timeline_size: 500 };
    let mut request = keyed(request, key);
    // What is late is left out: the summary, which never comes.
    request.set_timeout(std::time::Duration::from_secs(2));
    Ok(OverviewServiceClient::new(stage.channel().await).get_customer_overview(request).await?.into_inner())
}

#[tokio::test]
async fn what_is_late_away_or_forbidden_is_left_out_and_named() {
    let stage = stage().await;
    let key = stage.desk.key("desk", [Permission::CustomerRead]);
    let answer = ask(&stage, &key, ANN).await.unwrap();
    let overview = answer.overview.unwrap();
    assert_eq!(overview.customer.unwrap().customer_id, ANN);
    assert_eq!(overview.timeline.len(), 100, "more than 100 is cut to 100");
    assert_eq!((overview.summary, overview.loyalty_account), (None, None));
    assert_eq!(answer.unreachable, ["feedback", "profile", "ticketing"]);
    assert_eq!(answer.forbidden, ["loyalty"]);

    let both = stage.desk.key("desk-and-points", [Permission::CustomerRead, Permission::LoyaltyRead]);
    let answer = ask(&stage, &both, ANN).await.unwrap();
    assert_eq!(answer.overview.unwrap().loyalty_account.unwrap().customer_id, ANN);
    assert!(answer.forbidden.is_empty());
}

#[tokio::test]
async fn without_the_customer_there_is_no_overview() {
    let stage = stage().await;
    let key = stage.desk.key("desk", [Permission::CustomerRead]);
    let status = ask(&stage, &key, NOBODY).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "CUSTOMER_NOT_FOUND"));

    let empty = Stage::new().await;
    let key = empty.desk.key("desk", [Permission::CustomerRead]);
    assert_eq!(ask(&empty, &key, ANN).await.unwrap_err().code(), Code::Unavailable);
}

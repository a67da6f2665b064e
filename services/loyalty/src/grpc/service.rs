//! One handler per method of the contract.

use commit::Door;
use kernel::Points;
use proto::karibu::loyalty::v1 as pb;
use proto::karibu::loyalty::v1::loyalty_service_server::LoyaltyService;
use server::auth::Principal;
use server::{Call, status};
use tonic::{Request, Response, Status};

use super::{decode, wire};
use crate::domain::{
    AccountId, AdjustPoints, BranchId, CreateProgram, CustomerId, EnrolCustomer, Program, ProgramId, UpdateProgram,
};
use crate::store::{AccountFilter, Reads};
use crate::{Loyalty, error};

/// The methods of the service.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) door: Door<Loyalty>,
    pub(crate) reads: Reads,
}

type Answer<T> = Result<Response<T>, Status>;

impl Api {
    async fn submit<T, V: commit::Verb<Loyalty>>(
        &self,
        call: &Call<T>,
        verb: V,
    ) -> Answer<<V::Reply as commit::Answer>::Wire> {
        self.door.submit(call.submission(), verb).await.map(Response::new).map_err(error::refused)
    }

    /// Adds the card, which a stored answer does not hold, to the account that a repeat is answered with.
    async fn show_card(&self, account: Option<&mut pb::Account>, principal: &Principal) -> Result<(), Status> {
        let Some(account) = account.filter(|account| account.card_number.is_empty()) else { return Ok(()) };
        let found = self.reads.find_account(AccountId(decode::id(&account.account_id)), &principal.scope).await;
        if let Some(found) = found.map_err(|error| status::of_store(&error))? {
            account.card_number = found.card_number;
        }
        Ok(())
    }

    async fn program(&self, id: &str) -> Result<Program, Status> {
        let program = self.reads.find_program(ProgramId(decode::id(id))).await;
        program.map_err(|error| status::of_store(&error))?.ok_or_else(error::no_such_program)
    }
}

#[tonic::async_trait]
impl LoyaltyService for Api {
    async fn create_program(&self, request: Request<pb::CreateProgramRequest>) -> Answer<pb::CreateProgramResponse> {
        let call = Call::admit(request)?;
        let verb = CreateProgram {
            scope: call.principal.scope.clone(),
            code: call.body.code.clone(),
            terms: decode::terms(&call.body)?,
        };
        self.submit(&call, verb).await
    }

    async fn get_program(&self, request: Request<pb::GetProgramRequest>) -> Answer<pb::GetProgramResponse> {
        let Call { body, .. } = Call::admit(request)?;
        let program = self.program(&body.program_id).await?;
        Ok(Response::new(pb::GetProgramResponse { program: Some(wire::program(&program)) }))
    }

    async fn list_programs(&self, request: Request<pb::ListProgramsRequest>) -> Answer<pb::ListProgramsResponse> {
        let Call { mut body, pages, .. } = Call::admit(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = pages.read("programs", size, &token, &body)?;
        let list = self.reads.list_programs(body.show_closed, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let programs = list.items.iter().map(wire::program).collect();
        Ok(Response::new(pb::ListProgramsResponse { programs, next_page_token: list.next }))
    }

    async fn update_program(&self, request: Request<pb::UpdateProgramRequest>) -> Answer<pb::UpdateProgramResponse> {
        let call = Call::admit(request)?;
        let verb = UpdateProgram {
            scope: call.principal.scope.clone(),
            id: ProgramId(decode::id(&call.body.program_id)),
            expected_version: decode::expected_version(&call.body.etag),
            change: decode::change(&call.body)?,
        };
        self.submit(&call, verb).await
    }

    async fn enrol_customer(&self, request: Request<pb::EnrolCustomerRequest>) -> Answer<pb::EnrolCustomerResponse> {
        let call = Call::admit(request)?;
        let verb = EnrolCustomer {
            scope: call.principal.scope.clone(),
            program: ProgramId(decode::id(&call.body.program_id)),
            customer: CustomerId(decode::id(&call.body.customer_id)),
            kind: decode::account_kind(call.body.kind()),
            home_branch: decode::maybe_id(&call.body.home_branch_id).map(BranchId),
        };
        let mut reply = self.submit(&call, verb).await?;
        self.show_card(reply.get_mut().account.as_mut(), &call.principal).await?;
        Ok(reply)
    }

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Answer<pb::GetAccountResponse> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let account = self.reads.find_account(AccountId(decode::id(&body.account_id)), &principal.scope).await;
        let account = account.map_err(|error| status::of_store(&error))?.ok_or_else(error::no_such_account)?;
        Ok(Response::new(pb::GetAccountResponse { account: Some(wire::account(&account)) }))
    }

    async fn find_account(&self, request: Request<pb::FindAccountRequest>) -> Answer<pb::FindAccountResponse> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let customer = CustomerId(decode::id(&body.customer_id));
        let program = decode::maybe_id(&body.program_id).map(ProgramId);
        let account = self.reads.find_account_of(customer, program, &principal.scope).await;
        let account = account.map_err(|error| status::of_store(&error))?.ok_or_else(error::no_such_account)?;
        Ok(Response::new(pb::FindAccountResponse { account: Some(wire::account(&account)) }))
    }

    async fn list_accounts(&self, request: Request<pb::ListAccountsRequest>) -> Answer<pb::ListAccountsResponse> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = pages.read("accounts", size, &token, &body)?;
        let filter = AccountFilter {
            program: decode::maybe_id(&body.program_id).map(ProgramId),
            home_branch: decode::maybe_id(&body.home_branch_id).map(BranchId),
        };
        let list = self.reads.list_accounts(filter, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let accounts = list.items.iter().map(wire::account).collect();
        Ok(Response::new(pb::ListAccountsResponse { accounts, next_page_token: list.next }))
    }

    async fn list_ledger_entries(
        &self,
        request: Request<pb::ListLedgerEntriesRequest>,
    ) -> Answer<pb::ListLedgerEntriesResponse> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = pages.read("ledger entries", size, &token, &body)?;
        let list = self.reads.list_entries(AccountId(decode::id(&body.account_id)), &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?.ok_or_else(error::no_such_account)?;
        let entries = list.items.iter().map(wire::entry).collect();
        Ok(Response::new(pb::ListLedgerEntriesResponse { entries, next_page_token: list.next }))
    }

    async fn adjust_points(&self, request: Request<pb::AdjustPointsRequest>) -> Answer<pb::AdjustPointsResponse> {
        let call = Call::admit(request)?;
        let verb = AdjustPoints {
            scope: call.principal.scope.clone(),
            account: AccountId(decode::id(&call.body.account_id)),
            expected_version: decode::expected_version(&call.body.etag),
            points: Points(call.body.points),
            reason_code: call.body.reason_code.clone(),
            branch: BranchId(decode::id(&call.body.branch_id)),
        };
        let mut reply = self.submit(&call, verb).await?;
        self.show_card(reply.get_mut().account.as_mut(), &call.principal).await?;
        Ok(reply)
    }

    async fn verify_ledger(&self, request: Request<pb::VerifyLedgerRequest>) -> Answer<pb::VerifyLedgerResponse> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let program = self.program(&body.program_id).await?;
        let report = self.reads.audit(program.id, &principal.scope).await;
        Ok(Response::new(wire::report(&report.map_err(|error| status::of_store(&error))?)))
    }

    async fn get_loyalty_statistics(
        &self,
        request: Request<pb::GetLoyaltyStatisticsRequest>,
    ) -> Answer<pb::GetLoyaltyStatisticsResponse> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let program = self.program(&body.program_id).await?;
        let statistics = self.reads.get_statistics(program.id, &principal.scope).await;
        let statistics = statistics.map_err(|error| status::of_store(&error))?;
        Ok(Response::new(pb::GetLoyaltyStatisticsResponse { statistics: Some(wire::statistics(&statistics)) }))
    }
}

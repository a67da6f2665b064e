//! Members and their accounts as a client sees them.

use proto::karibu::loyalty::v1 as pb;
use uuid::Uuid;

use crate::bench::{ANN, BOB, HERE, Place, THERE, fields, reason};

fn enrol(program: &pb::Program, customer: Uuid, branch: Option<Uuid>) -> pb::EnrolCustomerRequest {
    pb::EnrolCustomerRequest {
        program_id: program.program_id.clone(),
        customer_id: customer.to_string(),
        home_branch_id: branch.map(|branch| branch.to_string()).unwrap_or_default(),
        ..Default::default()
    }
}

fn adjust(account: &pb::Account, points: i64, branch: Uuid) -> pb::AdjustPointsRequest {
    pb::AdjustPointsRequest {
        account_id: account.account_id.clone(),
        points,
        reason_code: "correction".into(),
        branch_id: branch.to_string(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_member_has_one_account_with_a_card() {
    for place in Place::both().await {
        let program = place.program().await;
        let first = place.admin().enrol_customer(enrol(&program, ANN, Some(HERE))).await.unwrap().into_inner();
        let again = place.admin().enrol_customer(enrol(&program, ANN, Some(THERE))).await.unwrap().into_inner();
        let account = first.account.unwrap();
        assert!(!first.already_enrolled && again.already_enrolled);
        assert_eq!(again.account.unwrap(), account, "{}", place.name);
        assert!(loyalty::domain::is_card_number(&account.card_number));
        assert_eq!((account.state(), account.home_branch_id.clone()), (pb::AccountState::Active, HERE.to_string()));
        let get = pb::GetAccountRequest { account_id: account.account_id.clone() };
        assert_eq!(place.admin().get_account(get).await.unwrap().into_inner().account.unwrap(), account);
        assert_eq!(place.find(ANN).await.unwrap(), account);
        assert_eq!(place.find(BOB).await, None);
        let told = place.told_of::<pb::AccountEnrolled>().await;
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0].customer_id, told[0].kind()), (&ANN.to_string(), pb::AccountKind::Person));
    }
}

#[tokio::test]
async fn points_are_given_and_taken_by_hand() {
    for place in Place::both().await {
        let program = place.program().await;
        let reply = place.admin().enrol_customer(enrol(&program, ANN, Some(HERE))).await.unwrap().into_inner();
        let account = reply.account.unwrap();
        let mut client = place.admin();
        let given = client.adjust_points(adjust(&account, 40, HERE)).await.unwrap().into_inner();
        let entry = given.entry.unwrap();
        assert_eq!((entry.seq, entry.kind(), entry.points), (1, pb::EntryKind::AdjustUp, 40));
        assert_eq!((entry.actor.as_str(), entry.reason_code.as_str()), ("admin", "correction"));
        assert_eq!(given.account.unwrap().balances.unwrap().available, 40);
        assert_eq!(reason(client.adjust_points(adjust(&account, -41, HERE)).await), "INSUFFICIENT_POINTS");
        let stale = pb::AdjustPointsRequest { etag: account.etag.clone(), ..adjust(&account, 1, HERE) };
        assert_eq!(reason(client.adjust_points(stale).await), "VERSION_MISMATCH");
        let taken = client.adjust_points(adjust(&account, -40, HERE)).await.unwrap().into_inner();
        assert_eq!(taken.entry.unwrap().credit(), pb::LedgerAccount::ProgramReversed);
        assert_eq!(fields(client.adjust_points(adjust(&account, 0, HERE)).await), ["points"]);
        let told: Vec<i64> = place.told_of::<pb::PointsAdjusted>().await.iter().map(|told| told.points).collect();
        assert_eq!(told, [40, -40]);
        assert!(place.verify(&program.program_id).await.ok, "{}", place.name);
    }
}

#[tokio::test]
async fn accounts_are_listed_newest_first_with_filters_and_pages() {
    for place in Place::both().await {
        let program = place.program().await;
        for number in 0..7_u128 {
            let branch = if number % 2 == 0 { HERE } else { THERE };
            place.admin().enrol_customer(enrol(&program, Uuid::from_u128(number + 1), Some(branch))).await.unwrap();
        }
        let mut customers = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListAccountsRequest { page_size: 3, page_token, ..Default::default() };
            let page = place.admin().list_accounts(request).await.unwrap().into_inner();
            customers.extend(page.accounts.into_iter().map(|account| account.customer_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let expected: Vec<String> = (0..7_u128).rev().map(|number| Uuid::from_u128(number + 1).to_string()).collect();
        assert_eq!(customers, expected, "{}", place.name);
        let count = async |request| place.admin().list_accounts(request).await.unwrap().into_inner().accounts.len();
        let at = |branch: Uuid| pb::ListAccountsRequest { home_branch_id: branch.to_string(), ..Default::default() };
        assert_eq!((count(at(HERE)).await, count(at(THERE)).await), (4, 3));
        let other = pb::ListAccountsRequest { program_id: ANN.to_string(), ..Default::default() };
        assert_eq!(count(other).await, 0);
    }
}

#[tokio::test]
async fn an_account_is_seen_where_it_is_at_home_and_where_points_came() {
    for place in Place::both().await {
        let program = place.program().await;
        let mut there = place.at_branch(THERE);
        place.sell("1", Some(ANN), HERE, "RWF", 1_000).await;
        let account = place.await_points(ANN, 10, 0).await;

        let get = pb::GetAccountRequest { account_id: account.account_id.clone() };
        let find = pb::FindAccountRequest { customer_id: ANN.to_string(), program_id: String::new() };
        let entries = pb::ListLedgerEntriesRequest { account_id: account.account_id.clone(), ..Default::default() };
        assert_eq!(reason(there.get_account(get.clone()).await), "ACCOUNT_NOT_FOUND");
        assert_eq!(reason(there.find_account(find.clone()).await), "ACCOUNT_NOT_FOUND");
        assert_eq!(reason(there.list_ledger_entries(entries.clone()).await), "ACCOUNT_NOT_FOUND");
        assert_eq!(reason(there.adjust_points(adjust(&account, 5, THERE)).await), "ACCOUNT_NOT_FOUND");
        assert_eq!(reason(there.adjust_points(adjust(&account, 5, HERE)).await), "BRANCH_NOT_FOUND");
        assert_eq!(reason(there.enrol_customer(enrol(&program, ANN, Some(THERE))).await), "ENROLLED_ELSEWHERE");
        assert_eq!(fields(there.enrol_customer(enrol(&program, BOB, None)).await), ["home_branch_id"]);
        let list = pb::ListAccountsRequest::default();
        assert!(there.list_accounts(list.clone()).await.unwrap().into_inner().accounts.is_empty());
        let numbers = pb::GetLoyaltyStatisticsRequest { program_id: program.program_id.clone() };
        let seen = there.get_loyalty_statistics(numbers.clone()).await.unwrap().into_inner().statistics.unwrap();
        assert_eq!(seen, pb::LoyaltyStatistics::default());
        let verify = pb::VerifyLedgerRequest { program_id: program.program_id.clone() };
        assert_eq!(there.verify_ledger(verify.clone()).await.unwrap().into_inner().account_count, 0);

        place.sell("2", Some(ANN), THERE, "RWF", 1_000).await;
        let account = place.await_points(ANN, 20, 0).await;
        assert_eq!(there.get_account(get).await.unwrap().into_inner().account.unwrap(), account);
        assert_eq!(there.find_account(find).await.unwrap().into_inner().account.unwrap(), account);
        assert_eq!(there.list_ledger_entries(entries).await.unwrap().into_inner().entries.len(), 2);
        assert_eq!(there.list_accounts(list).await.unwrap().into_inner().accounts, [account]);
        let seen = there.get_loyalty_statistics(numbers).await.unwrap().into_inner().statistics.unwrap();
        assert_eq!((seen.account_count, seen.outstanding_points), (1, 20), "{}", place.name);
        let verified = there.verify_ledger(verify).await.unwrap().into_inner();
        assert!(verified.ok && verified.entry_count == 2);
    }
}

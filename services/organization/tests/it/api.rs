//! Branches and staff as a client sees them.

use proto::karibu::organization::v1 as wire;
use tonic::Code;
use wire::BranchKind::{Branch, Business, Region};

use crate::bench::{Place, branch_request, fields, reason, tree};

fn codes(branches: &[wire::Branch]) -> Vec<&str> {
    branches.iter().map(|branch| branch.code.as_str()).collect()
}

#[tokio::test]
async fn a_branch_is_created_read_changed_and_closed() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ids = tree(&mut client).await;
        let get = wire::GetBranchRequest { branch_id: ids["KGL-1"].clone() };
        let branch = client.get_branch(get.clone()).await.unwrap().into_inner().branch.unwrap();
        assert_eq!((branch.code.as_str(), branch.etag.as_str()), ("KGL-1", "1"));
        assert_eq!((branch.parent_branch_id.as_str(), branch.state()), (ids["RW"].as_str(), wire::BranchState::Active));

        let update = wire::UpdateBranchRequest {
            branch_id: ids["KGL-1"].clone(),
            etag: "1".into(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".into()] }),
            display_name: "Kigali Heights".into(),
            time_zone: "ignored/because-not-in-the-mask".into(),
            ..Default::default()
        };
        let updated = client.update_branch(update.clone()).await.unwrap().into_inner().branch.unwrap();
        assert_eq!((updated.display_name.as_str(), updated.etag.as_str()), ("Kigali Heights", "2"));
        assert_eq!(updated.time_zone, "Africa/Kigali");
        let stale = client.update_branch(update).await;
        assert_eq!(stale.as_ref().unwrap_err().code(), Code::Aborted);
        assert_eq!(reason(stale), "VERSION_MISMATCH");

        let close = wire::CloseBranchRequest { branch_id: ids["KGL-1"].clone(), ..Default::default() };
        assert_eq!(reason(client.close_branch(close.clone()).await), "BRANCH_HAS_CHILDREN");
        let desk = wire::CloseBranchRequest { branch_id: ids["DESK"].clone(), ..Default::default() };
        client.close_branch(desk).await.unwrap();
        let closed = client.close_branch(close.clone()).await.unwrap().into_inner().branch.unwrap();
        assert!(closed.state() == wire::BranchState::Closed && closed.close_time.is_some());
        assert_eq!(reason(client.close_branch(close).await), "BRANCH_CLOSED");
        assert_eq!(client.get_branch(get).await.unwrap().into_inner().branch.unwrap(), closed);
    }
}

#[tokio::test]
async fn branches_are_listed_by_code_with_filters_and_pages() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ids = tree(&mut client).await;
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = wire::ListBranchesRequest { page_size: 4, page_token, ..Default::default() };
            let page = client.list_branches(request).await.unwrap().into_inner();
            all.extend(page.branches);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(codes(&all), ["GB", "KGL-1", "KGL-1-D", "LDN-1", "RW", "TOP"]);

        let list = async |request| place.admin().list_branches(request).await.unwrap().into_inner().branches;
        let regions = list(wire::ListBranchesRequest { kind: Region.into(), ..Default::default() }).await;
        assert_eq!(codes(&regions), ["GB", "RW"]);
        let below = wire::ListBranchesRequest { parent_branch_id: ids["TOP"].clone(), ..Default::default() };
        assert_eq!(codes(&list(below).await), ["GB", "RW"]);
        let one = list(wire::ListBranchesRequest { code: "LDN-1".into(), ..Default::default() }).await;
        assert_eq!(codes(&one), ["LDN-1"]);

        let desk = wire::CloseBranchRequest { branch_id: ids["DESK"].clone(), ..Default::default() };
        client.close_branch(desk).await.unwrap();
        assert_eq!(list(wire::ListBranchesRequest::default()).await.len(), 5);
        assert_eq!(list(wire::ListBranchesRequest { show_closed: true, ..Default::default() }).await.len(), 6);
    }
}

#[tokio::test]
async fn a_caller_sees_and_changes_only_the_own_branches() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    let own = ids["KGL-1"].parse().unwrap();
    let mut local = place.with_role("admin", &[own]);
    let seen = local.list_branches(wire::ListBranchesRequest::default()).await.unwrap().into_inner();
    assert_eq!(codes(&seen.branches), ["KGL-1"]);
    let foreign = local.get_branch(wire::GetBranchRequest { branch_id: ids["LDN-1"].clone() }).await;
    let unknown = local.get_branch(wire::GetBranchRequest { branch_id: uuid::Uuid::max().to_string() }).await;
    assert_eq!(foreign.as_ref().unwrap_err().message(), unknown.as_ref().unwrap_err().message());
    assert_eq!((reason(foreign), reason(unknown)), ("BRANCH_NOT_FOUND".into(), "BRANCH_NOT_FOUND".into()));
    let close = wire::CloseBranchRequest { branch_id: ids["LDN-1"].clone(), ..Default::default() };
    assert_eq!(reason(local.close_branch(close).await), "BRANCH_NOT_FOUND");
    let below = branch_request("LDN-2", &ids["GB"], Branch);
    assert_eq!(reason(local.create_branch(below).await), "PARENT_NOT_FOUND");
    let mut agent = place.with_role("agent", &[own]);
    assert_eq!(reason(agent.create_branch(branch_request("X", &ids["GB"], Branch)).await), "PERMISSION_DENIED");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_reason() {
    let place = Place::new().await;
    let mut client = place.admin();
    let ids = tree(&mut client).await;
    let top = &ids["TOP"];
    assert_eq!(reason(client.create_branch(branch_request("KGL-1", top, Branch)).await), "BRANCH_CODE_TAKEN");
    assert_eq!(reason(client.create_branch(branch_request("TOP-2", "", Business)).await), "ROOT_EXISTS");
    assert_eq!(fields(client.create_branch(branch_request("X", &ids["KGL-1"], Region)).await), ["kind"]);
    let zone = wire::CreateBranchRequest { time_zone: "Africa/Atlantis".into(), ..branch_request("X", top, Branch) };
    assert_eq!(fields(client.create_branch(zone).await), ["time_zone"]);
    let money = wire::CreateBranchRequest { currency_code: "ZZZ".into(), ..branch_request("X", top, Branch) };
    assert_eq!(fields(client.create_branch(money).await), ["currency_code"]);
    let empty = client.create_branch(wire::CreateBranchRequest::default()).await;
    assert_eq!(fields(empty), ["code", "display_name", "kind", "time_zone", "currency_code"]);
    // Nothing of all that took the code.
    client.create_branch(branch_request("X", top, Branch)).await.unwrap();
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_one_answer() {
    let place = Place::new().await;
    let mut client = place.admin();
    let request = wire::CreateBranchRequest { request_id: "once".into(), ..branch_request("TOP", "", Business) };
    let first = client.create_branch(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_branch(request.clone()).await.unwrap().into_inner(), first);
    let other = wire::CreateBranchRequest { display_name: "Other".into(), ..request };
    assert_eq!(reason(client.create_branch(other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn staff_are_found_by_branch_role_and_scope() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ids = tree(&mut client).await;
        let add = async |name: &str, role: &str, branch: &str| {
            let request = wire::CreateStaffMemberRequest {
                display_name: name.into(),
                role_grants: vec![wire::RoleGrant {
                    role: role.into(),
                    all_branches: branch.is_empty(),
                    branch_ids: (!branch.is_empty()).then(|| ids[branch].clone()).into_iter().collect(),
                }],
                home_branch_id: String::new(),
                request_id: String::new(),
            };
            place.admin().create_staff_member(request).await.unwrap().into_inner().staff_member.unwrap()
        };
        let agent = add("Aline", "agent", "KGL-1").await;
        let manager = add("Eric", "region_manager", "RW").await;
        let auditor = add("Grace", "auditor", "").await;
        let foreign = add("Tom", "agent", "LDN-1").await;

        let list = async |client: &mut crate::bench::Client, branch: &str, role: &str| {
            let branch_id = if branch.is_empty() { String::new() } else { ids[branch].clone() };
            let request = wire::ListStaffMembersRequest { branch_id, role: role.into(), ..Default::default() };
            let reply = client.list_staff_members(request).await.unwrap().into_inner();
            reply.staff_members.into_iter().map(|member| member.display_name).collect::<Vec<_>>()
        };
        assert_eq!(list(&mut client, "", "").await, ["Aline", "Eric", "Grace", "Tom"]);
        // A role in a region holds in its branches; a role everywhere holds everywhere.
        assert_eq!(list(&mut client, "KGL-1", "").await, ["Aline", "Eric", "Grace"]);
        assert_eq!(list(&mut client, "KGL-1", "agent").await, ["Aline"]);
        assert_eq!(list(&mut client, "", "agent").await, ["Aline", "Tom"]);
        let mut local = place.with_role("branch_manager", &[ids["KGL-1"].parse().unwrap()]);
        assert_eq!(list(&mut local, "", "").await, ["Aline", "Eric", "Grace"]);

        for member in [&agent, &manager, &auditor] {
            let request = wire::GetStaffMemberRequest { staff_member_id: member.staff_member_id.clone() };
            assert_eq!(&local.get_staff_member(request).await.unwrap().into_inner().staff_member.unwrap(), member);
        }
        let request = wire::GetStaffMemberRequest { staff_member_id: foreign.staff_member_id };
        assert_eq!(reason(local.get_staff_member(request).await), "STAFF_MEMBER_NOT_FOUND");
    }
}

#[tokio::test]
async fn roles_are_listed_in_pages() {
    let place = Place::new().await;
    let mut client = place.admin();
    let mut page_token = String::new();
    let mut roles = Vec::new();
    loop {
        let request = wire::ListRolesRequest { page_size: 3, page_token };
        let page = client.list_roles(request).await.unwrap().into_inner();
        roles.extend(page.roles);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let codes: Vec<&str> = roles.iter().map(|role| role.role.as_str()).collect();
    let expected = [
        "admin",
        "agent",
        "auditor",
        "branch_manager",
        "customer_care_lead",
        "integrator",
        "marketing",
        "region_manager",
    ];
    assert_eq!(codes, expected);
}

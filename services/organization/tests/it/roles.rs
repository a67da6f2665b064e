//! Roles as data, as the administrator changes them and the doors see them.

use organization::domain::DEFAULT_ROLES;
use prost_types::FieldMask;
use proto::Permission;
use proto::karibu::organization::v1 as wire;
use server::auth::Principal;
use tonic::Code;

use crate::bench::{Place, admin, fields, holder, reason, tree};

fn create(role: &str, permissions: &[Permission]) -> wire::CreateRoleRequest {
    wire::CreateRoleRequest {
        role: role.into(),
        display_name: format!("The {role}"),
        permissions: permissions.iter().map(|&permission| permission.into()).collect(),
        ..Default::default()
    }
}

fn allow(role: &str, permissions: &[Permission]) -> wire::UpdateRoleRequest {
    wire::UpdateRoleRequest {
        role: role.into(),
        update_mask: Some(FieldMask { paths: vec!["permissions".into()] }),
        permissions: permissions.iter().map(|&permission| permission.into()).collect(),
        ..Default::default()
    }
}

/// What the holder of a key may do, as the gateway hears it.
async fn permissions(place: &Place, secret: &str) -> Vec<i32> {
    let request = wire::VerifyApiKeyRequest { secret: secret.into() };
    let mut gateway = place.client(Principal::system("gateway"));
    gateway.verify_api_key(request).await.unwrap().into_inner().principal.unwrap().permissions
}

async fn codes(place: &Place, page_size: i32) -> Vec<String> {
    let (mut page_token, mut codes) = (String::new(), Vec::new());
    loop {
        let request = wire::ListRolesRequest { page_size, page_token };
        let page = place.admin().list_roles(request).await.unwrap().into_inner();
        codes.extend(page.roles.into_iter().map(|role| role.role));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return codes;
        }
    }
}

#[tokio::test]
async fn who_carries_a_role_may_do_what_it_allows_today() {
    for place in Place::both().await {
        tree(&mut place.admin()).await;
        let made = place.access(admin()).create_role(create("night_desk", &[Permission::CustomerRead])).await;
        let role = made.unwrap().into_inner().role.unwrap();
        assert_eq!((role.etag.as_str(), role.is_default), ("1", false));

        let key = wire::CreateApiKeyRequest {
            display_name: "night".into(),
            roles: vec!["night_desk".into()],
            all_branches: true,
            ..Default::default()
        };
        let secret = place.admin().create_api_key(key.clone()).await.unwrap().into_inner().secret;
        assert_eq!(permissions(&place, &secret).await, [i32::from(Permission::CustomerRead)]);

        let both = [Permission::CustomerRead, Permission::ComplaintRead];
        let changed = place.access(admin()).update_role(allow("night_desk", &both)).await;
        assert_eq!(changed.unwrap().into_inner().role.unwrap().etag, "2");
        assert_eq!(permissions(&place, &secret).await, both.map(i32::from));

        let delete = wire::DeleteRoleRequest { role: "night_desk".into(), etag: "2".into(), ..Default::default() };
        let deleted = place.access(admin()).delete_role(delete).await.unwrap().into_inner().role.unwrap();
        assert!(deleted.delete_time.is_some() && deleted.permissions.is_empty());
        assert_eq!(permissions(&place, &secret).await, Vec::<i32>::new());
        assert_eq!(reason(place.admin().create_api_key(key).await), "ROLE_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_default_role_follows_the_program_until_it_is_changed() {
    for place in Place::both().await {
        let list = wire::ListRolesRequest::default();
        let roles = place.admin().list_roles(list.clone()).await.unwrap().into_inner().roles;
        assert!(roles.iter().all(|role| role.is_default && role.etag == "0" && role.create_time.is_none()));
        let changed = place.access(admin()).update_role(allow("agent", &[Permission::CustomerRead])).await;
        let agent = changed.unwrap().into_inner().role.unwrap();
        assert!(agent.is_default && agent.etag == "1" && agent.create_time.is_some());
        let roles = place.admin().list_roles(list).await.unwrap().into_inner().roles;
        assert_eq!(roles.iter().find(|role| role.role == "agent"), Some(&agent));
        assert_eq!(roles.len(), DEFAULT_ROLES.len());
    }
}

#[tokio::test]
async fn roles_are_listed_by_code_in_pages_also_behind_a_deleted_one() {
    let place = Place::new().await;
    for code in ["aide", "baker", "zookeeper"] {
        place.access(admin()).create_role(create(code, &[])).await.unwrap();
    }
    let mut expected: Vec<String> = DEFAULT_ROLES.iter().map(|role| role.code.to_owned()).collect();
    expected.extend(["aide", "baker", "zookeeper"].map(String::from));
    expected.sort();
    assert_eq!(codes(&place, 3).await, expected);

    let page = wire::ListRolesRequest { page_size: 3, ..Default::default() };
    let page = place.admin().list_roles(page).await.unwrap().into_inner();
    let last = page.roles.last().unwrap().role.clone();
    assert_eq!(last, "aide");
    let delete = wire::DeleteRoleRequest { role: last, ..Default::default() };
    place.access(admin()).delete_role(delete).await.unwrap();
    let rest = wire::ListRolesRequest { page_size: 3, page_token: page.next_page_token };
    assert_eq!(place.admin().list_roles(rest).await.unwrap().into_inner().roles[0].role, expected[3]);
    assert!(!codes(&place, 500).await.contains(&"aide".to_owned()));
}

#[tokio::test]
async fn what_would_exceed_the_caller_or_lock_everyone_out_is_refused() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    let mut access = place.access(admin());
    assert_eq!(reason(access.create_role(create("agent", &[])).await), "ROLE_CODE_TAKEN");
    assert_eq!(fields(access.create_role(create("x", &[Permission::Internal])).await), ["permissions"]);
    assert_eq!(reason(access.update_role(allow("admin", &[])).await), "ADMIN_ROLE_FIXED");
    assert_eq!(reason(access.update_role(allow("king", &[])).await), "ROLE_NOT_FOUND");
    let stale = wire::UpdateRoleRequest { etag: "7".into(), ..allow("agent", &[]) };
    assert_eq!(reason(access.update_role(stale).await), "VERSION_MISMATCH");
    let nameless = wire::UpdateRoleRequest {
        update_mask: Some(FieldMask { paths: vec!["display_name".into()] }),
        ..allow("agent", &[])
    };
    assert_eq!(fields(access.update_role(nameless).await), ["display_name"]);
    let delete = wire::DeleteRoleRequest { role: "agent".into(), ..Default::default() };
    assert_eq!(reason(access.delete_role(delete).await), "DEFAULT_ROLE");

    let mut local = place.access(holder("admin", &[ids["TOP"].parse().unwrap()]));
    assert_eq!(reason(local.create_role(create("x", &[])).await), "GRANT_EXCEEDS_CALLER");
    let mut agent = place.access(holder("agent", &[]));
    assert_eq!(agent.create_role(create("x", &[])).await.unwrap_err().code(), Code::PermissionDenied);
}

//! API keys as their creator and the gateway see them.

use proto::karibu::organization::v1 as wire;
use server::auth::Principal;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::bench::{Place, fields, reason, tree};

fn request(role: &str, branch_ids: &[&String]) -> wire::CreateApiKeyRequest {
    wire::CreateApiKeyRequest {
        display_name: "till".into(),
        roles: vec![role.into()],
        all_branches: branch_ids.is_empty(),
        branch_ids: branch_ids.iter().map(|&id| id.clone()).collect(),
        ..Default::default()
    }
}

async fn verify(place: &Place, secret: &str) -> Result<wire::Principal, Status> {
    let mut gateway = place.client(Principal::system("gateway"));
    let request = wire::VerifyApiKeyRequest { secret: secret.into() };
    Ok(gateway.verify_api_key(request).await?.into_inner().principal.unwrap())
}

#[tokio::test]
async fn a_key_opens_the_door_of_its_branches_and_all_below_until_it_is_revoked() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ids = tree(&mut client).await;
        let made = client.create_api_key(request("agent", &[&ids["RW"]])).await.unwrap().into_inner();
        let key = made.api_key.unwrap();
        assert!(made.secret.starts_with("kb_live_"), "{}", made.secret);

        let principal = verify(&place, &made.secret).await.unwrap();
        assert_eq!(
            (principal.subject.as_str(), principal.kind()),
            (key.api_key_id.as_str(), wire::PrincipalKind::ApiKey)
        );
        assert!(!principal.all_branches);
        let mut branches = principal.branch_ids.clone();
        let mut expected = vec![ids["RW"].clone(), ids["KGL-1"].clone(), ids["DESK"].clone()];
        branches.sort();
        expected.sort();
        assert_eq!(branches, expected);
        assert!(principal.permissions.contains(&proto::Permission::ComplaintWrite.into()));
        assert!(!principal.permissions.contains(&proto::Permission::ApiKeyAdmin.into()));

        let revoke = wire::RevokeApiKeyRequest { api_key_id: key.api_key_id, ..Default::default() };
        let revoked = client.revoke_api_key(revoke.clone()).await.unwrap().into_inner().api_key.unwrap();
        assert_eq!(revoked.state(), wire::ApiKeyState::Revoked);
        assert_eq!(reason(verify(&place, &made.secret).await), "API_KEY_INVALID");
        assert_eq!(reason(client.revoke_api_key(revoke).await), "API_KEY_REVOKED");
    }
}

#[tokio::test]
async fn no_false_key_opens_and_none_says_why() {
    let place = Place::new().await;
    let mut client = place.admin();
    let made = client.create_api_key(request("agent", &[])).await.unwrap().into_inner();
    let other = client.create_api_key(request("agent", &[])).await.unwrap().into_inner();
    let parts: Vec<&str> = made.secret.split('_').collect();
    let others: Vec<&str> = other.secret.split('_').collect();
    let expiring = wire::CreateApiKeyRequest {
        expire_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
        ..request("agent", &[])
    };
    assert_eq!(fields(client.create_api_key(expiring).await), ["expire_time"]);
    let mut seen = Vec::new();
    for false_key in [
        "nonsense".to_owned(),
        made.secret.replace("kb_live", "kb_test"),
        // The id of one key with the secret of the other; its check cannot fit, so this is a typo at most.
        format!("kb_live_{}_{}_{}", parts[2], others[3], parts[4]),
    ] {
        let status = verify(&place, &false_key).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        seen.push((status.message().to_owned(), status.details().to_vec()));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    assert!(verify(&place, &made.secret).await.is_ok());
}

#[tokio::test]
async fn a_repeat_of_the_creation_gives_the_key_without_its_secret() {
    let place = Place::new().await;
    let mut client = place.admin();
    let create = wire::CreateApiKeyRequest { request_id: "once".into(), ..request("agent", &[]) };
    let first = client.create_api_key(create.clone()).await.unwrap().into_inner();
    let repeat = client.create_api_key(create).await.unwrap().into_inner();
    assert_eq!(first.api_key, repeat.api_key);
    assert!(!first.secret.is_empty() && repeat.secret.is_empty());
    assert!(verify(&place, &first.secret).await.is_ok());
}

#[tokio::test]
async fn nobody_makes_or_sees_a_key_that_exceeds_their_own() {
    for place in Place::both().await {
        let mut admin = place.admin();
        let ids = tree(&mut admin).await;
        let everywhere = admin.create_api_key(request("agent", &[])).await.unwrap().into_inner().api_key.unwrap();
        let abroad =
            admin.create_api_key(request("agent", &[&ids["LDN-1"]])).await.unwrap().into_inner().api_key.unwrap();
        let here =
            admin.create_api_key(request("agent", &[&ids["KGL-1"]])).await.unwrap().into_inner().api_key.unwrap();

        let own: Vec<Uuid> = ["RW", "KGL-1", "DESK"].iter().map(|code| ids[code].parse().unwrap()).collect();
        let mut local = place.with_role("admin", &own);
        assert_eq!(reason(local.create_api_key(request("agent", &[])).await), "GRANT_EXCEEDS_CALLER");
        assert_eq!(reason(local.create_api_key(request("agent", &[&ids["LDN-1"]])).await), "BRANCH_NOT_FOUND");
        assert_eq!(reason(local.create_api_key(request("king", &[&ids["RW"]])).await), "ROLE_NOT_FOUND");
        let both = wire::CreateApiKeyRequest { all_branches: true, ..request("agent", &[&ids["RW"]]) };
        assert_eq!(fields(local.create_api_key(both).await), ["branch_ids"]);
        for key in [&everywhere, &abroad] {
            let revoke = wire::RevokeApiKeyRequest { api_key_id: key.api_key_id.clone(), ..Default::default() };
            assert_eq!(reason(local.revoke_api_key(revoke).await), "API_KEY_NOT_FOUND");
        }
        let list = wire::ListApiKeysRequest::default();
        assert_eq!(local.list_api_keys(list.clone()).await.unwrap().into_inner().api_keys, std::slice::from_ref(&here));

        let all = admin.list_api_keys(list.clone()).await.unwrap().into_inner().api_keys;
        assert_eq!(all.len(), 3);
        let revoke = wire::RevokeApiKeyRequest { api_key_id: abroad.api_key_id, ..Default::default() };
        admin.revoke_api_key(revoke).await.unwrap();
        assert_eq!(admin.list_api_keys(list).await.unwrap().into_inner().api_keys.len(), 2);
        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = wire::ListApiKeysRequest { show_inactive: true, page_size: 1, page_token };
            let page = admin.list_api_keys(request).await.unwrap().into_inner();
            seen.extend(page.api_keys.into_iter().map(|key| key.api_key_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let newest_first: Vec<String> = all.into_iter().map(|key| key.api_key_id).collect();
        assert_eq!(seen, newest_first);
    }
}

#[tokio::test]
async fn only_karibu_itself_may_ask_who_a_key_is() {
    let place = Place::new().await;
    let request = wire::VerifyApiKeyRequest { secret: "kb".into() };
    assert_eq!(place.admin().verify_api_key(request).await.unwrap_err().code(), Code::PermissionDenied);
}

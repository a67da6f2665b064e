//! API keys while they live: rotation with overlap, last use, and the people they act for.

use proto::karibu::organization::v1 as wire;
use server::auth::Principal;
use tonic::Code;

use crate::bench::{Place, admin, fields, holder, reason, tree};

async fn create(place: &Place, staff_member_id: &str) -> (wire::ApiKey, String) {
    let request = wire::CreateApiKeyRequest {
        display_name: "till".into(),
        roles: vec!["agent".into()],
        all_branches: true,
        staff_member_id: staff_member_id.into(),
        ..Default::default()
    };
    let made = place.admin().create_api_key(request).await.unwrap().into_inner();
    (made.api_key.unwrap(), made.secret)
}

fn rotate(key: &wire::ApiKey, overlap_s: i64) -> wire::RotateApiKeyRequest {
    wire::RotateApiKeyRequest {
        api_key_id: key.api_key_id.clone(),
        overlap: Some(prost_types::Duration { seconds: overlap_s, nanos: 0 }),
        ..Default::default()
    }
}

async fn opens(place: &Place, secret: &str) -> bool {
    let request = wire::VerifyApiKeyRequest { secret: secret.into() };
    place.client(Principal::system("gateway")).verify_api_key(request).await.is_ok()
}

#[tokio::test]
async fn a_rotated_key_opens_with_both_secrets_until_the_overlap_ends() {
    for place in Place::both().await {
        let (key, first) = create(&place, "").await;
        let reply = place.access(admin()).rotate_api_key(rotate(&key, 3_600)).await.unwrap().into_inner();
        let (rotated, second) = (reply.api_key.unwrap(), reply.secret);
        assert_ne!(rotated.secret_hint, key.secret_hint);
        assert!(rotated.rotate_time.is_some() && rotated.former_secret_expire_time.is_some());
        assert_eq!((rotated.api_key_id, rotated.etag.as_str()), (key.api_key_id.clone(), "2"));
        assert!(opens(&place, &first).await && opens(&place, &second).await);
        // The next rotation, without an overlap, ends both.
        let third = place.access(admin()).rotate_api_key(rotate(&key, 0)).await.unwrap().into_inner().secret;
        assert!(!opens(&place, &first).await && !opens(&place, &second).await && opens(&place, &third).await);
        let revoke = wire::RevokeApiKeyRequest { api_key_id: key.api_key_id.clone(), ..Default::default() };
        place.admin().revoke_api_key(revoke).await.unwrap();
        assert!(!opens(&place, &third).await);
        assert_eq!(reason(place.access(admin()).rotate_api_key(rotate(&key, 0)).await), "API_KEY_REVOKED");
    }
}

#[tokio::test]
async fn a_repeat_of_a_rotation_changes_nothing_and_shows_no_secret() {
    let place = Place::new().await;
    let (key, _) = create(&place, "").await;
    let request = wire::RotateApiKeyRequest { request_id: "once".into(), ..rotate(&key, 60) };
    let first = place.access(admin()).rotate_api_key(request.clone()).await.unwrap().into_inner();
    let repeat = place.access(admin()).rotate_api_key(request).await.unwrap().into_inner();
    assert_eq!(first.api_key, repeat.api_key);
    assert!(!first.secret.is_empty() && repeat.secret.is_empty());
    assert!(opens(&place, &first.secret).await);
}

#[tokio::test]
async fn only_who_may_as_much_gets_a_new_secret() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    let (key, _) = create(&place, "").await;
    let mut local = place.access(holder("admin", &[ids["TOP"].parse().unwrap()]));
    assert_eq!(reason(local.rotate_api_key(rotate(&key, 0)).await), "API_KEY_NOT_FOUND");
    let poor = Principal { permissions: [i32::from(proto::Permission::ApiKeyAdmin)].into_iter().collect(), ..admin() };
    assert_eq!(reason(place.access(poor).rotate_api_key(rotate(&key, 0)).await), "GRANT_EXCEEDS_CALLER");
    let mut access = place.access(admin());
    assert_eq!(fields(access.rotate_api_key(rotate(&key, 31 * 24 * 3_600)).await), ["overlap"]);
    let stale = wire::RotateApiKeyRequest { etag: "7".into(), ..rotate(&key, 0) };
    assert_eq!(reason(access.rotate_api_key(stale).await), "VERSION_MISMATCH");
}

#[tokio::test]
async fn the_last_use_is_listed_and_only_karibu_itself_tells_it() {
    for place in Place::both().await {
        let (key, _) = create(&place, "").await;
        let (idle, _) = create(&place, "").await;
        let unknown = uuid::Uuid::max().to_string();
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let used =
            |api_key_id: &String, seconds| wire::ApiKeyUse { api_key_id: api_key_id.clone(), use_time: at(seconds) };
        let tell = |uses| wire::RecordApiKeyUseRequest { uses, ..Default::default() };
        let mut gateway = place.access(Principal::system("gateway"));
        gateway.record_api_key_use(tell(vec![used(&key.api_key_id, 200), used(&unknown, 5)])).await.unwrap();
        gateway.record_api_key_use(tell(vec![used(&key.api_key_id, 100)])).await.unwrap();
        let listed = place.admin().list_api_keys(wire::ListApiKeysRequest::default()).await.unwrap().into_inner();
        let last_use = |id: &String| listed.api_keys.iter().find(|key| &key.api_key_id == id).unwrap().last_use_time;
        assert_eq!((last_use(&key.api_key_id), last_use(&idle.api_key_id)), (at(200), None));
        // A use is no change of the key.
        assert!(listed.api_keys.iter().all(|key| key.etag == "1"));
        let outside = place.access(admin()).record_api_key_use(tell(vec![used(&key.api_key_id, 300)])).await;
        assert_eq!(outside.unwrap_err().code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn the_last_administrators_key_cannot_be_revoked() {
    let place = Place::new().await;
    let secret = organization::ensure_first_key(&place.office, None).await.unwrap().unwrap();
    let listed = place.admin().list_api_keys(wire::ListApiKeysRequest::default()).await.unwrap().into_inner();
    let first = listed.api_keys[0].api_key_id.clone();
    let revoke = wire::RevokeApiKeyRequest { api_key_id: first, ..Default::default() };
    assert_eq!(reason(place.admin().revoke_api_key(revoke.clone()).await), "LAST_ADMINISTRATOR");
    assert!(opens(&place, &secret).await);
    organization::create_admin_key(&place.office).await.unwrap();
    place.admin().revoke_api_key(revoke).await.unwrap();
    assert!(!opens(&place, &secret).await);
}

//! The first key: made once, given by the operator or new.

use organization::ensure_first_key;
use proto::karibu::organization::v1 as wire;
use server::auth::Principal;

use crate::bench::Place;

async fn principal(place: &Place, secret: &str) -> Option<wire::Principal> {
    let mut gateway = place.client(Principal::system("gateway"));
    let request = wire::VerifyApiKeyRequest { secret: secret.into() };
    gateway.verify_api_key(request).await.ok()?.into_inner().principal
}

#[tokio::test]
async fn the_first_start_shows_an_administrators_key_and_later_ones_none() {
    let place = Place::new().await;
    let shown = ensure_first_key(&place.office, None).await.unwrap().expect("the first start shows a key");
    let holder = principal(&place, &shown).await.unwrap();
    assert!(holder.all_branches && holder.permissions.contains(&proto::Permission::ApiKeyAdmin.into()));
    assert_eq!(ensure_first_key(&place.office, None).await.unwrap(), None);
}

#[tokio::test]
async fn an_operator_gives_the_first_key_and_replicas_may_start_together() {
    let given = {
        // Any place can draw a key text.
        let place = Place::new().await;
        ensure_first_key(&place.office, None).await.unwrap().unwrap()
    };
    let place = Place::new().await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (office, given) = (place.office.clone(), given.clone());
        starts.spawn(async move { ensure_first_key(&office, Some(&given)).await.unwrap() });
    }
    let registered = starts.join_all().await.into_iter().flatten().count();
    assert_eq!(registered, 1);
    assert!(principal(&place, &given).await.is_some());
    assert!(ensure_first_key(&place.office, Some("kb_live_typo")).await.is_err());
}

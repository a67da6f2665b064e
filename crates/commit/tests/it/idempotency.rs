//! A key that was answered once is answered the same for ever, and takes effect once.

use commit::Refused;
use futures_util::future::join_all;

use crate::bank::{Open, Pay, Refusal, fresh, keyed};
use crate::engines::both;

#[tokio::test]
async fn concurrent_twins_have_one_effect_and_one_answer() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let answers = join_all((0..50).map(|_| door.submit(keyed(7, 1), Pay(id, 5)))).await;
        assert!(answers.iter().all(|a| a.as_ref().unwrap().balance == 5), "{}: {answers:?}", bench.name);
        assert_eq!(door.submit(fresh(), Pay(id, 0)).await.unwrap().balance, 5);
    }
}

#[tokio::test]
async fn a_repeat_after_restart_gets_the_stored_answer() {
    for bench in both().await {
        let (id, first) = {
            let door = bench.door().await;
            let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
            (id, door.submit(keyed(8, 1), Pay(id, 5)).await.unwrap())
        };
        let door = bench.door().await;
        door.submit(fresh(), Pay(id, 100)).await.unwrap();
        assert_eq!(door.submit(keyed(8, 1), Pay(id, 5)).await.unwrap(), first, "{}", bench.name);
    }
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let both_at_once = tokio::join!(door.submit(keyed(9, 1), Pay(id, 5)), door.submit(keyed(9, 2), Pay(id, 6)));
        assert_eq!(both_at_once.1.unwrap_err(), Refused::KeyReused, "{}: in one batch", bench.name);
        assert_eq!(door.submit(keyed(9, 2), Pay(id, 6)).await.unwrap_err(), Refused::KeyReused);
    }
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let refused = door.submit(keyed(10, 1), Pay(id, 2_000_000)).await.unwrap_err();
        assert_eq!(refused, Refused::Refusal(Refusal::TooMuch { most: 1_000_000 }));
        door.submit(fresh(), Pay(id, -1_000_000)).await.unwrap();
        assert_eq!(door.submit(keyed(10, 1), Pay(id, 2_000_000)).await.unwrap().balance, 1_000_000);
    }
}

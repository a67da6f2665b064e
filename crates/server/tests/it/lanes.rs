//! Lanes: many calls at once, a service that goes away and comes back, one that stops in good order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use server::Upstream;
use server::hop::Dialler;
use testkit::assert_eventually;
use tonic::Code;
use tonic_types::StatusExt;

use crate::echo::{Ask, SAY};
use crate::fixture::{Running, SOON, ask, call, dial, house, request};

#[tokio::test]
async fn many_calls_share_a_lane_and_each_gets_its_own_answer() {
    let running = Running::start(&[]).await;
    let remote = running.remote();
    // On a busy machine two thousand calls would wait longer for the first connection than a call waits.
    let Upstream::Remote { lanes, .. } = &remote else { panic!("it is remote") };
    assert_eventually(SOON, || async { lanes.connected() == 1 }).await;
    let calls = (0..2_000_u32).map(|n| {
        let ask = Ask { payload: n.to_be_bytes().to_vec(), ..ask("", n % 3) };
        call(remote.clone(), SAY, request(ask, &running.bearer()))
    });
    let answers = join_all(calls).await;
    // The queue is bounded: who finds it full is told so, and everybody else gets the own answer.
    let mut answered = 0;
    for (n, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(told) => {
                assert_eq!(told.into_inner().payload, u32::try_from(n).unwrap().to_be_bytes());
                answered += 1;
            }
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
            }
        }
    }
    assert!(answered >= server::limits::LANE_QUEUE, "{answered}");
    running.end().await;
}

#[tokio::test]
async fn a_lost_lane_fails_its_calls_and_is_opened_again() {
    let house_of_all = house();
    let first = Running::start_in(house_of_all.clone(), &["--drain", "0s"]).await;
    let (address, bearer) = (first.address, first.bearer());
    let remote = dial(&house_of_all, address);
    assert!(call(remote.clone(), SAY, request(ask("", 0), &bearer)).await.is_ok());

    let (waiting, begun) = (call(remote.clone(), SAY, request(ask("", 60_000), &bearer)), first.echo.begun.clone());
    let cut = async {
        assert_eventually(SOON, || async { begun.load(Ordering::SeqCst) == 2 }).await;
        first.end().await
    };
    let (waiting, drained) = tokio::join!(waiting, cut);
    assert_eq!(waiting.unwrap_err().code(), Code::Unavailable);
    assert_eq!(drained.cut, 1);

    let away = call(remote.clone(), SAY, request(ask("", 0), &bearer)).await.unwrap_err();
    assert_eq!(away.code(), Code::Unavailable);
    assert!(away.get_details_retry_info().is_some());

    let mut again = house_of_all.clone();
    again.stop = server::Stop::new();
    again.tasks = Default::default();
    let second = Running::start_in(again, &["--listen", &address.to_string()]).await;
    assert_eventually(SOON, || async { call(remote.clone(), SAY, request(ask("", 0), &bearer)).await.is_ok() }).await;
    second.end().await;
}

#[tokio::test]
async fn a_service_that_stops_answers_what_it_was_sent() {
    let running = Running::start(&[]).await;
    let (remote, bearer) = (running.remote(), running.bearer());
    let calls: Vec<_> =
        (0..50).map(|_| tokio::spawn(call(remote.clone(), SAY, request(ask("", 300), &bearer)))).collect();
    let begun = running.echo.begun.clone();
    assert_eventually(SOON, || async { begun.load(Ordering::SeqCst) == 50 }).await;
    let drained = running.end().await;
    for answer in join_all(calls).await {
        assert!(answer.unwrap().is_ok(), "a call in flight is answered");
    }
    assert_eq!(drained.cut, 0);
    let Upstream::Remote { lanes, .. } = &remote else { panic!("it is remote") };
    assert_eq!(lanes.connected(), 0);
    assert_eq!(call(remote, SAY, request(ask("", 0), &bearer)).await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_peer_that_was_never_there_is_unavailable_and_not_a_hang() {
    let house = house();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let remote = dial(&house, address);
    let bearer = house.minter.clone().unwrap().bearer(&crate::fixture::speaker(), "echo").unwrap();
    let status = call(remote, SAY, request(ask("", 0), &bearer)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn calls_go_in_turn_to_all_replicas_and_on_to_those_that_are_left() {
    let whole = house();
    let mut replicas = Vec::new();
    for _ in 0..3 {
        let mut house = whole.clone();
        (house.stop, house.tasks) = (server::Stop::new(), Default::default());
        replicas.push(Running::start_in(house, &["--drain", "0s"]).await);
    }
    let dialler = Dialler { minter: whole.minter.clone().unwrap(), rules: whole.rules.clone(), tls: whole.tls.clone() };
    let urls: Vec<_> = replicas.iter().map(|one| format!("http://{}", one.address).parse().unwrap()).collect();
    let remote = dialler.dial("echo", &urls);
    let Upstream::Remote { lanes, .. } = &remote else { panic!("it is remote") };
    assert_eventually(SOON, || async { lanes.connected() == 3 }).await;

    let bearer = replicas[0].bearer();
    for _ in 0..30 {
        call(remote.clone(), SAY, request(ask("", 0), &bearer)).await.unwrap();
    }
    let begun = |one: &Running| one.echo.begun.load(Ordering::SeqCst);
    assert_eq!(replicas.iter().map(begun).collect::<Vec<_>>(), [10, 10, 10]);

    replicas.pop().unwrap().end().await;
    assert_eventually(SOON, || async { lanes.connected() == 2 }).await;
    for _ in 0..30 {
        call(remote.clone(), SAY, request(ask("", 0), &bearer)).await.unwrap();
    }
    assert_eq!(replicas.iter().map(begun).sum::<u32>(), 50);
}

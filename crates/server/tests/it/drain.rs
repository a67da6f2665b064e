//! The end of a process: in-flight calls are answered, new connections refused, watchers told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use server::{Process, Stop};
use testkit::assert_eventually;
use tokio_stream::StreamExt;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::echo::{Echo, SAY};
use crate::fixture::{Running, SOON, ask, call, endpoint, request, settings};

#[tokio::test]
async fn open_calls_end_well_and_new_connections_are_refused() {
    let running = Running::start(&[]).await;
    let (address, begun) = (running.address, running.echo.begun.clone());
    let channel = running.channel().await;
    let waiting = tokio::spawn(call(channel, SAY, request(ask("", 400), &running.bearer())));
    assert_eventually(SOON, || async { begun.load(Ordering::SeqCst) == 1 }).await;
    running.leave.cancel();
    assert_eventually(SOON, || async { endpoint(address).connect().await.is_err() }).await;
    assert!(!running.served.is_finished(), "it waits for the call");
    let answered = waiting.await.unwrap();
    assert!(answered.is_ok(), "{answered:?}");
    assert_eq!(running.served.await.unwrap().cut, 0);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_when_the_time_is_over() {
    let running = Running::start(&["--drain", "50ms"]).await;
    let begun = running.echo.begun.clone();
    let waiting = tokio::spawn(call(running.channel().await, SAY, request(ask("", 60_000), &running.bearer())));
    assert_eventually(SOON, || async { begun.load(Ordering::SeqCst) == 1 }).await;
    assert_eq!(running.end().await.cut, 1);
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn watchers_of_health_hear_of_the_end_and_do_not_hold_it_up() {
    let running = Running::start(&[]).await;
    let mut health = HealthClient::new(running.channel().await);
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for service in ["", "echo", "test.v1.Echo"] {
        let mut health = health.clone();
        assert_eventually(SOON, || {
            let (mut health, ask) = (health.clone(), ask(service));
            async move { health.check(ask).await.is_ok_and(|answer| answer.into_inner().status == 1) }
        })
        .await;
        assert_eq!(health.check(ask(service)).await.unwrap().into_inner().status, 1);
    }
    assert_eq!(health.check(ask("stranger")).await.unwrap_err().code(), tonic::Code::NotFound);
    let mut watch = health.watch(ask("echo")).await.unwrap().into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().status, 1);
    assert_eq!(running.end().await.cut, 0);
    assert_eq!(watch.next().await.unwrap().unwrap().status, 2);
    assert!(watch.next().await.is_none_or(|last| last.is_err()));
}

#[tokio::test]
async fn readiness_follows_the_service_and_health_tells_it() {
    let house = crate::fixture::house();
    let able = Arc::new(AtomicBool::new(false));
    let asked = able.clone();
    let started = house.kit("echo", "").routes().with(Echo::default()).started(move || {
        let able = asked.load(Ordering::SeqCst);
        async move { if able { Ok(()) } else { anyhow::bail!("the database does not answer") } }
    });
    let scrape = server::telemetry::Scrape::default();
    let process = Process::bind(&settings(&[]), house, scrape).await.unwrap();
    let (address, leave) = (process.address, Stop::new());
    let served = tokio::spawn(process.serve(vec![started], leave.clone().cancelled_owned()));
    let health = HealthClient::new(endpoint(address).connect().await.unwrap());
    let status = |service: &'static str| {
        let mut health = health.clone();
        let ask = HealthCheckRequest { service: service.to_owned() };
        async move { health.check(ask).await.map(|answer| answer.into_inner().status).ok() }
    };
    assert_eventually(SOON, || async { status("test.v1.Echo").await == Some(2) }).await;
    assert_eq!(status("").await, Some(1), "the process lives");
    able.store(true, Ordering::SeqCst);
    assert_eventually(SOON, || async { status("test.v1.Echo").await == Some(1) }).await;
    able.store(false, Ordering::SeqCst);
    assert_eventually(SOON, || async { status("echo").await == Some(2) }).await;
    leave.cancel();
    served.await.unwrap();
}

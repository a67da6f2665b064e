//! `karibu up --data DIR`: a second start finds what the first one stored.

use karibu::embedded::{Options, Suite};
use kernel::Clock;
use proto::karibu::organization::v1::{BranchKind, CreateBranchRequest, ListBranchesRequest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_finds_the_data_and_the_key_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        clock: Clock::system(),
        telemetry: server::config::TelemetryConfig { log: "warn".into(), ..Default::default() },
        rate_limits: Default::default(),
        sign_in: Default::default(),
        tls: server::tls::TlsConfig::none(),
        new_key: false,
    };
    let first = Suite::start(options()).await.unwrap();
    let key = first.key.clone().expect("the first start makes a key");
    let client = client::Karibu::connect(&format!("http://{}", first.address), &key).await.unwrap();
    let request = CreateBranchRequest {
        request_id: client::request_id(),
        code: "HQ".into(),
        display_name: "Head office".into(),
        kind: BranchKind::Business.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        ..Default::default()
    };
    let made = client.organization().create_branch(request.clone()).await.unwrap().into_inner();
    first.stop().await;

    let second = Suite::start(options()).await.unwrap();
    assert_eq!(second.key, None, "the key is shown once");
    let client = client::Karibu::connect(&format!("http://{}", second.address), &key).await.unwrap();
    let found = client.organization().list_branches(ListBranchesRequest::default()).await.unwrap().into_inner();
    assert_eq!(found.branches, vec![made.branch.clone().unwrap()]);
    let again = client.organization().create_branch(request).await.unwrap().into_inner();
    assert_eq!(again, made, "a repeat after the restart gets the same answer");
    second.stop().await;
}

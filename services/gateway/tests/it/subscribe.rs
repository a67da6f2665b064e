//! Event streams over real logs: everything once, in order, within reach, and again from any token.

use std::collections::BTreeMap;

use karibu_gateway::Config;
use karibu_gateway::subscribe::{Filter, Place, Tokens};
use kernel::Clock;
use prost::Message;
use proto::Permission;
use proto::karibu::gateway::v1 as gw;
use proto::karibu::gateway::v1::event_service_client::EventServiceClient;
use proto::karibu::ticketing::v1::ComplaintOpened;
use server::House;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use crate::desk::{CHILD, KNOWN, OTHER};
use crate::diary::Log;
use crate::stage::{SOON, Stage, keyed, reason};

const SECRET: &str = "a-secret-of-these-tests";

struct Scene {
    stage: Stage,
    organization: Log<0>,
    _profile: Log<1>,
    ticketing: Log<2>,
    _loyalty: Log<3>,
    _feedback: Log<4>,
}

impl Scene {
    async fn new() -> Self {
        let house = House::embedded(Clock::system()).unwrap();
        let bus = house.bus.clone();
        let logs = (
            Log::open(&bus).await,
            Log::open(&bus).await,
            Log::open(&bus).await,
            Log::open(&bus).await,
            Log::open(&bus).await,
        );
        let config = Config { resume_secrets: vec![SECRET.into()], ..Default::default() };
        let stage = Stage::in_house(house, config).await;
        Self { stage, organization: logs.0, _profile: logs.1, ticketing: logs.2, _loyalty: logs.3, _feedback: logs.4 }
    }

    fn key(&self) -> String {
        self.stage.desk.key("listener", [Permission::EventRead])
    }

    async fn client(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.stage.channel().await)
    }

    async fn subscribe(&self, key: &str, request: gw::SubscribeRequest) -> Result<Heard, Status> {
        let stream = self.client().await.subscribe(keyed(request, key)).await?.into_inner();
        Ok(Heard { stream, token: String::new(), events: Vec::new() })
    }

    async fn page(&self, key: &str, request: gw::ListEventsRequest) -> Result<gw::ListEventsResponse, Status> {
        Ok(self.client().await.list_events(keyed(request, key)).await?.into_inner())
    }
}

/// What a subscriber has heard.
struct Heard {
    stream: Streaming<gw::SubscribeResponse>,
    token: String,
    events: Vec<gw::CloudEvent>,
}

impl Heard {
    /// Listens until `count` events were heard.
    async fn until(&mut self, count: usize) -> &[gw::CloudEvent] {
        while self.events.len() < count {
            self.next().await.unwrap();
        }
        assert_eq!(self.events.len(), count);
        &self.events
    }

    async fn next(&mut self) -> Result<(), Status> {
        let message = timeout(SOON, self.stream.message()).await.expect("a message in time")?.expect("no end");
        self.token = message.resume_token;
        self.events.extend(message.events);
        Ok(())
    }
}

fn from(position: gw::StartPosition) -> gw::SubscribeRequest {
    gw::SubscribeRequest { start: Some(gw::subscribe_request::Start::Position(position.into())), ..Default::default() }
}

fn at(token: &str) -> gw::SubscribeRequest {
    gw::SubscribeRequest { start: Some(gw::subscribe_request::Start::ResumeToken(token.into())), ..Default::default() }
}

fn sequences(events: &[gw::CloudEvent]) -> BTreeMap<String, Vec<i64>> {
    let mut by_log: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in events {
        let log = event.source.split('/').nth(3).unwrap().to_owned();
        by_log.entry(log).or_default().push(event.attributes["sequence"].parse().unwrap());
    }
    by_log
}

#[tokio::test]
async fn history_and_what_comes_arrive_once_and_in_order() {
    let scene = Scene::new().await;
    scene.ticketing.write(250, Some(KNOWN)).await;
    scene.organization.write(30, None).await;
    let mut heard = scene.subscribe(&scene.key(), from(gw::StartPosition::Earliest)).await.unwrap();
    heard.until(280).await;
    scene.ticketing.write(3, Some(OTHER)).await;
    let by_log = sequences(heard.until(283).await);
    assert_eq!(by_log["ticketing"], (1..=253).collect::<Vec<_>>());
    assert_eq!(by_log["organization"], (1..=30).collect::<Vec<_>>());

    let event = &heard.events.iter().find(|event| event.source.contains("ticketing")).unwrap();
    assert_eq!((event.spec_version.as_str(), event.r#type.as_str()), ("1.0", "karibu.ticketing.complaint.opened.v1"));
    let opened = ComplaintOpened::decode(event.proto_data.clone()).unwrap();
    assert_eq!(opened.complaint_id, event.attributes["partitionkey"]);
    assert_eq!(event.attributes["branch"], KNOWN);
    assert!(event.json_data.is_empty());
}

#[tokio::test]
async fn latest_begins_with_what_comes_after() {
    let scene = Scene::new().await;
    scene.ticketing.write(5, Some(KNOWN)).await;
    let mut heard = scene.subscribe(&scene.key(), from(gw::StartPosition::Latest)).await.unwrap();
    // The first message says that the stream stands.
    heard.next().await.unwrap();
    assert!(heard.events.is_empty());
    scene.ticketing.write(2, Some(KNOWN)).await;
    assert_eq!(sequences(heard.until(2).await)["ticketing"], [6, 7]);
}

#[tokio::test]
async fn from_any_token_on_nothing_is_lost_and_nothing_comes_twice() {
    let scene = Scene::new().await;
    scene.ticketing.write(60, Some(KNOWN)).await;
    scene.organization.write(40, Some(KNOWN)).await;
    let key = scene.key();
    let (mut seen, mut token) = (Vec::new(), None::<String>);
    while seen.len() < 100 {
        let start = token.as_deref().map_or_else(|| from(gw::StartPosition::Earliest), at);
        let mut heard = scene.subscribe(&key, gw::SubscribeRequest { max_batch: 7, ..start }).await.unwrap();
        heard.next().await.unwrap();
        assert!(heard.events.len() <= 7);
        seen.extend(heard.events);
        token = Some(heard.token);
    }
    let by_log = sequences(&seen);
    assert_eq!(by_log["ticketing"], (1..=60).collect::<Vec<_>>());
    assert_eq!(by_log["organization"], (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_walk_the_same_way() {
    let scene = Scene::new().await;
    scene.ticketing.write(25, Some(KNOWN)).await;
    let key = scene.key();
    let (mut seen, mut page_token) = (Vec::new(), String::new());
    loop {
        let page =
            scene.page(&key, gw::ListEventsRequest { page_size: 10, page_token, ..Default::default() }).await.unwrap();
        seen.extend(page.events);
        page_token = page.next_page_token;
        if page.at_head {
            break;
        }
    }
    assert_eq!(sequences(&seen)["ticketing"], (1..=25).collect::<Vec<_>>());
    // The end of the pages is where a stream goes on.
    scene.ticketing.write(1, Some(KNOWN)).await;
    let mut heard = scene.subscribe(&key, at(&page_token)).await.unwrap();
    assert_eq!(sequences(heard.until(1).await)["ticketing"], [26]);
    let negative = gw::ListEventsRequest { page_size: -1, ..Default::default() };
    assert_eq!(scene.page(&key, negative).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_instant_is_a_place_too() {
    let scene = Scene::new().await;
    scene.ticketing.write(20, Some(KNOWN)).await;
    let key = scene.key();
    let all = scene.page(&key, gw::ListEventsRequest::default()).await.unwrap().events;
    let recorded = |event: &gw::CloudEvent| event.attributes["recordedtime"].clone();
    let time = recorded(&all[12]);
    let path = format!("/v1/events?from_time={time}&filter.types=karibu.ticketing.*");
    let answer = scene.stage.json("GET", &path, &key, "").await;
    let events = answer.json()["events"].as_array().unwrap().clone();
    let expected = all.iter().filter(|event| recorded(event) >= time).count();
    assert_eq!(events.len(), expected, "{answer:?}");
}

#[tokio::test]
async fn nobody_hears_of_branches_out_of_reach() {
    let scene = Scene::new().await;
    for branch in [Some(KNOWN), Some(CHILD), Some(OTHER), None] {
        scene.ticketing.write(1, branch).await;
    }
    let here = scene.stage.desk.key_in("here", [Permission::EventRead], Some(&[KNOWN, CHILD]));
    let hear = async |key: &str, branch_ids: &[&str]| {
        let filter = gw::EventFilter {
            branch_ids: branch_ids.iter().map(|id| (*id).to_owned()).collect(),
            ..Default::default()
        };
        let page = scene.page(key, gw::ListEventsRequest { filter: Some(filter), ..Default::default() }).await?;
        Ok::<_, Status>(sequences(&page.events).remove("ticketing").unwrap_or_default())
    };
    assert_eq!(hear(&here, &[]).await.unwrap(), [1, 2]);
    assert_eq!(hear(&here, &[CHILD]).await.unwrap(), [2]);
    assert_eq!(hear(&here, &[KNOWN]).await.unwrap(), [1, 2], "a branch stands for all below it");
    let denied = hear(&here, &[OTHER]).await.unwrap_err();
    assert_eq!((denied.code(), reason(&denied).as_str()), (Code::NotFound, "BRANCH_NOT_FOUND"));
    let everywhere = scene.key();
    assert_eq!(hear(&everywhere, &[]).await.unwrap(), [1, 2, 3, 4]);
    assert_eq!(hear(&everywhere, &[KNOWN, OTHER]).await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn a_token_that_does_not_fit_is_refused_with_its_reason() {
    let scene = Scene::new().await;
    scene.ticketing.write(10, Some(KNOWN)).await;
    let key = scene.key();
    let token =
        scene.page(&key, gw::ListEventsRequest { page_size: 3, ..Default::default() }).await.unwrap().next_page_token;
    let refused = async |request: gw::SubscribeRequest| match scene.subscribe(&key, request).await {
        Ok(mut heard) => heard.next().await.unwrap_err(),
        Err(status) => status,
    };

    for forged in [token[..token.len() - 4].to_owned(), token.to_uppercase(), "no token".to_owned(), "AAAA".to_owned()]
    {
        let status = refused(at(&forged)).await;
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "RESUME_TOKEN_INVALID"),
            "{forged}"
        );
    }
    let filter = gw::EventFilter { types: vec!["karibu.ticketing.*".into()], ..Default::default() };
    let status = refused(gw::SubscribeRequest { filter: Some(filter), ..at(&token) }).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "RESUME_TOKEN_INVALID"));

    // A place that no log of today has, though the mark is good.
    let hash = Filter::of(&gw::EventFilter::default()).unwrap().hash();
    let place = |epoch, seq| {
        Tokens::new(&[SECRET.into()], [0; 32]).make(hash, &[Place { log: "ticketing".into(), epoch, seq }])
    };
    for (epoch, seq) in [(1, 11), (2, 3), (1, i64::MAX)] {
        let status = refused(at(&place(epoch, seq))).await;
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "LOG_EPOCH_CHANGED"), "{seq}");
    }
    scene.subscribe(&key, at(&place(1, 10))).await.unwrap().next().await.unwrap();
}

#[tokio::test]
async fn what_is_no_longer_kept_is_said_with_a_token_to_go_on_from() {
    let house = House::embedded(Clock::system()).unwrap();
    let log = Log::<2>::open_at(&house.bus, 1, 6).await;
    log.write(5, Some(KNOWN)).await;
    let config = Config { resume_secrets: vec![SECRET.into()], ..Default::default() };
    let stage = Stage::in_house(house, config).await;
    let key = stage.desk.key("listener", [Permission::EventRead]);
    let filter = gw::EventFilter { types: vec!["karibu.ticketing.*".into()], ..Default::default() };
    let hash = Filter::of(&filter).unwrap().hash();
    let token =
        Tokens::new(&[SECRET.into()], [0; 32]).make(hash, &[Place { log: "ticketing".into(), epoch: 1, seq: 2 }]);
    let mut client = EventServiceClient::new(stage.channel().await);
    let request = |token: &str| gw::SubscribeRequest { filter: Some(filter.clone()), ..at(token) };
    let status = client.subscribe(keyed(request(&token), &key)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::OutOfRange, "RESUME_TOKEN_EXPIRED"));
    let earliest = status.get_details_error_info().unwrap().metadata["earliest_token"].clone();
    let stream = client.subscribe(keyed(request(&earliest), &key)).await.unwrap().into_inner();
    let mut heard = Heard { stream, token: String::new(), events: Vec::new() };
    assert_eq!(sequences(heard.until(5).await)["ticketing"], [6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn a_caller_has_only_so_many_streams() {
    let scene = Scene::new().await;
    let key = scene.key();
    let mut open = Vec::new();
    for _ in 0..karibu_gateway::limits::MAX_STREAMS_PER_CALLER {
        open.push(scene.subscribe(&key, from(gw::StartPosition::Latest)).await.unwrap());
    }
    let status = scene.subscribe(&key, from(gw::StartPosition::Latest)).await.err().unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_STREAMS"));
    drop(open);
    testkit::assert_eventually(SOON, || async { scene.subscribe(&key, from(gw::StartPosition::Latest)).await.is_ok() })
        .await;
}

/// A browser's way: reads events until `count` of them came, and gives (id, data) of each message with events.
async fn sse(scene: &Scene, query: &str, headers: &str, count: usize) -> Vec<(String, serde_json::Value)> {
    let mut stream = tokio::net::TcpStream::connect(scene.stage.address).await.unwrap();
    let key = scene.key();
    let head = format!("GET /v1/events:subscribe?{query} HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut text, mut buffer) = (String::new(), [0; 65_536]);
    loop {
        let read = timeout(SOON, stream.read(&mut buffer)).await.expect("bytes in time").unwrap();
        assert!(read > 0, "ended: {text}");
        text += std::str::from_utf8(&buffer[..read]).unwrap();
        let messages: Vec<(String, serde_json::Value)> = text
            .split("\n\n")
            .filter_map(|event| {
                let id = event.lines().find_map(|line| line.strip_prefix("id: "))?;
                let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
                Some((id.to_owned(), serde_json::from_str(data).ok()?))
            })
            .filter(|(_, data): &(String, serde_json::Value)| !data["events"].as_array().unwrap().is_empty())
            .collect();
        if messages.iter().map(|(_, data)| data["events"].as_array().unwrap().len()).sum::<usize>() >= count {
            assert!(text.contains("text/event-stream"), "{text}");
            return messages;
        }
    }
}

#[tokio::test]
async fn a_browser_reads_events_and_goes_on_from_the_last_id() {
    let scene = Scene::new().await;
    scene.ticketing.write(5, Some(KNOWN)).await;
    let messages = sse(&scene, "maxBatch=2", "", 5).await;
    let sizes: Vec<usize> = messages.iter().map(|(_, data)| data["events"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    let event = &messages[0].1["events"][0];
    let payload: serde_json::Value = serde_json::from_str(event["jsonData"].as_str().unwrap()).unwrap();
    assert_eq!(payload["number"], "K-1");

    let after_second = sse(&scene, "maxBatch=2", &format!("last-event-id: {}\r\n", messages[1].0), 1).await;
    assert_eq!(after_second[0].1["events"], messages[2].1["events"]);
    let status =
        scene.stage.send("GET", "/v1/events:subscribe?resumeToken=x", &[("x-api-key", &scene.key())], b"").await;
    assert_eq!((status.status, status.reason().as_str()), (400, "RESUME_TOKEN_INVALID"));
}

#[tokio::test]
async fn a_token_of_another_history_is_refused() {
    let scene = Scene::new().await;
    scene.ticketing.write(3, Some(KNOWN)).await;
    let only = gw::EventFilter { types: vec!["karibu.ticketing.*".into()], ..Default::default() };
    let request = |start: gw::SubscribeRequest| gw::SubscribeRequest { filter: Some(only.clone()), ..start };
    let mut heard = scene.subscribe(&scene.key(), request(from(gw::StartPosition::Earliest))).await.unwrap();
    heard.until(3).await;

    // The same service after its database was restored.
    let house = House::embedded(Clock::system()).unwrap();
    let restored = Log::<2>::open_at(&house.bus, 2, 1).await;
    restored.write(3, Some(KNOWN)).await;
    let config = Config { resume_secrets: vec![SECRET.into()], ..Default::default() };
    let stage = Stage::in_house(house, config).await;
    let key = stage.desk.key("listener", [Permission::EventRead]);
    let mut client = EventServiceClient::new(stage.channel().await);
    let status = client.subscribe(keyed(request(at(&heard.token)), &key)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "LOG_EPOCH_CHANGED"));
    let again = request(from(gw::StartPosition::Earliest));
    let stream = client.subscribe(keyed(again, &key)).await.unwrap().into_inner();
    let mut heard = Heard { stream, token: String::new(), events: Vec::new() };
    assert!(heard.until(3).await[0].source.ends_with("/2"));
}

/// As in processes apart: the writer's relay, a NATS server between, and the owner of the log for what is older.
#[tokio::test]
async fn over_nats_it_is_the_same() {
    let nats = testkit::Nats::shared().await;
    let options = events::NatsOptions {
        urls: vec![nats.url().to_owned()],
        namespace: Some(nats.namespace().to_owned()),
        ..Default::default()
    };
    let theirs = events::Bus::nats(options.clone(), std::sync::Arc::new(|_: &str| None)).await.unwrap();
    let log = Log::<2>::open(&theirs).await;
    log.write(30, Some(KNOWN)).await;
    let owner = log.backfill();
    let ours = events::Bus::nats(options, std::sync::Arc::new(move |_: &str| Some(owner.clone()))).await.unwrap();
    let mut house = House::embedded(Clock::system()).unwrap();
    house.bus = ours;
    let stage = Stage::in_house(house, Config::default()).await;
    let key = stage.desk.key("listener", [Permission::EventRead]);
    let filter = gw::EventFilter { types: vec!["karibu.ticketing.*".into()], ..Default::default() };
    let mut client = EventServiceClient::new(stage.channel().await);
    let ask = |start: gw::SubscribeRequest| gw::SubscribeRequest { filter: Some(filter.clone()), ..start };
    let stream = client.subscribe(keyed(ask(from(gw::StartPosition::Earliest)), &key)).await.unwrap().into_inner();
    let mut heard = Heard { stream, token: String::new(), events: Vec::new() };
    heard.until(30).await;
    log.write(5, Some(KNOWN)).await;
    assert_eq!(sequences(heard.until(35).await)["ticketing"], (1..=35).collect::<Vec<_>>());

    let stream = client.subscribe(keyed(ask(at(&heard.token)), &key)).await.unwrap().into_inner();
    let mut again = Heard { stream, token: String::new(), events: Vec::new() };
    log.write(1, Some(KNOWN)).await;
    assert_eq!(sequences(again.until(1).await)["ticketing"], [36]);
}

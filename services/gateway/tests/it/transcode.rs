//! The transcoder on the real contract: every route, every kind of field, and what is refused.

use std::collections::BTreeSet;

use http::Method;
use karibu_gateway::transcode::input::{self, MAX_JSON_DEPTH, MAX_PARAMETERS, Parts};
use karibu_gateway::transcode::{Missing, Routes, output};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::DynamicMessage;
use proto::karibu::gateway::v1 as gw;
use proto::karibu::organization::v1 as org;
use proto::karibu::profile::v1 as profile;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn routes() -> Routes {
    Routes::of(proto::methods().iter()).unwrap()
}

fn read(method: Method, address: &str, body: &str) -> Result<DynamicMessage, Status> {
    read_with(method, address, body, Vec::new())
}

fn read_with(
    method: Method,
    address: &str,
    body: &str,
    headers: Vec<(&'static str, String)>,
) -> Result<DynamicMessage, Status> {
    let routes = routes();
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
    let found = routes.find(&method, path).unwrap();
    input::request(&found, &Parts { query, body: body.as_bytes(), headers })
}

fn typed<T: Message + Default>(message: DynamicMessage) -> T {
    message.transcode_to().unwrap()
}

/// (field, what is wrong) of the only violation.
fn violation(status: Status) -> (String, String) {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let violations = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations.len(), 1, "{violations:?}");
    (violations[0].field.clone(), violations[0].description.clone())
}

#[test]
fn every_public_method_has_a_route_and_every_route_leads_to_its_method() {
    let routes = routes();
    let mut reached = BTreeSet::new();
    for method in proto::methods().iter() {
        assert_eq!(method.http.is_empty(), method.is_internal(), "{} and its HTTP path", method.path);
        for binding in &method.http {
            let path = binding
                .path
                .split('/')
                .map(|segment| match segment.split_once('}') {
                    Some((_, verb)) => format!("{ID}{verb}"),
                    None => segment.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("/");
            let http = Method::from_bytes(binding.method.as_str().as_bytes()).unwrap();
            let found = routes.find(&http, &path).unwrap_or_else(|missing| panic!("{path}: {missing:?}"));
            assert_eq!(found.route.method.path, method.path);
            assert!(found.captures.iter().all(|(_, value)| value == ID));
            reached.insert(method.path.clone());
        }
    }
    assert_eq!(reached.len(), routes.iter().map(|route| &route.method.path).collect::<BTreeSet<_>>().len());
    assert!(reached.len() > 40, "the contract has shrunk to {}", reached.len());
}

#[test]
fn no_two_methods_share_an_address_and_the_table_would_notice() {
    let one = proto::methods().find("/karibu.organization.v1.OrganizationService/GetBranch").unwrap();
    let mut twin = one.clone();
    twin.path = "/karibu.organization.v1.OrganizationService/Twin".to_owned();
    let twin: &'static _ = Box::leak(Box::new(twin));
    let defect = Routes::of([one, twin]).unwrap_err().to_string();
    assert!(defect.contains("GetBranch") && defect.contains("Twin"), "{defect}");

    let mut lost = one.clone();
    lost.http[0].path = "/v1/branches/{no_such_field}".to_owned();
    let lost: &'static _ = Box::leak(Box::new(lost));
    assert!(Routes::of([lost]).unwrap_err().to_string().contains("no_such_field"));
}

#[test]
fn addresses_that_lead_nowhere_say_so() {
    let routes = routes();
    for path in ["/", "", "v1/branches", "/v1", "/v2/branches", "/v1//branches", "/v1/branches/", "/v1/branches/a/b"] {
        assert_eq!(routes.find(&Method::GET, path).unwrap_err(), Missing::Path, "{path}");
    }
    assert_eq!(routes.find(&Method::GET, "/v1/branches/x:explode").unwrap_err(), Missing::Path);
    assert_eq!(routes.find(&Method::GET, "/v1/branches/%ff").unwrap_err(), Missing::Garbled);
    assert_eq!(
        routes.find(&Method::DELETE, "/v1/branches").unwrap_err(),
        Missing::Method(vec![Method::POST, Method::GET])
    );
    let deep = "/a".repeat(1_000);
    assert_eq!(routes.find(&Method::GET, &deep).unwrap_err(), Missing::Path);
}

#[test]
fn a_body_a_path_and_a_verb_make_a_request() {
    let body = json!({ "requestId": "r-1", "etag": "3" }).to_string();
    let request: org::CloseBranchRequest =
        typed(read(Method::POST, &format!("/v1/branches/{ID}:close"), &body).unwrap());
    assert_eq!((request.branch_id.as_str(), request.etag.as_str(), request.request_id.as_str()), (ID, "3", "r-1"));

    let body = json!({ "update_mask": "displayName,timeZone", "displayName": "Kigali Heights" }).to_string();
    let request: org::UpdateBranchRequest = typed(read(Method::PATCH, &format!("/v1/branches/{ID}"), &body).unwrap());
    assert_eq!(request.update_mask.unwrap().paths, ["display_name", "time_zone"]);
}

#[test]
fn a_body_may_be_empty_and_names_may_be_those_of_the_contract() {
    let request: org::CloseBranchRequest =
        typed(read(Method::POST, &format!("/v1/branches/{ID}:close"), " \n").unwrap());
    assert_eq!(request.branch_id, ID);
    let snake = json!({ "display_name": "x", "time_zone": "Africa/Kigali" }).to_string();
    let request: org::CreateBranchRequest = typed(read(Method::POST, "/v1/branches", &snake).unwrap());
    assert_eq!(request.time_zone, "Africa/Kigali");
}

#[test]
fn a_query_sets_scalars_enums_lists_instants_and_nested_fields() {
    let address = format!(
        "/v1/events?filter.types=karibu.ticketing.*&filter.types=karibu.loyalty.*&filter.branchIds={ID}\
         &fromTime=2026-11-22T10:00:00Z&page_size=7"
    );
    let request: gw::ListEventsRequest = typed(read(Method::GET, &address, "").unwrap());
    let filter = request.filter.unwrap();
    assert_eq!(filter.types, ["karibu.ticketing.*", "karibu.loyalty.*"]);
    assert_eq!(filter.branch_ids, [ID]);
    assert_eq!(request.page_size, 7);
    let Some(gw::list_events_request::Start::FromTime(from)) = request.start else { panic!("{:?}", request.start) };
    assert_eq!(from.seconds, 1_795_341_600);

    let request: gw::SubscribeRequest =
        typed(read(Method::GET, "/v1/events:subscribe?position=START_POSITION_LATEST&max_batch=5", "").unwrap());
    assert_eq!(request.start, Some(gw::subscribe_request::Start::Position(gw::StartPosition::Latest as i32)));
    assert_eq!(request.max_batch, 5);

    let request: org::ListBranchesRequest =
        typed(read(Method::GET, "/v1/branches?showClosed=true&kind=2&code=a%2Bb+c", "").unwrap());
    assert!(request.show_closed);
    assert_eq!((request.kind, request.code.as_str()), (2, "a+b c"));
}

#[test]
fn numbers_of_64_bits_travel_as_strings_and_as_numbers() {
    for minor in [json!("9223372036854775807"), json!(9_223_372_036_854_775_807_i64)] {
        let body = json!({ "purchase": { "totalMinor": minor } }).to_string();
        let message = read(Method::POST, "/v1/purchases", &body).unwrap();
        let request: profile::RecordPurchaseRequest = typed(message.clone());
        assert_eq!(request.purchase.unwrap().total_minor, Some(i64::MAX));
        let json = String::from_utf8(output::message(&message).unwrap()).unwrap();
        assert!(json.contains("\"totalMinor\":\"9223372036854775807\""), "{json}");
    }
}

#[test]
fn every_refusal_names_the_field() {
    let branch = |body: serde_json::Value| read(Method::POST, "/v1/branches", &body.to_string()).unwrap_err();
    assert_eq!(violation(branch(json!({ "nmae": 1 }))), ("nmae".into(), "there is no such field".into()));
    assert_eq!(violation(branch(json!({ "displayName": 5 }))).0, "display_name");
    assert_eq!(violation(branch(json!({ "kind": "BRANCH_KIND_MOON" }))).0, "kind");
    let purchase = |body: serde_json::Value| read(Method::POST, "/v1/purchases", &body.to_string()).unwrap_err();
    let lines = json!({ "purchase": { "lines": [{}, { "unitAmountMinor": "many" }] } });
    assert_eq!(violation(purchase(lines)).0, "purchase.lines[1].unit_amount_minor");
    let nested = json!({ "purchase": { "lines": [{ "colour": "red" }] } });
    assert_eq!(violation(purchase(nested)).0, "purchase.lines[0].colour");

    let get = |query: &str| read(Method::GET, &format!("/v1/branches?{query}"), "").unwrap_err();
    assert_eq!(violation(get("page_size=many")).0, "page_size");
    assert_eq!(violation(get("page_size=1&page_size=2")).1, "is given more than once");
    assert_eq!(violation(get("show_closed=1")).0, "show_closed");
    assert_eq!(violation(get("colour=red")).0, "colour");
    assert_eq!(violation(get("code.x=red")).0, "code.x");
    assert_eq!(violation(get("code=%zz")).0, "");
    let both = read(Method::GET, "/v1/events?from_time=2026-11-22T10:00:00Z&position=1", "").unwrap_err();
    assert_eq!(violation(both).0, "position");
}

#[test]
fn what_was_said_twice_must_be_the_same() {
    let address = format!("/v1/branches/{ID}:close");
    let same = json!({ "branchId": ID, "requestId": "r" }).to_string();
    read_with(Method::POST, &address, &same, vec![("request_id", "r".into())]).unwrap();
    let other = json!({ "branchId": "0190163d-8694-739b-aea5-966c26f8ad92" }).to_string();
    assert_eq!(violation(read(Method::POST, &address, &other).unwrap_err()).0, "branch_id");
    let refused = read_with(Method::POST, &address, &same, vec![("request_id", "other".into())]).unwrap_err();
    assert_eq!(violation(refused).0, "request_id");
}

#[test]
fn headers_become_fields_only_where_the_request_has_them() {
    let headers = || vec![("request_id", "k".to_owned()), ("etag", "7".to_owned()), ("resume_token", "t".to_owned())];
    let message = read_with(Method::POST, &format!("/v1/branches/{ID}:close"), "{}", headers()).unwrap();
    let request: org::CloseBranchRequest = typed(message);
    assert_eq!((request.request_id.as_str(), request.etag.as_str()), ("k", "7"));
    let message = read_with(Method::GET, "/v1/events:subscribe", "", headers()).unwrap();
    let request: gw::SubscribeRequest = typed(message);
    assert_eq!(request.start, Some(gw::subscribe_request::Start::ResumeToken("t".into())));
}

#[test]
fn deep_broken_and_misplaced_bodies_are_refused() {
    let post = |body: &str| read(Method::POST, "/v1/branches", body).unwrap_err();
    let deep = "[".repeat(100_000);
    assert!(violation(post(&deep)).1.contains(&MAX_JSON_DEPTH.to_string()));
    let objects = "{\"purchase\":".repeat(MAX_JSON_DEPTH + 1);
    assert!(violation(read(Method::POST, "/v1/purchases", &objects).unwrap_err()).1.contains("deeper"));
    // Brackets inside a string are text.
    let text = json!({ "displayName": "[{".repeat(500) }).to_string();
    read(Method::POST, "/v1/branches", &text).unwrap();
    for broken in ["{", "null", "5", "[]", "{} {}", "{\"displayName\": \"\\ud800\"}", "{'a': 1}"] {
        assert_eq!(post(broken).code(), Code::InvalidArgument, "{broken}");
    }
    assert_eq!(read(Method::GET, "/v1/branches", "{}").unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(violation(read(Method::POST, "/v1/branches?code=x", "{}").unwrap_err()).0, "code");
    let many = "code=x&".repeat(MAX_PARAMETERS + 1);
    let refused = read(Method::GET, &format!("/v1/branches?{many}"), "").unwrap_err();
    assert!(violation(refused).1.contains("parameters"));
}

proptest! {
    /// Bytes from anywhere end in a message or in a refusal, never in a panic.
    #[test]
    fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..200), query in ".{0,60}") {
        let routes = routes();
        for (method, path) in [(Method::POST, "/v1/purchases"), (Method::GET, "/v1/events")] {
            let found = routes.find(&method, path).unwrap();
            let parts = Parts { query: Some(&query), body: &body, headers: Vec::new() };
            if let Err(status) = input::request(&found, &parts) {
                prop_assert_eq!(status.code(), Code::InvalidArgument);
            }
        }
    }

    /// A request that is written as JSON and read again is the same request.
    #[test]
    fn json_there_and_back_changes_nothing(name in "\\PC{0,40}", kind in 0..5_i32, key in "[a-z]{0,8}") {
        let request = org::CreateBranchRequest { display_name: name, kind, request_id: key, ..Default::default() };
        let descriptor = proto::pool().get_message_by_name("karibu.organization.v1.CreateBranchRequest").unwrap();
        let message = DynamicMessage::decode(descriptor, request.encode_to_vec().as_slice()).unwrap();
        let json = String::from_utf8(output::message(&message).unwrap()).unwrap();
        let again: org::CreateBranchRequest = typed(read(Method::POST, "/v1/branches", &json).unwrap());
        prop_assert_eq!(again, request);
    }
}

#[test]
fn failures_keep_their_details_and_get_the_http_code_that_fits() {
    use std::time::Duration;

    use http::StatusCode;
    use karibu_gateway::transcode::output::Failing;
    use server::status;

    let stale = status::with_facts(Code::Aborted, "VERSION_MISMATCH", "it is 4 now", [("etag", "4")]);
    let asked = Failing { if_match: true, http: None };
    assert_eq!(output::failure(&stale, asked).status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(output::failure(&stale, Failing::default()).status(), StatusCode::CONFLICT);
    let json: serde_json::Value = serde_json::from_slice(&output::status_json(&stale)).unwrap();
    assert_eq!(json["code"], 10);
    assert_eq!(json["message"], "it is 4 now");
    assert_eq!(
        json["details"][0],
        json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "VERSION_MISMATCH",
                "domain": "karibu", "metadata": { "etag": "4" } })
    );

    let invalid = output::status_json(&status::invalid([("a.b[2]", "is wrong")]));
    let json: serde_json::Value = serde_json::from_slice(&invalid).unwrap();
    let violations = json["details"].as_array().unwrap().iter().find_map(|detail| detail.get("fieldViolations"));
    assert_eq!(violations.unwrap()[0]["field"], "a.b[2]");

    let later = status::retry_later(Code::ResourceExhausted, "RATE_LIMITED", "slower", Duration::from_millis(1_200));
    let response = output::failure(&later, Failing::default());
    assert_eq!(
        (response.status(), response.headers()["retry-after"].as_bytes()),
        (StatusCode::TOO_MANY_REQUESTS, &b"2"[..])
    );
    let large = output::failure(&status::request_too_large(), Failing::default());
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let who = output::failure(&status::unauthenticated(), Failing::default());
    assert_eq!(who.status(), StatusCode::UNAUTHORIZED);
    assert!(who.headers().contains_key("www-authenticate"));
    // Details that are no google.rpc.Status hide neither code nor message.
    let odd = Status::with_details(Code::NotFound, "gone", bytes::Bytes::from_static(b"\xff\xff"));
    let json: serde_json::Value = serde_json::from_slice(&output::status_json(&odd)).unwrap();
    assert_eq!((json["code"].as_i64(), json["message"].as_str()), (Some(5), Some("gone")));
}

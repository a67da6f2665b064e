//! A client over plain HTTP, with nothing of ours and nothing of gRPC: JSON and Server-Sent Events through the gateway.

use karibu_tests::{Place, distributed, embedded};
use serde_json::Value;
use testkit::Python;

async fn browse(place: &Place) -> Value {
    let mut command = Python::find().script("tests/python/browse.py");
    command.arg(place.address.trim_start_matches("http://")).arg(&place.key);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}\n{err}", place.mode);
    serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn reason(answer: &Value) -> &str {
    let details = answer["body"]["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    details.iter().find_map(|detail| detail["reason"].as_str()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_does_the_daily_work_over_plain_http() {
    for place in [embedded().await, distributed(&[]).await] {
        let saw = browse(&place).await;
        let status = |what: &str| saw[what]["status"].as_i64().unwrap();
        for what in ["made", "again", "renamed", "customer", "complaint", "acknowledged", "overview"] {
            assert_eq!(status(what), 200, "{} {what}: {}", place.mode, saw[what]);
        }
        assert_eq!(saw["made"], saw["again"], "{}: one key, one branch, one answer", place.mode);
        assert_eq!((saw["made"]["etag"].as_str(), saw["renamed"]["etag"].as_str()), (Some("\"1\""), Some("\"2\"")));
        assert_eq!((status("stale"), reason(&saw["stale"])), (412, "VERSION_MISMATCH"));

        let types = |what: &str| -> Vec<String> {
            let events = saw[what].as_array().unwrap();
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
        };
        let (opened, acknowledged) =
            ("karibu.ticketing.complaint.opened.v1", "karibu.ticketing.complaint.acknowledged.v1");
        assert_eq!(types("heard"), [opened, acknowledged], "{}", place.mode);
        assert_eq!(types("resumed"), [acknowledged], "{}", place.mode);
        let payload: Value = serde_json::from_str(saw["heard"][0]["jsonData"].as_str().unwrap()).unwrap();
        let complaint = &saw["complaint"]["body"]["complaint"];
        assert_eq!(payload["complaintId"], complaint["complaintId"]);

        let overview = &saw["overview"]["body"];
        for missing in ["unreachable", "forbidden"] {
            assert_eq!(overview[missing], Value::Array(Vec::new()), "{} {missing}", place.mode);
        }
        assert_eq!(overview["overview"]["openComplaints"][0]["complaintId"], complaint["complaintId"]);

        assert_eq!(status("stranger"), 401);
        assert_eq!((status("unknown_field"), reason(&saw["unknown_field"])), (400, "INVALID_ARGUMENT"));
        assert_eq!((status("unknown_path"), reason(&saw["unknown_path"])), (404, "NO_SUCH_PATH"));
        assert_eq!(status("survey_page"), 404, "{}: {}", place.mode, saw["survey_page"]);
    }
}

//! Secrets and personal data in telemetry: every method of the contract is called with marked texts, soundly, unsoundly
//! and while databases are away; then the logs, traces and metrics of all processes and every error are searched.

use std::collections::BTreeSet;

use karibu_tests::matrix::{Answer, Caller, Request, World};
use karibu_tests::{Distributed, Foreign};
use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};
use proto::MethodInfo;
use proto::karibu::organization::v1::{BranchKind, CreateBranchRequest};
use proto::options::field_rule;
use serde_json::Value as Json;
use sqlx::Connection;
use testkit::{Python, assert_eventually};
use tonic::Code;

/// In every personal text.
const CANARY: &str = "zQ7canary";
/// Times that every method which makes something is called before the rest.
const ROUNDS: usize = 5;
/// Everything of ours in detail; of others what operators see.
const LOG: &str = "info,karibu=debug";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_secrets_nor_personal_data_reach_logs_traces_metrics_or_errors() {
    let sink = Foreign::start(Python::find().script("tests/python/otlp_sink.py"));
    let port: Json = serde_json::from_str(&sink.wait_line("port", |line| line.contains("port")).await).unwrap();
    let endpoint = format!("http://127.0.0.1:{}", port["port"]);
    let suite = Distributed::start(&[("KARIBU_OTLP_ENDPOINT", &endpoint), ("KARIBU_LOG", LOG)]).await;
    let admin = Caller::connect("administrator", &format!("http://{}", suite.gateway), Some(&suite.key)).await;
    let methods: Vec<&MethodInfo> = proto::methods().iter().filter(|method| !method.is_internal()).collect();

    let world = World::new(CANARY, branch(&suite).await, &[]);
    // Each round makes what the one before made possible; what only comes with time is not waited for.
    for _ in 0..ROUNDS {
        world.round(&admin, &methods).await;
    }
    let mut answers = call_all(&admin, &methods, &world).await;
    let sound = answers.iter().filter(|(_, answer)| answer.message.is_some()).count();
    assert!(sound > methods.len() / 3, "most calls are answered: {sound} of {}", methods.len());
    answers.extend(call_wrongly(&admin, &methods, &world).await);
    lock_out(&suite).await;
    let while_away = call_all(&admin, &methods, &world).await;
    let failed =
        while_away.iter().filter(|(_, answer)| matches!(answer.code, Code::Unavailable | Code::Internal)).count();
    assert!(failed > 20, "databases were away: {failed}");
    answers.extend(while_away);

    // The administrator's key, the master key, and how every token between services begins.
    let secrets = [CANARY, suite.key.as_str(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "eyJ"];
    let mut found = BTreeSet::new();
    for (method, answer) in answers.iter().filter(|(_, answer)| answer.message.is_none()) {
        for secret in secrets.iter().filter(|secret| answer.said.contains(**secret)) {
            found.insert(format!("the error of {method} holds {secret}: {}", answer.said));
        }
    }
    // Traces of the last calls must have come before they are searched.
    assert_eventually(std::time::Duration::from_secs(60), || async {
        sink.lines().iter().any(|line| line.contains("OpenComplaint"))
            && sink.lines().iter().any(|line| line.contains("\"metric\""))
    })
    .await;
    let mut searched = 0;
    let logs = suite.services.iter().map(|(name, service)| (format!("the log of {name}"), service.log()));
    for (place, text) in logs.chain([("traces and metrics".to_owned(), sink.lines().join("\n"))]) {
        searched += text.len();
        for secret in secrets {
            if let Some(line) = text.lines().find(|line| line.contains(secret)) {
                found.insert(format!("{place} holds {secret}: {line}"));
            }
        }
    }
    assert!(searched > 10_000, "there was something to search: {searched} bytes");
    assert!(found.is_empty(), "{}", found.into_iter().collect::<Vec<_>>().join("\n"));
}

async fn branch(suite: &Distributed) -> uuid::Uuid {
    let karibu = client::Karibu::connect(&format!("http://{}", suite.gateway), &suite.key).await.unwrap();
    let request = CreateBranchRequest {
        request_id: client::request_id(),
        code: "HQ".into(),
        display_name: "Head office".into(),
        kind: BranchKind::Business.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        ..Default::default()
    };
    let made = karibu.organization().create_branch(request).await.unwrap().into_inner().branch.unwrap();
    made.branch_id.parse().unwrap()
}

async fn call_all(admin: &Caller, methods: &[&MethodInfo], world: &World) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    for (serial, method) in (1_000_000..).zip(methods) {
        if let Ok(request) = (Request { world, instead: None, serial }).make(method) {
            answers.push((method.path.clone(), admin.call(method, &request).await));
        }
    }
    answers
}

/// Every method with texts that are too long for their fields, or of no form that they know.
async fn call_wrongly(admin: &Caller, methods: &[&MethodInfo], world: &World) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    for (serial, method) in (2_000_000..).zip(methods) {
        let Ok(mut request) = (Request { world, instead: None, serial }).make(method) else { continue };
        for text in [format!("{CANARY} {CANARY}"), CANARY.repeat(4_000)] {
            spoil(&mut request, &text);
            answers.push((method.path.clone(), admin.call(method, &request).await));
        }
    }
    answers
}

/// Puts `text` into every text that is filled, ids and codes as well, but for what says where the call goes.
fn spoil(message: &mut DynamicMessage, text: &str) {
    let fields: Vec<_> = message.descriptor().fields().filter(|field| message.has_field(field)).collect();
    for field in fields {
        let spoilt = |value: &Value| match value {
            Value::String(_) => Value::String(text.to_owned()),
            Value::Message(inner) => {
                let mut inner = inner.clone();
                spoil(&mut inner, text);
                Value::Message(inner)
            }
            other => other.clone(),
        };
        let is_route = field.name() == "service" && field_rule(&field).is_some_and(|rule| rule.required);
        if is_route || !matches!(field.kind(), Kind::String | Kind::Message(_)) || field.is_map() {
            continue;
        }
        let value = match &*message.get_field(&field) {
            Value::List(items) => Value::List(items.iter().map(spoilt).collect()),
            one => spoilt(one),
        };
        message.set_field(&field, value);
    }
}

/// Takes every database away: no new connections, and those that are open end.
async fn lock_out(suite: &Distributed) {
    for (_, url) in &suite.databases {
        let (server, name) = url.rsplit_once('/').unwrap();
        let name = name.split('?').next().unwrap();
        let mut conn = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        let shut = format!("alter database \"{name}\" allow_connections false");
        sqlx::raw_sql(sqlx::AssertSqlSafe(shut)).execute(&mut conn).await.unwrap();
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        sqlx::query(end).bind(name).execute(&mut conn).await.unwrap();
    }
}

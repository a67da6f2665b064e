//! Traces and metrics as a real OTLP receiver gets them: one trace over the hop, with the names of the conventions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use server::config::TelemetryConfig;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::echo::SAY;
use crate::fixture::{Running, ask, call, request};

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Receiver {
    spans: Arc<Mutex<Vec<Span>>>,
    instruments: Arc<Mutex<Vec<String>>>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|of| of.scope_spans);
        self.spans.lock().unwrap().extend(spans.flat_map(|of| of.spans));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let metrics = request.into_inner().resource_metrics.into_iter().flat_map(|of| of.scope_metrics);
        self.instruments.lock().unwrap().extend(metrics.flat_map(|of| of.metrics).map(|metric| metric.name));
        Ok(Response::new(Default::default()))
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let value = span.attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    match value {
        Value::StringValue(text) => Some(text),
        other => Some(format!("{other:?}")),
    }
}

#[tokio::test]
async fn one_trace_leads_from_the_caller_over_the_lane_to_the_handler() {
    let receiver = Receiver::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let routes =
        Routes::new(TraceServiceServer::new(receiver.clone())).add_service(MetricsServiceServer::new(receiver.clone()));
    let stop = server::Stop::new();
    let receiving =
        tokio::spawn(server::serve(listener, routes.into_axum_router(), stop.clone(), Duration::from_secs(5)));

    let config = TelemetryConfig { otlp_endpoint: Some(endpoint), log: "off".to_owned(), ..TelemetryConfig::default() };
    let telemetry = server::telemetry::init("echo", &config).unwrap();
    let running = Running::start(&[]).await;
    let remote = running.remote();
    let (trace_id, parent_id) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    for verb in ["", "panic"] {
        let mut request = request(ask(verb, 0), &running.bearer());
        let traceparent = format!("00-{trace_id}-{parent_id}-01");
        request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
        let _ = call(remote.clone(), SAY, request).await;
    }
    running.end().await;
    let scraped = telemetry.scrape.text();
    telemetry.shut_down().await;
    stop.cancel();
    receiving.await.unwrap();

    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let spans = receiver.spans.lock().unwrap().clone();
    let ours: Vec<_> = spans.iter().filter(|span| hex(&span.trace_id) == trace_id).collect();
    let (clients, servers): (Vec<_>, Vec<_>) = ours.into_iter().partition(|span| span.kind == 3);
    assert_eq!((clients.len(), servers.len()), (2, 2), "{spans:#?}");
    for server_span in &servers {
        let client = clients.iter().find(|span| span.span_id == server_span.parent_span_id).expect("its parent");
        assert_eq!(hex(&client.parent_span_id), parent_id);
        assert_eq!(server_span.kind, 2);
        assert_eq!(server_span.name, "test.v1.Echo/Say");
        assert_eq!(attribute(server_span, "rpc.system.name").as_deref(), Some("grpc"));
        assert_eq!(attribute(server_span, "rpc.method").as_deref(), Some("test.v1.Echo/Say"));
        assert_eq!(attribute(server_span, "karibu.service").as_deref(), Some("echo"));
        assert_eq!(attribute(client, "server.address").as_deref(), Some("echo"));
    }
    let mut codes: Vec<_> = servers.iter().filter_map(|span| attribute(span, "rpc.response.status_code")).collect();
    codes.sort();
    assert_eq!(codes, ["INTERNAL", "OK"]);
    let failed = servers.iter().filter(|span| span.status.as_ref().is_some_and(|status| status.code == 2)).count();
    assert_eq!(failed, 1, "only the panic is a failure of the server");

    let instruments = receiver.instruments.lock().unwrap().clone();
    for name in ["rpc.server.call.duration", "karibu.rpc.active_calls", "process.memory.usage"] {
        assert!(instruments.iter().any(|is| is == name), "{name} is missing in {instruments:?}");
    }
    // The scrape reads the same instruments.
    let line = scraped
        .lines()
        .find(|line| line.starts_with("rpc_server_call_duration_seconds_count") && line.contains("\"INTERNAL\""))
        .expect("the failed call is counted");
    assert!(line.contains("rpc_method=\"test.v1.Echo/Say\"") && line.ends_with(" 1"), "{line}");
}

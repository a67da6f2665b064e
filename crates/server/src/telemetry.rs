//! Starts logs, traces and metrics of a process, and ends them: what is still in memory is sent before exit.
//! Without an OTLP endpoint nothing is traced, and the price is the log filter alone.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::config::{LogFormat, TelemetryConfig};
pub use crate::metrics::Scrape;

/// Added before the configured filter: the transport's own spans would drown ours. The span of each call is for traces;
/// in the log it costs a call some 2 us and says nothing that a line does not say itself (`karibu_server::rpc=info` brings
/// it back).
const QUIET: &str =
    "karibu_server::rpc=warn,h2=warn,hyper=warn,hyper_util=warn,tonic=warn,tower=warn,opentelemetry=warn,sqlx=warn";

/// What runs, until [`Telemetry::shut_down`].
#[derive(Debug)]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    meter: SdkMeterProvider,
    /// The metrics for Prometheus.
    pub scrape: Scrape,
}

/// Starts logs, and with an endpoint also traces and metrics over OTLP. Call it inside of the runtime, once in a
/// process; `name` becomes `service.name`.
pub fn init(name: &str, config: &TelemetryConfig) -> anyhow::Result<Telemetry> {
    let resource = Resource::builder()
        .with_service_name(name.to_owned())
        .with_attributes([
            KeyValue::new("service.namespace", "karibu"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()),
        ])
        .build();

    let scrape = Scrape::default();
    let mut meter = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(scrape.clone());
    let mut tracer = None;
    if let Some(endpoint) = &config.otlp_endpoint {
        let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
        tracer = Some(
            SdkTracerProvider::builder()
                .with_resource(resource)
                .with_sampler(sampler)
                .with_batch_exporter(spans)
                .build(),
        );
        let metrics = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
        meter = meter.with_periodic_exporter(metrics);
    }
    let meter = meter.build();
    global::set_meter_provider(meter.clone());
    watch_process();
    start_logs(config, tracer.as_ref());
    Ok(Telemetry { tracer, meter, scrape })
}

fn start_logs(config: &TelemetryConfig, tracer: Option<&SdkTracerProvider>) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
            lines.compact().with_ansi(colour).boxed()
        }
    };
    // Spans of our own crates, whatever the log level is: a quiet log must not end a trace.
    let traces = tracer.map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("karibu"))
            .with_filter(Targets::new().with_target("karibu", LevelFilter::INFO))
    });
    let started = tracing_subscriber::registry().with(lines.with_filter(filter(&config.log))).with(traces).try_init();
    if started.is_err() {
        tracing::debug!("logs were started before; the first settings stay");
    }
}

/// The filter of the log. One that names spans or fields needs to look at every span that is entered; the usual one, by
/// target and level, does not, and each call enters several.
fn filter(configured: &str) -> Box<dyn Filter<Registry> + Send + Sync> {
    let directives = format!("info,{QUIET},{configured}");
    match directives.parse::<Targets>() {
        Ok(targets) => FilterExt::boxed(targets),
        Err(_) => FilterExt::boxed(EnvFilter::builder().parse_lossy(directives)),
    }
}

impl Telemetry {
    /// Sends what is in memory and stops. Bounded by the exporters' own timeouts.
    pub async fn shut_down(self) {
        // The exporters block until their connection, which lives on this runtime, has taken the rest.
        let ended = tokio::task::spawn_blocking(move || {
            let traces = self.tracer.map_or(Ok(()), |tracer| tracer.shutdown());
            (traces, self.meter.shutdown())
        });
        if let Ok((traces, metrics)) = ended.await {
            for error in [traces.err(), metrics.err()].into_iter().flatten() {
                tracing::debug!(%error, "telemetry did not end cleanly");
            }
        }
    }
}

/// Lets panics stand in the log like everything else, instead of as plain lines between its lines.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let backtrace = std::backtrace::Backtrace::capture();
        let backtrace =
            (backtrace.status() == std::backtrace::BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(at, backtrace, "panic: {}", panic.payload_as_str().unwrap_or("no message"));
    }));
}

/// Memory of the process, where the system tells it.
fn watch_process() {
    let _ = global::meter("karibu")
        .u64_observable_gauge("process.memory.usage")
        .with_unit("By")
        .with_description("Resident memory of the process")
        .with_callback(|gauge| {
            if let Some(bytes) = resident_bytes() {
                gauge.observe(bytes, &[]);
            }
        })
        .build();
}

/// Resident set of this process, bytes; `None` where there is no /proc.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

//! The kit's instruments, and the text that Prometheus scrapes. There is one set of instruments (OpenTelemetry);
//! the scrape and the OTLP export are two readers of it.

use std::fmt::{self, Write};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{InstrumentKind, ManualReader, Pipeline, Temporality};
use tonic::Code;

use crate::trace::code_name;

/// Bounds of duration histograms, seconds: those of the RPC conventions, and finer ones below, where calls are.
const DURATION_BOUNDS_S: [f64; 17] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];

/// The instruments of calls. Made on first use, which is after telemetry was started.
#[derive(Debug)]
pub(crate) struct Calls {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

/// The instruments of this process.
pub(crate) fn calls() -> &'static Calls {
    static CALLS: OnceLock<Calls> = OnceLock::new();
    CALLS.get_or_init(|| {
        let meter = opentelemetry::global::meter("karibu");
        Calls {
            duration: meter
                .f64_histogram("rpc.server.call.duration")
                .with_unit("s")
                .with_description("Time to answer a call")
                .with_boundaries(DURATION_BOUNDS_S.to_vec())
                .build(),
            active: meter
                .i64_up_down_counter("karibu.rpc.active_calls")
                .with_description("Calls being answered")
                .build(),
        }
    })
}

impl Calls {
    /// Counts a call as active until the guard is dropped.
    pub(crate) fn begin(&'static self) -> Active {
        self.active.add(1, &[]);
        Active(self)
    }

    /// Notes a call that ended. `method` must come from the table of methods: an unbounded label would fill memory.
    pub(crate) fn ended(&self, service: &'static str, method: &'static str, code: Code, took: Duration) {
        self.duration.record(
            took.as_secs_f64(),
            &[
                KeyValue::new("rpc.system.name", "grpc"),
                KeyValue::new("karibu.service", service),
                KeyValue::new("rpc.method", method),
                KeyValue::new("rpc.response.status_code", code_name(code)),
            ],
        );
    }
}

/// One active call.
#[derive(Debug)]
pub(crate) struct Active(&'static Calls);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.add(-1, &[]);
    }
}

/// A reader that gives the values of all instruments when asked.
#[derive(Clone, Debug)]
pub struct Scrape(Arc<ManualReader>);

impl Default for Scrape {
    fn default() -> Self {
        Self(Arc::new(ManualReader::builder().with_temporality(Temporality::Cumulative).build()))
    }
}

impl MetricReader for Scrape {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }
    fn collect(&self, into: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(into)
    }
    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }
    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}

impl Scrape {
    /// Every value in the Prometheus text format 0.0.4.
    pub fn text(&self) -> String {
        let mut metrics = ResourceMetrics::default();
        if let Err(error) = self.collect(&mut metrics) {
            tracing::warn!(%error, "cannot collect metrics");
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = render(&metrics, &mut text);
        text
    }
}

fn render(metrics: &ResourceMetrics, out: &mut String) -> fmt::Result {
    for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
        match metric.data() {
            AggregatedMetrics::F64(data) => render_metric(metric, data, out)?,
            AggregatedMetrics::U64(data) => render_metric(metric, data, out)?,
            AggregatedMetrics::I64(data) => render_metric(metric, data, out)?,
        }
    }
    Ok(())
}

fn render_metric<T: Copy + fmt::Display>(metric: &Metric, data: &MetricData<T>, out: &mut String) -> fmt::Result {
    match data {
        MetricData::Gauge(gauge) => {
            let name = head(metric, "gauge", out)?;
            for point in gauge.data_points() {
                sample(out, &name, "", point.attributes(), None, point.value())?;
            }
        }
        MetricData::Sum(sum) => {
            let name = head(metric, if sum.is_monotonic() { "counter" } else { "gauge" }, out)?;
            for point in sum.data_points() {
                sample(out, &name, "", point.attributes(), None, point.value())?;
            }
        }
        MetricData::Histogram(histogram) => {
            let name = head(metric, "histogram", out)?;
            for point in histogram.data_points() {
                let mut below = 0;
                let bounds = point.bounds().map(|bound| bound.to_string()).chain(["+Inf".to_owned()]);
                for (bound, count) in bounds.zip(point.bucket_counts()) {
                    below += count;
                    sample(out, &name, "_bucket", point.attributes(), Some(("le", &bound)), below)?;
                }
                sample(out, &name, "_sum", point.attributes(), None, point.sum())?;
                sample(out, &name, "_count", point.attributes(), None, point.count())?;
            }
        }
        // Nothing here makes one, and the text format has no form for it.
        MetricData::ExponentialHistogram(_) => {}
    }
    Ok(())
}

/// Writes HELP and TYPE; gives the Prometheus name: dots as underscores, the unit spelled out, counters `_total`.
fn head(metric: &Metric, kind: &str, out: &mut String) -> Result<String, fmt::Error> {
    let mut name = plain(metric.name());
    let unit = match metric.unit() {
        "s" => "seconds",
        "ms" => "milliseconds",
        "By" => "bytes",
        _ => "",
    };
    if !unit.is_empty() && !name.ends_with(unit) {
        name = format!("{name}_{unit}");
    }
    if kind == "counter" && !name.ends_with("_total") {
        name.push_str("_total");
    }
    let help = metric.description().replace('\\', r"\\").replace('\n', r"\n");
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
    Ok(name)
}

fn sample<'a>(
    out: &mut String,
    name: &str,
    suffix: &str,
    attributes: impl Iterator<Item = &'a KeyValue>,
    extra: Option<(&str, &str)>,
    value: impl fmt::Display,
) -> fmt::Result {
    write!(out, "{name}{suffix}")?;
    let labels = attributes
        .map(|attribute| (plain(attribute.key.as_str()), escaped(&attribute.value)))
        .chain(extra.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let mut open = '{';
    for (key, value) in labels {
        write!(out, "{open}{key}=\"{value}\"")?;
        open = ',';
    }
    if open == ',' {
        out.push('}');
    }
    writeln!(out, " {value}")
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn escaped(value: &Value) -> String {
    value.as_str().replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let scrape = Scrape::default();
        let provider = SdkMeterProvider::builder().with_reader(scrape.clone()).build();
        let meter = provider.meter("test");
        meter
            .u64_counter("karibu.things")
            .with_description("Things\nseen")
            .build()
            .add(3, &[KeyValue::new("karibu.kind", "a \"b\"")]);
        let wait = meter.f64_histogram("wait").with_unit("s").with_boundaries(vec![0.5, 1.0]).build();
        [0.25, 0.75, 9.0].iter().for_each(|value| wait.record(*value, &[]));
        let text = scrape.text();
        for line in [
            "# HELP karibu_things_total Things\\nseen",
            "# TYPE karibu_things_total counter",
            "karibu_things_total{karibu_kind=\"a \\\"b\\\"\"} 3",
            "# TYPE wait_seconds histogram",
            "wait_seconds_bucket{le=\"0.5\"} 1",
            "wait_seconds_bucket{le=\"1\"} 2",
            "wait_seconds_bucket{le=\"+Inf\"} 3",
            "wait_seconds_sum 10",
            "wait_seconds_count 3",
        ] {
            assert!(text.lines().any(|is| is == line), "{line} is missing in\n{text}");
        }
    }
}

//! Health over gRPC: the empty name says that the process lives, a service's name that it can do its work.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::kit::Started;
use crate::{Stop, limits};

/// Asks whether a service can do its work now; the error says why not. Never asks for NATS: without it events wait,
/// but calls are answered.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// Keeps the health service and the readiness of the process current until `stop`, and then says NOT_SERVING.
pub(crate) async fn watch_over(
    services: Vec<Started>,
    reporter: HealthReporter,
    ready: watch::Sender<bool>,
    leaving: Stop,
) {
    let names = |service: &Started| [service.name].into_iter().chain(service.services.clone()).collect::<Vec<_>>();
    let mut well: Vec<Option<bool>> = vec![None; services.len()];
    loop {
        for (service, well) in services.iter().zip(&mut well) {
            let outcome = (service.ready)().await;
            let now = outcome.is_ok();
            if *well != Some(now) {
                match &outcome {
                    Ok(()) => tracing::info!(service = service.name, "ready"),
                    Err(error) => {
                        tracing::warn!(service = service.name, error = format!("{error:#}"), "not ready");
                    }
                }
                let status = if now { ServingStatus::Serving } else { ServingStatus::NotServing };
                for name in names(service) {
                    reporter.set_service_status(name, status).await;
                }
                *well = Some(now);
            }
        }
        ready.send_replace(well.iter().all(|well| *well == Some(true)));
        tokio::select! {
            () = leaving.cancelled() => break,
            () = tokio::time::sleep(limits::READINESS_PERIOD) => {}
        }
    }
    ready.send_replace(false);
    reporter.set_service_status("", ServingStatus::NotServing).await;
    for name in services.iter().flat_map(names) {
        reporter.set_service_status(name, ServingStatus::NotServing).await;
    }
}

/// Ends the streams of those who watch, which would hold up the drain.
pub(crate) async fn forget(services: &[Started], mut reporter: HealthReporter) {
    reporter.clear_service_status("").await;
    for service in services {
        for name in [service.name].iter().chain(&service.services) {
            reporter.clear_service_status(name).await;
        }
    }
}

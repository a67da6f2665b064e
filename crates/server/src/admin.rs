//! The admin port: metrics and probes over plain HTTP, apart from the port of the service so that it is not routed
//! with it.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::sync::watch;

use crate::metrics::Scrape;

/// `/metrics` (Prometheus text), `/livez` (the process answers) and `/readyz` (every service can work).
pub(crate) fn router(scrape: Scrape, ready: watch::Receiver<bool>) -> Router {
    let metrics = move || {
        let text = scrape.text();
        async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text) }
    };
    let readyz = move || {
        let ready = *ready.borrow();
        async move { if ready { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") } }
    };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
}

//! The life of a process: settings, telemetry, start of its services, serving, and an end in good order. `run` is
//! the whole `main` of one service; `Process` serves a set of them, as the embedded suite does.

use std::ffi::OsString;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Layer;

use crate::config::{BaseConfig, Loaded, load};
use crate::edge::EdgeLayer;
use crate::hop::LaneServer;
use crate::kit::{House, Kit, Started};
use crate::metrics::Scrape;
use crate::serve::{Bounds, Drained, serve_with};
use crate::{Stop, admin, health, limits, reflection, signal, telemetry};

/// Runs one service as a process until it is asked to stop: the whole `main`. `start` opens its database, starts
/// its tasks and gives back its routes; `C` is its own settings.
pub fn run<C, F>(name: &'static str, start: F) -> ExitCode
where
    C: clap::Args,
    F: AsyncFnOnce(&Kit, C) -> anyhow::Result<Started>,
{
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let Loaded { base, own } = match load::<C>(name, &arguments) {
        Ok(loaded) => loaded,
        Err(error) => {
            // Help and version come this way too, with code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    telemetry::log_panics();
    match runtime(base.worker_threads).and_then(|runtime| runtime.block_on(live(name, base, own, start))) {
        Ok(()) => ExitCode::SUCCESS,
        // It was logged where it happened.
        Err(_) => ExitCode::FAILURE,
    }
}

/// A runtime with this many worker threads; one means that everything runs on the calling thread.
pub fn runtime(worker_threads: u16) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = if worker_threads > 1 {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(worker_threads.into());
        builder
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().context("cannot start the runtime")
}

async fn live<C, F>(name: &'static str, base: BaseConfig, own: C, start: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(&Kit, C) -> anyhow::Result<Started>,
{
    let telemetry = telemetry::init(name, &base.telemetry)?;
    let scrape = telemetry.scrape.clone();
    let life = async move {
        let house = House::distributed(name, &base).await?;
        let kit = house.kit(name, base.database_of(name));
        let started = start(&kit, own).await.context("the service cannot start")?;
        let process = Process::bind(&base, house, scrape).await?;
        tracing::info!(address = %process.address, version = env!("CARGO_PKG_VERSION"), "listening");
        let drained = process.serve(vec![started], signal::asked_to_stop()?).await;
        tracing::info!(cut = drained.cut, "ended");
        anyhow::Ok(())
    };
    let outcome = life.await;
    if let Err(error) = &outcome {
        tracing::error!(error = format!("{error:#}"), service = name, "failed");
    }
    telemetry.shut_down().await;
    outcome
}

/// A process that is bound to its ports and about to serve.
#[derive(Debug)]
pub struct Process {
    /// Where it listens.
    pub address: SocketAddr,
    house: House,
    listener: TcpListener,
    admin: Option<(TcpListener, Scrape)>,
    /// What the port bears when it is public, and when it is not.
    bounds: [Bounds; 2],
    reflection: bool,
    drain_delay: Duration,
    drain: Duration,
}

impl Process {
    /// Binds the ports that the settings name. The address file, if there is one, is written here.
    pub async fn bind(config: &BaseConfig, house: House, scrape: Scrape) -> anyhow::Result<Self> {
        let bind = async |address: SocketAddr| {
            config.tls.may_listen(address)?;
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
        };
        let listener = bind(config.listen).await?;
        let address = listener.local_addr()?;
        let admin = match config.metrics_listen {
            Some(address) => Some((bind(address).await?, scrape)),
            None => None,
        };
        if let Some(path) = &config.address_file {
            // Renamed into place, so that a launcher never reads half an address.
            let part = path.with_extension("part");
            std::fs::write(&part, address.to_string()).with_context(|| format!("cannot write {}", part.display()))?;
            std::fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let (reflection, drain_delay, drain) = (config.reflection, config.drain_delay, config.drain);
        let bounds = [config.bounds(true), config.bounds(false)];
        Ok(Self { address, house, listener, admin, bounds, reflection, drain_delay, drain })
    }

    /// Serves until `leave`, then ends in order: not serving, no new work, open calls, background tasks.
    pub async fn serve(self, services: Vec<Started>, leave: impl Future<Output = ()>) -> Drained {
        let (house, drain) = (self.house, self.drain);
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let (ready, is_ready) = watch::channel(false);
        let leaving = Stop::new();

        let mut routes = Routes::from(router(&house, &services)).add_service(health_service);
        if self.reflection {
            routes = reflection::add(routes, &services);
        }
        let router = routes.prepare().into_axum_router();
        let watching = tokio::spawn(health::watch_over(services.clone(), reporter.clone(), ready, leaving.clone()));
        let admin = self.admin.map(|(listener, scrape)| {
            let stop = Stop::new();
            // Probes and scrapers have no certificates.
            let acceptor = house.tls.lenient_acceptor();
            let router = admin::router(scrape, is_ready);
            let serving = serve_with(self.bounds[1], acceptor, listener, router, stop.clone(), Duration::ZERO);
            (stop.drop_guard(), tokio::spawn(serving))
        });
        let public = services.iter().any(|service| service.door.is_some());
        let bounds = if public { self.bounds[0] } else { self.bounds[1] };
        let serving = serve_with(bounds, house.tls.acceptor(), self.listener, router, house.stop.clone(), drain);
        let farewell = async {
            leave.await;
            tracing::info!("asked to stop");
            leaving.cancel();
            // A panic in a readiness check ended the task; leaving goes on without it.
            let _ = watching.await;
            tokio::time::sleep(self.drain_delay).await;
            health::forget(&services, reporter).await;
            house.stop.cancel();
        };
        let (drained, ()) = tokio::join!(serving, farewell);
        drop(services);
        house.tasks.close();
        // The bus ends after the last call, so that the events of that call are still on their way.
        let ended = async { tokio::join!(house.bus.stop(), house.tasks.wait()) };
        if timeout(limits::TASKS_GRACE, ended).await.is_err() {
            tracing::warn!(left = house.tasks.len(), "background tasks did not end in time");
        }
        if timeout(limits::TASKS_GRACE, house.close()).await.is_err() {
            tracing::warn!("a database was still in use at the end");
        }
        drop(admin);
        drained
    }
}

/// What the port serves: the door if there is one, else the methods of the services, and lanes to a single one.
fn router(house: &House, services: &[Started]) -> Router {
    if let Some(door) = services.iter().find_map(|service| service.door.clone()) {
        return door;
    }
    let mut router = Router::new();
    for service in services {
        for grpc in &service.services {
            router = router.route_service(&path_of(grpc), service.routes.clone());
        }
    }
    if let [only] = services {
        let guard = house.kit(only.name, String::new()).guard();
        let lanes = EdgeLayer(guard).layer(LaneServer::new(only.routes.clone(), house.stop.clone()));
        router = router.route_service(&path_of(LaneServer::NAME), lanes).fallback_service(only.routes.clone());
    }
    router
}

fn path_of(grpc: &str) -> String {
    format!("/{grpc}/{{*method}}")
}

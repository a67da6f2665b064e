//! The suite in the process of the test.

use gateway::SignIn;
use karibu::embedded::{Options, Suite};
use kernel::Clock;
use server::config::TelemetryConfig;
use tempfile::TempDir;

use crate::Place;

/// Starts the suite on SQLite in a temporary folder.
pub async fn embedded() -> Place {
    embedded_with(SignIn::default()).await
}

/// The same, where staff sign in like this.
pub async fn embedded_with(sign_in: SignIn) -> Place {
    let folder = TempDir::new().unwrap();
    let clock = Clock::system();
    let options = Options {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        clock: clock.clone(),
        telemetry: TelemetryConfig { log: "warn".to_owned(), ..TelemetryConfig::default() },
        rate_limits: "off".parse().expect("a limit"),
        sign_in,
        tls: server::tls::TlsConfig::none(),
        new_key: false,
    };
    let suite = Suite::start(options).await.expect("the suite starts");
    Place {
        mode: "embedded",
        address: format!("http://{}", suite.address),
        key: suite.key.clone().expect("a first key"),
        advance: std::sync::Arc::new(move |by_us| {
            clock.advance_us(by_us);
            Ok(())
        }),
        keep: Box::new((suite, folder)),
    }
}

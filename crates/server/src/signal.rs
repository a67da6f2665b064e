//! The signals that ask a process to stop.

use std::io;

/// Listens from now on; the future resolves when the process is asked to stop (SIGTERM, or Ctrl-C). A second request
/// ends the process at once.
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut asked = Asks::listen()?;
    Ok(async move {
        asked.next().await;
        tokio::spawn(async move {
            asked.next().await;
            tracing::warn!("asked to stop again, leaving at once");
            std::process::exit(1);
        });
    })
}

#[cfg(unix)]
struct Asks {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Asks {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Asks;

#[cfg(not(unix))]
impl Asks {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

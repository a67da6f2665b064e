//! One way to serve HTTP for gateway and services: gRPC over HTTP/2 and anything over HTTP/1 on one port, with the
//! limits that a server on the open net needs, and a drain that lets open calls end.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::task::TaskTracker;

use crate::{Stop, limits};

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open when the time for draining was over.
    pub cut: usize,
}

/// Serves `router` until `stop`, then refuses new connections, sends GOAWAY, and waits up to `drain` for open calls.
pub async fn serve(listener: TcpListener, router: axum::Router, stop: Stop, drain: Duration) -> Drained {
    serve_with(limits::MAX_HEADER_BYTES, listener, router, stop, drain).await
}

/// [`serve`] with another limit for the headers of a request, bytes.
pub(crate) async fn serve_with(
    header_bytes: u32,
    listener: TcpListener,
    router: axum::Router,
    stop: Stop,
    drain: Duration,
) -> Drained {
    let connections = TaskTracker::new();
    let kill = Stop::new();
    let places = Arc::new(Semaphore::new(limits::MAX_CONNECTIONS));
    let server = Arc::new(builder(header_bytes));
    loop {
        let accepted = async {
            // The semaphore is never closed; a connection waits in the backlog until there is a place.
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, place) = tokio::select! {
            () = stop.cancelled() => break,
            (accepted, place) = accepted => match accepted {
                Ok((stream, _)) => (stream, place),
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        let (server, router, stop, kill) = (server.clone(), router.clone(), stop.clone(), kill.clone());
        connections.spawn(async move {
            let _place = place;
            tokio::select! {
                () = kill.cancelled() => {}
                () = connection(stream, &server, router, stop) => {}
            }
        });
    }
    drop(listener);
    connections.close();
    if timeout(drain, connections.wait()).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = connections.len();
    tracing::warn!(cut, "the time for draining is over, the last connections are cut");
    kill.cancel();
    connections.wait().await;
    Drained { cut }
}

fn builder(header_bytes: u32) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .max_headers(limits::MAX_HEADERS)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::MAX_STREAMS)
        .max_header_list_size(header_bytes)
        .max_pending_accept_reset_streams(limits::MAX_PENDING_RESETS)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(limits::KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEP_ALIVE_TIMEOUT);
    builder
}

async fn connection(stream: TcpStream, server: &auto::Builder<TokioExecutor>, router: axum::Router, stop: Stop) {
    // Small frames of many calls share a connection: waiting to fill a packet would cost tens of milliseconds.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Prompt::new(stream, limits::HEAD_TIMEOUT));
    let mut connection = pin!(server.serve_connection(io, TowerToHyperService::new(router)));
    // Spread over a tenth, so that connections that came together do not leave together.
    let age = limits::CONNECTION_AGE.mul_f64(1.0 + rand::random::<f64>() / 10.0);
    let mut aged = pin!(sleep(age));
    let mut going = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "connection failed");
                }
                return;
            }
            () = stop.cancelled(), if !going => {}
            () = aged.as_mut(), if !going => {}
        }
        going = true;
        connection.as_mut().graceful_shutdown();
    }
}

/// Out of files: accepting again at once would spin. Other errors concern one connection that is gone already.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(Duration::from_millis(200)).await;
    }
}

/// A stream whose peer must send its first bytes soon. HTTP/1 heads and HTTP/2 pings have timeouts of their own, but
/// nothing else watches the bytes that tell the two apart.
struct Prompt {
    stream: TcpStream,
    waiting: Option<(Pin<Box<Sleep>>, usize)>,
}

/// Length of the HTTP/2 preface, which tells it from HTTP/1.
const PREFACE_BYTES: usize = 24;

impl Prompt {
    fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, waiting: Some((Box::pin(sleep(limit)), PREFACE_BYTES)) }
    }
}

impl AsyncRead for Prompt {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let got = buf.filled().len() - before;
        let Some((limit, left)) = &mut self.waiting else { return read };
        *left = left.saturating_sub(got);
        if *left == 0 {
            self.waiting = None;
        } else if limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Prompt {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn who_sends_nothing_or_too_little_is_cut_and_who_is_prompt_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (sent, cut) in [(0, true), (PREFACE_BYTES - 1, true), (PREFACE_BYTES, false)] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut server = Prompt::new(listener.accept().await.unwrap().0, Duration::from_millis(20));
            client.write_all(&vec![b'x'; sent]).await.unwrap();
            let mut read = vec![0; sent];
            server.read_exact(&mut read).await.unwrap();
            if cut {
                assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut, "{sent} bytes");
            } else {
                client.shutdown().await.unwrap();
                assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            }
        }
    }
}

//! A stream with a watch on what comes in: the first bytes must come soon, and an HTTP/2 client may not send more frames
//! that carry no request than an honest one ever needs. HTTP itself watches the rest.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits;

/// How an HTTP/2 client begins (RFC 9113, section 3.4), which tells it from HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes before the payload of a frame (RFC 9113, section 4.1).
const FRAME_HEAD_BYTES: usize = 9;

/// A watched stream.
pub(super) struct Guarded<S> {
    stream: S,
    /// Until the first bytes are there, which nothing else watches.
    waiting: Option<(Pin<Box<Sleep>>, usize)>,
    spoken: Spoken,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        let waiting = Some((Box::pin(sleep(limit)), PREFACE.len()));
        Self { stream, waiting, spoken: Spoken::Unknown { seen: 0 } }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let got = &buf.filled()[before..];
        if !self.spoken.hear(got) {
            return Poll::Ready(Err(io::Error::other("too many frames that carry no request")));
        }
        let Some((limit, left)) = &mut self.waiting else { return read };
        *left = left.saturating_sub(got.len());
        if *left == 0 {
            self.waiting = None;
        } else if limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
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

/// The protocol that is spoken.
enum Spoken {
    /// So far it could be HTTP/2.
    Unknown {
        /// Bytes of the preface that were seen.
        seen: usize,
    },
    Http1,
    Http2(Frames),
}

impl Spoken {
    /// Takes note of what came; `false` when that was too much.
    fn hear(&mut self, mut bytes: &[u8]) -> bool {
        if let Self::Unknown { seen } = self {
            let expected = &PREFACE[*seen..];
            let (compared, rest) = bytes.split_at(bytes.len().min(expected.len()));
            if !expected.starts_with(compared) {
                *self = Self::Http1;
                return true;
            }
            *seen += compared.len();
            if *seen < PREFACE.len() {
                return true;
            }
            *self = Self::Http2(Frames::new());
            bytes = rest;
        }
        match self {
            Self::Http2(frames) => frames.hear(bytes),
            Self::Unknown { .. } | Self::Http1 => true,
        }
    }
}

/// Counts the frames of an HTTP/2 client.
struct Frames {
    head: [u8; FRAME_HEAD_BYTES],
    /// Bytes of the head that are there.
    have: usize,
    /// Bytes of the payload that are still to come.
    skip: usize,
    /// Spent since `since`.
    spent: u32,
    since: Instant,
}

impl Frames {
    fn new() -> Self {
        Self { head: [0; FRAME_HEAD_BYTES], have: 0, skip: 0, spent: 0, since: Instant::now() }
    }

    fn hear(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
                continue;
            }
            let taken = (FRAME_HEAD_BYTES - self.have).min(bytes.len());
            self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            (self.have, bytes) = (self.have + taken, &bytes[taken..]);
            if self.have == FRAME_HEAD_BYTES {
                self.have = 0;
                let [a, b, c, kind, flags, ..] = self.head;
                self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                if !self.pay(cost(kind, flags, self.skip)) {
                    return false;
                }
            }
        }
        true
    }

    fn pay(&mut self, cost: u32) -> bool {
        if cost == 0 {
            return true;
        }
        let now = Instant::now();
        if now.duration_since(self.since) >= limits::FRAME_PERIOD {
            (self.since, self.spent) = (now, 0);
        }
        self.spent = self.spent.saturating_add(cost);
        self.spent <= limits::FRAME_BUDGET
    }
}

/// What a frame costs. Pings are cheap, because honest clients measure the line with them after every answer.
fn cost(kind: u8, flags: u8, length: usize) -> u32 {
    const END_STREAM: u8 = 1;
    match kind {
        // DATA, where an empty one that ends nothing has no use.
        0 if length == 0 && flags & END_STREAM == 0 => limits::IDLE_FRAME_COST,
        // DATA, HEADERS and WINDOW_UPDATE belong to requests and answers.
        0 | 1 | 8 => 0,
        6 => limits::PING_COST,
        // PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, GOAWAY, CONTINUATION, and what nobody knows.
        _ => limits::IDLE_FRAME_COST,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    /// How many of these frames are heard, when the bytes come in pieces of `piece`.
    fn heard(frame: &[u8], piece: usize) -> usize {
        let mut spoken = Spoken::Unknown { seen: 0 };
        assert!(PREFACE.chunks(piece).all(|bytes| spoken.hear(bytes)));
        (0..200_000).take_while(|_| frame.chunks(piece).all(|bytes| spoken.hear(bytes))).count()
    }

    #[tokio::test(start_paused = true)]
    async fn frames_without_use_run_out_and_those_of_requests_do_not() {
        let resets = usize::try_from(limits::FRAME_BUDGET / limits::IDLE_FRAME_COST).unwrap();
        for piece in [1, 7, 4096] {
            assert_eq!(heard(&frame(3, 0, &[0; 4]), piece), resets, "RST_STREAM");
            assert_eq!(heard(&frame(4, 0, &[0; 6]), piece), resets, "SETTINGS");
            assert_eq!(heard(&frame(9, 0, b"abc"), piece), resets, "CONTINUATION");
            assert_eq!(heard(&frame(0, 0, b""), piece), resets, "empty DATA");
            assert_eq!(heard(&frame(6, 0, &[0; 8]), piece), usize::try_from(limits::FRAME_BUDGET).unwrap(), "PING");
        }
        for (kind, flags, payload) in [(0, 1, &b""[..]), (0, 0, b"data"), (1, 4, b"headers"), (8, 0, &[0, 0, 0, 9])] {
            assert_eq!(heard(&frame(kind, flags, payload), 4096), 200_000, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_comes_back_with_time() {
        let mut frames = Frames::new();
        assert!(frames.pay(limits::FRAME_BUDGET));
        assert!(!frames.pay(1));
        tokio::time::advance(limits::FRAME_PERIOD).await;
        assert!(frames.pay(limits::FRAME_BUDGET));
    }

    #[test]
    fn http_1_is_not_taken_for_frames() {
        let mut spoken = Spoken::Unknown { seen: 0 };
        assert!(spoken.hear(b"P") && spoken.hear(b"OST / HTTP/1.1\r\n\r\n") && matches!(spoken, Spoken::Http1));
    }

    #[tokio::test]
    async fn who_sends_nothing_or_too_little_is_cut_and_who_is_prompt_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (sent, cut) in [(0, true), (PREFACE.len() - 1, true), (PREFACE.len(), false)] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut server = Guarded::new(listener.accept().await.unwrap().0, Duration::from_millis(20));
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

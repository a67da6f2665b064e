//! An HTTP/2 client by hand (RFC 9113), for what an honest one never sends.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;
pub const END_HEADERS: u8 = 4;

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The header block (RFC 7541, without compression) of a gRPC call without a credential.
pub fn block(path: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
    let content_type = text("application/grpc");
    // POST and http from the static table, then literals: path, authority, content type.
    [&[0x83, 0x86, 0x04][..], &text(path), &[0x01], &text("echo"), &[0x0f, 0x10], &content_type].concat()
}

/// What a server said until it closed the connection or asked the client to leave.
#[derive(Debug, Default)]
pub struct Heard {
    /// Kind, flags and payload of each frame.
    pub frames: Vec<(u8, u8, Vec<u8>)>,
}

impl Heard {
    /// The error code of the GOAWAY, if there was one.
    pub fn goaway(&self) -> Option<u32> {
        let (.., payload) = self.frames.iter().find(|(kind, ..)| *kind == GOAWAY)?;
        Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()))
    }

    /// The value of a setting that the server made known at the start.
    pub fn setting(&self, id: u16) -> Option<u32> {
        let (.., payload) = self.frames.iter().find(|(kind, flags, _)| *kind == SETTINGS && flags & 1 == 0)?;
        let setting = payload.chunks(6).find(|setting| setting[..2] == id.to_be_bytes())?;
        Some(u32::from_be_bytes(setting[2..].try_into().unwrap()))
    }
}

/// A connection whose answers are read all the time.
pub struct Raw {
    write: OwnedWriteHalf,
    read: JoinHandle<Heard>,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
        let read = tokio::spawn(async move {
            let mut heard = Heard::default();
            let mut head = [0; 9];
            while read.read_exact(&mut head).await.is_ok() {
                let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
                if read.read_exact(&mut payload).await.is_err() {
                    break;
                }
                heard.frames.push((head[3], head[4], payload));
                if head[3] == GOAWAY {
                    break;
                }
            }
            heard
        });
        let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[])].concat();
        write.write_all(&preface).await.unwrap();
        Self { write, read }
    }

    /// Sends `rounds` times what `bytes` makes, until the server hears no more; tells how many rounds it took.
    pub async fn flood(&mut self, rounds: u32, bytes: impl Fn(u32) -> Vec<u8>) -> u32 {
        for round in 0..rounds {
            let sent = tokio::time::timeout(Duration::from_secs(30), self.write.write_all(&bytes(round))).await;
            if sent.expect("the server reads or closes").is_err() || self.read.is_finished() {
                return round;
            }
        }
        rounds
    }

    /// What the server said, once it has ended the connection.
    pub async fn end(self) -> Heard {
        let heard = tokio::time::timeout(Duration::from_secs(30), self.read).await;
        heard.expect("the server closes").unwrap()
    }
}

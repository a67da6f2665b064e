//! gRPC frames around messages: a flag, a length, and the bytes. The gateway asks services for plain frames only, so
//! a compressed one is a failure here.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use server::{limits, status};
use tonic::Status;

/// Bytes that stand before a message.
pub const HEAD_BYTES: usize = 5;

/// The message as one frame.
pub fn frame(message: &impl prost::Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(HEAD_BYTES + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // A buffer that grows takes every message.
    let _ = message.encode(&mut frame);
    frame.freeze()
}

/// Takes messages out of bytes as they come.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: BytesMut,
}

impl Frames {
    /// Adds what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, if it is there.
    pub fn next_message(&mut self) -> Result<Option<Bytes>, Status> {
        let Some((&flag, rest)) = self.bytes.split_first() else { return Ok(None) };
        if flag != 0 {
            return Err(status::with_reason(
                tonic::Code::Unimplemented,
                "COMPRESSED",
                "compression is not supported here",
            ));
        }
        let Some(length) = rest.first_chunk().map(|length| u32::from_be_bytes(*length)) else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limits::MAX_REPLY_BYTES {
            return Err(status::request_too_large());
        }
        if self.bytes.len() < HEAD_BYTES + length {
            return Ok(None);
        }
        self.bytes.advance(HEAD_BYTES);
        Ok(Some(self.bytes.split_to(length).freeze()))
    }

    /// Whether nothing is left over.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_however_the_bytes_arrive() {
        let sent: Vec<String> = ["", "a", "many words"].map(str::to_owned).to_vec();
        let bytes: Vec<u8> = sent.iter().flat_map(|text| frame(text).to_vec()).collect();
        let (mut frames, mut got) = (Frames::default(), Vec::new());
        for byte in &bytes {
            frames.push(&[*byte]);
            while let Some(message) = frames.next_message().unwrap() {
                got.push(<String as prost::Message>::decode(message).unwrap());
            }
        }
        assert_eq!(got, sent);
        assert!(frames.is_empty());
    }

    #[test]
    fn a_compressed_or_huge_frame_is_refused() {
        let refused = |bytes: &[u8]| {
            let mut frames = Frames::default();
            frames.push(bytes);
            frames.next_message().unwrap_err().code()
        };
        assert_eq!(refused(&[1, 0, 0, 0, 0]), tonic::Code::Unimplemented);
        assert_eq!(refused(&[0, 255, 255, 255, 255]), tonic::Code::ResourceExhausted);
    }
}

//! A gRPC client without generated code: any method of the contract, with a message made from its descriptor.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use prost_reflect::DynamicMessage;
use proto::MethodInfo;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Time for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Somebody who calls.
#[derive(Clone)]
pub struct Caller {
    /// Who it is, for messages.
    pub name: String,
    channel: Channel,
    bearer: Option<AsciiMetadataValue>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The code.
    pub code: Code,
    /// The reason in the `ErrorInfo`; empty on success.
    pub reason: String,
    /// Message and details as one text; empty on success.
    pub said: String,
    /// The message, or the first one of a stream.
    pub message: Option<DynamicMessage>,
}

impl Answer {
    /// The code, the reason and the sentence, for messages.
    pub fn brief(&self) -> String {
        let sentence: String = self.said.chars().take_while(|sign| *sign != '{').collect();
        format!("{:?} {} {}", self.code, self.reason, sentence.trim_end_matches("ErrorDetails "))
    }

    /// Whether the gateway or the edge of a service said that the permission is missing. A domain rule that forbids
    /// something gives a reason of its own.
    pub fn lacks_permission(&self) -> bool {
        self.code == Code::PermissionDenied && self.reason == server::status::reason::PERMISSION_DENIED
    }
}

impl Caller {
    /// Somebody with this key; without one, anybody.
    pub async fn connect(name: &str, address: &str, key: Option<&str>) -> Self {
        let channel = Channel::from_shared(address.to_owned()).unwrap().connect().await.unwrap();
        Self::over(name, channel, key)
    }

    /// Somebody else over the same connection.
    pub fn with_key(&self, name: &str, key: Option<&str>) -> Self {
        Self::over(name, self.channel.clone(), key)
    }

    fn over(name: &str, channel: Channel, key: Option<&str>) -> Self {
        let bearer = key.map(|key| format!("Bearer {key}").parse().unwrap());
        Self { name: name.to_owned(), channel, bearer }
    }

    /// Calls `method`, again while the caller is too fast. Of a stream the first message is awaited, then it is left.
    pub async fn call(&self, method: &MethodInfo, request: &DynamicMessage) -> Answer {
        testkit::assert_eventually(CALL_TIMEOUT, || async {
            let answer = self.call_once(method, request).await;
            if answer.code == Code::ResourceExhausted { Err(answer.brief()) } else { Ok(answer) }
        })
        .await
    }

    async fn call_once(&self, method: &MethodInfo, request: &DynamicMessage) -> Answer {
        match self.try_call(method, request.encode_to_vec().into()).await {
            Ok(bytes) => {
                let message = DynamicMessage::decode(method.descriptor.output(), bytes).unwrap();
                Answer { code: Code::Ok, reason: String::new(), said: String::new(), message: Some(message) }
            }
            Err(status) => {
                let details = status.get_error_details();
                let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
                let facts: std::collections::BTreeMap<String, String> =
                    details.error_info().map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default();
                let fields = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
                let said = format!("{} {facts:?} {fields:?}", status.message());
                Answer { code: status.code(), reason, said, message: None }
            }
        }
    }

    async fn try_call(&self, method: &MethodInfo, body: Bytes) -> Result<Bytes, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let path = method.path.parse().unwrap();
        let mut request = tonic::Request::new(body);
        request.set_timeout(CALL_TIMEOUT);
        if let Some(bearer) = &self.bearer {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        if method.is_unary() {
            return Ok(client.unary(request, path, Plain).await?.into_inner());
        }
        let mut replies = if method.client_streaming {
            let request = request.map(stream_of);
            client.streaming(request, path, Plain).await?.into_inner()
        } else {
            client.server_streaming(request, path, Plain).await?.into_inner()
        };
        Ok(replies.message().await?.unwrap_or_default())
    }
}

fn stream_of(body: Bytes) -> impl futures_util::Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::iter([body])
}

/// Messages as the bytes that they are.
#[derive(Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}

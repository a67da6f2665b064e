//! A small real gRPC service, written by hand since the kit may name none of the contract: it answers, waits, fails
//! or panics as it is asked to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use server::Admitted;
use server::auth::{Access, Rule};
use tokio_stream::Stream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

pub const SAY: &str = "/test.v1.Echo/Say";
pub const COUNT: &str = "/test.v1.Echo/Count";
pub const INSIDE: &str = "/test.v1.Echo/Inside";
pub const OPEN: &str = "/test.v1.Echo/Open";
/// The permission that `Say` and `Count` need.
pub const SPEAK: i32 = 7;

pub fn rules() -> server::auth::Rules {
    let speak = Access::Permission { number: SPEAK, name: "PERMISSION_SPEAK" };
    let lane = "/karibu.hop.v1.LaneService/Batch";
    [
        (SAY, speak, false),
        (COUNT, speak, true),
        (INSIDE, Access::Internal, false),
        (OPEN, Access::Public, false),
        (lane, Access::Internal, true),
    ]
    .into_iter()
    .map(|(path, access, streaming)| Rule { path, access, streaming, read_only: false })
    .collect()
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Ask {
    #[prost(string, tag = "1")]
    pub verb: String,
    #[prost(uint32, tag = "2")]
    pub millis: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub payload: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Told {
    #[prost(string, tag = "1")]
    pub subject: String,
    #[prost(bytes = "vec", tag = "2")]
    pub payload: Vec<u8>,
    #[prost(uint32, tag = "3")]
    pub number: u32,
    #[prost(string, tag = "4")]
    pub metadata: String,
}

/// Counts the calls that began and ended, so that a test can wait for a state instead of a time.
#[derive(Clone, Default)]
pub struct Echo {
    pub begun: Arc<AtomicU32>,
    pub ended: Arc<AtomicU32>,
}

impl Echo {
    async fn answer(self, request: Request<Ask>) -> Result<Response<Told>, Status> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let admitted: Admitted = request.extensions().get().cloned().expect("the edge stands before every handler");
        let metadata = request.metadata().get("x-asked").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        assert!(request.metadata().get("authorization").is_none(), "the token must not reach a handler");
        let ask = request.into_inner();
        tokio::time::sleep(Duration::from_millis(ask.millis.into())).await;
        self.ended.fetch_add(1, Ordering::SeqCst);
        match ask.verb.as_str() {
            "fail" => {
                let mut status =
                    server::status::with_facts(Code::FailedPrecondition, "SULKING", "not today", [("a", "b")]);
                status.metadata_mut().insert("x-mood", "bad".parse().unwrap());
                Err(status)
            }
            "panic" => panic!("as asked"),
            _ => {
                let told =
                    Told { subject: admitted.principal.subject.to_string(), payload: ask.payload, number: 0, metadata };
                let mut response = Response::new(told);
                response.metadata_mut().insert("x-mood", "good".parse().unwrap());
                let bin = tonic::metadata::MetadataValue::from_bytes(&[0, 255, 7]);
                response.metadata_mut().insert_bin("x-raw-bin", bin);
                Ok(response)
            }
        }
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "test.v1.Echo";
}

impl UnaryService<Ask> for Echo {
    type Response = Told;
    type Future = BoxFuture<'static, Result<Response<Told>, Status>>;
    fn call(&mut self, request: Request<Ask>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

impl ServerStreamingService<Ask> for Echo {
    type Response = Told;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Told, Status>> + Send>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;
    fn call(&mut self, request: Request<Ask>) -> Self::Future {
        let ask = request.into_inner();
        Box::pin(async move {
            if ask.verb == "fail" {
                return Err(Status::not_found("no stream"));
            }
            let told = move |number| Ok(Told { number, ..Told::default() });
            let stream: Self::ResponseStream = Box::pin(tokio_stream::iter((0..ask.millis).map(told)));
            Ok(Response::new(stream))
        })
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Told, Ask>::default());
            Ok(match request.uri().path() {
                COUNT => grpc.server_streaming(service, request).await,
                SAY | INSIDE | OPEN => grpc.unary(service, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

//! A call over HTTP/JSON: the same way in as gRPC, with a transcoder before and behind. Who calls is settled before
//! the body is read, so that a stranger cannot make the gateway work.

use axum::body::Body;
use axum::response::Response;
use http::Request;
use http::header::ALLOW;
use server::{Observed, deadline};
use tokio::time::timeout_at;
use tonic::Status;

use super::Door;
use super::call::Entered;
use crate::NAME;
use crate::transcode::output::{self, Failing};
use crate::transcode::{self, Found, Refused, frame, sse};

impl Door {
    /// Answers a request that is no gRPC.
    pub(super) async fn json(&self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let found = match transcode::find(&self.0.routes, &parts) {
            Ok(found) => found,
            Err(Refused { status, failing, allow }) => {
                let mut response = output::failure(&status, failing);
                response.headers_mut().extend(allow.map(|allow| (ALLOW, allow)));
                return response;
            }
        };
        let rule = self.0.rules.find(&found.route.method.path);
        let mut failing = Failing::default();
        // What is observed is the call; how it looks over HTTP is not its concern.
        let mut answered = None;
        let observed = Observed::begin(NAME, rule, &parts.headers).end(async {
            match self.transcoded(&found, &parts, body, &mut failing).await {
                Ok(response) => {
                    answered = Some(response);
                    Ok(http::Response::new(()))
                }
                Err(status) => {
                    let seen = status.clone();
                    answered = Some(output::failure(&status, failing));
                    Err(seen)
                }
            }
        });
        let _: http::Response<()> = observed.await;
        answered.unwrap_or_else(|| output::failure(&server::status::internal(), Failing::default()))
    }

    async fn transcoded(
        &self,
        found: &Found<'_>,
        parts: &http::request::Parts,
        body: Body,
        failing: &mut Failing,
    ) -> Result<Response, Status> {
        let method = found.route.method;
        let time = self.time(method, &parts.headers)?;
        let answer = async {
            let from = self.origin(&parts.headers, &parts.extensions);
            let needs_message = self.0.admission.needs_message(method);
            let early = if needs_message {
                None
            } else {
                Some(self.0.admission.admit(method, &parts.headers, None, from).await?)
            };
            let call = transcode::read(found, parts, body, self.0.max_request_bytes).await.map_err(|refused| {
                *failing = refused.failing;
                refused.status
            })?;
            *failing = call.failing;
            let frame = frame::frame(&call.message);
            let principal = match early {
                Some(principal) => principal,
                None => {
                    let message = frame.slice(frame::HEAD_BYTES..);
                    self.0.admission.admit(method, &parts.headers, Some(message), from).await?
                }
            };
            let service = self.routed(method, &call.message)?;
            let body = tonic::body::Body::new(http_body_util::Full::new(frame));
            let entered = Entered { method, principal, service, time, body, json: true, from };
            let response = self.forward(entered, &parts.headers).await?;
            if method.server_streaming {
                transcode::begun(response.headers())?;
                return Ok(sse::stream_of(response.into_body(), method.descriptor.output()));
            }
            output::success(&transcode::answer(response, method.descriptor.output()).await?)
        };
        timeout_at(time.late, answer).await.unwrap_or_else(|_| Err(deadline::exceeded()))
    }
}

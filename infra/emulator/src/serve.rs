//! Serves all services on the same port.
//!
//! Every signed request names its service in the credential scope, so every client uses the same endpoint URL. S3
//! buckets are distinguished by path; with the host `127.0.0.1` the SDK puts the bucket into the path automatically.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use s3s::{Body, HttpResponse};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::answer;
use crate::authority::Authority;
use crate::credential::Credential;
use crate::delivery::Deliveries;
use crate::dynamo::{self, Dynamo};
use crate::fault::Faults;
use crate::kms::{self, Kms};
use crate::s3::S3;
use crate::sns::{self, Sns};

/// How long connections may take to finish when the endpoints stop.
const GRACE: Duration = Duration::from_secs(3);

/// The services and their shared state.
pub struct Services {
    /// Principals, roles and decisions.
    pub authority: Arc<Authority>,
    /// The planned faults.
    pub faults: Arc<Faults>,
    /// S3 events in progress.
    pub deliveries: Arc<Deliveries>,
    /// DynamoDB.
    pub dynamo: Dynamo,
    /// S3.
    pub s3: S3,
    /// SNS.
    pub sns: Sns,
    /// KMS.
    pub kms: Kms,
}

/// Accepts connections until `stop` changes, then lets running requests finish.
pub async fn serve(listener: TcpListener, services: Arc<Services>, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    // Out of file descriptors: retrying immediately would be a busy loop.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stop.changed() => break,
        };
        // Not every system inherits the listener's setting.
        let _ = stream.set_nodelay(true);
        let services = Arc::clone(&services);
        let service = service_fn(move |request| {
            let services = Arc::clone(&services);
            async move { Ok::<_, Infallible>(services.answer(request).await) }
        });
        let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A peer that disconnects is not an error.
            let _ = connection.await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

impl Services {
    async fn answer(&self, request: Request<Incoming>) -> HttpResponse {
        let credential = Credential::of(request.headers(), request.uri().query());
        let is_json = request.headers().contains_key("x-amz-target");
        match credential {
            Some(credential) if credential.service == "dynamodb" => self.answer_dynamo(&credential, request).await,
            Some(credential) if credential.service == "sns" => self.answer_sns(&credential, request).await,
            Some(credential) if credential.service == "kms" => self.answer_kms(&credential, request).await,
            Some(credential) if credential.service != "s3" => {
                let service = credential.service;
                tracing::warn!(service, "a call to a service that has no local endpoint");
                let words = format!("There is no local endpoint for {service}.");
                if is_json {
                    answer::dynamo_refusal("UnknownOperationException", &words)
                } else {
                    answer::query_error(400, "InvalidAction", &words)
                }
            }
            None if is_json => {
                answer::dynamo_refusal("MissingAuthenticationTokenException", "Request is missing Authentication Token")
            }
            // S3 also accepts forms, whose credential is in the body.
            _ => self.s3.answer(request.map(Body::from)).await,
        }
    }

    async fn answer_dynamo(&self, credential: &Credential, request: Request<Incoming>) -> HttpResponse {
        let Some(caller) = self.authority.caller(&credential.access_key_id) else {
            let words = "The security token included in the request is invalid.";
            return answer::dynamo_refusal("UnrecognizedClientException", words);
        };
        let (head, body) = request.into_parts();
        match collect(body, dynamo::MAX_BODY).await {
            Ok(body) => self.dynamo.answer(&self.authority, &self.faults, &caller, (head, body)).await,
            Err(_) => answer::dynamo_refusal("SerializationException", "The body is too long or broke off."),
        }
    }

    async fn answer_kms(&self, credential: &Credential, request: Request<Incoming>) -> HttpResponse {
        let Some(caller) = self.authority.caller(&credential.access_key_id) else {
            let words = "The security token included in the request is invalid.";
            return answer::kms_refusal("UnrecognizedClientException", words);
        };
        let (head, body) = request.into_parts();
        match collect(body, kms::MAX_BODY).await {
            Ok(body) => self.kms.answer(&self.authority, &self.faults, &caller, (&head, &body)),
            Err(_) => answer::kms_refusal("SerializationException", "The body is too long or broke off."),
        }
    }

    async fn answer_sns(&self, credential: &Credential, request: Request<Incoming>) -> HttpResponse {
        let Some(caller) = self.authority.caller(&credential.access_key_id) else {
            let words = "The security token included in the request is invalid.";
            return answer::query_error(403, "InvalidClientTokenId", words);
        };
        let (head, body) = request.into_parts();
        match collect(body, sns::MAX_BODY).await {
            Ok(body) => self.sns.answer(&self.authority, &self.faults, &caller, (&head, &body)),
            Err(_) => answer::query_error(413, "RequestEntityTooLarge", "The body is too long or broke off."),
        }
    }
}

async fn collect(body: Incoming, limit: usize) -> Result<Bytes, s3s::StdError> {
    Ok(Limited::new(body, limit).collect().await?.to_bytes())
}

//! Serves all services on the same port.
//!
//! Every signed request names its service in the credential scope, so every client uses the same endpoint URL. S3
//! buckets are distinguished by path; with the host `127.0.0.1` the SDK puts the bucket into the path automatically.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

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

use crate::authority::Authority;
use crate::credential::Credential;
use crate::delivery::Deliveries;
use crate::dynamo::{self, Dynamo};
use crate::fault::Faults;
use crate::kms::{self, Kms};
use crate::s3::S3;
use crate::signed::{Rejection, SignedCall};
use crate::sns::{self, Sns};
use crate::sqs::{self, Sqs};
use crate::{answer, signature};

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
    /// SQS.
    pub sqs: Arc<Sqs>,
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
            Some(credential) if credential.service == "dynamodb" => {
                match self.verified(&credential, request, dynamo::MAX_BODY).await {
                    Ok(call) => self.dynamo.answer(&self.authority, &self.faults, call).await,
                    Err(rejection) => answer::dynamo_refusal(rejection.json_code(), rejection.message()),
                }
            }
            Some(credential) if credential.service == "sns" => {
                match self.verified(&credential, request, sns::MAX_BODY).await {
                    Ok(call) => self.sns.answer(&self.authority, &self.faults, &call),
                    Err(rejection) => {
                        let (status, code) = rejection.query_code();
                        answer::query_error(status, code, rejection.message())
                    }
                }
            }
            Some(credential) if credential.service == "sqs" => {
                match self.verified(&credential, request, sqs::MAX_BODY).await {
                    Ok(call) => self.sqs.answer(&self.authority, &self.faults, &call).await,
                    Err(rejection) => answer::dynamo_refusal(rejection.json_code(), rejection.message()),
                }
            }
            Some(credential) if credential.service == "kms" => {
                match self.verified(&credential, request, kms::MAX_BODY).await {
                    Ok(call) => self.kms.answer(&self.authority, &self.faults, &call),
                    Err(rejection) => answer::kms_refusal(rejection.json_code(), rejection.message()),
                }
            }
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

    /// Receives a call and checks its signature. S3 does both itself.
    async fn verified(
        &self,
        credential: &Credential,
        request: Request<Incoming>,
        limit: usize,
    ) -> Result<SignedCall, Rejection> {
        let caller = self.authority.caller(&credential.access_key_id).ok_or(Rejection::UnknownKey)?;
        let (head, body) = request.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|_| Rejection::Unreadable)?.to_bytes();
        if !signature::is_right(&head, &body, caller.secret()) {
            return Err(Rejection::WrongSignature);
        }
        Ok(SignedCall { caller, head, body })
    }
}

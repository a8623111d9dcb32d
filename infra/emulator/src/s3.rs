//! S3: objects that are written whole and read whole or in parts, their versions, permission checks, and events for
//! written objects.
//!
//! The protocol is implemented by `s3s`: routes, signatures (also of presigned requests and forms), chunked bodies and
//! XML. The storage is this crate's own, because in the file system of `s3s` keys can leave the bucket, conditional
//! writes have race conditions, and conditional reads do not work.

mod access;
mod blob;
mod checksum;
mod conditions;
mod error;
mod listing;
mod object;
mod objects;
mod operations;
mod read;
mod store;
mod write;

use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpRequest, HttpResponse, StdError};

use crate::authority::Authority;
use crate::delivery::Deliveries;
use crate::fault::Faults;
use crate::{Error, answer};
use access::Guard;
use objects::Objects;
use store::Store;

/// The S3 endpoint.
pub struct S3 {
    service: S3Service,
    store: Arc<Store>,
}

impl S3 {
    /// Opens the buckets in a folder (`None`: in memory).
    pub fn start(
        folder: Option<&Path>,
        authority: Arc<Authority>,
        faults: Arc<Faults>,
        deliveries: Arc<Deliveries>,
    ) -> Result<Self, Error> {
        let store = Arc::new(Store::open(folder)?);
        let guard = Guard { authority, faults };
        let objects = Objects { store: Arc::clone(&store), deliveries, guard: guard.clone() };
        let mut builder = S3ServiceBuilder::new(objects);
        builder.set_auth(guard.clone());
        builder.set_access(guard);
        Ok(Self { service: builder.build(), store })
    }

    /// Creates a bucket unless it exists, and switches its versioning on or off.
    pub fn create_bucket(&self, name: &str, versioned: bool) -> Result<(), Error> {
        self.store.create_bucket(name, versioned)
    }

    /// Handles one request; the service identifies the caller itself.
    pub async fn answer(&self, request: HttpRequest) -> HttpResponse {
        let mut response = match self.service.call(request).await {
            Ok(response) => response,
            Err(error) => {
                let error = StdError::from(error);
                tracing::error!(error, "S3 could not answer");
                answer::xml(500, "<Error><Code>InternalError</Code></Error>".to_owned())
            }
        };
        // The protocol layer writes every error as XML, but 304 has no body.
        if response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(http::header::CONTENT_TYPE);
        }
        response
    }
}

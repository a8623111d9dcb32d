//! Permissions for objects.
//!
//! Sources: the service authorization reference for S3, and the pages of the single operations in the API reference.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::PostObjectInput;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

use crate::authority::{Authority, Signer};
use crate::fault::{Fault, Faults};
use crate::iam::Access;

/// Checks access keys, roles and planned faults for S3.
#[derive(Clone)]
pub struct Guard {
    /// The principals and their roles.
    pub authority: Arc<Authority>,
    /// The planned faults.
    pub faults: Arc<Faults>,
}

impl Guard {
    fn authorize(&self, caller: &Signer, access: &Access) -> S3Result<()> {
        self.authority
            .authorize(caller, access)
            .map_err(|denial| S3Error::with_message(S3ErrorCode::AccessDenied, denial.message()))
    }

    /// The error for an object that does not exist. If the caller may not list the bucket, S3 says only that access is
    /// denied.
    pub fn no_such_key<T>(&self, request: &S3Request<T>, bucket: &str) -> S3Error {
        let listing = Access::new("s3:ListBucket", bucket_arn(bucket));
        match caller_of(request) {
            Ok(caller) if !self.authority.allows(&caller, &listing) => {
                s3_error!(AccessDenied, "Access Denied")
            }
            _ => s3_error!(NoSuchKey, "The specified key does not exist."),
        }
    }
}

#[async_trait::async_trait]
impl S3Auth for Guard {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let unknown = "The AWS Access Key Id you provided does not exist in our records.";
        let caller = self.authority.caller(access_key);
        let caller = caller.ok_or_else(|| s3_error!(InvalidAccessKeyId, "{unknown}"))?;
        Ok(SecretKey::from(caller.secret()))
    }
}

#[async_trait::async_trait]
impl S3Access for Guard {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = request
            .credentials()
            .and_then(|credentials| self.authority.caller(&credentials.access_key))
            .ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))?;
        if let Some(access) = need(request) {
            self.authorize(&caller, &access)?;
        }
        request.extensions_mut().insert(caller);
        match self.faults.take("s3", request.s3_op().name()) {
            Some(fault) => Err(error_of(&fault)),
            None => Ok(()),
        }
    }

    /// The key is in the form, so it is known only here.
    async fn post_object(&self, request: &mut S3Request<PostObjectInput>) -> S3Result<()> {
        let resource = object_arn(&request.input.bucket, &request.input.key);
        self.authorize(&*caller_of(request)?, &Access::new("s3:PutObject", resource))
    }
}

/// The caller that `check` found.
fn caller_of<T>(request: &S3Request<T>) -> S3Result<Arc<Signer>> {
    let caller = request.extensions.get::<Arc<Signer>>();
    caller.cloned().ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))
}

/// The access of an operation, as far as its head shows it.
fn need(request: &S3AccessContext<'_>) -> Option<Access> {
    let path = request.s3_path();
    let bucket = path.get_bucket_name().unwrap_or("*");
    let action = match request.s3_op().name() {
        // Checked above, where the key is known.
        "PostObject" => return None,
        "GetObject" | "HeadObject" if names_version(request) => "GetObjectVersion",
        "DeleteObject" if names_version(request) => "DeleteObjectVersion",
        "HeadObject" => "GetObject",
        "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        same => same,
    };
    let resource = path.get_object_key().map_or_else(|| bucket_arn(bucket), |key| object_arn(bucket, key));
    Some(Access::new(format!("s3:{action}"), resource))
}

/// Whether the request names a version of its object, which needs a permission of its own.
fn names_version(request: &S3AccessContext<'_>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "versionId")
}

fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

fn error_of(fault: &Fault) -> S3Error {
    let (status, code, message) = fault.xml();
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message.to_owned());
    if let Ok(status) = http::StatusCode::from_u16(status) {
        error.set_status_code(status);
    }
    error
}

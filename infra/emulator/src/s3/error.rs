//! S3's errors that several operations return.

use s3s::{S3Error, s3_error};

/// A storage error, which callers see as S3's `InternalError`.
pub fn failed(error: impl std::error::Error + Send + Sync + 'static) -> S3Error {
    S3Error::internal_error(error)
}

/// 412, in S3's words.
pub fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

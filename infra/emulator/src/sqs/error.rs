//! SQS errors, in its own words.

use http::HeaderValue;
use s3s::HttpResponse;
use serde_json::json;

use crate::answer;

/// An error. The messages are the service's own where it has some.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqsError {
    /// A call that this endpoint does not support.
    #[error("The local SQS endpoint does not know this call.")]
    Unknown,
    /// The caller's role does not allow the call.
    #[error("{0}")]
    Denied(String),
    /// The queue does not exist.
    #[error("The specified queue does not exist.")]
    NoQueue,
    /// A parameter is missing, malformed or not supported.
    #[error("{0}")]
    Parameter(String),
    /// The message contains a character that SQS does not accept.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD"
    )]
    Contents,
    /// A batch without entries.
    #[error("There should be at least one entry in the request.")]
    EmptyBatch,
    /// A batch with more than ten entries.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntries(usize),
    /// Two entries of a batch have the same id.
    #[error("Id {0} repeated.")]
    RepeatedId(String),
    /// An entry's id is malformed.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    EntryId,
    /// The messages of a batch are too long together.
    #[error("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes.", limit = super::call::MAX_MESSAGE)]
    BatchTooLong {
        /// The length of the messages, in bytes.
        sent: usize,
    },
    /// The receipt handle was never given out.
    #[error("The input receipt handle is invalid.")]
    Receipt,
    /// The message of the receipt handle is not in flight.
    #[error("The message referred to is not in flight.")]
    NotInFlight,
    /// The messages could not be read or written.
    #[error("The queue could not be read or written: {0}")]
    Storage(String),
}

impl SqsError {
    /// The error code of the JSON protocol.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "UnsupportedOperation",
            Self::Denied(_) => "AccessDeniedException",
            Self::NoQueue => "QueueDoesNotExist",
            Self::Parameter(_) => "InvalidParameterValueException",
            Self::Contents => "InvalidMessageContents",
            Self::EmptyBatch => "EmptyBatchRequest",
            Self::TooManyEntries(_) => "TooManyEntriesInBatchRequest",
            Self::RepeatedId(_) => "BatchEntryIdsNotDistinct",
            Self::EntryId => "InvalidBatchEntryId",
            Self::BatchTooLong { .. } => "BatchRequestTooLong",
            Self::Receipt => "ReceiptHandleIsInvalid",
            Self::NotInFlight => "MessageNotInflight",
            Self::Storage(_) => "InternalError",
        }
    }

    /// The code of the older query protocol, if it is another one. The SDKs tell errors apart by it.
    fn older_code(&self) -> Option<String> {
        let name = match self {
            Self::NoQueue => "NonExistentQueue",
            Self::Unknown
            | Self::EmptyBatch
            | Self::TooManyEntries(_)
            | Self::RepeatedId(_)
            | Self::EntryId
            | Self::BatchTooLong { .. }
            | Self::NotInFlight => self.code(),
            Self::Denied(_) | Self::Parameter(_) | Self::Contents | Self::Receipt | Self::Storage(_) => return None,
        };
        Some(format!("AWS.SimpleQueueService.{name};Sender"))
    }

    /// The error as a response.
    pub fn response(&self) -> HttpResponse {
        let status = match self {
            Self::Denied(_) => 403,
            Self::Storage(_) => 500,
            _ => 400,
        };
        let code = format!("com.amazonaws.sqs#{}", self.code());
        let mut response = answer::dynamo(status, &json!({"__type": code, "message": self.to_string()}));
        if let Some(Ok(older)) = self.older_code().map(HeaderValue::try_from) {
            response.headers_mut().insert("x-amzn-query-error", older);
        }
        response
    }
}

impl From<rusqlite::Error> for SqsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

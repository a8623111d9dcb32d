//! A call of a service that is called by `POST /`, after its signature was checked.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;

use crate::authority::Signer;

/// A call of a registered caller.
pub struct SignedCall {
    /// The caller.
    pub caller: Arc<Signer>,
    /// Method, path and headers.
    pub head: Parts,
    /// The whole body.
    pub body: Bytes,
}

/// The reason why a call is refused before its service sees it.
#[derive(Debug, Clone, Copy)]
pub enum Rejection {
    /// No principal has this access key.
    UnknownKey,
    /// The body is too long or incomplete.
    Unreadable,
    /// The signature was made with another secret or for another request.
    WrongSignature,
}

impl Rejection {
    /// The error message, in AWS's words where it has some.
    pub fn message(self) -> &'static str {
        match self {
            Self::UnknownKey => "The security token included in the request is invalid.",
            Self::Unreadable => "The body is too long or broke off.",
            Self::WrongSignature => {
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method."
            }
        }
    }

    /// The error code of the services with JSON protocols.
    pub fn json_code(self) -> &'static str {
        match self {
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Unreadable => "SerializationException",
            Self::WrongSignature => "InvalidSignatureException",
        }
    }

    /// The status and the error code of the query protocol.
    pub fn query_code(self) -> (u16, &'static str) {
        match self {
            Self::UnknownKey => (403, "InvalidClientTokenId"),
            Self::Unreadable => (413, "RequestEntityTooLarge"),
            Self::WrongSignature => (403, "SignatureDoesNotMatch"),
        }
    }
}

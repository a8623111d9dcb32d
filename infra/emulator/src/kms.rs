//! KMS: symmetric keys that really encrypt, in the JSON protocol.
//!
//! It supports the calls for envelope encryption: `GenerateDataKey` and `Decrypt`, which name a key by its ARN. As on
//! AWS, a ciphertext names its key, and can be decrypted only with this key and the encryption context it was made with.

mod call;
mod cipher;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use s3s::HttpResponse;
use serde_json::json;

use crate::authority::Authority;
use crate::fault::Faults;
use crate::iam::Access;
use crate::signed::SignedCall;
use crate::{Error, answer};
use call::{KmsCall, KmsError};
use cipher::Root;

/// The largest accepted request, in bytes; a ciphertext has at most 6 KiB.
pub const MAX_BODY: usize = 64 * 1024;

/// The KMS endpoint.
pub struct Kms {
    root: Root,
    /// The ARN of every key.
    keys: RwLock<BTreeSet<String>>,
}

impl Kms {
    /// Opens the endpoint with the root of earlier runs (`None`: a new one, in memory).
    pub fn start(folder: Option<&Path>) -> Result<Self, Error> {
        Ok(Self { root: Root::open(folder)?, keys: RwLock::default() })
    }

    /// Registers a key by its ARN.
    pub fn create_key(&self, arn: &str) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
    }

    /// Handles one call of a registered caller.
    pub fn answer(&self, authority: &Authority, faults: &Faults, call: &SignedCall) -> HttpResponse {
        let SignedCall { caller, head, body } = call;
        let operation = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = operation.and_then(|target| target.strip_prefix("TrentService.")).unwrap_or_default();
        let call = match self.parse(operation, body) {
            Ok(call) => call,
            Err(refusal) => return refuse(&refusal),
        };
        if let Err(denial) = authority.authorize(caller, &Access::new(format!("kms:{operation}"), &call.key)) {
            return answer::kms_refusal("AccessDeniedException", &denial.message());
        }
        if let Some(fault) = faults.take("kms", operation) {
            let (status, code, message) = fault.xml();
            return answer::kms(status, &json!({"__type": code, "message": message}));
        }
        call.run(&self.root).map_or_else(|refusal| refuse(&refusal), |body| answer::kms(200, &body))
    }

    /// Parses a call with an existing key.
    fn parse(&self, operation: &str, body: &[u8]) -> Result<KmsCall, KmsError> {
        let call = KmsCall::parse(operation, body)?;
        let exists = self.keys.read().unwrap_or_else(PoisonError::into_inner).contains(&call.key);
        if exists { Ok(call) } else { Err(KmsError::NoKey(call.key)) }
    }
}

fn refuse(refusal: &KmsError) -> HttpResponse {
    answer::kms_refusal(refusal.code(), &refusal.to_string())
}

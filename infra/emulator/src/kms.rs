//! KMS: symmetric keys that really encrypt, in the JSON protocol.
//!
//! It supports the calls for envelope encryption: `GenerateDataKey`, `Encrypt` and `Decrypt`. As on AWS, a ciphertext
//! names its key, and can be decrypted only with this key and the encryption context it was made with.

mod call;
mod cipher;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::request::Parts;
use s3s::HttpResponse;
use serde_json::json;

use crate::authority::{Authority, Signer};
use crate::fault::Faults;
use crate::iam::Access;
use crate::{Error, answer, signature};
use call::{Call, KmsError};
use cipher::Root;

/// The largest accepted request, in bytes; KMS encrypts at most 4 KiB.
pub const MAX_BODY: usize = 64 * 1024;

/// The KMS endpoint.
pub struct Kms {
    root: Root,
    /// The ARN of every key, by the ARN, by the key's id, and by its aliases' names and ARNs.
    keys: RwLock<BTreeMap<String, String>>,
}

impl Kms {
    /// Opens the endpoint with the root of earlier runs (`None`: a new one, in memory).
    pub fn start(folder: Option<&Path>) -> Result<Self, Error> {
        Ok(Self { root: Root::open(folder)?, keys: RwLock::default() })
    }

    /// Registers a key by its ARN, its id and these aliases (`alias/name`).
    pub fn create_key(&self, arn: &str, aliases: &[String]) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let prefix = arn.rsplit_once(":key/").map_or("", |(prefix, _)| prefix);
        let id = arn.rsplit_once('/').map_or(arn, |(_, id)| id);
        let aliases = aliases.iter().flat_map(|alias| [alias.clone(), format!("{prefix}:{alias}")]);
        for name in [arn.to_owned(), id.to_owned()].into_iter().chain(aliases) {
            keys.insert(name, arn.to_owned());
        }
    }

    /// Handles one call of a registered caller.
    pub fn answer(
        &self,
        authority: &Authority,
        faults: &Faults,
        caller: &Arc<Signer>,
        (head, body): (&Parts, &Bytes),
    ) -> HttpResponse {
        if !signature::is_right(head, body, caller.secret()) {
            return answer::kms_refusal("InvalidSignatureException", signature::MISMATCH);
        }
        let operation = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = operation.and_then(|target| target.strip_prefix("TrentService.")).unwrap_or_default();
        let (call, key) = match self.prepare(operation, body) {
            Ok(prepared) => prepared,
            Err(refusal) => return refuse(&refusal),
        };
        if let Err(denial) = authority.authorize(caller, &Access::new(format!("kms:{operation}"), &key)) {
            return answer::kms_refusal("AccessDeniedException", &denial.message());
        }
        if let Some(fault) = faults.take("kms", operation) {
            let (status, code, message) = fault.xml();
            return answer::kms(status, &json!({"__type": code, "message": message}));
        }
        call.run(&self.root, &key).map_or_else(|refusal| refuse(&refusal), |body| answer::kms(200, &body))
    }

    /// The call, and the ARN of its key.
    fn prepare(&self, operation: &str, body: &[u8]) -> Result<(Call, String), KmsError> {
        let call = Call::parse(operation, body)?;
        let name = call.key()?;
        let key = self.key(&name)?;
        Ok((call, key))
    }

    fn key(&self, name: &str) -> Result<String, KmsError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(name).cloned().ok_or_else(|| KmsError::NoKey(name.to_owned()))
    }
}

fn refuse(refusal: &KmsError) -> HttpResponse {
    answer::kms_refusal(refusal.code(), &refusal.to_string())
}

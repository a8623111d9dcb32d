//! Parses and runs one call.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::cipher::{self, Root};

/// The length of a data key of 256 bits, in bytes.
const DATA_KEY: usize = 32;
/// The algorithm name of symmetric keys.
const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// A parsed call.
pub struct KmsCall {
    /// The ARN of the named key.
    pub key: String,
    context: BTreeMap<String, String>,
    work: Work,
}

/// The work of a call.
enum Work {
    GenerateDataKey,
    Decrypt { ciphertext: Vec<u8> },
}

/// A KMS error, in KMS's own words where it has some.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    /// A call that this endpoint does not support.
    #[error("The local KMS endpoint knows GenerateDataKey and Decrypt.")]
    Unknown,
    /// The body does not fit the call.
    #[error("{0}")]
    Invalid(&'static str),
    /// The key does not exist.
    #[error("Key '{0}' does not exist")]
    NoKey(String),
    /// The ciphertext is not from KMS, or was made with another context.
    #[error("The ciphertext cannot be decrypted with this encryption context.")]
    Ciphertext,
    /// The ciphertext was made with another key than the named one.
    #[error("The key ID in the request does not identify a CMK that can perform this operation.")]
    WrongKey,
}

impl KmsError {
    /// The error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "UnknownOperationException",
            Self::Invalid(_) => "ValidationException",
            Self::NoKey(_) => "NotFoundException",
            Self::Ciphertext => "InvalidCiphertextException",
            Self::WrongKey => "IncorrectKeyException",
        }
    }
}

impl KmsCall {
    /// Parses a call.
    pub fn parse(operation: &str, body: &[u8]) -> Result<Self, KmsError> {
        let body: Value = serde_json::from_slice(body).map_err(|_| KmsError::Invalid("The body is not JSON."))?;
        let work = match operation {
            "GenerateDataKey" if body["KeySpec"].as_str() == Some("AES_256") => Work::GenerateDataKey,
            "GenerateDataKey" => return Err(KmsError::Invalid("The local KMS endpoint needs KeySpec AES_256.")),
            "Decrypt" => {
                let ciphertext = body["CiphertextBlob"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
                Work::Decrypt { ciphertext: ciphertext.ok_or(KmsError::Invalid("CiphertextBlob is missing."))? }
            }
            _ => return Err(KmsError::Unknown),
        };
        if body["EncryptionAlgorithm"].as_str().is_some_and(|algorithm| algorithm != ALGORITHM) {
            return Err(KmsError::Invalid("The keys here are symmetric."));
        }
        let key = body["KeyId"].as_str().ok_or(KmsError::Invalid("The local KMS endpoint needs KeyId."))?.to_owned();
        Ok(Self { key, context: context(&body["EncryptionContext"])?, work })
    }

    /// Runs the call.
    pub fn run(&self, root: &Root) -> Result<Value, KmsError> {
        let text = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let key = &*self.key;
        match &self.work {
            Work::GenerateDataKey => {
                let data_key = cipher::random(DATA_KEY);
                let blob = root.seal(key, &self.context, &data_key);
                Ok(json!({"KeyId": key, "Plaintext": text(&data_key), "CiphertextBlob": text(&blob)}))
            }
            Work::Decrypt { ciphertext } => {
                let made_with = cipher::key_of(ciphertext).ok_or(KmsError::Ciphertext)?;
                if made_with != key {
                    return Err(KmsError::WrongKey);
                }
                let plaintext = root.open_sealed(key, &self.context, ciphertext).ok_or(KmsError::Ciphertext)?;
                Ok(json!({"KeyId": key, "Plaintext": text(&plaintext), "EncryptionAlgorithm": ALGORITHM}))
            }
        }
    }
}

fn context(value: &Value) -> Result<BTreeMap<String, String>, KmsError> {
    if value.is_null() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_value(value.clone()).map_err(|_| KmsError::Invalid("EncryptionContext maps texts to texts."))
}

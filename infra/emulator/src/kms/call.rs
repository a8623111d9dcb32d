//! Parses and runs one call.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::cipher::{self, Root};

/// The most bytes that `Encrypt` accepts.
const MAX_PLAINTEXT: usize = 4096;
/// The longest data key, in bytes.
const MAX_DATA_KEY: u64 = 1024;
/// The algorithm name of symmetric keys.
const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// A parsed call.
pub struct Call {
    /// The named key, which is optional for `Decrypt`.
    named: Option<String>,
    context: BTreeMap<String, String>,
    work: Work,
}

/// The work of a call.
enum Work {
    GenerateDataKey { bytes: usize },
    Encrypt { plaintext: Vec<u8> },
    Decrypt { ciphertext: Vec<u8> },
}

/// A KMS error, in KMS's own words where it has some.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    /// A call that this endpoint does not support.
    #[error("The local KMS endpoint knows GenerateDataKey, Encrypt and Decrypt.")]
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

impl Call {
    /// Parses a call.
    pub fn parse(operation: &str, body: &[u8]) -> Result<Self, KmsError> {
        let body: Value = serde_json::from_slice(body).map_err(|_| KmsError::Invalid("The body is not JSON."))?;
        let bytes = |name: &str| body[name].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
        let work = match operation {
            "GenerateDataKey" => Work::GenerateDataKey { bytes: length(&body)? },
            "Encrypt" => Work::Encrypt {
                plaintext: bytes("Plaintext")
                    .filter(|plaintext| (1..=MAX_PLAINTEXT).contains(&plaintext.len()))
                    .ok_or(KmsError::Invalid("Plaintext must have 1 to 4096 bytes."))?,
            },
            "Decrypt" => Work::Decrypt {
                ciphertext: bytes("CiphertextBlob").ok_or(KmsError::Invalid("CiphertextBlob is missing."))?,
            },
            _ => return Err(KmsError::Unknown),
        };
        if body["EncryptionAlgorithm"].as_str().is_some_and(|algorithm| algorithm != ALGORITHM) {
            return Err(KmsError::Invalid("The keys here are symmetric."));
        }
        let named = body["KeyId"].as_str().map(str::to_owned);
        if named.is_none() && !matches!(work, Work::Decrypt { .. }) {
            return Err(KmsError::Invalid("KeyId is missing."));
        }
        Ok(Self { named, context: context(&body["EncryptionContext"])?, work })
    }

    /// The key of the call: the named one, or else the one that made its ciphertext.
    pub fn key(&self) -> Result<String, KmsError> {
        match (&self.named, &self.work) {
            (Some(named), _) => Ok(named.clone()),
            (None, Work::Decrypt { ciphertext }) => {
                cipher::key_of(ciphertext).map(str::to_owned).ok_or(KmsError::Ciphertext)
            }
            (None, _) => Err(KmsError::Invalid("KeyId is missing.")),
        }
    }

    /// Runs the call with the key of this ARN.
    pub fn run(&self, root: &Root, key: &str) -> Result<Value, KmsError> {
        let text = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        match &self.work {
            Work::GenerateDataKey { bytes } => {
                let data_key = cipher::random(*bytes);
                let blob = root.seal(key, &self.context, &data_key);
                Ok(json!({"KeyId": key, "Plaintext": text(&data_key), "CiphertextBlob": text(&blob)}))
            }
            Work::Encrypt { plaintext } => {
                let blob = root.seal(key, &self.context, plaintext);
                Ok(json!({"KeyId": key, "CiphertextBlob": text(&blob), "EncryptionAlgorithm": ALGORITHM}))
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

/// The length of a data key, given by name or in bytes.
fn length(body: &Value) -> Result<usize, KmsError> {
    let wrong = KmsError::Invalid("Give KeySpec (AES_256 or AES_128) or NumberOfBytes (1 to 1024).");
    match (body["KeySpec"].as_str(), &body["NumberOfBytes"]) {
        (Some("AES_256"), Value::Null) => Ok(32),
        (Some("AES_128"), Value::Null) => Ok(16),
        (None, bytes) => bytes
            .as_u64()
            .filter(|bytes| (1..=MAX_DATA_KEY).contains(bytes))
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or(wrong),
        _ => Err(wrong),
    }
}

fn context(value: &Value) -> Result<BTreeMap<String, String>, KmsError> {
    if value.is_null() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_value(value.clone()).map_err(|_| KmsError::Invalid("EncryptionContext maps texts to texts."))
}

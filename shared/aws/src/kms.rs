//! Envelope encryption with a KMS key: every secret has a separate data key, which only KMS can decrypt, and both are
//! bound to their owner.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::SdkError;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;

use domain::account::UserId;
use domain::crypto::{self, NONCE_BYTES};
use domain::random::{self, Random};
use domain::real_name::Vault;
use domain::{Fault, Result};

/// The first byte of all encrypted data. After it come the length of the data key as KMS encrypted it (two bytes, big
/// endian), that key, the nonce, and the AES-256-GCM ciphertext of the secret.
const FORMAT: u8 = 1;
/// The key in the encryption context under which KMS logs the owner.
const OWNER: &str = "user";

/// Encrypts with data keys of one KMS key.
pub struct KmsVault {
    /// Created when it is first used: most processes never see an identity document, and creating a client takes a
    /// tenth of a function's start.
    client: LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>,
    key: Arc<str>,
    random: Arc<dyn Random>,
}

impl KmsVault {
    /// With the KMS key of this ARN.
    #[must_use]
    pub fn new(sdk: &SdkConfig, key: &str, random: Arc<dyn Random>) -> Self {
        let sdk = sdk.clone();
        Self { client: LazyLock::new(Box::new(move || Client::new(&sdk))), key: key.into(), random }
    }

    /// Decrypts a data key that KMS encrypted.
    async fn data_key(&self, owner: UserId, encrypted: &[u8]) -> Result<[u8; 32]> {
        let decrypt = self.client.decrypt().key_id(&*self.key).encryption_context(OWNER, owner.to_string());
        let answer = decrypt.ciphertext_blob(Blob::new(encrypted)).send().await;
        let answer = answer.map_err(|error| Fault::new("opening a data key", SdkError::into_service_error(error)))?;
        key_of(answer.plaintext)
    }
}

#[async_trait]
impl Vault for KmsVault {
    async fn seal(&self, owner: UserId, plain: &[u8]) -> Result<Vec<u8>> {
        let generate = self.client.generate_data_key().key_id(&*self.key).key_spec(DataKeySpec::Aes256);
        let answer = generate.encryption_context(OWNER, owner.to_string()).send().await;
        let answer = answer.map_err(|error| Fault::new("making a data key", SdkError::into_service_error(error)))?;
        let key = key_of(answer.plaintext)?;
        let encrypted = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        let length = u16::try_from(encrypted.len()).map_err(|error| Fault::new("making a data key", error))?;
        let nonce: [u8; NONCE_BYTES] = random::bytes(&*self.random);
        let secret = crypto::seal(&key, nonce, associated(owner).as_bytes(), plain);
        Ok([&[FORMAT][..], &length.to_be_bytes(), &encrypted, &nonce, &secret].concat())
    }

    async fn open(&self, owner: UserId, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || Fault::new("opening a sealed secret", "it is not what was sealed for this owner");
        let Envelope { encrypted, nonce, secret } = Envelope::read(sealed).ok_or_else(broken)?;
        let key = self.data_key(owner, encrypted).await?;
        Ok(crypto::open(&key, nonce, associated(owner).as_bytes(), secret).ok_or_else(broken)?)
    }
}

/// The parts of an encrypted secret.
struct Envelope<'a> {
    encrypted: &'a [u8],
    nonce: [u8; NONCE_BYTES],
    secret: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(sealed: &'a [u8]) -> Option<Self> {
        let (format, rest) = sealed.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (encrypted, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (nonce, secret) = rest.split_first_chunk()?;
        (*format == FORMAT).then_some(Self { encrypted, nonce: *nonce, secret })
    }
}

/// The data that the ciphertext is bound to in addition to the key.
fn associated(owner: UserId) -> String {
    format!("identity of user {owner}")
}

fn key_of(plaintext: Option<Blob>) -> Result<[u8; 32]> {
    let key = plaintext.and_then(|plaintext| plaintext.into_inner().try_into().ok());
    Ok(key.ok_or_else(|| Fault::new("reading a data key", "it has another length than asked for"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_whole_or_not_at_all() {
        let sealed = [&[FORMAT, 0, 3][..], b"key", &[7; NONCE_BYTES], b"secret"].concat();
        let envelope = Envelope::read(&sealed).unwrap();
        assert_eq!(
            (envelope.encrypted, envelope.nonce, envelope.secret),
            (&b"key"[..], [7; NONCE_BYTES], &b"secret"[..])
        );
        for length in 0..3 + 3 + NONCE_BYTES {
            assert!(Envelope::read(&sealed[..length]).is_none(), "{length}");
        }
        assert!(Envelope::read(&[&[2][..], &sealed[1..]].concat()).is_none());
    }
}

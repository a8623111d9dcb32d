//! KMS: a ciphertext can be decrypted with the same key and context, by callers with permission, also in later runs.

use aws_sdk_kms::Client;
use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use emulator::{ACCOUNT, Fault, REGION};
use serde_json::json;

use crate::support::TestStack;

fn arn(id: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}")
}

async fn stack() -> TestStack {
    let stack = TestStack::start().await;
    stack.endpoints.create_key(&arn("one"));
    stack.endpoints.create_key(&arn("two"));
    stack
}

/// A data key of key `one`, and its encrypted form for user 1.
async fn data_key(client: &Client) -> (Vec<u8>, Blob) {
    let made = client.generate_data_key().key_id(arn("one")).key_spec(DataKeySpec::Aes256);
    let made = made.encryption_context("user", "1").send().await.expect("a data key");
    assert_eq!(made.key_id(), Some(arn("one").as_str()));
    (made.plaintext.expect("the key").into_inner(), made.ciphertext_blob.expect("its ciphertext"))
}

#[tokio::test]
async fn a_data_key_opens_with_its_context() {
    let stack = stack().await;
    let client = stack.kms("admin");
    let (key, blob) = data_key(&client).await;
    assert_eq!(key.len(), 32);
    assert_ne!(data_key(&client).await.0, key);
    let decrypt = client.decrypt().key_id(arn("one")).ciphertext_blob(blob).encryption_context("user", "1");
    assert_eq!(decrypt.send().await.expect("opened").plaintext.expect("the key").into_inner(), key);
}

#[tokio::test]
async fn another_context_another_key_and_rubbish_are_refused_as_kms_does() {
    let stack = stack().await;
    let client = stack.kms("admin");
    let (_, blob) = data_key(&client).await;
    let decrypt = |key: &str, blob: Blob, user: &str| {
        client.decrypt().key_id(arn(key)).ciphertext_blob(blob).encryption_context("user", user).send()
    };
    let error = decrypt("one", blob.clone(), "2").await.expect_err("refused").into_service_error();
    assert!(error.is_invalid_ciphertext_exception(), "{error:?}");
    let error = decrypt("two", blob.clone(), "1").await.expect_err("refused").into_service_error();
    assert!(error.is_incorrect_key_exception(), "{error:?}");
    let error = decrypt("one", Blob::new("rubbish"), "1").await.expect_err("refused").into_service_error();
    assert!(error.is_invalid_ciphertext_exception(), "{error:?}");
    let error = decrypt("three", blob, "1").await.expect_err("refused").into_service_error();
    assert!(error.is_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn what_is_not_supported_is_refused() {
    let stack = stack().await;
    let client = stack.kms("admin");
    let encrypt = client.encrypt().key_id(arn("one")).plaintext(Blob::new("a secret")).send().await;
    assert_eq!(encrypt.expect_err("not supported").code(), Some("UnknownOperationException"));
    let (_, blob) = data_key(&client).await;
    let nameless = client.decrypt().ciphertext_blob(blob).encryption_context("user", "1").send().await;
    assert_eq!(nameless.expect_err("not supported").code(), Some("ValidationException"));
    let short = client.generate_data_key().key_id(arn("one")).number_of_bytes(16).send().await;
    assert_eq!(short.expect_err("not supported").code(), Some("ValidationException"));
}

#[tokio::test]
async fn a_role_allows_each_call_on_each_key_by_itself() {
    let stack = stack().await;
    stack
        .register("maker", Some(json!([{"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": arn("one")}])));
    let client = stack.kms("maker");
    let (_, blob) = data_key(&client).await;
    let refused =
        client.decrypt().key_id(arn("one")).ciphertext_blob(blob).encryption_context("user", "1").send().await;
    assert_eq!(refused.expect_err("refused").code(), Some("AccessDeniedException"));
    let refused = client.generate_data_key().key_id(arn("two")).key_spec(DataKeySpec::Aes256).send().await;
    assert_eq!(refused.expect_err("refused").code(), Some("AccessDeniedException"));
    let denied = stack.endpoints.denied();
    let [decrypt, generate] = denied.as_slice() else { panic!("{denied:?}") };
    assert_eq!((decrypt.action.as_str(), &decrypt.resource), ("kms:Decrypt", &arn("one")));
    assert_eq!((generate.action.as_str(), &generate.resource), ("kms:GenerateDataKey", &arn("two")));
}

#[tokio::test]
async fn strangers_and_wrong_secrets_are_refused_and_faults_can_be_ordered() {
    let stack = stack().await;
    let call = |client: Client| async move {
        let made = client.generate_data_key().key_id(arn("one")).key_spec(DataKeySpec::Aes256).send().await;
        made.expect_err("refused").code().map(str::to_owned)
    };
    assert_eq!(call(stack.kms("stranger")).await.as_deref(), Some("UnrecognizedClientException"));
    stack.register_with_secret("thief", "another secret");
    assert_eq!(call(stack.kms("thief")).await.as_deref(), Some("InvalidSignatureException"));
    stack.endpoints.fail_next("kms:GenerateDataKey", 1, Fault::error(400, "DisabledException"));
    assert_eq!(call(stack.kms("admin")).await.as_deref(), Some("DisabledException"));
}

#[tokio::test]
async fn keys_outlive_a_run_in_a_file_of_their_owner_alone() {
    let folder = std::env::temp_dir().join(format!("handset-kms-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let mut kept = None;
    for _ in 0..2 {
        let stack = TestStack::start_in(Some(folder.clone())).await;
        stack.endpoints.create_key(&arn("one"));
        let client = stack.kms("admin");
        let (key, blob) = kept.get_or_insert(data_key(&client).await).clone();
        let opened =
            client.decrypt().key_id(arn("one")).ciphertext_blob(blob).encryption_context("user", "1").send().await;
        assert_eq!(opened.expect("opened").plaintext.expect("the key").into_inner(), key);
        stack.endpoints.shutdown().await;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.join("kms.key")).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let _ = std::fs::remove_dir_all(&folder);
}

//! Forms with which clients upload objects directly to the bucket: S3's "browser-based uploads using POST", signed with
//! Signature Version 4. Of all presigned requests only this one limits the size.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{LINK_LIFETIME, S3Objects};
use domain::clock::Timestamp;
use domain::crypto;
use domain::media::direct::{Allowed, PresignedUpload, UploadSigner};
use domain::{Fault, Result};

const DOING: &str = "signing a form";

#[async_trait]
impl UploadSigner for S3Objects {
    async fn sign(&self, allowed: Allowed<'_>, now: Timestamp, until: Timestamp) -> Result<PresignedUpload> {
        let provider = self.credentials.as_ref().ok_or_else(|| Fault::new(DOING, "no credentials"))?;
        let credentials = provider.provide_credentials().await.map_err(|error| Fault::new(DOING, error))?;
        let region = self.region.as_ref().ok_or_else(|| Fault::new(DOING, "no region"))?;
        let form = Form { bucket: &self.bucket, region: region.as_ref(), credentials: &credentials, allowed };
        Ok(PresignedUpload { url: self.url_of_bucket().await?, fields: form.fields(now, until)? })
    }
}

impl S3Objects {
    /// The URL of the bucket, for the partition and the endpoint that the SDK is configured with.
    async fn url_of_bucket(&self) -> Result<String> {
        const KEY: &str = "x";
        let lifetime = PresigningConfig::expires_in(LINK_LIFETIME).map_err(|error| Fault::new(DOING, error))?;
        let request = self.client.put_object().bucket(&self.bucket).key(KEY).presigned(lifetime).await;
        let request = request.map_err(|error| Fault::new(DOING, error))?;
        let url = request.uri().split('?').next().and_then(|url| url.strip_suffix(KEY));
        Ok(url.ok_or_else(|| Fault::new(DOING, "a URL that does not end in its key"))?.to_owned())
    }
}

/// A form before it is signed.
struct Form<'a> {
    bucket: &'a str,
    region: &'a str,
    credentials: &'a Credentials,
    allowed: Allowed<'a>,
}

impl Form<'_> {
    fn fields(&self, now: Timestamp, until: Timestamp) -> Result<BTreeMap<String, String>> {
        // 2026-01-31T23:59:59Z, and the same without punctuation: 20260131T235959Z.
        let date = iso(now)?.replace(['-', ':'], "");
        let day = &date[..8];
        let key_id = self.credentials.access_key_id();
        let mut fields = BTreeMap::from([
            ("key".to_owned(), self.allowed.key.as_str().to_owned()),
            ("Content-Type".to_owned(), self.allowed.content_type.to_owned()),
            ("x-amz-algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
            ("x-amz-credential".to_owned(), format!("{key_id}/{day}/{}/s3/aws4_request", self.region)),
            ("x-amz-date".to_owned(), date.clone()),
        ]);
        let token = self.credentials.session_token().map(|token| ("x-amz-security-token".to_owned(), token.to_owned()));
        fields.extend(token);
        // Every field of the form has to be one that the policy names.
        let mut conditions: Vec<Value> = fields.iter().map(|(name, value)| json!({ name: value })).collect();
        conditions.push(json!({ "bucket": self.bucket }));
        conditions.push(json!(["content-length-range", 1, self.allowed.most]));
        let policy = json!({ "expiration": iso(until)?, "conditions": conditions });
        let policy = BASE64_STANDARD.encode(policy.to_string());
        let signature = crypto::hex(&crypto::hmac_sha256(&self.signing_key(day), policy.as_bytes()));
        fields.extend([("policy".to_owned(), policy), ("x-amz-signature".to_owned(), signature)]);
        Ok(fields)
    }

    /// The key for a day, a region and the service, derived from the secret ("Create a signed AWS API request").
    fn signing_key(&self, day: &str) -> [u8; 32] {
        let secret = format!("AWS4{}", self.credentials.secret_access_key());
        let of_day = crypto::hmac_sha256(secret.as_bytes(), day.as_bytes());
        let of_region = crypto::mac(&of_day, self.region.as_bytes());
        crypto::mac(&crypto::mac(&of_region, b"s3"), b"aws4_request")
    }
}

fn iso(moment: Timestamp) -> Result<String> {
    let text = DateTime::from_secs(moment.seconds()).fmt(Format::DateTime);
    Ok(text.map_err(|error| Fault::new(DOING, error))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::account::UserId;
    use domain::media::{ImageName, WaitingImage};

    #[test]
    fn a_form_names_all_that_it_allows() {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "");
        let name = ImageName::parse("0123456789abcdef0123456789abcdef.jpg").unwrap();
        let key = WaitingImage { owner: UserId::new(7).unwrap(), name }.key();
        let allowed = Allowed { key: &key, content_type: "image/jpeg", most: 10 };
        let form = Form { bucket: "b", region: "us-east-1", credentials: &credentials, allowed };
        let now = Timestamp::from_millis(1_440_938_160_000);
        let fields = form.fields(now, Timestamp::from_millis(1_440_938_760_000)).unwrap();
        assert_eq!(fields["x-amz-date"], "20150830T123600Z");
        assert_eq!(fields["x-amz-credential"], "AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request");
        assert_eq!(fields["x-amz-signature"].len(), 64);
        let policy: Value = serde_json::from_slice(&BASE64_STANDARD.decode(&fields["policy"]).unwrap()).unwrap();
        assert_eq!(policy["expiration"], "2015-08-30T12:46:00Z");
        let conditions = policy["conditions"].as_array().unwrap();
        for condition in [
            json!({ "bucket": "b" }),
            json!({ "key": "uploads/images/7/0123456789abcdef0123456789abcdef.jpg" }),
            json!({ "Content-Type": "image/jpeg" }),
            json!(["content-length-range", 1, 10]),
        ] {
            assert!(conditions.contains(&condition), "{condition}");
        }
    }
}

//! QQ: `GET /oauth2.0/me` returns the user to whom an access token belongs and the app to which it was issued.
//!
//! <https://wiki.connect.qq.com/unionid介绍>

use http::StatusCode;
use serde::Deserialize;

use super::{NotConfirmed, Scalar, Verdict};
use crate::client::{BaseUrl, HttpsClient};

/// QQ, for our app.
pub(super) struct Qq {
    pub base: BaseUrl,
    pub app_id: String,
}

/// Contains either the first two fields or the third. Older nodes return JSONP even if JSON is requested.
#[derive(Deserialize)]
struct Me {
    client_id: Option<Scalar>,
    openid: Option<String>,
    error: Option<Scalar>,
}

impl Qq {
    pub async fn ask(&self, client: &HttpsClient, token: &str, subject: &str) -> Verdict {
        let answer = client.get(&self.base, "/oauth2.0/me", &[("access_token", token), ("fmt", "json")]).await?;
        let me: Option<Me> = answer.json_or_jsonp();
        let code = me.as_ref().and_then(|me| me.error.as_ref()?.number());
        match me {
            Some(_) if code.is_some_and(is_refusal) => Err(NotConfirmed::refused(code.unwrap_or_default())),
            Some(Me { client_id: Some(app), openid: Some(openid), error: None }) if answer.status == StatusCode::OK => {
                if !app.is(&self.app_id) {
                    Err(NotConfirmed::refused("another app's token"))
                } else if openid != subject {
                    Err(NotConfirmed::refused("another person's token"))
                } else {
                    Ok(())
                }
            }
            _ => Err(NotConfirmed::unclear(answer.status, code)),
        }
    }
}

/// The access token is missing (100007), invalid (100013), expired (100014), revoked (100015) or fails verification
/// (100016).
const fn is_refusal(code: i64) -> bool {
    matches!(code, 100_007 | 100_013..=100_016)
}

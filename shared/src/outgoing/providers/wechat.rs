//! `WeChat`: `GET /sns/auth`, which tells whether a user's access token is valid for an `openid`.
//!
//! <https://developers.weixin.qq.com/doc/service/en/api/webdev/access/api_snsauth.html>

use http::StatusCode;
use serde::Deserialize;

use super::{Refusal, Verdict};
use crate::outgoing::client::{BaseUrl, HttpsClient};

/// `WeChat`, for our app.
///
/// The answer names no app, and needs none: an `openid` is a person as one app sees them. A token of another app
/// vouches for the `openid` of that app only, which is not the one of anybody here.
pub(super) struct WeChat {
    pub base: BaseUrl,
}

#[derive(Deserialize)]
struct Outcome {
    errcode: i64,
}

impl WeChat {
    pub async fn ask(&self, client: &HttpsClient, token: &str, subject: &str) -> Verdict {
        let answer = client.get(&self.base, "/sns/auth", &[("access_token", token), ("openid", subject)]).await?;
        match (answer.status, answer.json::<Outcome>().map(|outcome| outcome.errcode)) {
            (StatusCode::OK, Some(0)) => Ok(()),
            (_, Some(code)) if is_refusal(code) => Err(Refusal::refused(code)),
            (status, code) => Err(Refusal::unclear(status, code)),
        }
    }
}

/// The token is invalid (40001, 40014), missing (41001) or expired (42001), or the `openid` is not its own (40003) or
/// missing (41009). Not among them: -1, the service is busy, and the limits on how often we may ask.
const fn is_refusal(code: i64) -> bool {
    matches!(code, 40001 | 40003 | 40014 | 41001 | 41009 | 42001)
}

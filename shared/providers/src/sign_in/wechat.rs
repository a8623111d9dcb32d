//! `WeChat`: `GET /sns/auth` returns whether a user's access token is valid for an `openid`.
//!
//! <https://developers.weixin.qq.com/doc/service/en/api/webdev/access/api_snsauth.html>

use http::StatusCode;
use serde::Deserialize;

use super::{NotConfirmed, Verdict};
use crate::client::{BaseUrl, HttpsClient};

/// `WeChat`, for our app.
///
/// The response does not name an app, and this is not necessary: an `openid` identifies a user for one app only. A
/// token of another app is valid only for that app's `openid`, which no user has here.
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
            (_, Some(code)) if is_refusal(code) => Err(NotConfirmed::refused(code)),
            (status, code) => Err(NotConfirmed::unclear(status, code)),
        }
    }
}

/// The token is invalid (40001, 40014), missing (41001) or expired (42001), or the `openid` does not belong to it
/// (40003) or is missing (41009). Not included: -1, which means that the service is busy, and the rate limits.
const fn is_refusal(code: i64) -> bool {
    matches!(code, 40001 | 40003 | 40014 | 41001 | 41009 | 42001)
}

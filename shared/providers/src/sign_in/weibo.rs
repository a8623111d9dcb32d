//! Weibo: `POST /oauth2/get_token_info` returns the user to whom an access token belongs, the app to which it was
//! issued and how long it is still valid.
//!
//! <https://open.weibo.com/wiki/Oauth2/get_token_info>, errors <https://open.weibo.com/wiki/Error_code>

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::{NotConfirmed, Scalar, Verdict};
use crate::client::{BaseUrl, HttpsClient};

/// Weibo, for our app.
pub(super) struct Weibo {
    pub base: BaseUrl,
    pub app_key: String,
}

/// Contains either the first three fields or the last. The documentation shows numbers but calls them strings.
#[derive(Deserialize)]
struct TokenInfo {
    uid: Option<Scalar>,
    appkey: Option<Scalar>,
    /// Seconds; older versions of the documentation spell it `expires_in`.
    #[serde(alias = "expires_in")]
    expire_in: Option<Scalar>,
    error_code: Option<Scalar>,
}

impl Weibo {
    pub async fn ask(&self, client: &HttpsClient, token: &str, subject: &str) -> Verdict {
        let fields = [("access_token", token)];
        let answer = client.post_form(&self.base, "/oauth2/get_token_info", HeaderMap::new(), &fields).await?;
        let info: Option<TokenInfo> = answer.json();
        let code = info.as_ref().and_then(|info| info.error_code.as_ref()?.number());
        match info {
            Some(_) if code.is_some_and(is_refusal) => Err(NotConfirmed::refused(code.unwrap_or_default())),
            Some(TokenInfo { uid: Some(uid), appkey: Some(app), expire_in: Some(left), error_code: None })
                if answer.status == StatusCode::OK =>
            {
                if !app.is(&self.app_key) {
                    Err(NotConfirmed::refused("another app's token"))
                } else if !uid.is(subject) {
                    Err(NotConfirmed::refused("another person's token"))
                } else if left.number().is_none_or(|left| left <= 0) {
                    Err(NotConfirmed::refused("expired"))
                } else {
                    Ok(())
                }
            }
            _ => Err(NotConfirmed::unclear(answer.status, code)),
        }
    }
}

/// The token was used up (21314), has expired (21315, 21327), was revoked (21316, 21319) or rejected (21317), or is
/// invalid (21325, 21332). Not included: 10001 and its neighbours, which are the service's own failures and limits.
const fn is_refusal(code: i64) -> bool {
    matches!(code, 21314..=21317 | 21319 | 21325 | 21327 | 21332)
}

//! `WeChat`'s `GET /sns/auth`: <https://developers.weixin.qq.com/doc/service/en/api/webdev/access/api_snsauth.html>

use http::Method;
use serde_json::json;

use super::message::{Asked, Told};
use super::token::Token;

/// Whether a token is valid for an `openid`. Each app has its own `openid` for a user, so a token of another app never
/// fits ours. The status is 200 even for errors.
pub async fn auth(asked: &Asked) -> Told {
    if asked.method != Method::GET {
        return tell(43001, "require GET method");
    }
    let openid = asked.query("openid");
    match Token::read(asked.query("access_token")).await {
        Err(down) => down,
        Ok(Token::Missing) => tell(41001, "access_token missing"),
        Ok(Token::Expired) => tell(42001, "access_token expired"),
        Ok(Token::Invalid) => tell(40001, "invalid credential, access_token is invalid or not latest"),
        Ok(_) if openid.is_empty() => tell(41009, "missing openid"),
        Ok(Token::Ours(subject)) if subject == openid => tell(0, "ok"),
        Ok(Token::Ours(_) | Token::OtherApp(_)) => tell(40003, "invalid openid"),
    }
}

fn tell(code: i64, message: &str) -> Told {
    Told::json(200, &json!({ "errcode": code, "errmsg": message }))
}

//! Weibo's `POST /oauth2/get_token_info`: <https://open.weibo.com/wiki/Oauth2/get_token_info>

use http::Method;
use serde_json::{Value, json};

use super::message::{Asked, Told};
use super::token::Token;

/// Our app's key.
pub const APP_KEY: &str = "1000000001";

/// The user and app that a token belongs to, and the seconds it has left.
pub async fn get_token_info(asked: &Asked) -> Told {
    if asked.method != Method::POST {
        return refuse(405, 10021, "HTTP METHOD is not suported for this request!");
    }
    match Token::read(asked.form("access_token")).await {
        Err(down) => down,
        Ok(Token::Missing) => refuse(400, 21323, "invalid_request"),
        Ok(Token::Expired) => refuse(400, 21327, "expired_token"),
        Ok(Token::Invalid) => refuse(400, 21332, "invalid_access_token"),
        Ok(Token::Ours(uid)) => tell(uid, APP_KEY),
        Ok(Token::OtherApp(uid)) => tell(uid, "1000000002"),
    }
}

/// The documentation calls ids strings but shows numbers; a number is sent as a number.
fn tell(uid: &str, appkey: &str) -> Told {
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let (created, left) = (1_352_267_591, 157_679_471);
    let body = json!({
        "uid": number(uid), "appkey": number(appkey), "scope": null, "create_at": created, "expire_in": left,
    });
    Told::json(200, &body)
}

fn refuse(status: u16, code: i64, error: &str) -> Told {
    Told::json(status, &json!({ "error": error, "error_code": code, "request": "/oauth2/get_token_info" }))
}

//! QQ's `GET /oauth2.0/me`: <https://wiki.connect.qq.com/unionid介绍>

use http::Method;
use serde_json::{Value, json};

use super::message::{Asked, Told};
use super::token::Token;

/// Our app's id.
pub const APP_ID: &str = "100000001";

/// The user and app that a token belongs to; JSON if the request has `fmt=json`, otherwise JSONP. The status is 200
/// even for errors.
pub async fn me(asked: &Asked) -> Told {
    if asked.method != Method::GET {
        return tell(asked, &refusal(100_029, "wrong http request"));
    }
    let body = match Token::read(asked.query("access_token")).await {
        Err(down) => return down,
        Ok(Token::Missing) => refusal(100_007, "param access token is wrong or lost"),
        Ok(Token::Expired) => refusal(100_014, "access token is expired"),
        Ok(Token::Invalid) => refusal(100_016, "access token check failed"),
        Ok(Token::Ours(openid)) => json!({ "client_id": APP_ID, "openid": openid }),
        Ok(Token::OtherApp(openid)) => json!({ "client_id": "100000002", "openid": openid }),
    };
    tell(asked, &body)
}

fn refusal(code: i64, description: &str) -> Value {
    json!({ "error": code, "error_description": description })
}

fn tell(asked: &Asked, body: &Value) -> Told {
    if asked.query("fmt") == "json" { Told::json(200, body) } else { Told::jsonp(200, body) }
}

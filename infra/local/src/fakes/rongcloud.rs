//! `RongCloud`'s `POST /user/getToken.json`: <https://docs.rongcloud.io/server-rtc-api/user/register>

use http::Method;
use serde_json::json;

use super::message::{Asked, Told};

/// Our app's key.
const APP_KEY: &str = "local-app-key";
/// Our app's secret.
const APP_SECRET: &str = "local-app-secret";

/// Returns a token for a user, if the caller proves that they know the secret.
pub fn get_token(asked: &Asked) -> Told {
    if asked.method != Method::POST {
        return refuse(405, 1000, "method not allowed");
    }
    if !signed(asked) {
        return refuse(401, 1004, "signature error");
    }
    let (user, name) = (asked.form("userId"), asked.form("name"));
    if !(1..=64).contains(&user.len()) || !(1..=64).contains(&name.chars().count()) {
        return refuse(400, 1002, "userId and name are required and have at most 64 characters");
    }
    Told::json(200, &json!({ "code": 200, "userId": user, "token": format!("standin-{user}") }))
}

/// Whether the signature is the SHA-1 of secret, nonce and timestamp.
fn signed(asked: &Asked) -> bool {
    let (nonce, timestamp) = (asked.header("Nonce"), asked.header("Timestamp"));
    let fit = (1..=18).contains(&nonce.len()) && timestamp.len() == 13 && timestamp.parse::<u64>().is_ok();
    let message = [APP_SECRET, nonce, timestamp].concat();
    let expected = domain::crypto::sha1_hex(message.as_bytes());
    fit && asked.header("App-Key") == APP_KEY && asked.header("Signature") == expected
}

fn refuse(status: u16, code: i64, message: &str) -> Told {
    Told::json(status, &json!({ "code": code, "errorMessage": message }))
}

//! An account at the local run, and the event of a change of its nickname.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use local::Running;
use serde_json::{Value, json};

use crate::Result;

const PHONE: &str = "13800138000";

/// An account that is signed in.
pub(crate) struct Account {
    token: String,
    /// The public key that verifies the token: the member `x` of the key's JWK.
    pub(crate) key: String,
}

impl Account {
    /// Signs in with a code, which creates the account.
    pub(crate) fn sign_in(stack: &Running) -> Result<Self> {
        let sent = call(stack, "POST", "/verify_code", &json!({ "zone": "86", "number": PHONE }))?;
        let code = sent["code"].as_str().ok_or("no code was sent")?;
        let token = json!({ "zone": "86", "number": PHONE, "code": code });
        let signed_in = call(stack, "POST", "/auth/token", &token)?;
        let token = signed_in["access_token"].as_str().ok_or("no access token")?.to_owned();
        let keys = call(stack, "GET", "/.well-known/jwks.json", &json!({}))?;
        let key = keys["keys"][0]["x"].as_str().ok_or("no key")?.to_owned();
        Ok(Self { token, key })
    }

    /// The event that API Gateway sends for a change of the nickname.
    pub(crate) fn nickname_change(&self) -> String {
        json!({
            "version": "2.0",
            "routeKey": "PUT /users/me/nickname",
            "rawPath": "/users/me/nickname",
            "rawQueryString": "",
            "headers": {
                "accept": "*/*",
                "authorization": format!("Bearer {}", self.token),
                "content-length": "15",
                "content-type": "application/json",
                "host": "r3pmxmplak.execute-api.us-east-1.amazonaws.com",
                "user-agent": "okhttp/4.12.0",
                "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
                "x-forwarded-for": "203.0.113.7",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
            },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "r3pmxmplak",
                "domainName": "r3pmxmplak.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "r3pmxmplak",
                "http": {
                    "method": "PUT",
                    "path": "/users/me/nickname",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "okhttp/4.12.0",
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "PUT /users/me/nickname",
                "stage": "$default",
                "time": "10/Mar/2020:05:16:23 +0000",
                "timeEpoch": 1_583_817_383_220_u64,
            },
            "body": r#"{"value":"Tom"}"#,
            "isBase64Encoded": false,
        })
        .to_string()
    }
}

/// Sends a request to the local run and returns the JSON of a successful response.
fn call(stack: &Running, method: &str, path: &str, body: &Value) -> Result<Value> {
    let (url, body) = (stack.url(), body.to_string());
    let host = url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(host)?;
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("no response")?;
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(serde_json::from_str(body)?)
    } else {
        Err(format!("{method} {path}: {response}").into())
    }
}

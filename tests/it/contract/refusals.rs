//! Which operations need a sign-in, and the format of errors.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{APIS, Operation, description, examples, not_signed_in, operations, refusal_type};
use crate::support::backend::{whole, without_details};
use crate::support::{Backend, run, shared};

/// The operations of an API that need no sign-in. Every other operation must return an error to callers who are not
/// signed in.
fn open(api: &str) -> &'static [&'static str] {
    match api {
        "messenger" => &[
            "get_audio",
            "get_audio_singular",
            "get_image",
            "get_jwks",
            "get_verify_code",
            "head_audio",
            "head_audio_singular",
            "head_image",
            "post_refresh_token",
            "post_token",
            "post_verify_code",
        ],
        "web" => &["web_get_image_code", "web_get_sms_code", "web_post_sessions", "web_post_users"],
        "sealtalk" => &[
            "sealtalk_get_client_version",
            "sealtalk_get_demo_square",
            "sealtalk_get_latest_update",
            "sealtalk_check_phone_available",
            "sealtalk_get_get_sms_img_code",
            "sealtalk_get_sms_img_code_picture",
            "sealtalk_login",
            "sealtalk_post_get_sms_img_code",
            "sealtalk_register",
            "sealtalk_reset_password",
            "sealtalk_send_code",
            "sealtalk_verify_code",
        ],
        // Anyone can change a room without an owner.
        "rooms" => &[
            "rooms_delete_room",
            "rooms_get_phonelogin",
            "rooms_get_room",
            "rooms_get_rooms",
            "rooms_head_phonelogin",
            "rooms_head_room",
            "rooms_head_rooms",
            "rooms_options_login",
            "rooms_options_logout",
            "rooms_options_password",
            "rooms_options_phonelogin",
            "rooms_options_rooms",
            "rooms_options_rooms_pk",
            "rooms_options_snslogin",
            "rooms_options_users",
            "rooms_options_users_icon_pk",
            "rooms_options_users_password",
            "rooms_options_users_pk",
            "rooms_post_login",
            "rooms_post_phonelogin",
            "rooms_post_rooms",
            "rooms_post_snslogin",
            "rooms_post_users",
            "rooms_put_room",
        ],
        "device" => {
            &["device_ask_for_code", "device_check_code", "device_login", "device_register", "device_update_password"]
        }
        "supabase" => &[
            "supabase_get_health",
            "supabase_get_jwks",
            "supabase_get_openid_configuration",
            "supabase_get_settings",
            "supabase_post_otp",
            "supabase_post_resend",
            "supabase_post_signup",
            "supabase_post_token",
            "supabase_post_verify",
        ],
        "v1" => &["v1_get_config", "v1_get_deletion_page", "v1_get_deletion_script", "v1_get_health", "v1_get_openapi"],
        other => panic!("the API {other}"),
    }
}

/// The name of the security scheme of an API's protected operations.
fn scheme(api: &str) -> &'static str {
    match api {
        "messenger" => "bearer",
        "web" => "web_session",
        "sealtalk" => "sealtalk_session",
        "rooms" => "rooms_token",
        "device" => "access_token",
        "supabase" => "supabase_bearer",
        "v1" => "v1_bearer",
        other => panic!("the API {other}"),
    }
}

#[test]
fn every_api_has_its_own_credential() {
    let expected = json!({
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        "web_session": { "type": "apiKey", "in": "cookie", "name": "web_session" },
        "sealtalk_session": { "type": "apiKey", "in": "cookie", "name": "sealtalk_session" },
        "rooms_token": { "type": "apiKey", "in": "query", "name": "token" },
        "access_token": { "type": "apiKey", "in": "header", "name": "Access-Token" },
        "supabase_bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        "v1_bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
    });
    let mut schemes = description()["components"]["securitySchemes"].take();
    for scheme in schemes.as_object_mut().expect("schemes").values_mut() {
        let about = scheme.as_object_mut().expect("a scheme").remove("description");
        assert!(about.is_some_and(|about| about.as_str().is_some_and(|about| about.len() > 10)), "{scheme}");
    }
    assert_eq!(schemes, expected);
    for operation in operations(&description()) {
        let api = operation.api();
        let wanted = if open(api).contains(&operation.id()) { json!([]) } else { json!([{ scheme(api): [] }]) };
        assert_eq!(operation.said["security"], wanted, "{}", operation.id());
    }
}

/// A request with each kind of invalid credential, in the place where this API expects it.
fn forged(request: impl Fn() -> RequestBuilder, api: &str) -> Vec<RequestBuilder> {
    let header = |name: &str, value: &str| request().header(name, value);
    match api {
        "messenger" | "supabase" | "v1" => ["Bearer nonsense", "Bearer a.b.c", "Basic eDp5", "bearer"]
            .map(|value| header("authorization", value))
            .into(),
        "web" => ["web_session=nonsense", "web_session=", "session=x"].map(|value| header("cookie", value)).into(),
        "sealtalk" => {
            ["sealtalk_session=nonsense", "sealtalk_session=", "session=x"].map(|value| header("cookie", value)).into()
        }
        "rooms" => ["nonsense", "a.b.c"].map(|token| request().query(&[("token", token)])).into(),
        "device" => [("access-token", "nonsense"), ("access-token", ""), ("authorization", "Bearer nonsense")]
            .map(|(name, value)| header(name, value))
            .into(),
        other => panic!("the API {other}"),
    }
}

/// Whether the description of an operation has the error for callers who are not signed in.
fn says_so(api: &Value, operation: &Operation) -> bool {
    let (status, body) = not_signed_in(operation.api());
    let content = &operation.said["responses"][status.to_string()]["content"][refusal_type(operation.api())];
    examples(api, content).into_iter().any(|example| without_details(example) == body)
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let answer = whole(request).await;
    (answer.status, answer.body)
}

#[test]
fn who_is_not_signed_in_is_refused() {
    run(async {
        // Texts are sent and accounts created with the numbers in the examples.
        let backend = Backend::start(&[]).await;
        let (api, mut found) = (description(), BTreeSet::new());
        for operation in operations(&api) {
            let (id, refusal) = (operation.id(), not_signed_in(operation.api()));
            let answer = send(operation.request(&backend, &api)).await;
            if open(operation.api()).contains(&id) {
                found.insert(id.to_owned());
                assert_ne!(answer, refusal, "{id} is listed as open");
            } else {
                assert_eq!(answer, refusal, "{id}");
                assert!(says_so(&api, &operation), "{id} does not say so");
            }
            // Some open operations still check a credential if there is one.
            if says_so(&api, &operation) {
                for request in forged(|| operation.request(&backend, &api), operation.api()) {
                    let basic = request.try_clone().and_then(|request| request.build().ok());
                    let place = format!("{id}: {:?}", basic.map(|request| request.headers().clone()));
                    let (status, mut body) = send(request).await;
                    if operation.api() == "supabase" {
                        // A credential that is no token of this API has an answer of its own.
                        assert_eq!((status, &body["error_code"]), (403, &json!("bad_jwt")), "{place}");
                        continue;
                    }
                    assert_eq!((status, body.take()), refusal, "{place}");
                }
            }
        }
        let listed: BTreeSet<String> = APIS.iter().flat_map(|api| open(api)).map(|id| (*id).to_owned()).collect();
        assert_eq!(found, listed, "an exception that is none");
    });
}

#[test]
fn a_credential_in_another_apis_place_is_none() {
    run(async {
        let backend = shared().await;
        let (api, token) = (description(), backend.person().await.access_token);
        for operation in operations(&api).iter().filter(|operation| !open(operation.api()).contains(&operation.id())) {
            let request = operation.request(backend, &api);
            let request = match operation.api() {
                "messenger" => request.header("access-token", &token).query(&[("token", &token)]),
                "device" => request.header("cookie", format!("access_token={token}")),
                "supabase" | "v1" => request.header("access-token", &token),
                _ => request.bearer_auth(&token),
            };
            assert_eq!(send(request).await, not_signed_in(operation.api()), "{}", operation.id());
        }
    });
}

/// Whether a body has exactly these fields: `texts` with text values, and `others`.
fn has(body: &Value, texts: &[&str], others: &[&str]) -> bool {
    let Some(fields) = body.as_object() else { return false };
    let names: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
    names == texts.iter().chain(others).copied().collect() && texts.iter().all(|name| fields[*name].is_string())
}

/// Whether an example for a status is an error of an API, in this API's format.
///
/// # Panics
/// If it is neither a success nor an error of that API.
fn is_refusal(api: &str, status: u16, body: &Value) -> bool {
    let fine = match api {
        "messenger" => status < 300 && body.get("error").is_none(),
        "web" => status == 200 && body["errno"] == "0" && body["errmsg"].is_string(),
        // The versions of apps have no envelope.
        "sealtalk" => status == 200 && body.get("code").is_none_or(|code| code == 200) && body.get("message").is_none(),
        "rooms" => status < 300 && body["status"] == "SUCCESS" && body["code"] == json!(status.to_string()),
        "device" => status == 200 && body["success"] == true && body["msg"].is_string(),
        "supabase" => status < 300 && body.get("error_code").is_none(),
        "v1" => status < 300 && body.get("detail").is_none(),
        other => panic!("the API {other}"),
    };
    let refusal = match api {
        "messenger" => status >= 400 && has(body, &["error"], &[]),
        "web" => has(body, &["errno", "errmsg"], &[]) && body["errno"].as_str().is_some_and(|errno| errno.len() == 4),
        "sealtalk" => {
            let own = match status {
                200 => [1_000, 2_000, 5_000].iter().any(|code| body["code"] == *code),
                403 => body["code"] == 403 || body["code"] == 10_000,
                status => body["code"] == status,
            };
            own && has(body, &["message"], &["code"])
        }
        "rooms" => {
            status >= 400
                && has(body, &["status", "msg", "code"], &[])
                && (&body["status"], &body["code"]) == (&json!("FAIL"), &json!(status.to_string()))
        }
        "device" => has(body, &["msg"], &["success"]) && body["success"] == false,
        "supabase" => status >= 400 && has(body, &["code", "error_code", "message", "msg"], &[]),
        "v1" => {
            let texts = ["type", "title", "code", "detail"];
            let fields = body["errors"]
                .as_array()
                .is_some_and(|errors| errors.iter().all(|error| has(error, &["field", "rule"], &[])));
            status >= 400
                && body["status"] == status
                && (has(body, &texts, &["status"]) || (fields && has(body, &texts, &["status", "errors"])))
        }
        other => panic!("the API {other}"),
    };
    assert!(fine != refusal, "{api} {status}: {body}");
    refusal
}

#[test]
fn answers_in_examples_are_the_ones_that_are_given() {
    let api = description();
    for operation in operations(&api) {
        for (status, response) in operation.said["responses"].as_object().expect("responses") {
            let status: u16 = status.parse().expect("a status");
            let kind = if status >= 400 { refusal_type(operation.api()) } else { "application/json" };
            let content = &response["content"][kind];
            // Lists and keys have no envelope; the gateway has its own.
            let all = examples(&api, content).into_iter().filter(Value::is_object).map(without_details);
            for example in all.filter(|example| example.get("message").is_none() || example.get("code").is_some()) {
                let place = format!("{} {status}: {example}", operation.key());
                let refusal = is_refusal(operation.api(), status, &example);
                // The web API's captcha is a picture or an error.
                let mixed = content["examples"].is_object() || response["content"]["image/jpg"].is_object();
                assert!(refusal == (status >= 400) || mixed, "{place}");
                let (refused_with, unsigned) = not_signed_in(operation.api());
                assert!(example != unsigned || status == refused_with, "{place}");
                if ["messenger", "rooms", "device", "v1"].contains(&operation.api()) {
                    assert_eq!(status == 401, example == unsigned, "{place}");
                }
            }
        }
    }
}

//! The Supabase Auth API. `tests/supabase` runs the real client libraries; this holds what they cannot see: the table,
//! races, limits, and the other APIs.

mod identities;
mod races;

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::accounts::{web_register, web_sign_in};
use crate::support::backend::{Whole, whole};
use crate::support::round_trips::{documented, line_in};
use crate::support::{Backend, Phone, fresh_phone, run, shared};

const PASSWORD: &str = "P@ssw0rd-1";

/// A request as newer libraries send it, whose errors have words.
fn call(backend: &Backend, method: Method, path: &str) -> RequestBuilder {
    backend.request(method, &format!("/auth/v1{path}")).header("x-supabase-api-version", "2024-01-01")
}

fn post(backend: &Backend, path: &str, body: &Value) -> RequestBuilder {
    call(backend, Method::POST, path).json(body)
}

fn number(phone: &Phone) -> String {
    format!("86{phone}")
}

/// Asserts the cost of a request that succeeds, and returns its body.
async fn costs(row: &str, request: RequestBuilder) -> Value {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{row}: {} {}", answer.status, answer.body);
    assert_eq!(answer.rounds(), documented(row), "{row}");
    answer.body
}

async fn refused(request: RequestBuilder, status: u16, code: &str) -> Whole {
    let answer = whole(request).await;
    assert_eq!((answer.status, answer.body["error_code"].as_str()), (status, Some(code)), "{}", answer.body);
    assert_eq!(answer.headers["x-sb-error-code"], code);
    answer
}

async fn done(request: RequestBuilder) -> Value {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{} {}", answer.status, answer.body);
    answer.body
}

/// Requests a code and enters it.
async fn sign_in(backend: &Backend, phone: &Phone) -> Value {
    done(post(backend, "/otp", &json!({ "phone": number(phone) }))).await;
    let code = backend.newest_code(phone).await;
    done(verify(backend, "sms", phone, &code)).await
}

fn verify(backend: &Backend, kind: &str, phone: &Phone, code: &str) -> RequestBuilder {
    post(backend, "/verify", &json!({ "type": kind, "phone": number(phone), "token": code }))
}

fn with(session: &Value, request: RequestBuilder) -> RequestBuilder {
    request.bearer_auth(session["access_token"].as_str().expect("an access token"))
}

fn user(backend: &Backend, session: &Value) -> RequestBuilder {
    with(session, call(backend, Method::GET, "/user"))
}

fn change(backend: &Backend, session: &Value, change: &Value) -> RequestBuilder {
    with(session, call(backend, Method::PUT, "/user")).json(change)
}

fn refresh(backend: &Backend, session: &Value) -> RequestBuilder {
    post(backend, "/token?grant_type=refresh_token", &json!({ "refresh_token": session["refresh_token"] }))
}

fn by_password(backend: &Backend, phone: &Phone, password: &str) -> RequestBuilder {
    post(backend, "/token?grant_type=password", &json!({ "phone": number(phone), "password": password }))
}

fn log_out(backend: &Backend, session: &Value, scope: &str) -> RequestBuilder {
    with(session, call(backend, Method::POST, &format!("/logout?scope={scope}")))
}

/// The number in the account's UUID.
fn uid(session: &Value) -> u64 {
    let id = session["user"]["id"].as_str().expect("an id").replace('-', "");
    let digits = format!("{}{}", &id[8..12], &id[20..]);
    u64::from_str_radix(&digits, 16).expect("hexadecimal")
}

async fn backend() -> Backend {
    let parameters = [("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50"), ("ChecksPerIpDay", "1000")];
    Backend::frozen(&parameters).await
}

/// The fakes' token of a provider.
async fn id_token(backend: &Backend, provider: &str, claims: &Value) -> String {
    let url = format!("{}/{provider}/sign", backend.running.fakes().url());
    // Valid at whatever time the backend's clock shows.
    let mut claims = claims.clone();
    (claims["iat"], claims["exp"]) = (json!(1_700_000_000), json!(4_000_000_000_u64));
    let signed: Value = reqwest::Client::new().post(url).json(&claims).send().await.unwrap().json().await.unwrap();
    signed["id_token"].as_str().unwrap_or_else(|| panic!("a token in {signed}")).to_owned()
}

/// Uses every feature of the API once.
pub async fn whole_session(backend: &Backend) {
    let (phone, other) = (fresh_phone(), fresh_phone());
    for path in ["/health", "/settings", "/.well-known/jwks.json", "/.well-known/openid-configuration"] {
        done(call(backend, Method::GET, path)).await;
    }
    done(post(backend, "/signup", &json!({ "phone": number(&phone), "password": PASSWORD, "data": { "a": 1 } }))).await;
    backend.advance(Duration::from_secs(61));
    done(post(backend, "/resend", &json!({ "type": "sms", "phone": number(&phone) }))).await;
    let code = backend.newest_code(&phone).await;
    let session = done(verify(backend, "sms", &phone, &code)).await;
    refused(verify(backend, "sms", &phone, "000000"), 403, "otp_expired").await;
    let session = done(refresh(backend, &session)).await;
    done(user(backend, &session)).await;
    done(change(backend, &session, &json!({ "data": { "b": 2 } }))).await;
    backend.advance(Duration::from_secs(61));
    done(with(&session, call(backend, Method::GET, "/reauthenticate"))).await;
    let nonce = backend.newest_code(&phone).await;
    done(change(backend, &session, &json!({ "password": "Another-pw-1", "nonce": nonce }))).await;
    refused(by_password(backend, &phone, PASSWORD), 400, "invalid_credentials").await;
    // In some tests an account has only one session.
    let session = done(by_password(backend, &phone, "Another-pw-1")).await;
    done(change(backend, &session, &json!({ "phone": number(&other), "current_password": "Another-pw-1" }))).await;
    let code = backend.newest_code(&other).await;
    let session = done(verify(backend, "phone_change", &other, &code)).await;
    let token = id_token(backend, "apple", &json!({ "sub": format!("of-{other}") })).await;
    let link = json!({ "provider": "apple", "id_token": token, "link_identity": true });
    let session = done(with(&session, post(backend, "/token?grant_type=id_token", &link))).await;
    let linked = session["user"]["identities"][1]["identity_id"].as_str().expect("an id");
    done(with(&session, call(backend, Method::DELETE, &format!("/user/identities/{linked}")))).await;
    let nobody = done(post(backend, "/signup", &json!({ "data": { "c": 3 } }))).await;
    done(log_out(backend, &nobody, "others")).await;
    done(log_out(backend, &nobody, "local")).await;
    done(log_out(backend, &session, "global")).await;
}

#[test]
fn requests_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let (phone, other) = (fresh_phone(), fresh_phone());
        let ask = |phone: &Phone, create: bool| {
            post(&backend, "/otp", &json!({ "phone": number(phone), "create_user": create }))
        };
        costs("supabase: send a code", ask(&phone, true)).await;
        let code = backend.newest_code(&phone).await;
        costs("supabase: sign in by code, new number", verify(&backend, "sms", &phone, &code)).await;
        backend.advance(Duration::from_secs(61));
        costs("… for existing users only", ask(&phone, false)).await;
        let code = backend.newest_code(&phone).await;
        let session = costs("supabase: sign in by code, known number", verify(&backend, "sms", &phone, &code)).await;
        costs("… and the number has no account", ask(&fresh_phone(), false)).await;
        costs("… for the first time with a new access token", user(&backend, &session)).await;
        costs("supabase: read the user", user(&backend, &session)).await;
        let next = costs("supabase: refresh", refresh(&backend, &session)).await;
        done(user(&backend, &next)).await;
        backend.advance(Duration::from_secs(61));
        let stolen = refused(refresh(&backend, &session), 400, "refresh_token_already_used").await;
        assert_eq!(stolen.rounds(), documented("… an old token after the new one was used: theft"));
        let session = sign_in(&backend, &phone).await;
        done(user(&backend, &session)).await;
        let data = json!({ "data": { "theme": "dark" } });
        costs("supabase: change the metadata", change(&backend, &session, &data)).await;
        costs("supabase: new password", change(&backend, &session, &json!({ "password": PASSWORD }))).await;
        let confirmed = json!({ "password": "Another-pw-1", "current_password": PASSWORD });
        costs("… with a code or the current password", change(&backend, &session, &confirmed)).await;
        costs("supabase: sign in by password", by_password(&backend, &phone, "Another-pw-1")).await;
        let wanted = json!({ "phone": number(&other) });
        costs("supabase: ask for another number", change(&backend, &session, &wanted)).await;
        let code = backend.newest_code(&other).await;
        let session = costs("supabase: confirm another number", verify(&backend, "phone_change", &other, &code)).await;
        done(user(&backend, &session)).await;
        backend.advance(Duration::from_secs(61));
        sign_in(&backend, &phone).await;
        let taken = refused(change(&backend, &session, &json!({ "phone": number(&phone) })), 422, "phone_exists").await;
        assert_eq!(taken.rounds(), documented("… that another account has"));
        backend.advance(Duration::from_secs(61));
        let asked = with(&session, call(&backend, Method::GET, "/reauthenticate"));
        costs("supabase: ask for a code to confirm a change", asked).await;
        costs("supabase: sign out everywhere, or elsewhere", log_out(&backend, &session, "global")).await;
    });
}

#[test]
fn signing_up_and_linking_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let sign_up =
            |phone: &Phone| post(&backend, "/signup", &json!({ "phone": number(phone), "password": PASSWORD }));
        let resend = || post(&backend, "/resend", &json!({ "type": "sms", "phone": number(&phone) }));
        costs("… and none was requested", resend()).await;
        costs("supabase: sign up with a number", sign_up(&phone)).await;
        backend.advance(Duration::from_secs(61));
        costs("supabase: send the same code again", resend()).await;
        let code = backend.newest_code(&phone).await;
        done(verify(&backend, "sms", &phone, &code)).await;
        backend.advance(Duration::from_secs(61));
        costs("… with an account", sign_up(&phone)).await;
        let nobody = costs("supabase: sign up anonymously", post(&backend, "/signup", &json!({}))).await;
        costs("supabase: sign out here", log_out(&backend, &nobody, "local")).await;
        let grant = "/token?grant_type=id_token";
        let given =
            json!({ "provider": "google", "id_token": id_token(&backend, "google", &json!({ "sub": "1" })).await });
        let session = costs("supabase: sign in by an identity token", post(&backend, grant, &given)).await;
        let bad = json!({ "provider": "google", "id_token": "a.b.c" });
        let bad = refused(post(&backend, grant, &bad), 400, "invalid_credentials").await;
        assert_eq!(bad.rounds(), documented("… that is not valid"));
        done(user(&backend, &session)).await;
        let more = id_token(&backend, "apple", &json!({ "sub": "2" })).await;
        let more = json!({ "provider": "apple", "id_token": more, "link_identity": true });
        let session = costs("supabase: link an identity token", with(&session, post(&backend, grant, &more))).await;
        done(user(&backend, &session)).await;
        let first = session["user"]["identities"][0]["identity_id"].as_str().expect("an id");
        let gone = call(&backend, Method::DELETE, &format!("/user/identities/{first}"));
        costs("supabase: remove an identity", with(&session, gone)).await;
        let free = "supabase: health, settings, keys, and everything refused by its path";
        for path in ["/health", "/settings", "/.well-known/jwks.json", "/.well-known/openid-configuration"] {
            costs(free, call(&backend, Method::GET, path)).await;
        }
    });
}

#[test]
fn a_waiting_password_counts_only_where_the_code_is_entered_too() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let new = json!({ "phone": number(&phone), "password": PASSWORD });
        let strangers = backend.at(7, 1).post("/auth/v1/signup").json(&new);
        let promised = done(strangers).await["id"].clone();
        let code = backend.newest_code(&phone).await;
        let session = done(verify(&backend, "sms", &phone, &code)).await;
        assert_eq!(session["user"]["id"], promised);
        refused(by_password(&backend, &phone, PASSWORD), 400, "invalid_credentials").await;

        let phone = fresh_phone();
        let new = json!({ "phone": number(&phone), "password": PASSWORD });
        done(post(&backend, "/signup", &new)).await;
        let code = backend.newest_code(&phone).await;
        // Another API enters the code: the account is the same, with what waited for it.
        let (status, body) = backend.sign_in(&phone, &code).await;
        assert_eq!(status, 200, "{body}");
        done(by_password(&backend, &phone, PASSWORD)).await;
    });
}

#[test]
fn signing_up_with_a_taken_number_leaves_its_owner_alone() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        web_register(&backend, &phone, PASSWORD).await;
        backend.advance(Duration::from_secs(61));
        done(post(&backend, "/otp", &json!({ "phone": number(&phone) }))).await;
        let waiting = backend.code_item(&phone).await.expect("a code");
        let texts = backend.running.endpoints().texts(None).len();
        backend.advance(Duration::from_secs(61));
        let new = json!({ "phone": number(&phone), "password": "Strangers-pw-1" });
        done(backend.at(7, 1).post("/auth/v1/signup").json(&new)).await;
        assert_eq!(backend.running.endpoints().texts(None).len(), texts, "no text was sent");
        let after = backend.code_item(&phone).await.expect("a code");
        assert_eq!(after["digest"], waiting["digest"], "the owner's code is as it was");
        assert_ne!(after["s0"], waiting["s0"], "the request is counted for the number");
        // The next one comes too soon, as for a number without an account.
        refused(post(&backend, "/signup", &new), 429, "over_sms_send_rate_limit").await;
        assert!(web_sign_in(&backend, &phone, PASSWORD).await.is_some());
    });
}

#[test]
fn a_code_for_accounts_only_is_answered_alike_for_every_number() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let asked = json!({ "phone": number(&phone), "create_user": false });
        done(post(&backend, "/otp", &asked)).await;
        assert_eq!(backend.running.endpoints().texts(None).len(), 0);
        refused(post(&backend, "/otp", &asked), 429, "over_sms_send_rate_limit").await;
        let telling = Backend::frozen(&[("TellUnknownNumbers", "true")]).await;
        refused(post(&telling, "/otp", &asked), 422, "otp_disabled").await;
    });
}

#[test]
fn anonymous_accounts_are_limited_and_end() {
    run(async {
        let backend = Backend::frozen(&[("AnonymousAccountsPerIpHour", "2")]).await;
        let one = done(post(&backend, "/signup", &json!({ "data": { "a": 1 } }))).await;
        done(post(&backend, "/signup", &json!({}))).await;
        let full = refused(post(&backend, "/signup", &json!({})), 429, "over_request_rate_limit").await;
        assert!(full.retry_after().is_some_and(|seconds| seconds <= 3_600));
        let nobody = format!("user#{}", uid(&one));
        let (account, data) = (backend.account(uid(&one)).await, backend.item(&nobody, "app").await.expect("data"));
        assert!(account.contains_key("ttl") && account["ttl"] == data["ttl"], "{account:?}");

        let phone = fresh_phone();
        done(change(&backend, &one, &json!({ "phone": number(&phone) }))).await;
        let code = backend.newest_code(&phone).await;
        let kept = done(verify(&backend, "phone_change", &phone, &code)).await;
        assert_eq!((&kept["user"]["id"], &kept["user"]["is_anonymous"]), (&one["user"]["id"], &json!(false)));
        assert_eq!(kept["user"]["user_metadata"], json!({ "a": 1 }));
        let (account, data) = (backend.account(uid(&one)).await, backend.item(&nobody, "app").await.expect("data"));
        assert!(!account.contains_key("ttl") && !data.contains_key("ttl"), "{account:?} {data:?}");

        let off = Backend::frozen(&[("AnonymousAccounts", "false")]).await;
        refused(post(&off, "/signup", &json!({})), 422, "anonymous_provider_disabled").await;
        let closed = Backend::frozen(&[("SignUps", "false")]).await;
        refused(post(&closed, "/signup", &json!({})), 422, "signup_disabled").await;
        let new = json!({ "phone": number(&phone), "password": PASSWORD });
        refused(post(&closed, "/signup", &new), 422, "signup_disabled").await;
    });
}

#[test]
fn an_old_session_confirms_what_matters() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let session = sign_in(&backend, &phone).await;
        done(change(&backend, &session, &json!({ "password": PASSWORD }))).await;
        refused(change(&backend, &session, &json!({ "password": PASSWORD })), 422, "same_password").await;
        backend.advance(Duration::from_mins(11));
        let other = json!({ "phone": number(&fresh_phone()) });
        refused(change(&backend, &session, &other), 400, "reauthentication_needed").await;
        backend.advance(Duration::from_hours(24));
        let session = done(refresh(&backend, &session)).await;
        let new = json!({ "password": "Another-pw-1" });
        refused(change(&backend, &session, &new), 400, "reauthentication_needed").await;
        let wrong = json!({ "password": "Another-pw-1", "current_password": "wrong-pw-1" });
        refused(change(&backend, &session, &wrong), 400, "current_password_invalid").await;
        let wrong = json!({ "password": "Another-pw-1", "nonce": "000000" });
        refused(change(&backend, &session, &wrong), 422, "reauthentication_not_valid").await;
        let before = backend.account(uid(&session)).await["hash"].clone();
        let right = json!({ "password": "Another-pw-1", "current_password": PASSWORD });
        done(change(&backend, &session, &right)).await;
        assert_ne!(backend.account(uid(&session)).await["hash"], before);
        assert!(web_sign_in(&backend, &phone, "Another-pw-1").await.is_some());
        assert!(web_sign_in(&backend, &phone, PASSWORD).await.is_none());
    });
}

#[test]
fn tokens_work_in_their_own_api_only() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let ours = sign_in(backend, &phone).await;
        backend.advance(Duration::from_secs(61));
        let theirs = backend.person_on(&phone).await;
        let name = backend.nickname(ours["access_token"].as_str().unwrap(), "Tom");
        assert_eq!(whole(name).await.status, 401);
        let foreign = call(backend, Method::GET, "/user").bearer_auth(&theirs.access_token);
        refused(foreign, 403, "bad_jwt").await;
        let token = json!({ "refresh_token": theirs.refresh_token });
        refused(post(backend, "/token?grant_type=refresh_token", &token), 400, "refresh_token_not_found").await;
        let token = ours["refresh_token"].as_str().unwrap();
        assert_eq!(whole(backend.refresh(token)).await.status, 400);
        // Neither attempt has cost the session anything.
        done(refresh(backend, &ours)).await;
        assert_eq!(whole(backend.refresh(&theirs.refresh_token)).await.status, 200);
    });
}

#[test]
fn a_path_may_end_in_a_slash_and_an_unknown_one_is_refused_in_this_apis_words() {
    run(async {
        let backend = shared().await;
        done(call(backend, Method::GET, "/health/")).await;
        // The gateway leads these two to another function than without the slash.
        let phone = fresh_phone();
        let asked = [
            ("/otp/", json!({ "phone": number(&phone), "data": { "a": 1 } })),
            ("/resend/", json!({ "phone": number(&phone), "type": "sms" })),
        ];
        for (path, body) in asked {
            let answer = whole(post(backend, path, &body)).await;
            assert_eq!((answer.status, &answer.body), (200, &json!({})), "{path}");
            assert_eq!(line_in(&answer.headers)["function"], "auth", "{path}");
            backend.advance(Duration::from_secs(61));
        }
        assert_eq!(backend.texts(&phone).await.len(), 2);
        let code = backend.newest_code(&phone).await;
        assert_eq!(done(verify(backend, "sms", &phone, &code)).await["user"]["user_metadata"], json!({ "a": 1 }));
        refused(post(backend, "/otp/", &json!({})), 400, "validation_failed").await;
        refused(call(backend, Method::GET, "/otp/"), 404, "validation_failed").await;
        for (method, path) in [("GET", "/nothing"), ("DELETE", "/health"), ("POST", "/user/identities"), ("GET", "")] {
            let request = call(backend, method.parse().unwrap(), path);
            let answer = whole(request).await;
            if path.is_empty() {
                assert_eq!(answer.status, 404, "{}", answer.body);
            } else {
                assert_eq!((answer.status, &answer.body["error_code"]), (404, &json!("validation_failed")), "{path}");
            }
        }
        let large = call(backend, Method::POST, "/otp").body(format!(r#"{{"phone":"{}"}}"#, "1".repeat(70_000)));
        refused(large, 413, "request_entity_too_large").await;
        for body in ["[]", "{", "\"x\""] {
            refused(call(backend, Method::POST, "/otp").body(body), 400, "bad_json").await;
        }
    });
}

//! `/v1`: the user's own account, devices and sessions.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::accounts::{
    PASSWORD, sealtalk_lives, sealtalk_register, sealtalk_sign_in, web_register, web_sign_in,
};
use crate::support::backend::{Whole, answer, whole};
use crate::support::round_trips::documented;
use crate::support::table::{number, text};
use crate::support::{Backend, Phone, fresh_phone, run, shared};

/// The session of a user who signs in with a code, as the client libraries of the Supabase API do.
pub async fn sign_in(backend: &Backend, phone: &Phone) -> Value {
    sign_in_on(backend, phone, "test").await
}

async fn sign_in_on(backend: &Backend, phone: &Phone, device: &str) -> Value {
    let asked = json!({ "phone": format!("86{phone}") });
    assert_eq!(answer(backend.post("/auth/v1/otp").json(&asked)).await.0, 200);
    let code = backend.newest_code(phone).await;
    let entered = json!({ "type": "sms", "phone": format!("86{phone}"), "token": code });
    let verify = backend.post("/auth/v1/verify").header("X-Device-Name", device).json(&entered);
    let (status, session) = answer(verify).await;
    assert_eq!(status, 200, "{session}");
    session
}

pub fn with(session: &Value, request: RequestBuilder) -> RequestBuilder {
    request.bearer_auth(session["access_token"].as_str().expect("an access token"))
}

/// Asserts the cost of a request that succeeds.
pub async fn costs(row: &str, request: RequestBuilder) -> Whole {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{row}: {} {}", answer.status, answer.body);
    assert_eq!(answer.rounds(), documented(row), "{row}");
    answer
}

/// A refusal as the client sees it.
pub struct Refusal {
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

/// Asserts that a request is refused.
pub async fn refused(request: RequestBuilder, status: u16, code: &str) -> Refusal {
    let response = request.send().await.expect("an answer");
    let headers = response.headers().clone();
    let (found, body) = read_unchanged(response).await;
    assert_eq!((found, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(headers["content-type"], "application/problem+json");
    Refusal { headers, body }
}

async fn read_unchanged(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

fn uid(session: &Value) -> u64 {
    let uuid: domain::uuid::Uuid = session["user"]["id"].as_str().expect("an id").parse().expect("a UUID");
    uuid.user().expect("a user").get()
}

#[test]
fn the_account_is_read_and_changed_with_either_kind_of_token() {
    run(async {
        let (backend, phone) = (&Backend::start(&[]).await, fresh_phone());
        let session = sign_in(backend, &phone).await;
        costs(
            "… for the first time with an access token of the Supabase Auth API",
            with(&session, backend.get("/v1/me")),
        )
        .await;
        let row = "v1: read the account or the sessions";
        let me = costs(row, with(&session, backend.get("/v1/me"))).await;
        assert_eq!(me.headers["etag"], "\"0\"");
        let expected = json!({
            "id": session["user"]["id"], "phone": phone.e164(), "created_at": session["user"]["created_at"],
            "is_anonymous": false, "has_password": false, "devices": [],
            "identities": [{
                "id": session["user"]["identities"][0]["identity_id"], "provider": "phone",
                "created_at": session["user"]["created_at"],
            }],
        });
        assert_eq!(me.body, expected);

        let patch = |body: Value| with(&session, backend.patch("/v1/me")).json(&body);
        let named =
            costs("v1: change name, state or picture", patch(json!({ "name": "Tom", "state": "at the sea" }))).await;
        assert_eq!((named.body["name"].as_str(), named.body["state"].as_str()), (Some("Tom"), Some("at the sea")));
        assert_eq!(named.headers["etag"], "\"1\"");
        let bare = costs("v1: change name, state or picture", patch(json!({ "name": null, "state": null }))).await;
        assert!(bare.body.get("name").is_none() && bare.body.get("state").is_none());
        let unchanged = whole(patch(json!({}))).await;
        assert_eq!((unchanged.status, &unchanged.headers["etag"]), (200, &"\"2\"".parse().unwrap()));

        // The messenger's tokens count as well, and its changes of the profile change the version.
        backend.advance(Duration::from_mins(1));
        let person = backend.person_on(&phone).await;
        assert_eq!(answer(backend.nickname(&person.access_token, "Tim")).await.0, 200);
        let me = whole(backend.get("/v1/me").bearer_auth(&person.access_token)).await;
        assert_eq!((me.body["name"].as_str(), &me.headers["etag"]), (Some("Tim"), &"\"3\"".parse().unwrap()));
    });
}

#[test]
fn a_change_that_is_meant_for_an_older_version_is_refused_and_changes_nothing() {
    run(async {
        let backend = shared().await;
        let session = sign_in(backend, &fresh_phone()).await;
        let patch = |tag: &str, name: &str| {
            with(&session, backend.patch("/v1/me")).header("If-Match", tag).json(&json!({ "name": name }))
        };
        assert_eq!(whole(patch("\"0\"", "A")).await.status, 200);
        refused(patch("\"0\"", "B"), 412, "condition_failed").await;
        refused(patch("W/\"1\"", "B"), 412, "condition_failed").await;
        refused(patch("\"1\", \"2\"", "B"), 400, "malformed").await;
        assert_eq!(whole(patch("*", "C")).await.status, 200);
        let all = futures::future::join_all((0..8).map(|name| whole(patch("\"2\"", &format!("N{name}"))))).await;
        let won: Vec<_> = all.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!((won.len(), &won[0].headers["etag"]), (1, &"\"3\"".parse().unwrap()));
    });
}

#[test]
fn wrong_fields_are_named() {
    run(async {
        let backend = shared().await;
        let session = sign_in(backend, &fresh_phone()).await;
        let patch = |body: &str| with(&session, backend.patch("/v1/me")).body(body.to_owned());
        let long = refused(patch(&json!({ "name": "n".repeat(65) }).to_string()), 422, "invalid").await;
        let rule = "must have 1 to 64 characters and no control characters";
        assert_eq!(long.body["errors"], json!([{ "field": "name", "rule": rule }]));
        for body in ["[]", "{", "\"a\"", r#"{"name":7}"#] {
            refused(patch(body), 400, "malformed").await;
        }
        refused(patch(&" ".repeat(70_000)), 413, "too_large").await;
        refused(patch(r#"{"avatar":"/etc/passwd"}"#), 422, "invalid").await;
        refused(backend.get("/v1/me"), 401, "credential_missing").await;
        refused(backend.get("/v1/nothing"), 404, "no_route").await;
        let wrong = refused(backend.post("/v1/me"), 405, "wrong_method").await;
        assert_eq!(wrong.headers["allow"], "GET, PATCH, DELETE");
    });
}

#[test]
fn an_expired_token_is_told_from_one_that_is_none() {
    run(async {
        let backend = Backend::start(&[]).await;
        let session = sign_in(&backend, &fresh_phone()).await;
        backend.advance(Duration::from_secs(3_600 + 200));
        assert_eq!(whole(with(&session, backend.get("/v1/me"))).await.status, 200, "a slow clock is allowed for");
        backend.advance(Duration::from_secs(101));
        let answer = refused(with(&session, backend.get("/v1/me")), 401, "credential_expired").await;
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
        refused(backend.get("/v1/me").bearer_auth("a.b.c"), 401, "credential_malformed").await;
        // A token of the web API is none here.
        let (_, cookie) = web_register(&backend, &fresh_phone(), PASSWORD).await;
        refused(backend.get("/v1/me").header("cookie", cookie.0), 401, "credential_missing").await;
    });
}

#[test]
fn a_push_token_belongs_to_the_session_on_the_device() {
    run(async {
        let (backend, phone) = (Backend::start(&[]).await, fresh_phone());
        let first = sign_in(&backend, &phone).await;
        backend.advance(Duration::from_mins(1));
        let second = sign_in(&backend, &phone).await;
        let put = |session: &Value, id: &str, body: Value| {
            with(session, backend.put(&format!("/v1/me/devices/{id}"))).json(&body)
        };
        let token = json!({ "platform": "ios", "token": "0a1b" });
        costs("v1: push token of a device", put(&first, "current", token.clone())).await;
        let devices = |me: &Value| me["devices"].as_array().expect("a list").clone();
        let (_, me) = answer(with(&second, backend.get("/v1/me"))).await;
        assert_eq!((devices(&me).len(), &devices(&me)[0]["current"]), (1, &json!(false)));
        let id = devices(&me)[0]["id"].as_str().expect("an id").to_owned();
        refused(put(&second, &id, token.clone()), 403, "not_yours").await;
        // The same device signed in again.
        costs("… that another session of the user has", put(&second, "current", token.clone())).await;
        let (_, me) = answer(with(&first, backend.get("/v1/me"))).await;
        assert_eq!((devices(&me).len(), &devices(&me)[0]["current"]), (1, &json!(false)));
        let id = devices(&me)[0]["id"].as_str().expect("an id").to_owned();
        let delete = |id: &str| with(&first, backend.request(reqwest::Method::DELETE, &format!("/v1/me/devices/{id}")));
        costs("v1: remove a push token", delete(&id)).await;
        assert_eq!(whole(delete(&id)).await.status, 204);
        let (_, me) = answer(with(&first, backend.get("/v1/me"))).await;
        assert_eq!(devices(&me), Vec::<Value>::new());
        refused(delete("x"), 404, "not_found").await;
        refused(put(&first, "current", json!({ "platform": "palm", "token": "a" })), 422, "invalid").await;
        refused(put(&first, "current", json!({ "platform": "ios", "token": " " })), 422, "invalid").await;
        refused(put(&first, "current", json!({ "platform": "ios" })), 400, "malformed").await;
    });
}

#[test]
fn sessions_of_all_apis_are_listed_and_ended_at_once() {
    run(async {
        let (backend, phone) = (Backend::start(&[]).await, fresh_phone());
        sealtalk_register(&backend, &phone, PASSWORD).await;
        let (_, cookie) = sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("a session");
        web_sign_in(&backend, &phone, PASSWORD).await.expect("a session");
        backend.advance(Duration::from_mins(1));
        let session = sign_in_on(&backend, &phone, "Anna's iPhone").await;
        let get = |query: &str| with(&session, backend.get(&format!("/v1/sessions{query}")));
        let all = whole(get("")).await.body;
        let all = all["items"].as_array().expect("a list");
        let apis: Vec<_> = all.iter().map(|session| session["api"].as_str().expect("a name")).collect();
        assert_eq!((apis[0], apis.len()), ("supabase", 4));
        assert_eq!((&all[0]["device"], &all[0]["current"]), (&json!("Anna's iPhone"), &json!(true)));
        assert!(all[1..].iter().all(|session| session["current"] == false && session.get("device").is_none()));
        assert!(all[0]["last_used_at"].as_str().expect("a time").ends_with(":00:00.000Z"));

        // Pages, to the end.
        let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
        loop {
            let page = whole(get(&query)).await.body;
            seen.extend(page["items"].as_array().expect("a list").clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=2&cursor={next}");
        }
        assert_eq!(&seen, all);
        refused(get("?limit=0"), 422, "invalid").await;
        refused(get("?cursor=!"), 422, "invalid").await;

        // Signing up began a session too.
        let sealtalk: Vec<_> = all.iter().filter(|session| session["api"] == "sealtalk").collect();
        let end = |path: String| with(&session, backend.request(reqwest::Method::DELETE, &path));
        let path = |session: &Value| format!("/v1/sessions/{}", session["id"].as_str().expect("an id"));
        assert!(sealtalk_lives(&backend, &cookie).await);
        for session in &sealtalk {
            costs("v1: end a session", end(path(session))).await;
        }
        let path = path(sealtalk[0]);
        assert!(!sealtalk_lives(&backend, &cookie).await);
        refused(end(path), 404, "not_found").await;
        refused(end("/v1/sessions/x".into()), 404, "not_found").await;
        refused(end("/v1/sessions".into()), 422, "invalid").await;
        costs("v1: end all other sessions", end("/v1/sessions?scope=others".into())).await;
        assert_eq!(whole(get("")).await.body["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(whole(end("/v1/sessions/current".into())).await.status, 204);
        refused(get(""), 401, "session_ended").await;
    });
}

#[test]
fn a_session_of_another_user_cannot_be_ended() {
    run(async {
        let backend = shared().await;
        let (mine, theirs) = (sign_in(backend, &fresh_phone()).await, sign_in(backend, &fresh_phone()).await);
        let (_, sessions) = answer(with(&theirs, backend.get("/v1/sessions"))).await;
        let id = sessions["items"][0]["id"].as_str().expect("an id");
        let end = with(&mine, backend.request(reqwest::Method::DELETE, &format!("/v1/sessions/{id}")));
        refused(end, 404, "not_found").await;
        assert_eq!(whole(with(&theirs, backend.get("/v1/me"))).await.status, 200);
    });
}

#[test]
fn the_last_use_of_a_session_is_known_to_the_hour() {
    run(async {
        let backend = Backend::start(&[]).await;
        let session = sign_in(&backend, &fresh_phone()).await;
        let last = || async {
            let sessions = backend.sessions(uid(&session)).await;
            let only = sessions.values().next().expect("a session").clone();
            (number(&only, "last"), text(&only, "client").map(str::to_owned))
        };
        assert_eq!(last().await, (None, Some("test".to_owned())));
        backend.advance(Duration::from_mins(10));
        let patch = with(&session, backend.patch("/v1/me")).json(&json!({ "name": "Tom" }));
        assert_eq!(whole(patch).await.status, 200);
        let (hour, _) = last().await;
        assert_eq!(hour.map(|hour| hour % 3_600_000), Some(0));
    });
}

#[test]
fn removing_a_way_to_sign_in_needs_a_proof_and_never_takes_the_last() {
    run(async {
        let (backend, phone) = (Backend::start(&[]).await, fresh_phone());
        sealtalk_register(&backend, &phone, PASSWORD).await;
        backend.advance(Duration::from_mins(1));
        let session = sign_in(&backend, &phone).await;
        let delete =
            |path: &str, body: Value| with(&session, backend.request(reqwest::Method::DELETE, path)).json(&body);
        refused(delete("/v1/me/phone", json!({})), 422, "last_identity").await;
        backend.advance(Duration::from_mins(11));
        refused(delete("/v1/me/password", json!({})), 403, "reauthentication_needed").await;
        refused(delete("/v1/me/password", json!({ "password": "wrong-password" })), 403, "password_wrong").await;
        refused(delete("/v1/me/password", json!({ "password": PASSWORD, "code": "123456" })), 400, "malformed").await;
        assert!(sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_some());
        assert_eq!(whole(delete("/v1/me/password", json!({ "password": PASSWORD }))).await.status, 204);
        assert!(sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_none(), "no password is right any more");
        let (_, me) = answer(with(&session, backend.get("/v1/me"))).await;
        assert_eq!(me["has_password"], false);
        refused(delete("/v1/me/password", json!({})), 404, "not_found").await;
        let foreign = "d52ee8c6-8353-8003-8000-26eb85cd4c63";
        refused(delete(&format!("/v1/me/identities/{foreign}"), json!({})), 404, "not_found").await;
    });
}

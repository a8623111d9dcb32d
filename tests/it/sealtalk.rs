//! The `SealTalk` API, as documented and as its clients send it.

mod codes;
mod misc;
mod pictures;
mod refusals;
mod upload_quota;

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::backend::{Whole, answer, read, whole};
use crate::support::{Backend, Phone, fresh_phone, round_trips, run, shared};

const PASSWORD: &str = "P@ssw0rd";

/// A user with an account, and the cookie of a session.
struct Owner {
    phone: Phone,
    id: String,
    cookie: String,
}

fn done() -> (u16, Value) {
    (200, json!({ "code": 200 }))
}

fn result(result: &Value) -> (u16, Value) {
    (200, json!({ "code": 200, "result": result }))
}

/// An error or another outcome with this `message`.
fn refused(status: u16, code: u16, message: &str) -> (u16, Value) {
    (status, json!({ "code": code, "message": message }))
}

fn not_signed_in() -> (u16, Value) {
    refused(403, 10_000, "not signed in")
}

async fn post(backend: &Backend, path: &str, body: Value) -> (u16, Value) {
    answer(backend.post(path).json(&body)).await
}

/// The name and value in a response's only `Set-Cookie` line.
fn cookie_of(headers: &HeaderMap) -> String {
    let lines: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0].to_str().expect("text");
    // A client splits the line at commas.
    assert!(!line.contains(',') && !line.to_lowercase().contains("expires"), "{line}");
    line.split(';').next().expect("a pair").to_owned()
}

/// Requests a code and reads it from the phone.
async fn code_for(backend: &Backend, phone: &Phone) -> String {
    let asked = post(backend, "/user/send_code", json!({ "region": "86", "phone": phone.0 })).await;
    assert_eq!(asked, done());
    backend.newest_code(phone).await
}

/// A verification token for a phone.
async fn verification_for(backend: &Backend, phone: &Phone) -> String {
    let code = code_for(backend, phone).await;
    let given = json!({ "region": "86", "phone": phone.0, "code": code });
    let (status, body) = post(backend, "/user/verify_code", given).await;
    assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
    body["result"]["verification_token"].as_str().expect("a token").to_owned()
}

fn registration(token: &str) -> Value {
    json!({ "nickname": "Tom", "password": PASSWORD, "verification_token": token })
}

async fn register_on(backend: &Backend, phone: Phone) -> Owner {
    let token = verification_for(backend, &phone).await;
    let response = backend.post("/user/register").json(&registration(&token)).send().await.expect("an answer");
    let cookie = cookie_of(response.headers());
    let (status, body) = read(response).await;
    let id = body["result"]["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!((status, &body), (200, &json!({ "code": 200, "result": { "id": id } })));
    assert!((1..=9).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    Owner { phone, id, cookie }
}

async fn register(backend: &Backend) -> Owner {
    register_on(backend, fresh_phone()).await
}

fn login(backend: &Backend, phone: &Phone, password: &str) -> RequestBuilder {
    backend.post("/user/login").json(&json!({ "region": "86", "phone": phone.0, "password": password }))
}

/// Another session.
async fn session(backend: &Backend, owner: &Owner, password: &str) -> String {
    let response = login(backend, &owner.phone, password).send().await.expect("an answer");
    cookie_of(response.headers())
}

fn as_of(request: RequestBuilder, cookie: &str) -> RequestBuilder {
    request.header(COOKIE, cookie)
}

async fn is_signed_in(backend: &Backend, owner: &Owner, cookie: &str) -> bool {
    let (status, _) = answer(as_of(backend.get(&format!("/user/{}", owner.id)), cookie)).await;
    assert!(status == 200 || status == 403, "{status}");
    status == 200
}

/// The content type of a response, which its clients and the original server's tests check.
fn kind(answer: &Whole) -> Option<&str> {
    answer.headers.get(CONTENT_TYPE).map(|value| value.to_str().expect("text"))
}

#[test]
fn answers_under_200_have_the_type_of_the_original_servers() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let phone = json!({ "region": "86", "phone": owner.phone.0 });
        let wrong = json!({ "region": "86", "phone": owner.phone.0, "password": "wrong-password" });
        // Successes with and without a result, and other outcomes.
        let fine = [
            backend.post("/user/check_phone_available").json(&phone),
            backend.post("/user/login").json(&wrong),
            backend.post("/user/send_code").json(&phone),
            as_of(backend.get("/user/groups"), &owner.cookie),
            as_of(backend.get("/friendship/all"), &owner.cookie),
            as_of(backend.get("/user/sync/0"), &owner.cookie),
            as_of(backend.post("/user/set_nickname"), &owner.cookie).json(&json!({ "nickname": "Tim" })),
            backend.get("/misc/demo_square"),
        ];
        for request in fine {
            let answer = whole(request).await;
            let expected = Some("application/json; charset=utf-8");
            assert_eq!((answer.status, kind(&answer)), (200, expected), "{}", answer.body);
        }
        for request in [backend.get("/user/groups"), backend.get("/misc/nothing"), backend.post("/user/login")] {
            let answer = whole(request).await;
            assert_ne!(answer.status, 200);
            assert_eq!(kind(&answer), Some("application/json"), "{}", answer.body);
        }
    });
}

#[test]
fn an_account_is_made_used_and_left() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let number: u64 = phone.0.parse().expect("digits");
        // Numbers, as documented.
        let available = json!({ "region": 86, "phone": number });
        assert_eq!(post(backend, "/user/check_phone_available", available.clone()).await, result(&json!(true)));
        assert_eq!(post(backend, "/user/send_code", available.clone()).await, done());
        let code = backend.newest_code(&phone).await;
        let given = json!({ "region": 86, "phone": number, "code": code });
        let (status, body) = post(backend, "/user/verify_code", given.clone()).await;
        let token = body["result"]["verification_token"].as_str().expect("a token").to_owned();
        assert_eq!((status, body), result(&json!({ "verification_token": token })));
        assert_eq!(token.len(), 36);
        let spent = refused(404, 404, "no code to check: it was used already or never requested; request a new one");
        assert_eq!(post(backend, "/user/verify_code", given).await, spent);
        let (_, body) = post(backend, "/user/register", registration(&token)).await;
        let id = body["result"]["id"].as_str().expect("an id").to_owned();
        assert_eq!(post(backend, "/user/check_phone_available", available).await, result(&json!(false)));

        let response = login(backend, &phone, PASSWORD).send().await.expect("an answer");
        let (line, cookie) =
            (response.headers()[SET_COOKIE].to_str().expect("text").to_owned(), cookie_of(response.headers()));
        assert!(line.contains("Max-Age=2592000") && line.contains("HttpOnly") && line.contains("Path=/"), "{line}");
        let (status, body) = read(response).await;
        assert_eq!((status, &body["code"], &body["result"]["id"]), (200, &json!(200), &json!(id)));
        assert!(body["result"]["token"].as_str().is_some_and(|token| token.len() > 40), "{body}");
        // As a client that stores whole lines sends them back, together with an older one.
        let replayed = format!("sealtalk_session=old; Path=/; Max-Age=5, {line}");
        let profile = json!({ "id": id, "nickname": "Tom", "portraitUri": "" });
        for cookie in [&cookie, &line, &replayed] {
            let found = answer(as_of(backend.get(&format!("/user/{id}")), cookie)).await;
            assert_eq!(found, result(&profile), "{cookie}");
        }
        let two_lines = as_of(as_of(backend.get(&format!("/user/{id}")), "other=1; Path=/"), &line);
        assert_eq!(answer(two_lines).await, result(&profile));

        let rename = as_of(backend.post("/user/set_nickname"), &cookie).json(&json!({ "nickname": "小明" }));
        assert_eq!(answer(rename).await, done());
        let portrait = "http://test.com/user/abc123.jpg";
        let point = as_of(backend.post("/user/set_portrait_uri"), &cookie).json(&json!({ "portraitUri": portrait }));
        assert_eq!(answer(point).await, done());
        let profile = json!({ "id": id, "nickname": "小明", "portraitUri": portrait });
        for method in [Method::GET, Method::POST] {
            for path in [format!("/user/{id}"), format!("/user/find/86/{phone}"), format!("/user/find/+86/{phone}")] {
                let found = answer(as_of(backend.request(method.clone(), &path), &cookie)).await;
                assert_eq!(found, result(&profile), "{method} {path}");
            }
            let (status, body) = answer(as_of(backend.request(method, "/user/get_token"), &cookie)).await;
            assert_eq!((status, &body["result"]["userId"]), (200, &json!(id)), "{body}");
            assert!(body["result"]["token"].is_string());
        }

        let response = as_of(backend.post("/user/logout"), &cookie).send().await.expect("an answer");
        assert_eq!(cookie_of(response.headers()), "sealtalk_session=");
        assert_eq!(read(response).await, done());
        assert_eq!(answer(as_of(backend.get(&format!("/user/{id}")), &cookie)).await, not_signed_in());
    });
}

#[test]
fn fields_may_come_as_a_form_or_in_the_query() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let fields = [("region", "86"), ("phone", owner.phone.0.as_str()), ("password", PASSWORD)];
        for request in [backend.post("/user/login").form(&fields), backend.post("/user/login").query(&fields)] {
            let (status, body) = answer(request).await;
            assert_eq!((status, &body["result"]["id"]), (200, &json!(owner.id)), "{body}");
        }
    });
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let other = session(&backend, &owner, PASSWORD).await;
        let change = json!({ "oldPassword": PASSWORD, "newPassword": "N3wP@ssw0rd" });
        assert_eq!(answer(as_of(backend.post("/user/change_password"), &owner.cookie).json(&change)).await, done());
        assert!(is_signed_in(&backend, &owner, &owner.cookie).await);
        assert!(!is_signed_in(&backend, &owner, &other).await);
        let wrong = refused(200, 1000, "wrong account or password");
        assert_eq!(answer(login(&backend, &owner.phone, PASSWORD)).await, wrong);

        backend.advance(Duration::from_secs(61));
        let other = session(&backend, &owner, "N3wP@ssw0rd").await;
        let token = verification_for(&backend, &owner.phone).await;
        let reset = json!({ "password": PASSWORD, "verification_token": token });
        assert_eq!(post(&backend, "/user/reset_password", reset).await, done());
        assert!(!is_signed_in(&backend, &owner, &owner.cookie).await);
        assert!(!is_signed_in(&backend, &owner, &other).await);
        let cookie = session(&backend, &owner, PASSWORD).await;
        backend.advance(Duration::from_hours(30 * 24));
        assert!(!is_signed_in(&backend, &owner, &cookie).await, "30 days have passed");
    });
}

/// Status, headers except those unique to each response, and body.
async fn to_the_byte(request: RequestBuilder) -> (u16, HeaderMap, String) {
    let response = request.send().await.expect("an answer");
    let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
    for own in ["date", "apigw-requestid"] {
        headers.remove(own);
    }
    (status, headers, response.text().await.expect("text"))
}

#[test]
fn a_lock_cannot_be_told_from_a_wrong_password() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let wrong = to_the_byte(login(&backend, &owner.phone, "wrong-password")).await;
        assert_eq!(wrong.2, r#"{"code":1000,"message":"wrong account or password"}"#);
        // Ten as a stranger, and ten from an address that the account knows.
        for _ in 0..19 {
            assert_eq!(to_the_byte(login(&backend, &owner.phone, "wrong-password")).await, wrong);
        }
        for password in ["wrong-password", PASSWORD] {
            assert_eq!(to_the_byte(login(&backend, &owner.phone, password)).await, wrong, "locked");
        }
        backend.advance(Duration::from_mins(10));
        let cookie = session(&backend, &owner, PASSWORD).await;
        assert!(is_signed_in(&backend, &owner, &cookie).await);
        let change = |old: &str| {
            let passwords = json!({ "oldPassword": old, "newPassword": "N3wP@ssw0rd" });
            to_the_byte(as_of(backend.post("/user/change_password"), &cookie).json(&passwords))
        };
        let wrong = change("wrong-password").await;
        for _ in 0..19 {
            assert_eq!(change("wrong-password").await, wrong);
        }
        assert_eq!(change(PASSWORD).await, wrong, "locked");
    });
}

#[test]
fn a_chat_token_outlives_a_new_password_by_no_more_than_an_access_token() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let owner = register(&backend).await;
        let (_, body) = answer(as_of(backend.get("/user/get_token"), &owner.cookie)).await;
        let token = body["result"]["token"].as_str().expect("a token");
        let claims = crate::tokens::part(token, 1);
        let lives = |name: &str| claims[name].as_i64().expect("a time");
        assert_eq!(lives("exp") - lives("iat"), 3_600, "{claims}");
    });
}

#[test]
fn an_account_of_another_api_is_the_same_account() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        backend.advance(Duration::from_secs(61));
        let person = backend.person_on(&owner.phone).await;
        let (_, body) = answer(as_of(backend.get(&format!("/user/{}", owner.id)), &owner.cookie)).await;
        assert_eq!(body["result"]["nickname"], "Tom");
        let url = backend.url("/images/0123456789abcdef0123456789abcdef.jpg");
        let point = as_of(backend.post("/user/set_portrait_uri"), &owner.cookie).json(&json!({ "portraitUri": url }));
        assert_eq!(answer(point).await, done());
        let entries = json!([{ "zone": "86", "number": owner.phone.0 }]);
        let bearer = backend.post("/users").bearer_auth(&person.access_token);
        let (_, found) = answer(bearer.json(&entries)).await;
        assert_eq!((&found[0]["uid"], &found[0]["avatar"]), (&json!(person.uid), &json!(url)));
        let (_, body) = answer(as_of(backend.get(&format!("/user/{}", owner.id)), &owner.cookie)).await;
        assert_eq!(body["result"]["portraitUri"], url);
        let item = backend.item(&format!("user#{}", person.uid), "account").await.expect("an account");
        assert!(item["avatar"].as_s().is_ok_and(|avatar| avatar.starts_with("/images/")), "kept by its path");
    });
}

/// Sends a request, which must succeed and cost what the document's row states; returns its headers and body.
async fn costs(request: RequestBuilder, row: &str) -> (HeaderMap, Value) {
    let response = request.send().await.expect("an answer");
    assert_eq!(round_trips::rounds_of(&response), round_trips::documented(row), "{row}");
    let headers = response.headers().clone();
    let (status, body) = read(response).await;
    assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
    (headers, body)
}

#[test]
fn requests_stay_within_their_round_trips() {
    run(async {
        let backend = &Backend::capped().await;
        let phone = fresh_phone();
        let asked = json!({ "region": "86", "phone": phone.0 });
        costs(backend.post("/user/check_phone_available").json(&asked), "SealTalk: check a phone").await;
        costs(backend.post("/user/send_code").json(&asked), "send a code").await;
        let token = async || {
            let code = backend.newest_code(&phone).await;
            let given = backend.post("/user/verify_code").json(&json!({ "phone": phone.0, "code": code }));
            let (_, body) = costs(given, "SealTalk: exchange a code for a token").await;
            body["result"]["verification_token"].as_str().expect("a token").to_owned()
        };
        let registered = backend.post("/user/register").json(&registration(&token().await));
        let (headers, body) = costs(registered, "SealTalk: register").await;
        let (id, cookie) = (body["result"]["id"].as_str().expect("an id"), cookie_of(&headers));
        costs(login(backend, &phone, PASSWORD), "SealTalk: sign in").await;
        for _ in 0..10 {
            answer(login(backend, &phone, "wrong-password")).await;
        }
        costs(login(backend, &phone, PASSWORD), "… strangers have locked the account").await;
        backend.advance(Duration::from_mins(10));
        let nickname = json!({ "nickname": "Tom" });
        let portrait = json!({ "portraitUri": "http://test.com/a.jpg" });
        let passwords = json!({ "oldPassword": PASSWORD, "newPassword": "P@ssw1rd" });
        for (request, row) in [
            (backend.get(&format!("/user/{id}")), "SealTalk: somebody by id"),
            (backend.get(&format!("/user/find/86/{phone}")), "SealTalk: somebody by phone"),
            (backend.get("/user/get_token"), "SealTalk: chat token"),
            (backend.get("/user/get_image_token"), "SealTalk: upload token"),
            (backend.post("/user/set_nickname").json(&nickname), "nickname, state, profile"),
            (backend.post("/user/set_portrait_uri").json(&portrait), "nickname, state, profile"),
            (backend.post("/user/change_password").json(&passwords), "SealTalk: change the password"),
            (backend.post("/user/logout"), "device: sign out"),
        ] {
            costs(as_of(request, &cookie), row).await;
        }
        backend.advance(Duration::from_mins(1));
        assert_eq!(post(backend, "/user/send_code", asked).await, done());
        let reset = json!({ "password": PASSWORD, "verification_token": token().await });
        costs(backend.post("/user/reset_password").json(&reset), "SealTalk: reset the password").await;
    });
}

/// Uses every feature of this API once, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    pictures::whole_session(backend).await;
    let owner = register(backend).await;
    let phone = json!({ "region": "86", "phone": owner.phone.0 });
    assert_eq!(post(backend, "/user/check_phone_available", phone).await, result(&json!(false)));
    assert_eq!(answer(login(backend, &owner.phone, "not it")).await.1["code"], 1_000);
    let cookie = session(backend, &owner, PASSWORD).await;
    for request in [
        backend.get(&format!("/user/{}", owner.id)),
        backend.get(&format!("/user/find/86/{}", owner.phone)),
        backend.get("/user/get_token"),
        backend.post("/user/set_nickname").json(&json!({ "nickname": "Tom" })),
        backend.post("/user/set_portrait_uri").json(&json!({ "portraitUri": "http://test.com/a.jpg" })),
        backend.post("/user/change_password").json(&json!({ "oldPassword": PASSWORD, "newPassword": "P@ssw1rd" })),
        backend.post("/user/logout"),
    ] {
        let (status, body) = answer(as_of(request, &cookie)).await;
        assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
    }
    assert!(!is_signed_in(backend, &owner, &cookie).await);
    backend.advance(Duration::from_secs(61));
    let token = verification_for(backend, &owner.phone).await;
    let reset = json!({ "password": PASSWORD, "verification_token": token });
    assert_eq!(post(backend, "/user/reset_password", reset).await, done());
}

//! Which responses a cache may store.

use reqwest::RequestBuilder;
use reqwest::header::CACHE_CONTROL;
use serde_json::json;

use crate::support::accounts::{
    Cookie, PASSWORD, device_register, rooms_register, sealtalk_register, sealtalk_sign_in, web_register,
};
use crate::support::{fresh_phone, run, shared};

async fn rule(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.expect("an answer");
    let rules: Vec<_> = response.headers().get_all(CACHE_CONTROL).iter().collect();
    assert_eq!(rules.len(), 1, "{} {rules:?}", response.url());
    (response.status().as_u16(), rules[0].to_str().expect("text").to_owned())
}

#[test]
fn no_answer_with_a_token_a_code_or_a_persons_data_is_stored() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let (_, web) = web_register(backend, &fresh_phone(), PASSWORD).await;
        let phone = fresh_phone();
        device_register(backend, &phone, PASSWORD).await;
        let (pk, token) = rooms_register(backend, "caching", PASSWORD, None).await;
        let card = json!({ "real_name": "李明", "id_card": "11010519491231002X" });
        let device = json!({ "user": { "phoneNumber": phone.0, "password": PASSWORD } });
        let web_sign_in = json!({ "mobile": phone.0, "password": PASSWORD });
        let rooms_sign_in = json!({ "username": "caching", "password": PASSWORD });
        let with_web = |request: RequestBuilder| request.header("cookie", &web.0);
        for (request, status) in [
            (backend.ask(&fresh_phone()), 200),
            (backend.refresh(&person.refresh_token), 200),
            (backend.look_up(&person, &json!([{ "number": phone.0 }])), 200),
            (backend.nickname(&person.access_token, "Tom"), 200),
            (backend.nickname("forged", "Tom"), 401),
            (with_web(backend.post("/api/v1.0/user/auth")).json(&card), 200),
            (with_web(backend.get("/api/v1.0/user/auth")), 200),
            (with_web(backend.get("/api/v1.0/user")), 200),
            (backend.post("/api/v1.0/sessions").json(&web_sign_in), 200),
            (backend.get("/api/v1.0/session"), 200),
            (backend.post("/users/login").json(&device), 200),
            (backend.post("/login/").json(&rooms_sign_in), 200),
            (backend.put(&format!("/users/{pk}/")).json(&json!({ "token": token, "city": "上海" })), 200),
            (backend.get("/rooms/"), 200),
            (backend.get("/nothing/here"), 404),
            (backend.get("/images/0123456789abcdef0123456789abcdef.jpg"), 404),
            (backend.post("/user/login").json(&json!({})), 400),
        ] {
            let asked = format!("{request:?}");
            assert_eq!(rule(request).await, (status, "no-store".to_owned()), "{asked}");
        }
        assert_eq!(rule(backend.get("/.well-known/jwks.json")).await.1, "public, max-age=3600");
    });
}

/// `SealTalk`'s server sends `private` with every 200, and its specs check that.
#[test]
fn sealtalks_answers_are_private_and_its_credentials_are_not_stored() {
    run(async {
        let (backend, phone) = (shared().await, fresh_phone());
        sealtalk_register(backend, &phone, PASSWORD).await;
        let (_, Cookie(cookie)) = sealtalk_sign_in(backend, &phone, PASSWORD).await.expect("signed in");
        let sign_in = |password: &str| {
            backend.post("/user/login").json(&json!({ "region": "86", "phone": phone.0, "password": password }))
        };
        let signed = |request: RequestBuilder| request.header("cookie", &cookie);
        for (request, expected) in [
            (sign_in(PASSWORD), "private, no-store"),
            (signed(backend.get("/user/get_token")), "private, no-store"),
            (signed(backend.get("/user/get_image_token")), "private, no-store"),
            (sign_in("wrong-password"), "private"),
            (signed(backend.get("/friendship/all")), "private"),
            (signed(backend.get("/user/sync/0")), "private"),
            (backend.post("/user/check_phone_available").json(&json!({ "phone": phone.0 })), "private"),
            (signed(backend.post("/user/logout")), "private, no-store"),
        ] {
            let asked = format!("{request:?}");
            assert_eq!(rule(request).await, (200, expected.to_owned()), "{asked}");
        }
        assert_eq!(rule(backend.get("/friendship/all")).await, (403, "no-store".to_owned()));
    });
}

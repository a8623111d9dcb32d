//! Unknown paths and methods get an error in the format of the API that the path looks like.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::backend::whole;
use crate::support::{Backend, fresh_phone, run, shared};

const WORDS: &str = "no such endpoint";

fn messenger() -> Value {
    json!({ "error": WORDS })
}

async fn assert_unknown(backend: &Backend, method: Method, path: &str, body: &Value, kind: &str) {
    let answer = whole(backend.request(method.clone(), path)).await;
    assert_eq!((answer.status, &answer.body), (404, body), "{method} {path}");
    assert_eq!(answer.headers["content-type"], kind, "{method} {path}");
    assert_eq!(answer.rounds(), 0);
}

async fn assert_messenger(backend: &Backend, method: Method, path: &str) {
    assert_unknown(backend, method, path, &messenger(), "application/json").await;
}

#[test]
fn an_unknown_path_is_the_messengers() {
    run(async {
        let backend = shared().await;
        for path in ["/nothing", "/image", "/auth", "/auth/token/more", "/.well-known/nothing", "/VERIFY_CODE"] {
            assert_messenger(backend, Method::GET, path).await;
        }
        assert_messenger(backend, Method::POST, "/").await;
        assert_messenger(backend, Method::DELETE, "/images/a/b/c").await;
    });
}

#[test]
fn a_trailing_slash_makes_another_path() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        assert_messenger(backend, Method::POST, &format!("/verify_code/?zone=86&number={phone}")).await;
        assert_messenger(backend, Method::GET, &format!("/verify_code/?zone=86&number={phone}")).await;
        assert!(backend.texts(&phone).await.is_empty());
        for path in ["/auth/token/", "/auth/refresh_token/", "/images/", "/audios/", "//verify_code"] {
            assert_messenger(backend, Method::POST, path).await;
        }
        for path in ["/users/me/nickname/", "/users/me/state/", "/users/me/avatar/"] {
            assert_messenger(backend, Method::PUT, path).await;
        }
        assert_messenger(backend, Method::PATCH, "/users/me/").await;
        assert_messenger(backend, Method::GET, "/.well-known/jwks.json/").await;
    });
}

#[test]
fn a_wrong_method_is_told_what_to_use_instead() {
    run(async {
        let backend = shared().await;
        let words = |instead: &str| format!("no such endpoint: use {instead}");
        for (method, path, allowed, body) in [
            ("GET", "/auth/token", "POST", json!({ "error": words("POST /auth/token") })),
            ("PUT", "/verify_code", "GET, POST", json!({ "error": words("GET or POST /verify_code") })),
            ("POST", "/images/x.jpg", "GET, HEAD", json!({ "error": words("GET /images/{name}") })),
            ("GET", "/users/me", "PATCH", json!({ "error": words("PATCH /users/me") })),
            ("GET", "/api/v1.0/sessions", "POST", json!({ "errno": "4201", "errmsg": "非法请求或请求次数受限" })),
            // `GET /user/{id}` would match this path, but `login` is not a user.
            ("GET", "/user/login", "POST", json!({ "code": 405, "message": words("POST /user/login") })),
            ("GET", "/group/create", "POST", json!({ "code": 405, "message": words("POST /group/create") })),
            ("DELETE", "/users/login", "POST", json!({ "success": false, "msg": words("POST /users/login") })),
            (
                "GET",
                "/users/7/",
                "PUT, OPTIONS",
                json!({ "status": "FAIL", "msg": words("PUT /users/{pk}/"), "code": "405" }),
            ),
            ("OPTIONS", "/users", "GET, POST", json!({ "error": words("GET or POST /users") })),
        ] {
            let answer = whole(backend.request(method.parse().unwrap(), path)).await;
            assert_eq!((answer.status, &answer.body), (405, &body), "{method} {path}");
            assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
            assert_eq!(answer.rounds(), 0, "{method} {path}");
        }
    });
}

#[test]
fn a_head_request_to_nothing_has_no_body() {
    run(async {
        let answer = whole(shared().await.request(Method::HEAD, "/nothing")).await;
        assert_eq!((answer.status, answer.body), (404, Value::Null));
    });
}

#[test]
fn the_paths_of_the_other_apis_answer_in_their_envelopes() {
    run(async {
        let backend = shared().await;
        let json_type = "application/json";
        let web = json!({ "errno": "4201", "errmsg": "非法请求或请求次数受限" });
        let sealtalk = json!({ "code": 404, "message": WORDS });
        let rooms = json!({ "status": "FAIL", "code": "404", "msg": WORDS });
        let device = json!({ "success": false, "msg": WORDS });
        let v1 =
            json!({ "type": "about:blank", "title": "Not Found", "status": 404, "code": "no_route", "detail": WORDS });
        let nobodys = [
            ("/api/v1.0/x", &web, json_type),
            ("/api/v2/users", &web, json_type),
            ("/user/", &sealtalk, json_type),
            ("/user/find/86", &sealtalk, json_type),
            ("/user/a/b", &sealtalk, json_type),
            ("/friendship/a/b/c", &sealtalk, json_type),
            ("/group/a/b/c", &sealtalk, json_type),
            ("/rooms/a/b/", &rooms, json_type),
            ("/rooms/a/b", &rooms, json_type),
            ("/users/7/8/", &rooms, json_type),
            ("/users/icon/", &rooms, json_type),
            ("/snslogin/x/", &rooms, json_type),
            ("/login/x", &rooms, json_type),
            ("/logout//", &rooms, json_type),
            ("/phonelogin/x/", &rooms, json_type),
            ("/password/x", &rooms, json_type),
            ("/verification_codes/x", &device, json_type),
            ("/verification_codes/", &device, json_type),
            ("/users/register/", &device, json_type),
            ("/users/7/update-device-token/", &device, json_type),
            ("/v1/x", &v1, "application/problem+json"),
        ];
        for (path, body, kind) in nobodys {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_unknown(backend, method, path, body, kind).await;
            }
        }
    });
}

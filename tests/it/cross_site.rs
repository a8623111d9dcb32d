//! Requests that a browser sends for a page of another site cannot send a text or sign a user in. `tests/browser/`
//! checks in Chromium that browsers mark such requests this way.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::accounts::{self, PASSWORD};
use crate::support::backend::{answer, whole};
use crate::support::{Backend, fresh_phone, run, shared};

const WORDS: &str =
    "pages of other sites may not make this request; an allowed origin sends JSON or a credential header";

/// Like an `<img>`, or a form without CORS.
fn simple(request: RequestBuilder) -> RequestBuilder {
    request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors")
}

/// Like `fetch` in CORS mode.
fn cors(request: RequestBuilder, origin: &str) -> RequestBuilder {
    request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "cors").header("origin", origin)
}

#[test]
fn a_page_of_another_site_sends_no_text_and_signs_nobody_in() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let fields = [("zone", "86"), ("number", phone.0.as_str())];
        for request in [
            backend.get("/verify_code").query(&fields),
            backend.post("/verify_code").form(&fields),
            backend.post("/user/send_code").query(&[("phone", &phone.0)]),
            backend.post("/phonelogin/").form(&[("phone", &phone.0)]),
            backend.post("/verification_codes").form(&[("phoneNumber", phone.0.as_str()), ("flag", "0")]),
            backend
                .post("/verify_code")
                .header("content-type", "text/plain")
                .body(json!({ "number": phone.0 }).to_string()),
        ] {
            let (status, body) = answer(simple(request)).await;
            assert!(status == 403 || (status == 200 && body["success"] == false), "{status} {body}");
            assert!(body.to_string().contains(WORDS), "{body}");
        }
        assert_eq!(backend.count_items().await, 0);
        assert!(backend.texts(&phone).await.is_empty());

        let code = backend.code_for(&phone).await;
        let with_code = [("zone", "86"), ("number", phone.0.as_str()), ("code", code.as_str())];
        for request in [
            simple(backend.post("/auth/token").form(&with_code)),
            cors(backend.post("/auth/token").form(&with_code), "https://evil.example.com"),
            simple(backend.get("/phonelogin/").query(&[("phone", &phone.0), ("captcha", &code)])),
        ] {
            assert_eq!(answer(request).await.0, 403);
        }
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200, "the code was not used");
    });
}

#[test]
fn no_cookie_is_set_for_a_page_of_another_site() {
    run(async {
        let backend = shared().await;
        let (phone, other) = (fresh_phone(), fresh_phone());
        accounts::sealtalk_register(backend, &phone, PASSWORD).await;
        accounts::web_register(backend, &other, PASSWORD).await;
        for request in [
            backend.post("/user/login").form(&[("phone", phone.0.as_str()), ("password", PASSWORD)]),
            backend.post("/api/v1.0/sessions").form(&[("mobile", other.0.as_str()), ("password", PASSWORD)]),
        ] {
            let answer = whole(simple(request)).await;
            assert!(!answer.headers.contains_key("set-cookie"), "{}", answer.body);
            assert!(answer.status == 403 || answer.body["errno"] == "4201", "{}", answer.body);
        }
    });
}

#[test]
fn what_a_preflight_preceded_goes_on_from_an_allowed_origin() {
    run(async {
        let phone = fresh_phone();
        let body = json!({ "zone": "86", "number": phone.0 });
        let backend = Backend::start(&[("CorsOrigin", "https://app.example.com")]).await;
        let refused = cors(backend.post("/verify_code").json(&body), "https://evil.example.com");
        assert_eq!(answer(refused).await.0, 403);
        let allowed = cors(backend.post("/verify_code").json(&body), "https://app.example.com");
        assert_eq!(answer(allowed).await.0, 200);
        let person = backend.person().await;
        let list = cors(backend.get("/users").bearer_auth(&person.access_token), "https://app.example.com");
        assert_ne!(answer(list).await.0, 403);
        // The page itself, an app, and a link typed by the user.
        for site in ["same-origin", "same-site", "none"] {
            let asked =
                backend.get("/verify_code").query(&[("number", &fresh_phone().0)]).header("sec-fetch-site", site);
            assert_eq!(answer(asked).await.0, 200, "{site}");
        }
    });
}

#[test]
fn every_function_refuses_and_public_things_may_be_shown_anywhere() {
    run(async {
        let backend = shared().await;
        for (method, path) in [
            (Method::POST, "/auth/refresh_token"),
            (Method::GET, "/verify_code"),
            (Method::POST, "/images"),
            (Method::GET, "/users"),
            (Method::GET, "/friendship/all"),
            (Method::POST, "/logout/"),
            (Method::GET, "/nowhere"),
        ] {
            let (status, body) = answer(simple(backend.request(method.clone(), path))).await;
            assert_eq!(status, 403, "{method} {path}: {body}");
        }
        for (path, status) in [
            ("/.well-known/jwks.json", 200),
            ("/rooms/", 200),
            ("/api/v1.0/imagecode/of-another-site", 200),
            ("/images/00000000000000000000000000000000.jpg", 404),
            ("/audios/00000000000000000000000000000000.amr", 404),
        ] {
            assert_eq!(simple(backend.get(path)).send().await.expect("an answer").status(), status, "{path}");
        }
    });
}

//! Why a request counts as not signed in: the credential is missing, is none of ours, has expired, or its session has
//! ended. The reason is in the words of each API's own place, and costs no further round trip.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::WWW_AUTHENTICATE;
use serde_json::{Value, json};

use super::raw;
use crate::support::accounts::{self, PASSWORD};
use crate::support::backend::answer;
use crate::support::pictures::png;
use crate::support::{Backend, fresh_phone, run};

const DAY: Duration = Duration::from_hours(24);

/// The words, the kind where there is one, and the challenge of an answer.
async fn why(request: RequestBuilder) -> (u16, String, String, String) {
    let (status, headers, body) = raw(request).await;
    let words = ["error", "message", "msg"].into_iter().find_map(|name| body[name].as_str()).unwrap_or_default();
    let challenge = headers.get(WWW_AUTHENTICATE).map_or("", |value| value.to_str().expect("text"));
    (status, words.to_owned(), body["kind"].as_str().unwrap_or_default().to_owned(), challenge.to_owned())
}

fn messenger(words: &str, kind: &str, challenge: &str) -> (u16, String, String, String) {
    (401, words.to_owned(), kind.to_owned(), challenge.to_owned())
}

#[test]
fn the_messenger_tells_a_bearer_that_is_missing_malformed_expired_or_ended() {
    const MISSING: &str = "the Authorization header is missing; send Authorization: Bearer <access_token>";
    const MALFORMED: &str = "the Authorization header must be Bearer <access_token>, with a token of this API";
    const EXPIRED: &str = "the access token has expired; refresh it with POST /auth/refresh_token";
    const ENDED: &str = "the session has ended; sign in again";
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        let invalid = |words: &str| format!("Bearer error=\"invalid_token\", error_description=\"{words}\"");
        let nickname = || backend.put("/users/me/nickname").json(&json!({ "value": "Tom" }));
        let of = |header: &str| nickname().header("authorization", header);
        assert_eq!(why(nickname()).await, messenger(MISSING, "credential_missing", "Bearer"));
        let malformed = messenger(MALFORMED, "credential_malformed", &invalid(MALFORMED));
        for header in ["Bearer undefined", "Bearer", "Basic eDp5", &person.access_token, "Bearer a.b.c"] {
            assert_eq!(why(of(header)).await, malformed, "{header}");
        }
        backend.advance(Duration::from_mins(61));
        let expired = messenger(EXPIRED, "credential_expired", &invalid(EXPIRED));
        let bearer = format!("Bearer {}", person.access_token);
        assert_eq!(why(of(&bearer)).await, expired);
        // A new password ends the session, which every kind of write and read notices.
        let (_, tokens) = answer(backend.refresh(&person.refresh_token)).await;
        accounts::device_recover(&backend, &phone, PASSWORD).await;
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().expect("a token"));
        let ended = messenger(ENDED, "session_ended", &invalid(ENDED));
        for request in [
            nickname(),
            backend.post("/users").json(&json!([{ "number": phone.0 }])),
            backend.post("/images").body(png(8, 8)),
            backend.put("/users/me/avatar").body(png(8, 8)),
        ] {
            assert_eq!(why(request.header("authorization", &bearer)).await, ended);
        }
    });
}

#[test]
fn the_other_apis_tell_it_in_the_names_of_their_own_credentials() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let (_, web) = accounts::web_register(&backend, &phone, PASSWORD).await;
        let (id, device) = accounts::device_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        let (_, sealtalk) = accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        let (pk, rooms) = accounts::rooms_register(&backend, "words-of-credentials", PASSWORD, None).await;
        let push = json!({ "device": { "pushToken": "a", "platform": 1 } });
        let to_device = |token: Option<&str>| {
            let request = backend.post(&format!("/users/{id}/update-device-token")).json(&push);
            token.map(|token| request.try_clone().expect("a copy").header("access-token", token)).unwrap_or(request)
        };
        let to_rooms = |token: Option<&str>| {
            backend.put(&format!("/users/{pk}/")).json(&json!({ "city": "Bonn", "token": token }))
        };
        let to_sealtalk = |path: &str, cookie: Option<&str>| {
            let request = backend.post(path).json(&json!({ "nickname": "Tom", "friendId": "abc" }));
            cookie.map(|line| request.try_clone().expect("a copy").header("cookie", line)).unwrap_or(request)
        };
        let cookie = sealtalk.0.split(';').next().expect("a cookie").to_owned();
        let words = async |request: RequestBuilder| {
            let (status, words, _, challenge) = why(request).await;
            (status, words, challenge.starts_with("Bearer"))
        };
        let said = |status: u16, words: &str, challenges: bool| (status, words.to_owned(), challenges);

        let missing = "the Access-Token header is missing; send the accessToken of the sign-in";
        assert_eq!(words(to_device(None)).await, said(401, missing, true));
        let malformed = "the access token is not valid; send the accessToken of the sign-in";
        assert_eq!(words(to_device(Some(&rooms))).await, said(401, malformed, true));
        assert_eq!(words(to_rooms(None)).await, said(401, "token is missing; send the token of the sign-in", false));
        let malformed = "token is not valid; send the token of the sign-in";
        assert_eq!(words(to_rooms(Some(&device))).await, said(401, malformed, false));
        for path in ["/user/set_nickname", "/friendship/invite", "/user/get_token"] {
            let missing = "not signed in: the cookie sealtalk_session is missing";
            for none in [None, Some("sealtalk_session="), Some("other=1")] {
                assert_eq!(words(to_sealtalk(path, none)).await, said(403, missing, false), "{path}");
            }
            let malformed = "not signed in: the cookie sealtalk_session is not valid; log in again";
            assert_eq!(words(to_sealtalk(path, Some("sealtalk_session=x"))).await, said(403, malformed, false));
        }
        // The document has one sentence for all of them.
        let web_user = || backend.get("/api/v1.0/user");
        let not_signed_in: Value = json!({ "errno": "4101", "errmsg": "用户未登录" });
        assert_eq!(answer(web_user()).await.1, not_signed_in);

        backend.advance(DAY + Duration::from_secs(1));
        assert_eq!(words(to_rooms(Some(&rooms))).await, said(401, "the token has expired; sign in again", false));
        backend.advance(DAY * 30);
        for path in ["/user/set_nickname", "/friendship/invite", "/user/get_token"] {
            let expired = said(403, "the session has expired; log in again", false);
            assert_eq!(words(to_sealtalk(path, Some(&cookie))).await, expired, "{path}");
        }
        assert_eq!(answer(web_user().header("cookie", &web.0)).await.1, not_signed_in);
        backend.advance(DAY * 150);
        assert_eq!(
            words(to_device(Some(&device))).await,
            said(401, "the access token has expired; sign in again", true)
        );

        // Signed in again and out: the sessions are gone, not too old.
        let (_, device) = accounts::device_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        let (_, sealtalk) = accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        let out = backend.post("/users/logout").header("access-token", &device);
        assert_eq!(answer(out).await.0, 200);
        let out = backend.post("/user/logout").header("cookie", &sealtalk.0);
        assert_eq!(answer(out).await.0, 200);
        let ended = "the session has ended; sign in again";
        assert_eq!(words(to_device(Some(&device))).await, said(401, ended, true));
        let again = to_sealtalk("/friendship/invite", Some(&sealtalk.0));
        assert_eq!(words(again).await, said(403, "the session has ended; log in again", false));
    });
}

//! Compressed bodies. Nothing here decodes them, so they are refused, in every API.

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_ENCODING;
use serde_json::{Value, json};

use super::{holdings, own};
use crate::support::backend::{answer, whole};
use crate::support::pictures::jpeg;
use crate::support::{fresh_phone, run, shared};

const WORDS: &str = "send the body without Content-Encoding";

/// `#!AMR\n` and a frame, by gzip.
const VOICE: &[u8] =
    &[31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 83, 86, 116, 244, 13, 226, 178, 153, 8, 0, 23, 85, 30, 135, 8, 0, 0, 0];

#[test]
fn a_compressed_body_is_refused_in_the_envelope_of_each_api_and_nothing_is_stored() {
    run(async {
        let (backend, person, before) = own().await;
        let phone = fresh_phone();
        let fields = json!({ "zone": "86", "number": phone.0, "phone": phone.0, "region": "86", "mobile": phone.0 });
        let messenger = || json!({ "error": WORDS });
        let rooms = || json!({ "status": "FAIL", "msg": WORDS, "code": "415" });
        let web = || json!({ "errno": "4103", "errmsg": "参数错误" });
        let signed = |request: RequestBuilder| request.bearer_auth(&person.access_token);
        let cases: Vec<(&str, RequestBuilder, Value)> = vec![
            ("a voice note", signed(backend.post("/audios")).body(VOICE), messenger()),
            ("a picture", signed(backend.post("/images")).body(jpeg(20, 20)), messenger()),
            ("an avatar", signed(backend.put("/users/me/avatar")).body(jpeg(20, 20)), messenger()),
            ("an address book", signed(backend.post("/users")).json(&json!([])), messenger()),
            ("a code", backend.post("/verify_code").json(&fields), messenger()),
            ("web", backend.post("/api/v1.0/sessions").json(&fields), web()),
            ("web's avatar", backend.post("/api/v1.0/user/avatar").body(jpeg(20, 20)), web()),
            ("SealTalk", backend.post("/user/send_code").json(&fields), json!({ "code": 415, "message": WORDS })),
            ("rooms", backend.post("/phonelogin/").json(&fields), rooms()),
            ("rooms' icon", backend.put("/users/icon/1/").body(jpeg(20, 20)), rooms()),
            (
                "device",
                backend.post("/verification_codes").form(&[("phoneNumber", phone.0.as_str()), ("flag", "0")]),
                json!({ "success": false, "msg": WORDS }),
            ),
        ];
        for (what, request, body) in cases {
            for coding in ["gzip", "GZip", "identity, br", "deflate", "zstd", "x-gzip"] {
                let request = request.try_clone().expect("a body that can be sent again");
                let answer = whole(request.header(CONTENT_ENCODING, coding)).await;
                assert_eq!((answer.status, &answer.body), (415, &body), "{what} by {coding}");
                assert_eq!(answer.headers["accept-encoding"], "identity", "{what} by {coding}");
            }
        }
        assert!(backend.texts(&phone).await.is_empty());
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn a_body_that_says_it_is_not_compressed_is_read_and_so_is_a_request_without_one() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let request = backend.post("/images").bearer_auth(&person.access_token).body(jpeg(20, 20));
        assert_eq!(answer(request.header(CONTENT_ENCODING, "identity")).await.0, 200);
        let without = backend.get("/.well-known/jwks.json").header(CONTENT_ENCODING, "gzip");
        assert_eq!(answer(without).await.0, 200);
    });
}

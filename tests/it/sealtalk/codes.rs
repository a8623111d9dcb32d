//! Codes, and the tokens exchanged for them.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::{code_for, done, post, refused, registration, verification_for};
use crate::support::backend::{answer, read};
use crate::support::{Backend, fresh_phone, run};

#[test]
fn codes_are_wrong_expire_and_are_not_sent_twice_a_minute() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let code = code_for(&backend, &phone).await;
        let again = backend.post("/user/send_code").json(&json!({ "region": 86, "phone": phone.0 }));
        let response = again.send().await.expect("an answer");
        assert!(response.headers().contains_key("retry-after"));
        let (status, body) = read(response).await;
        assert_eq!((status, &body["code"]), (200, &json!(5000)), "{body}");
        let guess = |code: &str| {
            let given = json!({ "region": 86, "phone": phone.0, "code": code });
            backend.post("/user/verify_code").json(&given)
        };
        let wrong = if code == "111111" { "222222" } else { "111111" };
        assert_eq!(answer(guess(wrong)).await, refused(200, 1000, "wrong code"));
        backend.advance(Duration::from_secs(301));
        assert_eq!(answer(guess(&code)).await, refused(200, 2000, "the code has expired; request a new one"));
        let code = code_for(&backend, &phone).await;
        for _ in 0..5 {
            assert_eq!(answer(guess(wrong)).await, refused(200, 1000, "wrong code"));
        }
        let spent = refused(200, 1000, "too many wrong tries; request a new code");
        assert_eq!(answer(guess(&code)).await, spent);
    });
}

#[test]
fn a_verification_token_works_once_for_ten_minutes() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let token = verification_for(&backend, &phone).await;
        let many = (0..20).map(|_| post(&backend, "/user/register", registration(&token)));
        let answers = join_all(many).await;
        let made = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(made, 1, "{answers:?}");
        for (status, body) in answers.iter().filter(|(status, _)| *status != 200) {
            assert!(matches!(status, 400 | 404), "{body}");
        }
        let reset = |token: &str| json!({ "password": "N3wP@ssw0rd", "verification_token": token });
        let unknown =
            refused(404, 404, "the verification token is unknown, expired or already used; request a new code");
        assert_eq!(post(&backend, "/user/reset_password", reset(&token)).await, unknown);

        backend.advance(Duration::from_secs(61));
        let token = verification_for(&backend, &phone).await;
        let taken = refused(400, 400, "this number is taken");
        assert_eq!(post(&backend, "/user/register", registration(&token)).await, taken);
        backend.advance(Duration::from_secs(601));
        assert_eq!(post(&backend, "/user/reset_password", reset(&token)).await, unknown);
        let token = verification_for(&backend, &phone).await;
        assert_eq!(post(&backend, "/user/reset_password", reset(&token)).await, done());
        assert_eq!(post(&backend, "/user/reset_password", reset(&token)).await, unknown);
        // This number has no account, so there is no password to set.
        let token = verification_for(&backend, &fresh_phone()).await;
        let nobody = refused(404, 404, "no such user");
        assert_eq!(post(&backend, "/user/reset_password", reset(&token)).await, nobody);
    });
}

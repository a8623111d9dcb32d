//! Asking for codes and signing in with them.

use crate::support::{fresh_phone, run, shared};

#[test]
fn a_code_signs_in_and_makes_an_account_once() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = backend.code_for(&phone).await;
        let (status, tokens) = backend.sign_in(&phone, &code).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["expires_in"], 3600);
        assert_eq!(tokens["uid"], tokens["user_id"]);
        let (status, again) = backend.sign_in(&phone, &code).await;
        assert_eq!((status, again["error"].as_str()), (400, Some("no code is waiting for this number")));
    });
}

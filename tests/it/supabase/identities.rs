//! One account, however its user signs in.

use reqwest::Method;
use serde_json::json;

use super::{
    by_password, call, change, done, id_token, log_out, number, post, refused, sign_in, uid, user, verify, with,
};
use crate::support::accounts::{
    device_register, device_sign_in, rooms_by_code, sealtalk_register, sealtalk_sign_in, web_register, web_sign_in,
};
use crate::support::backend::whole;
use crate::support::round_trips::line_in;
use crate::support::{Backend, fresh_phone, run};

const PASSWORD: &str = "P@ssw0rd-1";

async fn backend() -> Backend {
    Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50"), ("ResendSeconds", "1")]).await
}

#[test]
fn accounts_of_all_other_apis_sign_in_here() {
    run(async {
        let backend = backend().await;
        let second = std::time::Duration::from_secs(2);
        let phone = fresh_phone();
        let (id, _) = web_register(&backend, &phone, PASSWORD).await;
        assert_eq!(uid(&done(by_password(&backend, &phone, PASSWORD)).await), id);
        let phone = fresh_phone();
        device_register(&backend, &phone, PASSWORD).await;
        done(by_password(&backend, &phone, PASSWORD)).await;
        let phone = fresh_phone();
        sealtalk_register(&backend, &phone, PASSWORD).await;
        done(by_password(&backend, &phone, PASSWORD)).await;
        let phone = fresh_phone();
        let (id, _) = rooms_by_code(&backend, &phone).await;
        backend.advance(second);
        assert_eq!(uid(&sign_in(&backend, &phone).await).to_string(), id);
    });
}

#[test]
fn a_new_password_from_here_reaches_all_other_apis_and_ends_their_sessions() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let session = sign_in(&backend, &phone).await;
        backend.advance(std::time::Duration::from_secs(2));
        let person = backend.person_on(&phone).await;
        done(change(&backend, &session, &json!({ "password": PASSWORD }))).await;
        assert_eq!(crate::support::backend::answer(backend.nickname(&person.access_token, "Tom")).await.0, 401);
        done(user(&backend, &session)).await;
        assert!(web_sign_in(&backend, &phone, PASSWORD).await.is_some());
        assert!(sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_some());
        assert!(device_sign_in(&backend, &phone, PASSWORD).await.is_some());
        // Signing out of the others here reaches them too.
        let (_, cookie) = web_sign_in(&backend, &phone, PASSWORD).await.expect("a session");
        done(log_out(&backend, &session, "others")).await;
        assert_eq!(crate::support::accounts::web_user(&backend, &cookie).await["errno"], "4101");
        done(user(&backend, &session)).await;
    });
}

#[test]
fn a_changed_number_signs_in_and_the_old_one_is_free() {
    run(async {
        let backend = backend().await;
        let (before, after) = (fresh_phone(), fresh_phone());
        let session = sign_in(&backend, &before).await;
        done(change(&backend, &session, &json!({ "password": PASSWORD }))).await;
        let asked = done(change(&backend, &session, &json!({ "phone": number(&after) }))).await;
        assert_eq!(asked["new_phone"], number(&after));
        let code = backend.newest_code(&after).await;
        // The code is bound to this change: it does not sign anybody in.
        refused(verify(&backend, "sms", &after, &code), 403, "otp_expired").await;
        let changed = done(verify(&backend, "phone_change", &after, &code)).await;
        assert_eq!((uid(&changed), &changed["user"]["phone"]), (uid(&session), &json!(number(&after))));
        assert!(web_sign_in(&backend, &after, PASSWORD).await.is_some());
        assert!(web_sign_in(&backend, &before, PASSWORD).await.is_none());
        backend.advance(std::time::Duration::from_secs(2));
        let other = sign_in(&backend, &before).await;
        assert_ne!(uid(&other), uid(&session), "the old number is somebody's new account");
        refused(change(&backend, &other, &json!({ "phone": number(&after) })), 422, "phone_exists").await;
    });
}

#[test]
fn a_providers_user_is_matched_by_id_and_never_by_address() {
    run(async {
        let backend = backend().await;
        let by_token = |token: String| json!({ "provider": "google", "id_token": token });
        let claims = |sub: &str| json!({ "sub": sub, "email": "tom@example.com", "email_verified": true });
        let grant = "/token?grant_type=id_token";
        let one = done(post(&backend, grant, &by_token(id_token(&backend, "google", &claims("one")).await))).await;
        let two = done(post(&backend, grant, &by_token(id_token(&backend, "google", &claims("two")).await))).await;
        assert_ne!(uid(&one), uid(&two));
        assert_eq!(one["user"]["email"], "tom@example.com");
        let again = done(post(&backend, grant, &by_token(id_token(&backend, "google", &claims("one")).await))).await;
        assert_eq!(uid(&again), uid(&one));
        let mut taken = by_token(id_token(&backend, "google", &claims("two")).await);
        taken["link_identity"] = json!(true);
        refused(with(&one, post(&backend, grant, &taken)), 422, "identity_already_exists").await;
        let only = one["user"]["identities"][0]["identity_id"].as_str().expect("an id");
        let gone = call(&backend, Method::DELETE, &format!("/user/identities/{only}"));
        refused(with(&one, gone), 422, "single_identity_not_deletable").await;
        assert!(backend.item("google#one", "claim").await.is_some());
    });
}

#[test]
fn a_changed_number_whose_session_has_ended_begins_one_like_any_sign_in() {
    run(async {
        let backend =
            Backend::frozen(&[("SessionsPerAccount", "2"), ("ResendSeconds", "1"), ("Observability", "true")]).await;
        let second = std::time::Duration::from_secs(2);
        let (before, after) = (fresh_phone(), fresh_phone());
        let asking = sign_in(&backend, &before).await;
        done(change(&backend, &asking, &json!({ "phone": number(&after) }))).await;
        let code = backend.newest_code(&after).await;
        done(log_out(&backend, &asking, "local")).await;
        backend.advance(second);
        let oldest = sign_in(&backend, &before).await;
        backend.advance(second);
        let newer = sign_in(&backend, &before).await;
        backend.advance(second);
        let networks = || async { backend.account(uid(&asking)).await["networks"].as_m().expect("a map").len() };
        assert_eq!(networks().await, 1);

        let entered = json!({ "type": "phone_change", "phone": number(&after), "token": code });
        let changed = whole(backend.at(7, 1).post("/auth/v1/verify").json(&entered)).await;
        assert_eq!((changed.status, uid(&changed.body)), (200, uid(&asking)), "{}", changed.body);
        assert_eq!(changed.rounds(), 3);
        assert!(line_in(&changed.headers)["metrics"].contains("SignIns"), "it is counted");
        assert_eq!(backend.sessions(uid(&asking)).await.len(), 2);
        refused(user(&backend, &oldest), 403, "session_not_found").await;
        done(user(&backend, &newer)).await;
        done(user(&backend, &changed.body)).await;
        assert_eq!(networks().await, 2, "the account knows the network of the code");
    });
}

#[test]
fn a_providers_user_from_before_they_were_listed_is_listed_at_the_next_sign_in() {
    run(async {
        let backend = backend().await;
        let given =
            json!({ "provider": "google", "id_token": id_token(&backend, "google", &json!({ "sub": "old" })).await });
        let by_google = || post(&backend, "/token?grant_type=id_token", &given);
        let first = done(by_google()).await;
        let listed = backend.account(uid(&first)).await["linked"].clone();
        backend.forget(uid(&first), "linked").await;
        assert_eq!(done(user(&backend, &first)).await["identities"], json!([]));
        backend.advance(std::time::Duration::from_hours(1));
        let again = done(by_google()).await;
        let identity = |session: &serde_json::Value| session["user"]["identities"][0].clone();
        assert_eq!(identity(&again)["identity_id"], identity(&first)["identity_id"]);
        assert_eq!(identity(&again)["created_at"], identity(&first)["created_at"]);
        assert_eq!(done(user(&backend, &again)).await["app_metadata"]["providers"], json!(["google"]));
        assert_eq!(backend.account(uid(&first)).await["linked"], listed, "since the claim was made");
        // A list stays as it is.
        done(by_google()).await;
        assert_eq!(backend.account(uid(&first)).await["linked"], listed);

        // The providers of the rooms API are listed in the same way.
        let fields = [("login_type", "1"), ("snsid", "old"), ("access_token", "test-old"), ("username", "tom")];
        let by_wechat = || async {
            let request = backend.post("/snslogin/").query(&fields).query(&[("nickname", "Tom"), ("icon", "")]);
            done(request).await["pk"].as_str().and_then(|pk| pk.parse().ok()).expect("a number")
        };
        let wechat: u64 = by_wechat().await;
        let listed = backend.account(wechat).await["linked"].clone();
        backend.forget(wechat, "linked").await;
        backend.advance(std::time::Duration::from_hours(1));
        assert_eq!(by_wechat().await, wechat);
        assert_eq!(backend.account(wechat).await["linked"], listed);
    });
}

#[test]
fn a_stolen_token_does_not_remove_the_owners_number() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let session = sign_in(&backend, &phone).await;
        let token = id_token(&backend, "google", &json!({ "sub": format!("of-{phone}") })).await;
        let link = json!({ "provider": "google", "id_token": token, "link_identity": true });
        let linked = done(with(&session, post(&backend, "/token?grant_type=id_token", &link))).await;
        let gone = |place: usize| {
            let id = linked["user"]["identities"][place]["identity_id"].as_str().expect("an id");
            with(&linked, call(&backend, Method::DELETE, &format!("/user/identities/{id}")))
        };
        backend.advance(std::time::Duration::from_mins(11));
        refused(gone(0), 400, "reauthentication_needed").await;
        assert!(backend.item(&format!("phone#+86{phone}"), "claim").await.is_some());
        done(gone(1)).await;
        assert!(backend.item(&format!("google#of-{phone}"), "claim").await.is_none());
    });
}

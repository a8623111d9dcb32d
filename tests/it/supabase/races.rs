//! Requests at the same moment, and what is in the table afterwards.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{call, change, done, id_token, number, post, refresh, sign_in, uid, verify, with};
use crate::support::backend::whole;
use crate::support::{Backend, fresh_phone, run};

async fn backend() -> Backend {
    Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50"), ("ResendSeconds", "1")]).await
}

/// The bodies of the successes.
async fn successes(requests: Vec<reqwest::RequestBuilder>) -> Vec<Value> {
    let answers = join_all(requests.into_iter().map(whole)).await;
    let fine = answers.into_iter().filter(|answer| answer.status < 300);
    fine.map(|answer| answer.body).collect()
}

#[test]
fn a_code_signs_in_once_however_often_it_comes_at_once() {
    run(async {
        let backend = backend().await;
        for _ in 0..5 {
            let phone = fresh_phone();
            done(post(&backend, "/otp", &json!({ "phone": number(&phone) }))).await;
            let code = backend.newest_code(&phone).await;
            let sessions = successes((0..4).map(|_| verify(&backend, "sms", &phone, &code)).collect()).await;
            assert_eq!(sessions.len(), 1);
            assert_eq!(backend.sessions(uid(&sessions[0])).await.len(), 1);
        }
    });
}

#[test]
fn tabs_that_refresh_at_once_get_the_same_next_token() {
    run(async {
        let backend = backend().await;
        let session = sign_in(&backend, &fresh_phone()).await;
        let all = successes((0..6).map(|_| refresh(&backend, &session)).collect()).await;
        assert_eq!(all.len(), 6, "none is refused");
        assert!(all.iter().all(|next| next["refresh_token"] == all[0]["refresh_token"]));
        assert_eq!(backend.sessions(uid(&session)).await.len(), 1);
    });
}

#[test]
fn one_number_becomes_that_of_one_account() {
    run(async {
        let backend = backend().await;
        for _ in 0..5 {
            let wanted = fresh_phone();
            let (mut codes, mut users) = (Vec::new(), Vec::new());
            for _ in 0..2 {
                let session = sign_in(&backend, &fresh_phone()).await;
                done(change(&backend, &session, &json!({ "phone": number(&wanted) }))).await;
                codes.push(backend.newest_code(&wanted).await);
                users.push(uid(&session));
                backend.advance(std::time::Duration::from_secs(2));
            }
            let tries = codes.iter().map(|code| verify(&backend, "phone_change", &wanted, code)).collect();
            let changed = successes(tries).await;
            // The second request has replaced the first one's code.
            assert_eq!(changed.len(), 1);
            let claim = backend.item(&format!("phone#+86{wanted}"), "claim").await.expect("a claim");
            assert_eq!(claim["user"].as_n().unwrap(), &users[1].to_string());
            let e164 = format!("+86{wanted}");
            let mut owners = 0;
            for user in users {
                owners += i32::from(
                    backend.account(user).await.get("phone").is_some_and(|phone| phone.as_s().unwrap() == &e164),
                );
            }
            assert_eq!(owners, 1);
        }
    });
}

#[test]
fn the_last_way_to_sign_in_stays_when_two_are_removed_at_once() {
    run(async {
        let backend = backend().await;
        for round in 0..5 {
            let grant = "/token?grant_type=id_token";
            let token = id_token(&backend, "google", &json!({ "sub": format!("one-{round}") })).await;
            let session = done(post(&backend, grant, &json!({ "provider": "google", "id_token": token }))).await;
            let token = id_token(&backend, "apple", &json!({ "sub": format!("two-{round}") })).await;
            let link = json!({ "provider": "apple", "id_token": token, "link_identity": true });
            let session = done(with(&session, post(&backend, grant, &link))).await;
            let gone = |place: usize| {
                let id = session["user"]["identities"][place]["identity_id"].as_str().expect("an id");
                with(&session, call(&backend, Method::DELETE, &format!("/user/identities/{id}")))
            };
            let removed = successes(vec![gone(0), gone(1)]).await;
            assert_eq!(removed.len(), 1, "round {round}");
            let linked = backend.account(uid(&session)).await["linked"].as_l().expect("a list").len();
            let google = backend.item(&format!("google#one-{round}"), "claim").await.is_some();
            let apple = backend.item(&format!("apple#two-{round}"), "claim").await.is_some();
            assert_eq!((linked, google != apple), (1, true));
        }
    });
}

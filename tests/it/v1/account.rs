//! The account, its devices, its sessions and its ways to sign in.

use serde_json::{Value, json};

use super::{Someone, costs, done, refused};
use crate::support::accounts::PASSWORD;
use crate::support::backend::whole;
use crate::support::round_trips::documented;
use crate::support::{Backend, run};

/// Uses every kind of call about an account once.
pub async fn whole_session(backend: &Backend, one: &Someone) {
    for path in ["/v1/me", "/v1/sessions"] {
        done(one.get(backend, path), 200).await;
    }
    let device = json!({ "platform": "ios", "token": format!("token-of-{}", one.id) });
    done(one.put(backend, "/v1/me/devices/current").json(&device), 204).await;
    done(one.delete(backend, "/v1/me/devices/current"), 204).await;
    done(one.delete(backend, "/v1/sessions?scope=others"), 204).await;
    refused(one.delete(backend, "/v1/me/phone"), 422, "last_identity").await;
    refused(one.delete(backend, "/v1/me/password"), 404, "not_found").await;
}

#[test]
fn reading_and_changing_the_account_costs_what_is_documented() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let one = Someone::new(backend, "One").await;
        costs("… for the first time with an access token of the Supabase Auth API", one.get(backend, "/v1/me")).await;
        let read = costs("v1: read the account or the sessions", one.get(backend, "/v1/me")).await;
        assert_eq!((&read.body["name"], &read.body["phone"]), (&json!("One"), &json!(one.phone.e164())));
        costs("v1: read the account or the sessions", one.get(backend, "/v1/sessions")).await;
        let row = "v1: change name, state or picture";
        let patch = |body: Value| one.patch(backend, "/v1/me", &body);
        let changed = costs(row, patch(json!({ "name": "Tom", "state": "away" }))).await;
        let tag = changed.headers["etag"].to_str().expect("a tag").to_owned();
        let changed = costs(row, patch(json!({ "state": null })).header("If-Match", &tag)).await;
        assert_eq!((&changed.body["name"], changed.body.get("state")), (&json!("Tom"), None));
        let late = whole(patch(json!({ "name": "Tim" })).header("If-Match", &tag)).await;
        assert_eq!((late.status, late.rounds()), (412, documented(row)), "{}", late.body);
    });
}

#[test]
fn devices_and_sessions_cost_what_is_documented() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let one = Someone::new(backend, "One").await;
        let device = |platform: &str| json!({ "platform": platform, "token": "a-token" });
        let current = "/v1/me/devices/current";
        costs("v1: push token of a device", one.put(backend, current).json(&device("ios"))).await;
        backend.advance(std::time::Duration::from_secs(61));
        let again = Someone::on(backend, one.phone.clone()).await;
        costs("… that another session of the user has", again.put(backend, current).json(&device("ios"))).await;
        let read = done(again.get(backend, "/v1/me"), 200).await;
        assert_eq!(read["devices"].as_array().map(Vec::len), Some(1), "the token has moved: {read}");
        costs("v1: remove a push token", again.delete(backend, current)).await;
        assert_eq!(done(again.get(backend, "/v1/me"), 200).await["devices"], json!([]));

        let sessions = again.list(backend, "/v1/sessions", 1).await;
        assert_eq!(sessions.len(), 2);
        let other = sessions.iter().find(|session| session["current"] == false).expect("the other one");
        let path = format!("/v1/sessions/{}", other["id"].as_str().expect("an id"));
        costs("v1: end a session", again.delete(backend, &path)).await;
        refused(one.get(backend, "/v1/me"), 401, "session_ended").await;
        costs("v1: end all other sessions", again.delete(backend, "/v1/sessions?scope=others")).await;
    });
}

#[test]
fn removing_ways_to_sign_in_costs_what_is_documented() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let token =
            |number: u8| json!({ "sub": format!("of-v1-{number}"), "iat": 1_700_000_000, "exp": 4_000_000_000_u64 });
        let url = format!("{}/apple/sign", backend.running.fakes().url());
        let (one, _) = Someone::with_sealtalk(backend).await;
        for number in [1, 2] {
            let signed = reqwest::Client::new().post(&url).json(&token(number)).send().await.expect("an answer");
            let signed: Value = signed.json().await.expect("JSON");
            let link = json!({ "provider": "apple", "id_token": signed["id_token"], "link_identity": true });
            done(one.post(backend, "/auth/v1/token?grant_type=id_token", &link), 200).await;
        }
        let identities = done(one.get(backend, "/v1/me"), 200).await["identities"].take();
        let of_apple = |identity: &&Value| identity["provider"] == "apple";
        let apple = identities.as_array().expect("a list").iter().find(of_apple).expect("Apple");
        let path = format!("/v1/me/identities/{}", apple["id"].as_str().expect("an id"));
        costs("v1: remove the number or an identity", one.delete(backend, &path)).await;
        let (password, phone) = ("/v1/me/password", "/v1/me/phone");
        backend.advance(std::time::Duration::from_mins(11));
        refused(one.delete(backend, phone), 403, "reauthentication_needed").await;
        let proof = json!({ "password": PASSWORD });
        costs("… with a further proof", one.delete(backend, phone).json(&proof)).await;
        costs("… the password, with a further proof", one.delete(backend, password).json(&proof)).await;
        let left = done(one.get(backend, "/v1/me"), 200).await;
        assert_eq!((left.get("phone"), &left["has_password"]), (None, &json!(false)), "{left}");
    });
}

//! One identity: an account created or changed through one API is valid in all the others.

use std::time::Duration;

use domain::account::UserId;
use domain::short_id;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::accounts::{self, Cookie, PASSWORD};
use crate::support::backend::answer;
use crate::support::{Backend, Phone, fresh_phone, run, shared};

/// An active session of each API with passwords or codes, and a way to check that it is still active.
struct Everywhere {
    messenger: String,
    web: Cookie,
    sealtalk: Cookie,
    device: (u64, String),
    rooms: String,
}

impl Everywhere {
    /// Signs in through every API; the messenger and rooms APIs use their own codes.
    async fn sign_in(backend: &Backend, phone: &Phone) -> Self {
        backend.advance(Duration::from_mins(1));
        let messenger = backend.person_on(phone).await;
        backend.advance(Duration::from_mins(1));
        let (rooms_id, rooms) = accounts::rooms_by_code(backend, phone).await;
        let (web_id, web) = accounts::web_sign_in(backend, phone, PASSWORD).await.expect("signed in");
        let (sealtalk_id, sealtalk) = accounts::sealtalk_sign_in(backend, phone, PASSWORD).await.expect("signed in");
        let (device_id, device) = accounts::device_sign_in(backend, phone, PASSWORD).await.expect("signed in");
        let sealtalk_id = short_id::decode(&sealtalk_id).map(UserId::get).expect("an id");
        let device_user = backend.device_user(device_id).await;
        assert_eq!([web_id, sealtalk_id, device_user, rooms_id.parse().expect("an id")], [messenger.uid; 4]);
        Self { messenger: messenger.access_token, web, sealtalk, device: (device_id, device), rooms }
    }

    /// Whether each is active: messenger, web, `SealTalk`, device, rooms.
    async fn living(&self, backend: &Backend) -> [bool; 5] {
        [
            answer(backend.nickname(&self.messenger, "Tom")).await.0 == 200,
            accounts::web_user(backend, &self.web).await["errno"] == "0",
            accounts::sealtalk_lives(backend, &self.sealtalk).await,
            accounts::device_lives(backend, self.device.0, &self.device.1).await,
            accounts::rooms_lives(backend, &self.rooms).await,
        ]
    }
}

async fn made_by_sealtalk(backend: &Backend) -> (Phone, String) {
    let phone = fresh_phone();
    let id = accounts::sealtalk_register(backend, &phone, PASSWORD).await;
    (phone, id)
}

#[test]
fn an_account_made_by_sealtalk_signs_in_everywhere() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (phone, _) = made_by_sealtalk(&backend).await;
        let everywhere = Everywhere::sign_in(&backend, &phone).await;
        assert_eq!(everywhere.living(&backend).await, [true; 5]);
    });
}

#[test]
fn an_account_made_by_web_or_device_signs_in_everywhere() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        for made_by_web in [true, false] {
            let phone = fresh_phone();
            if made_by_web {
                accounts::web_register(&backend, &phone, PASSWORD).await;
            } else {
                accounts::device_register(&backend, &phone, PASSWORD).await;
            }
            assert_eq!(Everywhere::sign_in(&backend, &phone).await.living(&backend).await, [true; 5]);
        }
    });
}

#[test]
fn a_nickname_set_in_one_api_is_seen_in_the_others() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (phone, id) = made_by_sealtalk(&backend).await;
        let everywhere = Everywhere::sign_in(&backend, &phone).await;
        assert_eq!(answer(backend.nickname(&everywhere.messenger, "小明")).await.0, 200);
        assert_eq!(accounts::web_user(&backend, &everywhere.web).await["data"]["name"], "小明");
        let own = backend.get(&format!("/user/{id}")).header("cookie", &everywhere.sealtalk.0);
        assert_eq!(answer(own).await.1["result"]["nickname"], "小明");
    });
}

#[test]
fn an_account_by_name_has_no_phone_until_a_code_proves_it() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let (pk, _) = accounts::rooms_register(&backend, &format!("user-of-{phone}"), PASSWORD, Some(&phone)).await;
        assert!(accounts::web_sign_in(&backend, &phone, PASSWORD).await.is_none(), "the phone is a contact detail");
        let (by_code, _) = accounts::rooms_by_code(&backend, &phone).await;
        assert_ne!(pk, by_code, "whoever proves the phone is somebody else");
    });
}

#[test]
fn a_new_password_through_any_api_ends_the_sessions_of_all() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")]).await;
        let (phone, _) = made_by_sealtalk(&backend).await;
        let before = Everywhere::sign_in(&backend, &phone).await;
        // SealTalk's own session changes the password, and stays active.
        let change = json!({ "oldPassword": PASSWORD, "newPassword": "new-P@ss1" });
        let change = backend.post("/user/change_password").header("cookie", &before.sealtalk.0).json(&change);
        assert_eq!(answer(change).await, (200, json!({ "code": 200 })));
        assert_eq!(before.living(&backend).await, [false, false, true, false, false]);
        assert!(accounts::web_sign_in(&backend, &phone, PASSWORD).await.is_none());
        let (_, web) = accounts::web_sign_in(&backend, &phone, "new-P@ss1").await.expect("signed in");
        // Recovery through the device API ends all of them, and its password works everywhere again.
        accounts::device_recover(&backend, &phone, PASSWORD).await;
        assert_ne!(accounts::web_user(&backend, &web).await["errno"], "0");
        assert!(!accounts::sealtalk_lives(&backend, &before.sealtalk).await);
        assert_eq!(Everywhere::sign_in(&backend, &phone).await.living(&backend).await, [true; 5]);
    });
}

#[test]
fn the_eleventh_session_ends_the_oldest_whatever_api_began_it() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        // Registering created the first session.
        let (phone, _) = made_by_sealtalk(&backend).await;
        backend.advance(Duration::from_secs(1));
        let (_, oldest) = accounts::web_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        for _ in 0..8 {
            backend.advance(Duration::from_secs(1));
            accounts::device_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        }
        assert_eq!(accounts::web_user(&backend, &oldest).await["errno"], "0", "ten are not too many");
        backend.advance(Duration::from_secs(1));
        accounts::device_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        assert_eq!(accounts::web_user(&backend, &oldest).await["errno"], "0", "the first one had to go");
        backend.advance(Duration::from_secs(1));
        let (id, _) = accounts::device_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        assert_eq!(accounts::web_user(&backend, &oldest).await["errno"], "4101", "now it is the oldest");
        assert_eq!(backend.sessions(backend.device_user(id).await).await.len(), 10);
    });
}

#[test]
fn a_code_asked_for_in_one_api_makes_all_wait() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let asks: [fn(&Backend, &Phone) -> RequestBuilder; 4] = [
            |backend, phone| backend.ask(phone),
            |backend, phone| backend.post("/user/send_code").json(&json!({ "region": "86", "phone": phone.0 })),
            |backend, phone| backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 })),
            |backend, phone| backend.post("/phonelogin/").json(&json!({ "phone": phone.0 })),
        ];
        let words = "a code was sent a moment ago; try again in 60 s";
        let refusals = [
            (400, json!({ "error": words })),
            (200, json!({ "code": 5000, "message": words })),
            (200, json!({ "success": false, "msg": words })),
            (400, json!({ "status": "FAIL", "msg": words, "code": "400" })),
        ];
        for first in asks {
            let phone = fresh_phone();
            assert_eq!(answer(first(&backend, &phone)).await.0, 200);
            for (second, refusal) in asks.iter().zip(&refusals) {
                assert_eq!(&answer(second(&backend, &phone)).await, refusal);
            }
            let web = accounts::web_ask(&backend, &phone).await;
            assert_eq!((web["errno"].as_str(), web["errmsg"].as_str()), (Some("4201"), Some("非法请求或请求次数受限")));
        }
    });
}

#[test]
fn a_code_for_one_purpose_is_wrong_for_every_other() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let ask = backend.post("/verification_codes").json(&json!({ "flag": 0, "phoneNumber": phone.0 }));
        assert_eq!(answer(ask).await.0, 200);
        let code = backend.newest_code(&phone).await;
        assert_eq!(backend.sign_in(&phone, &code).await, (400, json!({ "error": "wrong code" })));
        let verify = json!({ "region": "86", "phone": phone.0, "code": code });
        let (_, body) = answer(backend.post("/user/verify_code").json(&verify)).await;
        assert_eq!(body["code"], 1000);
        accounts::device_register_with(&backend, &phone, &code, PASSWORD).await.expect("registered");
    });
}

#[test]
fn failed_sign_ins_count_over_all_apis_together() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerAccount", "6")]).await;
        let (phone, _) = made_by_sealtalk(&backend).await;
        // Six as a stranger, and six from an address that the account knows.
        for _ in 0..4 {
            assert!(accounts::web_sign_in(&backend, &phone, "wrong-password").await.is_none());
            assert!(accounts::sealtalk_sign_in(&backend, &phone, "wrong-password").await.is_none());
            assert!(accounts::device_sign_in(&backend, &phone, "wrong-password").await.is_none());
        }
        // Locked: the right password gets the same response as a wrong one.
        assert!(accounts::web_sign_in(&backend, &phone, PASSWORD).await.is_none());
        let right = accounts::web_sign_in_answer(&backend, &phone, PASSWORD).await;
        assert_eq!(right, accounts::web_sign_in_answer(&backend, &phone, "wrong-password").await);
        let right = accounts::sealtalk_sign_in_answer(&backend, &phone, PASSWORD).await;
        assert_eq!(right, accounts::sealtalk_sign_in_answer(&backend, &phone, "wrong-password").await);
        backend.advance(Duration::from_mins(10));
        assert!(accounts::web_sign_in(&backend, &phone, PASSWORD).await.is_some());
    });
}

#[test]
fn the_credential_of_one_api_is_none_in_another() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let id = accounts::device_register(backend, &phone, PASSWORD).await;
        let (_, web) = accounts::web_sign_in(backend, &phone, PASSWORD).await.expect("signed in");
        let token = web.0.split(['=', ';']).nth(1).expect("a token").to_owned();
        assert_eq!(answer(backend.nickname(&token, "Tom")).await.0, 401, "no access token");
        assert!(!accounts::sealtalk_lives(backend, &web).await, "another cookie");
        let (_, body): (u16, Value) = answer(backend.get("/user/get_token")).await;
        assert_eq!(body["code"], 10_000);
        assert!(id > 0);
    });
}

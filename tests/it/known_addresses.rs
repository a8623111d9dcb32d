//! A stranger's failures and floods do not lock an owner out at a known address, and a limit affects no more callers
//! than necessary.
//!
//! The strangers use other loopback addresses, so these tests need Linux.

use std::time::Duration;

use domain::account::UserId;
use domain::short_id;
use serde_json::{Value, json};

use crate::support::accounts::{self, Cookie, PASSWORD};
use crate::support::backend::{At, answer, whole};
use crate::support::table::{number, text};
use crate::support::users::{refused, wrong_code};
use crate::support::{Backend, Phone, fresh_phone, run};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const NO_MORE_CODES: &str = "too many codes to this number";

/// A phone whose account knows only the tests' own address, 127.0.0.1.
async fn owner(backend: &Backend) -> Phone {
    let phone = fresh_phone();
    accounts::sealtalk_register(backend, &phone, PASSWORD).await;
    backend.advance(HOUR * 2);
    phone
}

/// The counters of failed sign-ins for a number: the strangers', and those of known networks.
async fn failures(backend: &Backend, phone: &Phone) -> (Vec<i64>, Vec<i64>) {
    let items = backend.items(&format!("phone#{}", phone.e164())).await;
    let counters = items.iter().filter_map(|item| {
        let sk = item["sk"].as_s().expect("a text");
        let parts = sk.strip_prefix("failures#")?.split('#').count();
        Some((parts, number(item, "count").expect("a count")))
    });
    let (strangers, known): (Vec<_>, Vec<_>) = counters.partition(|(parts, _)| *parts == 1);
    let counts = |counters: Vec<(usize, i64)>| counters.into_iter().map(|(_, count)| count).collect();
    (counts(strangers), counts(known))
}

#[test]
fn a_strangers_wrong_passwords_do_not_lock_the_owner_out() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "50")]).await;
        let phone = owner(&backend).await;
        let stranger = backend.at(1, 1);
        let login = |password: &str| json!({ "region": "86", "phone": phone.0, "password": password });
        let wrong = (200, json!({ "code": 1000, "message": "wrong account or password" }));
        for _ in 0..10 {
            assert_eq!(answer(stranger.post("/user/login").json(&login("wrong-1"))).await, wrong);
        }
        // Now the account is locked for strangers, even with the right password.
        for other in [&stranger, &backend.at(1, 200), &backend.at(2, 1)] {
            let refused = answer(other.post("/user/login").json(&login(PASSWORD))).await;
            assert_eq!((refused.0, &refused.1["code"]), (200, &json!(1000)));
        }
        assert_eq!(failures(&backend, &phone).await, (vec![10], vec![]), "a refused guess counts nowhere");
        // The owner signs in through every API with passwords.
        assert!(accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_some());
        assert!(accounts::web_sign_in(&backend, &phone, PASSWORD).await.is_some());
        assert!(accounts::device_sign_in(&backend, &phone, PASSWORD).await.is_some());
        assert_eq!(failures(&backend, &phone).await, (vec![10], vec![0]));
        // A known address has its own attempts, and a limited number of them.
        for _ in 0..10 {
            assert!(accounts::sealtalk_sign_in(&backend, &phone, "wrong-1").await.is_none());
        }
        assert!(accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_none());
        assert_eq!(failures(&backend, &phone).await, (vec![10], vec![10]));
        backend.advance(MINUTE * 10);
        assert!(accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.is_some());
    });
}

#[test]
fn a_new_password_makes_an_intruders_network_unknown() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = owner(&backend).await;
        let intruder = backend.at(3, 1);
        let login = |password: &str| json!({ "region": "86", "phone": phone.0, "password": password });
        let networks = async |uid: UserId| {
            let account = backend.account(uid.get()).await;
            account["networks"].as_m().expect("a map").keys().cloned().collect::<Vec<_>>()
        };
        let (id, cookie) = accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        let uid: UserId = short_id::decode(&id).expect("an id");
        let owners = networks(uid).await;
        assert_eq!(owners.len(), 1);
        // With the session, without one, and by each of the two ways to prove the number.
        for (n, way) in ["change", "verification", "code"].into_iter().enumerate() {
            let (old, new) = (format!("{PASSWORD}{n}"), format!("{PASSWORD}{}", n + 1));
            let old = if n == 0 { PASSWORD.to_owned() } else { old };
            assert_eq!(answer(intruder.post("/user/login").json(&login(&old))).await.0, 200);
            assert_eq!(networks(uid).await.len(), 2);
            match way {
                "change" => {
                    let change = json!({ "oldPassword": old, "newPassword": new });
                    let change = backend.post("/user/change_password").header("cookie", &cookie.0).json(&change);
                    assert_eq!(answer(change).await.0, 200);
                }
                "verification" => {
                    let token = accounts::sealtalk_verify(&backend, &phone).await;
                    let reset = json!({ "password": new, "verification_token": token });
                    assert_eq!(answer(backend.post("/user/reset_password").json(&reset)).await.0, 200);
                }
                _ => accounts::device_recover(&backend, &phone, &new).await,
            }
            assert_eq!(networks(uid).await, owners, "{way}");
        }
    });
}

/// Locks an account for strangers.
async fn lock(backend: &Backend, phone: &Phone) {
    for _ in 0..10 {
        let body = json!({ "region": "86", "phone": phone.0, "password": "wrong-1" });
        assert_eq!(answer(backend.at(1, 1).post("/user/login").json(&body)).await.1["code"], 1_000);
    }
}

/// Signs in with a password at this path from another address, and returns whether it worked.
async fn signs_in(at: &At<'_>, path: &str, phone: &Phone) -> bool {
    let user = json!({ "phoneNumber": phone.0, "password": PASSWORD });
    let body = json!({ "mobile": phone.0, "region": "86", "phone": phone.0, "password": PASSWORD, "user": user });
    let (_, body) = answer(at.post(path).json(&body)).await;
    body["code"] == 200 || body["success"] == true || body["errno"] == "0"
}

#[test]
fn an_address_is_known_for_ninety_days_or_as_long_as_its_session_is_active() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = owner(&backend).await;
        let (long, short) = (backend.at(7, 7), backend.at(8, 8));
        assert!(signs_in(&long, "/users/login", &phone).await, "a session of 180 days");
        assert!(signs_in(&short, "/user/login", &phone).await, "a session of 30 days");
        lock(&backend, &phone).await;
        for at in [&long, &short, &backend.at(7, 200)] {
            assert!(signs_in(at, "/api/v1.0/sessions", &phone).await, "the whole /24 is known");
        }
        assert!(!signs_in(&backend.at(9, 7), "/api/v1.0/sessions", &phone).await);
        backend.advance(DAY * 90);
        lock(&backend, &phone).await;
        assert!(!signs_in(&short, "/user/login", &phone).await, "90 days have passed, and the session is over");
        assert!(signs_in(&long, "/user/login", &phone).await, "the session of 180 days is still active");
    });
}

#[test]
fn wrong_old_passwords_with_an_ended_session_lock_nobody() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "1000")]).await;
        let phone = owner(&backend).await;
        let (id, ended) = accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        let (_, active) = accounts::sealtalk_sign_in(&backend, &phone, PASSWORD).await.expect("signed in");
        assert_eq!(answer(backend.post("/user/logout").header("cookie", &ended.0)).await.0, 200);
        let change = |cookie: &Cookie, old: &str| {
            let body = json!({ "oldPassword": old, "newPassword": "N3wP@ssw0rd" });
            answer(backend.post("/user/change_password").header("cookie", &cookie.0).json(&body))
        };
        let uid: UserId = short_id::decode(&id).expect("an id");
        let counted = async || {
            let items = backend.items(&format!("user#{uid}")).await;
            items.iter().filter(|item| text(item, "sk").is_some_and(|sk| sk.starts_with("failures#"))).count()
        };
        for _ in 0..80 {
            assert_eq!(change(&ended, "wrong-1").await.1["code"], 10_000);
        }
        assert_eq!(counted().await, 0);
        for _ in 0..3 {
            assert_eq!(change(&active, "wrong-1").await.1["code"], 1_000);
        }
        assert_eq!(counted().await, 1);
        assert_eq!(change(&active, PASSWORD).await.1["code"], 200);
    });
}

#[test]
fn an_account_remembers_a_bounded_number_of_hashed_networks() {
    run(async {
        let backend = Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")]).await;
        let phone = fresh_phone();
        let uid = backend.person_on(&phone).await.uid;
        for network in 0..25 {
            backend.advance(MINUTE);
            let code = backend.code_for(&phone).await;
            assert_eq!(backend.at(network, 1).sign_in(&phone, &code).await.0, 200);
            let account = backend.account(uid).await;
            let networks = account["networks"].as_m().expect("a map").len();
            assert_eq!(networks, usize::from(network + 2).min(10));
        }
        let text = format!("{:?}", backend.account(uid).await);
        assert!(!text.contains("127.9") && !text.contains("127.0"), "{text}");
        // Ten of them in sessions and ten in the map: twenty in all.
        assert_eq!(backend.sessions(uid).await.len(), 10);
    });
}

#[test]
fn a_refresh_makes_its_address_known() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = owner(&backend).await;
        let person = backend.person_on(&phone).await;
        let moved = backend.at(9, 1);
        let lock = json!({ "region": "86", "phone": phone.0, "password": "wrong-1" });
        for _ in 0..10 {
            answer(backend.at(1, 1).post("/user/login").json(&lock)).await;
        }
        let right = json!({ "region": "86", "phone": phone.0, "password": PASSWORD });
        assert_eq!(answer(moved.post("/user/login").json(&right)).await.1["code"], 1000);
        let refresh = moved.post("/auth/refresh_token").json(&json!({ "refresh_token": person.refresh_token }));
        assert_eq!(answer(refresh).await.0, 200);
        assert_eq!(answer(moved.post("/user/login").json(&right)).await.1["code"], 200);
    });
}

#[test]
fn a_strangers_guesses_do_not_spend_the_owners_code() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "50")]).await;
        let phone = owner(&backend).await;
        let code = backend.code_for(&phone).await;
        let stranger = backend.at(1, 1);
        for n in 1..=5 {
            assert_eq!(stranger.sign_in(&phone, &wrong_code(&code, n)).await, refused("wrong code"));
        }
        let spent = refused("too many wrong tries; request a new code");
        assert_eq!(stranger.sign_in(&phone, &code).await, spent);
        assert_eq!(backend.at(2, 1).sign_in(&phone, &code).await, spent, "the code is spent for every stranger");
        let tries = async || {
            let item = backend.code_item(&phone).await.expect("a code");
            (number(&item, "tries"), number(&item, "known_tries"))
        };
        assert_eq!(tries().await, (Some(5), None));
        for n in 1..=4 {
            assert_eq!(backend.sign_in(&phone, &wrong_code(&code, n)).await, refused("wrong code"));
        }
        assert_eq!(tries().await, (Some(5), Some(4)));
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn an_address_that_failed_too_often_spends_no_codes_of_others() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "5")]).await;
        let (bait, victim) = (fresh_phone(), fresh_phone());
        let stranger = backend.at(1, 1);
        let bait_code = backend.code_for(&bait).await;
        for n in 1..=5 {
            assert_eq!(stranger.sign_in(&bait, &wrong_code(&bait_code, n)).await, refused("wrong code"));
        }
        let code = backend.code_for(&victim).await;
        let before = (backend.code_item(&victim).await, backend.items_below("address#").await);
        for n in 1..=5 {
            let body = json!({ "zone": "86", "number": victim.0, "code": wrong_code(&code, n) });
            whole(stranger.post("/auth/token").json(&body)).await.assert_limited("too many failed sign-ins", 600);
        }
        let after = (backend.code_item(&victim).await, backend.items_below("address#").await);
        assert_eq!(before, after, "a refused guess changes nothing");
        assert_eq!(backend.sign_in(&victim, &code).await.0, 200);
    });
}

#[test]
fn refused_guesses_at_once_spend_no_code_either() {
    run(async {
        let backend = Backend::frozen(&[("FailuresPerIp", "5")]).await;
        let stranger = backend.at(1, 1);
        let victims: Vec<_> = (0..4).map(|_| fresh_phone()).collect();
        for victim in &victims {
            backend.code_for(victim).await;
        }
        let guesses = victims.iter().flat_map(|victim| (0..5).map(move |_| victim));
        let guesses = guesses.map(|victim| stranger.sign_in(victim, "000000"));
        futures::future::join_all(guesses).await;
        let mut tries = 0;
        for victim in &victims {
            tries += number(&backend.code_item(victim).await.expect("a code"), "tries").expect("tries");
        }
        assert!(tries <= 5, "{tries} guesses were counted of an address that has five");
        let [address] = backend.items_below("address#").await.try_into().expect("one counter");
        assert_eq!(number(&address, "count"), Some(tries));
    });
}

#[test]
fn the_last_codes_of_an_hour_and_a_day_are_kept_for_known_addresses() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = owner(&backend).await;
        let stranger = backend.at(1, 1);
        for _ in 0..3 {
            assert_eq!(answer(stranger.ask(&phone)).await.0, 200);
            backend.advance(MINUTE);
        }
        whole(stranger.ask(&phone)).await.assert_limited(NO_MORE_CODES, 3_420);
        for _ in 0..2 {
            let code = backend.code_for(&phone).await;
            backend.advance(MINUTE);
            assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
        }
        whole(backend.ask(&phone)).await.assert_limited(NO_MORE_CODES, 3_300);
        backend.advance(HOUR);
        // Of the day's ten codes, six are available to everyone; the sign-up used one.
        assert_eq!(answer(backend.ask(&phone)).await.0, 200);
        backend.advance(MINUTE);
        assert_eq!(whole(stranger.ask(&phone)).await.status, 400);
        for _ in 0..3 {
            assert_eq!(answer(backend.ask(&phone)).await.0, 200);
            backend.advance(MINUTE);
        }
        assert_eq!(whole(backend.ask(&phone)).await.status, 400);
        assert_eq!(backend.texts(&phone).await.len(), 10);
    });
}

#[test]
fn a_quarter_of_a_countrys_codes_is_kept_for_numbers_with_accounts() {
    run(async {
        for cap in ["CodesPerCountryHour", "CodesPerCountryDay"] {
            let backend = Backend::frozen(&[(cap, "8")]).await;
            let (one, other) = (fresh_phone(), fresh_phone());
            for phone in [&one, &other] {
                backend.person_on(phone).await;
            }
            backend.advance(MINUTE);
            for _ in 0..4 {
                assert_eq!(answer(backend.ask(&fresh_phone())).await.0, 200);
            }
            let asked = whole(backend.ask(&fresh_phone())).await;
            assert_eq!(
                (asked.status, asked.body["error"].as_str().unwrap().starts_with("too many codes to this country")),
                (400, true)
            );
            assert_eq!(answer(backend.ask(&one)).await.0, 200);
            assert_eq!(answer(backend.at(1, 1).ask(&other)).await.0, 200, "from any address");
            backend.advance(MINUTE);
            assert_eq!(whole(backend.ask(&one)).await.status, 400, "the whole cap is reached");
        }
    });
}

/// The only item of a block of numbers.
async fn block(backend: &Backend, of: &Phone) -> Value {
    let items = backend.items(&format!("block#+86{}", &of.0[..7])).await;
    let [item] = items.as_slice() else { panic!("one item in {items:?}") };
    json!({ "sent": number(item, "sent"), "debt": number(item, "debt") })
}

#[test]
fn one_network_cannot_close_a_block_of_numbers() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let first = fresh_phone();
        for n in 0..60 {
            let stranger = backend.at(1, u8::try_from(n).unwrap());
            assert_eq!(answer(stranger.ask(&first.neighbour(n))).await.0, 200, "{n}");
        }
        assert_eq!(block(&backend, &first).await, json!({ "sent": 5, "debt": 100 }));
        assert_eq!(answer(backend.ask(&first.neighbour(99))).await.0, 200);
        // Using a code that was not counted reduces nothing.
        let late = first.neighbour(30);
        let code = backend.newest_code(&late).await;
        assert_eq!(backend.sign_in(&late, &code).await.0, 200);
        assert_eq!(block(&backend, &first).await, json!({ "sent": 6, "debt": 120 }));
        // Using a counted code gives its network another one.
        let code = backend.newest_code(&first).await;
        assert_eq!(backend.sign_in(&first, &code).await.0, 200);
        assert_eq!(block(&backend, &first).await, json!({ "sent": 6, "debt": 20 }));
        assert_eq!(answer(backend.at(1, 1).ask(&first.neighbour(70))).await.0, 200);
        assert_eq!(answer(backend.at(1, 1).ask(&first.neighbour(71))).await.0, 200);
        assert_eq!(block(&backend, &first).await, json!({ "sent": 7, "debt": 40 }));
    });
}

#[test]
fn a_block_is_closed_by_many_networks_and_stays_open_to_known_addresses() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let first = fresh_phone();
        let account = first.neighbour(5_000);
        backend.person_on(&account).await;
        let mut asked = 0;
        let closed = 'asking: {
            for network in 0..60 {
                for _ in 0..5 {
                    let answer = whole(backend.at(network, 1).ask(&first.neighbour(asked))).await;
                    if answer.status == 400 {
                        break 'asking answer;
                    }
                    asked += 1;
                }
            }
            panic!("the block never closed")
        };
        closed.assert_limited("too many unused codes to numbers like this one", 3_600);
        assert!(asked >= 49, "with the one of the account, fifty: {asked}");
        assert_eq!(whole(backend.at(200, 1).ask(&first.neighbour(9_000))).await.status, 400);
        backend.advance(MINUTE);
        assert_eq!(whole(backend.at(200, 1).ask(&account)).await.status, 400, "a stranger to the account");
        assert_eq!(answer(backend.ask(&account)).await.0, 200, "its owner");
    });
}

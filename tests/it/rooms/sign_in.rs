//! Signing in with a password, a code and a provider, and how tokens end.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PASSWORD, assert_success, call, fresh, login, not_signed_in, refused, register, text};
use crate::support::backend::answer;
use crate::support::{Backend, fresh_phone, run, shared};

#[test]
fn a_new_password_ends_every_token() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let (_, second) = login(backend, &owner.username, PASSWORD).await;
        let user = format!("/users/{}/", owner.pk);
        let mut token = owner.token.clone();
        let mut old = PASSWORD.to_owned();
        for (path, new) in [("/users/password/", "another-one"), ("/password", "a-third-one")] {
            let change = json!({ "username": owner.username, "old_password": old, "password": new, "token": token });
            let answer = call(backend, "PUT", path, change).await;
            assert_success(200, "修改成功", &answer);
            for dead in [&token, &text(&second, "token")] {
                assert_eq!(call(backend, "PUT", &user, json!({ "token": dead })).await, not_signed_in());
            }
            token = text(&answer.1, "token");
            assert_success(200, "修改成功", &call(backend, "PUT", &user, json!({ "token": token })).await);
            assert_eq!(login(backend, &owner.username, &old).await, refused(400, "wrong account or password"));
            new.clone_into(&mut old);
        }
        assert_success(200, "登录成功", &login(backend, &owner.username, &old).await);
    });
}

#[test]
fn a_new_password_is_set_whole_while_others_have_locked_the_username() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let owner = register(&backend).await;
        let wrong = refused(400, "wrong account or password");
        // Ten as a stranger, and ten from an address that the account knows.
        for guess in 0..22 {
            let password = if guess < 20 { "wrong-password" } else { PASSWORD };
            assert_eq!(login(&backend, &owner.username, password).await, wrong, "{guess}");
        }
        let change = json!({
            "username": owner.username, "old_password": PASSWORD, "password": "another-one", "token": owner.token,
        });
        let changed = call(&backend, "PUT", "/password/", change.clone()).await;
        assert_success(200, "修改成功", &changed);
        let own = format!("/users/{}/", owner.pk);
        assert_eq!(call(&backend, "PUT", &own, json!({ "token": owner.token })).await, not_signed_in());
        let token = text(&changed.1, "token");
        assert_success(200, "修改成功", &call(&backend, "PUT", &own, json!({ "token": token })).await);
        assert_eq!(call(&backend, "PUT", "/password/", change).await, not_signed_in());
        let account = backend.item(&format!("user#{}", owner.pk), "account").await.expect("an account");
        assert_eq!(account["sessions"].as_m().expect("a map").len(), 1);
        let counted = backend.items_below(&format!("user#{}", owner.pk)).await;
        let counted: Vec<_> = counted.iter().filter_map(|item| crate::support::table::number(item, "count")).collect();
        assert_eq!(counted, [0], "the guess at the old password was taken back");
        backend.advance(Duration::from_mins(10));
        assert_eq!(login(&backend, &owner.username, PASSWORD).await, wrong);
        assert_success(200, "登录成功", &login(&backend, &owner.username, "another-one").await);
    });
}

#[test]
fn of_changes_of_a_password_at_once_one_is_made() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let change = |new: String| {
            let change = json!({
                "username": owner.username, "old_password": PASSWORD, "password": new, "token": owner.token,
            });
            call(backend, "PUT", "/password/", change)
        };
        let all = futures::future::join_all((0..6).map(|n| change(format!("password-{n}")))).await;
        let made: Vec<_> = (0..6).filter(|n| all[*n].0 == 200).collect();
        assert_eq!(made.len(), 1, "{all:?}");
        let account = backend.item(&format!("user#{}", owner.pk), "account").await.expect("an account");
        assert_eq!(account["sessions"].as_m().expect("a map").len(), 1);
        let password = format!("password-{}", made[0]);
        assert_success(200, "登录成功", &login(backend, &owner.username, &password).await);
    });
}

#[test]
fn a_token_ends_by_logout_and_after_a_day() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let (_, second) = login(&backend, &owner.username, PASSWORD).await;
        let user = format!("/users/{}/", owner.pk);
        let out = call(&backend, "POST", "/logout/", json!({ "token": owner.token })).await;
        assert_eq!(out, (200, json!({ "status": "SUCCESS", "msg": "注销成功", "code": "200" })));
        let room = json!({ "room_alias": "x", "token": owner.token });
        for (method, path, body) in [
            ("POST", "/logout/", json!({ "token": owner.token })),
            ("PUT", &user, json!({ "token": owner.token })),
            ("PUT", "/users/1/", json!({ "token": owner.token })),
            ("POST", "/rooms/", room),
        ] {
            assert_eq!(call(&backend, method, path, body).await, not_signed_in(), "{method} {path}");
        }
        assert_success(200, "修改成功", &call(&backend, "PUT", &user, json!({ "token": second["token"] })).await);
        backend.advance(Duration::from_hours(24));
        assert_eq!(call(&backend, "PUT", &user, json!({ "token": second["token"] })).await, not_signed_in());
    });
}

fn code_in(body: &Value) -> String {
    text(body, "captcha")
}

#[test]
fn a_phone_signs_in_by_code() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let (status, sent) = call(backend, "POST", "/phonelogin/", json!({ "phone": phone.0 })).await;
        assert_eq!((status, &sent["msg"]), (200, &json!("发送成功")), "{sent}");
        let code = code_in(&sent);
        assert_eq!(code, backend.newest_code(&phone).await);
        let (status, too_soon) = answer(backend.post("/phonelogin").query(&[("phone", &phone.0)])).await;
        assert_eq!(status, 400, "{too_soon}");
        assert!(text(&too_soon, "msg").starts_with("a code was sent a moment ago"), "{too_soon}");

        let get = |code: &str| backend.get("/phonelogin/").query(&[("phone", phone.0.as_str()), ("captcha", code)]);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        assert_eq!(answer(get(wrong)).await, refused(400, "wrong code"));
        let first = answer(get(&code)).await;
        assert_success(200, "登录成功", &first);
        assert_eq!(
            (&first.1["phone"], &first.1["username"], &first.1["login_type"]),
            (&json!(phone.0), &json!(""), &json!("0"))
        );
        assert_eq!(
            answer(get(&code)).await,
            refused(400, "no code to check: it was used already or never requested; request a new one")
        );
    });
}

#[test]
fn a_phone_that_another_api_knows_is_the_same_account() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        backend.advance(Duration::from_secs(61));
        let (_, sent) = answer(backend.post("/phonelogin").form(&[("phone", format!("+86{phone}"))])).await;
        let by_post = json!({ "phone": phone.0, "captcha": code_in(&sent) });
        let first = call(&backend, "POST", "/phonelogin/", by_post).await;
        assert_success(200, "登录成功", &first);
        assert_eq!(first.1["pk"], person.uid.to_string());
        backend.advance(Duration::from_secs(61));
        let (_, sent) = call(&backend, "POST", "/phonelogin/", json!({ "phone": phone.0 })).await;
        let body = json!({ "phone": phone.0, "captcha": code_in(&sent) });
        let again = call(&backend, "GET", "/phonelogin/", body).await;
        assert_success(200, "登录成功", &again);
        assert_eq!(again.1["roomid"], first.1["roomid"]);
    });
}

#[test]
fn a_provider_vouches_for_who_signs_in() {
    run(async {
        let backend = shared().await;
        for (login_type, other) in [("1", "2"), ("2", "3"), ("3", "1")] {
            let subject = (70_000 + fresh("").parse::<u64>().expect("a number")).to_string();
            let token = format!("test-{subject}");
            let fields = |login_type: &str, token: &str| {
                [
                    ("username", "微信 用户".to_owned()),
                    ("nickname", "never".to_owned()),
                    ("login_type", login_type.to_owned()),
                    ("snsid", subject.clone()),
                    ("access_token", token.to_owned()),
                    ("icon", "https://example.com/tests1.jpg".to_owned()),
                    ("sex", "1".to_owned()),
                ]
            };
            // As existing clients send it: in the query, with an empty body.
            let send = |login_type: &str, token: &str| backend.post("/snslogin/").query(&fields(login_type, token));
            let first = answer(send(login_type, &token)).await;
            assert_success(201, "登录成功", &first);
            for (name, value) in [
                ("username", "微信 用户"),
                ("nickname", "never"),
                ("login_type", login_type),
                ("img", "https://example.com/tests1.jpg"),
                ("sex", "1"),
                ("password", ""),
            ] {
                assert_eq!(first.1[name], value, "{name}");
            }
            let again = answer(send(login_type, &token)).await;
            assert_success(200, "登录成功", &again);
            assert_eq!((&again.1["pk"], &again.1["roomid"]), (&first.1["pk"], &first.1["roomid"]));
            // The same id at another provider is another user.
            let elsewhere = answer(send(other, &token)).await;
            assert_success(201, "登录成功", &elsewhere);
            assert_ne!(elsewhere.1["pk"], first.1["pk"]);
            for bad in ["test-somebody-else", "test-expired", "nonsense"] {
                let refusal = refused(400, "the sign-in provider did not accept this token for this user and app");
                assert_eq!(answer(send(login_type, bad)).await, refusal, "{login_type} {bad}");
            }
            let broken = refused(400, "the sign-in provider cannot be reached; try again");
            assert_eq!(answer(send(login_type, "test-broken")).await, broken);
        }
    });
}

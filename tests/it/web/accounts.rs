//! Registering, signing in, and sessions.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use super::{
    IDENTITY, PASSWORD, Person, ask, captcha, code, cookie, done, guarded, malformed, not_signed_in, path, refused,
    register, sign_in, wrong,
};
use crate::support::backend::{answer, read};
use crate::support::{Backend, fresh_phone, run, shared};

#[test]
fn registering_signs_in_and_answers_the_whole_person() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = code(backend, &phone).await;
        let post = |body: Value| answer(backend.post(&path("users")).json(&body));
        let with = |code: &str| json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        assert_eq!(post(with(&wrong(&code))).await, refused("4004", "数据错误"));
        let number: u64 = phone.0.parse().unwrap();
        let (status, body) = post(json!({ "mobile": number, "sms_code": code, "password": PASSWORD })).await;
        assert_eq!((status, &body["errno"], &body["errmsg"]), (200, &json!("0"), &json!("OK")), "{body}");
        let data = body["data"].as_object().unwrap();
        let mut fields: Vec<_> = data.keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["avatar", "avatar_url", "create_time", "mobile", "name", "user_id"]);
        let expected = (&json!(phone.0), &json!(phone.0), &json!(""));
        assert_eq!((&data["name"], &data["mobile"], &data["avatar"]), expected);
        let made = data["create_time"].as_str().unwrap();
        let shape: String = made.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999-99-99 99:99:99", "{made}");
        assert_eq!(post(with(&code)).await, refused("4002", "无数据"), "a code works once");
        assert_eq!(sign_in(backend, &phone, PASSWORD).await.1["data"], json!({ "user_id": data["user_id"] }));
    });
}

#[test]
fn forms_are_as_good_as_json() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let code = code(backend, &phone).await;
        let form = [("mobile", phone.0.as_str()), ("sms_code", &code), ("password", PASSWORD)];
        let response = backend.post(&path("users")).form(&form).send().await.unwrap();
        let person = Person { phone: phone.clone(), id: 0, cookie: cookie(&response) };
        let form = [("mobile", phone.0.as_str()), ("password", PASSWORD)];
        let response = backend.post(&path("sessions")).form(&form).send().await.unwrap();
        assert!(cookie(&response).starts_with("web_session="));
        let named = person.sends(backend.put(&path("user/name"))).form(&[("name", "小明")]);
        assert_eq!(answer(named).await.1["data"], json!({ "name": "小明" }));
        let form = [("real_name", "张三"), ("id_card", IDENTITY[0])];
        assert_eq!(answer(person.sends(backend.post(&path("user/auth"))).form(&form)).await, done());
        assert_eq!(person.gets(backend, "user/auth").await.1["data"]["real_name"], "张三");
    });
}

#[test]
fn what_is_not_a_registration_makes_no_account() {
    run(async {
        let backend = shared().await;
        let phone = fresh_phone();
        let post = |body: Value| answer(backend.post(&path("users")).json(&body));
        let whole = json!({ "mobile": phone.0, "sms_code": "123456", "password": PASSWORD });
        assert_eq!(post(whole.clone()).await, refused("4002", "无数据"), "no code was asked for");
        for field in ["mobile", "sms_code", "password"] {
            for value in [None, Some(Value::Null), Some(json!([])), Some(json!({})), Some(json!(true))] {
                let mut body = whole.clone();
                match value {
                    Some(value) => body[field] = value,
                    None => drop(body.as_object_mut().unwrap().remove(field)),
                }
                assert_eq!(post(body.clone()).await, malformed(), "{body}");
            }
        }
        for (field, value) in [("mobile", "123"), ("password", "12345"), ("password", "with space"), ("password", "")] {
            let mut body = whole.clone();
            body[field] = json!(value);
            assert_eq!(post(body.clone()).await, malformed(), "{body}");
        }
        for body in ["{", "[]", "null", "\u{0}", &format!("{{\"mobile\":\"{}\"}}", "1".repeat(300_000))] {
            let sent = backend.post(&path("users")).header(CONTENT_TYPE, "application/json").body(body.to_owned());
            assert_eq!(answer(sent).await, malformed(), "{body:.20}");
        }
        // The messenger's code is for another purpose.
        let code = backend.code_for(&phone).await;
        let mut body = whole.clone();
        body["sms_code"] = json!(code);
        assert_eq!(post(body).await, refused("4004", "数据错误"));
        assert!(backend.item(&format!("phone#+86{phone}"), "claim").await.is_none());
    });
}

#[test]
fn a_number_registers_once() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let code = code(&backend, &phone).await;
        let body = json!({ "mobile": phone.0, "sms_code": code, "password": PASSWORD });
        let answers = join_all((0..20).map(|_| answer(backend.post(&path("users")).json(&body)))).await;
        assert_eq!(answers.iter().filter(|(_, body)| body["errno"] == "0").count(), 1, "{answers:?}");
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        // A user of another API registers the number between the code and this request.
        let phone = fresh_phone();
        let text = captcha(&backend, "an-id").await;
        assert_eq!(ask(&backend, &phone, &text, "an-id").await, refused("0", "发送成功"));
        backend.advance(Duration::from_secs(61));
        backend.person_on(&phone).await;
        let body = json!({ "mobile": phone.0, "sms_code": "123456", "password": PASSWORD });
        assert_eq!(answer(backend.post(&path("users")).json(&body)).await, refused("4002", "无数据"));
        backend.advance(Duration::from_secs(61));
        let text = captcha(&backend, "an-id").await;
        assert_eq!(ask(&backend, &phone, &text, "an-id").await, refused("4003", "数据已存在"));
    });
}

#[test]
fn a_wrong_password_and_an_unknown_number_are_refused_alike_and_not_forever() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = register(&backend).await;
        let wrong = refused("4004", "用户名或密码错误");
        let nobody = fresh_phone();
        // Ten as a stranger, and ten from an address that the account knows.
        for (phone, guesses) in [(&person.phone, 20), (&nobody, 10)] {
            for _ in 0..guesses {
                assert_eq!(sign_in(&backend, phone, "not it").await, wrong);
            }
            let limited = refused("4201", "非法请求或请求次数受限");
            assert_eq!(sign_in(&backend, phone, "not it").await, limited);
            assert_eq!(sign_in(&backend, phone, PASSWORD).await, limited, "right or not");
        }
        backend.advance(Duration::from_secs(1_201));
        assert_eq!(sign_in(&backend, &person.phone, PASSWORD).await.1["data"], json!({ "user_id": person.id }));
        for body in [json!({}), json!({ "mobile": "123", "password": "x" }), json!({ "mobile": person.phone.0 })] {
            assert_eq!(answer(backend.post(&path("sessions")).json(&body)).await, malformed(), "{body}");
        }
    });
}

/// A cookie with one changed character in its middle. Not every bit of the last character counts.
fn forge(cookie: &str) -> String {
    let middle = cookie.len() / 2;
    let other = if &cookie[middle..=middle] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &cookie[..middle], &cookie[middle + 1..])
}

#[test]
fn without_a_living_session_every_endpoint_says_so() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let forged = forge(&person.cookie);
        let messenger = format!("web_session={}", backend.person().await.access_token);
        let other_name = person.cookie.replace("web_session", "session");
        for cookie in ["", "web_session=", "web_session=x", &forged, &messenger, &other_name] {
            let requests = guarded(backend).into_iter().chain([backend.request(Method::DELETE, &path("session"))]);
            for request in requests {
                let request = if cookie.is_empty() { request } else { request.header(COOKIE, cookie) };
                assert_eq!(answer(request).await, not_signed_in(), "{cookie}");
            }
        }
        for request in guarded(backend) {
            let with_attributes = format!("a=b; {}; Path=/; HttpOnly; Max-Age=2592000", person.cookie);
            let (status, body) = answer(request.header(COOKIE, with_attributes)).await;
            assert_eq!((status, &body["errno"]), (200, &json!("0")), "{body}");
        }
        let out = person.sends(backend.request(Method::DELETE, &path("session"))).send().await.unwrap();
        assert_eq!(out.headers()[SET_COOKIE], "web_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(read(out).await, done());
        for request in guarded(backend) {
            assert_eq!(answer(person.sends(request)).await, not_signed_in());
        }
    });
}

#[test]
fn a_session_lasts_thirty_days() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = register(&backend).await;
        backend.advance(Duration::from_hours(30 * 24 - 1));
        assert_eq!(person.gets(&backend, "session").await.1["errno"], "0");
        backend.advance(Duration::from_hours(2));
        for request in guarded(&backend) {
            assert_eq!(answer(person.sends(request)).await, not_signed_in());
        }
    });
}

#[test]
fn a_number_of_another_api_is_the_same_person_here() {
    run(async {
        let backend = shared().await;
        let person = register(backend).await;
        let login = json!({ "user": { "phoneNumber": person.phone.0, "password": PASSWORD } });
        let (_, body) = answer(backend.post("/users/login").json(&login)).await;
        let id = body["data"]["user"]["id"].as_u64().unwrap_or_else(|| panic!("an id in {body}"));
        assert_eq!(backend.device_user(id).await, person.id);
        let login = json!({ "region": "86", "phone": person.phone.0, "password": PASSWORD });
        let (_, body) = answer(backend.post("/user/login").json(&login)).await;
        assert_eq!(body["code"], 200, "{body}");
    });
}

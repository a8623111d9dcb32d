//! Account data, and changing it.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{PASSWORD, assert_success, call, fresh, login, not_signed_in, refused, register, text};
use crate::support::accounts::rooms_by_code;
use crate::support::backend::answer;
use crate::support::{Backend, fresh_phone, run, shared};

#[test]
fn an_account_is_exactly_what_the_document_shows() {
    run(async {
        let backend = shared().await;
        let username = fresh("name");
        let given = json!({
            "username": username, "password": PASSWORD, "nickname": "never", "sex": "0", "age": "18",
            "email": "never@gmail.com", "phone": "18752000500", "country": "中国", "province": "", "city": "上海",
            "career": "engineer",
        });
        let made = call(backend, "POST", "/users/", given).await;
        assert_success(200, "创建成功", &made);
        let mut user = made.1;
        for (name, value) in [
            ("username", username.as_str()),
            ("password", ""),
            ("nickname", "never"),
            ("sex", "0"),
            ("age", "18"),
            ("email", "never@gmail.com"),
            ("phone", "18752000500"),
            ("country", "中国"),
            ("province", ""),
            ("city", "上海"),
            ("career", "engineer"),
            ("login_type", "0"),
            ("img", ""),
        ] {
            assert_eq!(user[name], value, "{name}");
        }
        let joined = text(&user, "date_joined");
        assert!(joined.len() == 27 && joined.ends_with("000Z") && joined.starts_with("20"), "{joined}");
        let room = text(&user, "roomid");
        assert!(room.len() >= 4 && room.bytes().all(|byte| byte.is_ascii_digit()), "{room}");
        let strings = user.as_object().expect("an object");
        assert!(strings.values().all(Value::is_string), "{user}");
        let shorter = format!("{} {}", &joined[..10], &joined[11..19]);
        assert_eq!(user["join_date"], shorter);
        assert!(text(&user, "roompk").parse::<i32>().is_ok_and(|pk| pk > 0), "{user}");
        assert_eq!(strings.len(), 22, "{user}");

        let mut again = login(backend, &username, PASSWORD).await;
        assert_success(200, "登录成功", &again);
        assert_ne!(again.1["token"], user["token"]);
        for changes in ["token", "msg"] {
            again.1[changes] = Value::Null;
            user[changes] = Value::Null;
        }
        assert_eq!(again.1, user);
    });
}

#[test]
fn an_account_made_with_the_least_says_so() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let (_, user) = login(backend, &owner.username, PASSWORD).await;
        let defaults = [("sex", "2"), ("age", "0"), ("email", ""), ("phone", ""), ("career", ""), ("login_type", "0")];
        for (name, value) in defaults {
            assert_eq!(user[name], value, "{name}");
        }
    });
}

#[test]
fn an_account_changes_what_it_says_and_its_name() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let path = format!("/users/{}/", owner.pk);
        let put = async |change: Value| {
            let mut body = json!({ "token": owner.token });
            body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
            let answer = call(backend, "PUT", &path, body).await;
            assert_success(200, "修改成功", &answer);
            answer.1
        };
        let user = put(json!({ "nickname": "新", "sex": "1", "city": "上海" })).await;
        assert_eq!((&user["nickname"], &user["sex"], &user["city"]), (&json!("新"), &json!("1"), &json!("上海")));
        assert_eq!(user["token"], owner.token);
        // A field that is not sent is not changed, and an empty detail is removed.
        let user = put(json!({ "city": "", "career": "x" })).await;
        assert_eq!((&user["nickname"], &user["sex"]), (&json!("新"), &json!("1")));
        assert_eq!((&user["city"], &user["career"]), (&json!(""), &json!("x")));
        let user = put(json!({})).await;
        assert_eq!(user["sex"], "1");

        let name = fresh("name");
        let user = put(json!({ "username": name, "age": "30" })).await;
        assert_eq!((&user["username"], &user["age"], &user["sex"]), (&json!(name), &json!("30"), &json!("1")));
        assert_eq!(put(json!({ "username": name, "age": "31" })).await["age"], "31");
        assert_eq!(login(backend, &owner.username, PASSWORD).await, refused(400, "wrong account or password"));
        let (_, user) = login(backend, &name, PASSWORD).await;
        assert_eq!((&user["pk"], &user["age"]), (&json!(owner.pk), &json!("31")));
        // The old name is free, and the new one is taken.
        let with = |username: &str| json!({ "username": username, "password": PASSWORD, "nickname": "n" });
        assert_eq!(call(backend, "POST", "/users/", with(&name)).await, refused(400, "this username is taken"));
        assert_success(200, "创建成功", &call(backend, "POST", "/users/", with(&owner.username)).await);
    });
}

#[test]
fn an_account_without_a_password_chooses_a_name() {
    run(async {
        let backend = shared().await;
        let by_code = rooms_by_code(backend, &fresh_phone()).await;
        let subject = fresh("subject");
        let signed_in = json!({
            "login_type": 1, "snsid": subject, "access_token": format!("test-{subject}"), "username": "Tom",
            "nickname": "Tom", "icon": "",
        });
        let (_, by_provider) = call(backend, "POST", "/snslogin/", signed_in).await;
        for (pk, token) in [by_code, (text(&by_provider, "pk"), text(&by_provider, "token"))] {
            let name = fresh("name");
            for name in [&name, &name, &fresh("name")] {
                let body = json!({ "username": name, "token": token });
                let (status, user) = call(backend, "PUT", &format!("/users/{pk}/"), body).await;
                assert_eq!((status, &user["username"]), (200, &json!(name)), "{user}");
            }
            assert_eq!(login(backend, &name, "").await.0, 400, "a name without a password signs nobody in");
        }
    });
}

#[test]
fn one_of_many_gets_a_name() {
    run(async {
        let backend = shared().await;
        let name = fresh("name");
        let with = json!({ "username": name, "password": PASSWORD, "nickname": "n" });
        let owners = join_all((0..6).map(|_| register(backend))).await;
        let paths: Vec<_> = owners.iter().map(|owner| format!("/users/{}/", owner.pk)).collect();
        let renames = owners
            .iter()
            .zip(&paths)
            .map(|(owner, path)| call(backend, "PUT", path, json!({ "username": name, "token": owner.token })));
        let (renamed, made) = futures::future::join(
            join_all(renames),
            join_all((0..6).map(|_| call(backend, "POST", "/users/", with.clone()))),
        )
        .await;
        let statuses: Vec<_> = renamed.iter().chain(&made).map(|(status, _)| *status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 11, "{statuses:?}");
    });
}

#[test]
fn a_picture_is_a_url_or_the_body() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let owner = register(backend).await;
        let path = format!("/users/icon/{}/", owner.pk);
        let url = "https://example.com/tests1.png";
        let answered = call(backend, "PUT", &path, json!({ "icon": url, "token": owner.token })).await;
        assert_success(200, "修改成功", &answered);
        assert_eq!((&answered.1["img"], &answered.1["token"]), (&json!(url), &json!(owner.token)));
        let form = [("icon", "https://example.com/2.png"), ("token", owner.token.as_str())];
        assert_eq!(answer(backend.put(&path).form(&form)).await.1["img"], "https://example.com/2.png");
        assert_eq!(answer(backend.put(&path).query(&form)).await.1["img"], "https://example.com/2.png");

        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(3, 2).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
        let send = |body: Vec<u8>, token: &str| backend.put(&path).query(&[("token", token)]).body(body);
        let answered = answer(send(png.get_ref().clone(), &owner.token)).await;
        assert_success(200, "修改成功", &answered);
        let img = text(&answered.1, "img");
        assert!(img.starts_with(&backend.url("/images/")), "{img}");
        let picture = backend.get(img.strip_prefix(&backend.url("")).expect("ours")).send().await.expect("an answer");
        assert_eq!(
            (picture.status().as_u16(), picture.headers()["content-type"].to_str().unwrap()),
            (200, "image/png")
        );

        assert_eq!(answer(send(png.get_ref().clone(), "forged")).await, not_signed_in());
        assert_eq!(answer(backend.put(&path).body(png.get_ref().clone())).await, not_signed_in());
        let (status, said) = answer(send(b"no picture at all".to_vec(), &owner.token)).await;
        assert_eq!((status, &said["status"]), (400, &json!("FAIL")), "{said}");
        // The refused requests stored nothing.
        let originals = backend.objects().await.into_iter().filter(|key| key.starts_with("originals/"));
        assert_eq!(originals.count(), 1);
    });
}

#[test]
fn a_form_may_send_back_what_it_was_shown() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let (pk, token) = crate::support::accounts::rooms_by_code(backend, &crate::support::fresh_phone()).await;
        let path = format!("/users/{pk}/");
        let change = |body: Value| call(backend, "PUT", &path, body);
        let (status, shown) = change(json!({ "token": token, "city": "上海" })).await;
        assert_eq!((status, &shown["username"], &shown["nickname"]), (200, &json!(""), &json!("")), "{shown}");
        let (status, again) = change(shown.clone()).await;
        assert_eq!((status, again), (200, shown));
        // A URL of this service that does not name an original is treated like any other URL.
        let icon = backend.url("/images/0123456789abcdef0123456789abcdef.jpg@128w_128h_1c");
        let (status, body) =
            call(backend, "PUT", &format!("/users/icon/{pk}/"), json!({ "icon": icon, "token": token })).await;
        assert_eq!((status, &body["img"]), (200, &json!(icon)), "{body}");
    });
}

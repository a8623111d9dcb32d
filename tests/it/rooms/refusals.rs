//! Every error of every endpoint, byte for byte.

use serde_json::{Value, json};

use super::{PASSWORD, assert_success, call, fresh, login, make_room, not_signed_in, refused, register, text};
use crate::support::backend::answer;
use crate::support::users::NO_NUMBER;
use crate::support::{run, shared};

#[test]
#[expect(clippy::too_many_lines, reason = "a table of every refusal of every endpoint")]
fn every_endpoint_refuses_in_the_envelope() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let (pk, token) = (owner.pk.as_str(), owner.token.as_str());
        let other = register(backend).await;
        let taken = fresh("alias");
        let room = make_room(backend, json!({ "room_alias": taken, "token": token })).await;
        let room = format!("/rooms/{}/", text(&room, "pk"));
        let (user, icon) = (format!("/users/{pk}/"), format!("/users/icon/{pk}/"));
        let missing = |name: &str| refused(400, &format!("{name} is missing"));
        let new = |change: Value| {
            let mut user = json!({ "username": "nobody-yet", "password": PASSWORD, "nickname": "n" });
            user.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
            user
        };
        let sns = json!({ "username": "u", "nickname": "n", "login_type": "1", "snsid": "s", "access_token": "t", "icon": "" });
        let change =
            json!({ "username": owner.username, "old_password": PASSWORD, "password": "another", "token": token });
        let with = |base: &Value, name: &str, value: Value| {
            let mut body = base.clone();
            body[name] = value;
            body
        };
        let without = |base: &Value, name: &str| {
            let mut body = base.clone();
            body.as_object_mut().expect("an object").remove(name);
            body
        };
        let cases: Vec<(&str, &str, Value, (u16, Value))> = vec![
            ("POST", "/users/", json!({}), refused(400, "username, password and nickname are missing")),
            ("POST", "/users/", without(&new(json!({})), "password"), missing("password")),
            ("POST", "/users/", without(&new(json!({})), "nickname"), missing("nickname")),
            ("POST", "/users/", new(json!({ "username": owner.username })), refused(400, "this username is taken")),
            (
                "POST",
                "/users/",
                new(json!({ "username": "a b" })),
                refused(400, "username must have 1 to 64 characters and no spaces"),
            ),
            (
                "POST",
                "/users/",
                new(json!({ "password": "12345" })),
                refused(400, "password must have 6 to 64 bytes and no spaces"),
            ),
            (
                "POST",
                "/users/",
                new(json!({ "sex": "male" })),
                refused(400, "sex must be 0 (male), 1 (female) or 2 (unknown)"),
            ),
            ("POST", "/users/", new(json!({ "age": "-1" })), refused(400, "age must be a whole number up to 150")),
            (
                "POST",
                "/users/",
                new(json!({ "email": "x" })),
                refused(400, "email must be an email address of at most 254 characters"),
            ),
            ("POST", "/snslogin/", without(&sns, "snsid"), missing("snsid")),
            ("POST", "/snslogin/", without(&sns, "access_token"), missing("access_token")),
            (
                "POST",
                "/snslogin/",
                with(&sns, "login_type", json!("0")),
                refused(400, "login_type must be 1 (WeChat), 2 (QQ) or 3 (Weibo)"),
            ),
            (
                "POST",
                "/snslogin/",
                sns.clone(),
                refused(400, "the sign-in provider did not accept this token for this user and app"),
            ),
            ("POST", "/login/", json!({ "username": owner.username }), missing("password")),
            (
                "POST",
                "/login/",
                json!({ "username": owner.username, "password": "wrong-one" }),
                refused(400, "wrong account or password"),
            ),
            (
                "POST",
                "/login/",
                json!({ "username": fresh("nobody"), "password": PASSWORD }),
                refused(400, "wrong account or password"),
            ),
            (
                "POST",
                "/login/",
                json!({ "username": "", "password": PASSWORD }),
                refused(400, "wrong account or password"),
            ),
            ("POST", "/logout/", json!({}), not_signed_in()),
            ("POST", "/logout/", json!({ "token": "forged" }), not_signed_in()),
            ("PUT", &user, json!({ "nickname": "x" }), not_signed_in()),
            ("PUT", &user, json!({ "nickname": "x", "token": "forged" }), not_signed_in()),
            (
                "PUT",
                &user,
                json!({ "nickname": "x", "token": other.token }),
                refused(403, "this belongs to another user"),
            ),
            (
                "PUT",
                "/users/1/",
                json!({ "nickname": "x", "token": token }),
                refused(403, "this belongs to another user"),
            ),
            ("PUT", "/users/x/", json!({ "nickname": "x", "token": token }), refused(404, "no such endpoint")),
            (
                "PUT",
                &user,
                json!({ "username": other.username, "token": token }),
                refused(400, "this username is taken"),
            ),
            (
                "PUT",
                &user,
                json!({ "sex": "7", "token": token }),
                refused(400, "sex must be 0 (male), 1 (female) or 2 (unknown)"),
            ),
            ("PUT", &icon, json!({ "icon": "https://example.com/a.png" }), not_signed_in()),
            ("PUT", &icon, json!({ "token": token }), missing("icon")),
            (
                "PUT",
                &icon,
                json!({ "icon": "javascript:alert(1)", "token": token }),
                refused(
                    400,
                    "avatar must be the path of an uploaded picture, or an http(s) URL of 12 to 256 characters",
                ),
            ),
            (
                "PUT",
                &icon,
                json!({ "icon": "https://example.com/a.png", "token": other.token }),
                refused(403, "this belongs to another user"),
            ),
            ("PUT", "/users/password/", without(&change, "token"), not_signed_in()),
            ("PUT", "/password/", without(&change, "old_password"), missing("old_password")),
            (
                "PUT",
                "/password/",
                with(&change, "old_password", json!("wrong-one")),
                refused(400, "wrong account or password"),
            ),
            (
                "PUT",
                "/password/",
                with(&change, "username", json!(other.username)),
                refused(400, "wrong account or password"),
            ),
            (
                "PUT",
                "/users/password/",
                with(&change, "password", json!("12345")),
                refused(400, "password must have 6 to 64 bytes and no spaces"),
            ),
            ("POST", "/phonelogin/", json!({}), missing("phone")),
            ("POST", "/phonelogin/", json!({ "phone": "12" }), refused(400, NO_NUMBER)),
            ("GET", "/phonelogin/?phone=13912345678", json!({}), missing("captcha")),
            (
                "GET",
                "/phonelogin/?phone=18600000001&captcha=123456",
                json!({}),
                refused(400, "no code to check: it was used already or never requested; request a new one"),
            ),
            ("GET", "/rooms/?page=0", json!({}), refused(400, "page must be a whole number, 1 or more")),
            ("GET", "/rooms/?page=x", json!({}), refused(400, "page must be a whole number, 1 or more")),
            ("GET", "/rooms/?pageSize=-1", json!({}), refused(400, "pageSize must be a whole number, 1 or more")),
            ("GET", "/rooms/?after=x", json!({}), refused(400, "after must be the next of an earlier response")),
            ("GET", "/rooms/1/", json!({}), refused(404, "no such room")),
            ("GET", "/rooms/x/", json!({}), refused(404, "no such room")),
            ("POST", "/rooms/", json!({}), missing("room_alias")),
            (
                "POST",
                "/rooms/",
                json!({ "room_alias": " " }),
                refused(400, "room_alias must have 1 to 64 characters and no control characters"),
            ),
            ("POST", "/rooms/", json!({ "room_alias": taken }), refused(400, "this room alias is taken")),
            ("POST", "/rooms/", json!({ "room_alias": "x", "token": "forged" }), not_signed_in()),
            ("PUT", "/rooms/1/", json!({ "active": true }), refused(404, "no such room")),
            ("PUT", &room, json!({ "active": true }), not_signed_in()),
            ("PUT", &room, json!({ "active": true, "token": "forged" }), not_signed_in()),
            (
                "PUT",
                &room,
                json!({ "active": true, "token": other.token }),
                refused(403, "this belongs to another user"),
            ),
            ("DELETE", "/rooms/1/", json!({}), refused(404, "no such room")),
            ("DELETE", &room, json!({}), not_signed_in()),
            ("DELETE", &room, json!({ "token": other.token }), refused(403, "this belongs to another user")),
            // Wrong methods and unknown paths.
            ("DELETE", "/login/", json!({}), refused(405, "no such endpoint: use POST /login/")),
            ("GET", "/users/", json!({}), refused(405, "no such endpoint: use POST /users/")),
            ("GET", "/snslogin/", json!({}), refused(405, "no such endpoint: use POST /snslogin/")),
            ("POST", &room, json!({}), refused(405, "no such endpoint: use GET, PUT or DELETE /rooms/{pk}/")),
            ("PATCH", "/rooms/", json!({}), refused(405, "no such endpoint: use GET or POST /rooms/")),
            ("GET", "/rooms/1/2/", json!({}), refused(404, "no such endpoint")),
        ];
        for (method, path, body, expected) in cases {
            assert_eq!(call(backend, method, path, body.clone()).await, expected, "{method} {path} {body}");
        }
        // The account and the room are unchanged.
        assert_success(200, "登录成功", &login(backend, &owner.username, PASSWORD).await);
        assert_eq!(answer(backend.get(&room)).await.1["active"], true);
    });
}

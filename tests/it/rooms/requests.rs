//! All forms of a request: the places of parameters, both forms of a path, OPTIONS, and the cost.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{PASSWORD, assert_success, call, fresh, login, make_room, refused, register, text};
use crate::support::backend::{answer, read};
use crate::support::round_trips::{documented, rounds_of};
use crate::support::{Backend, fresh_phone, run, shared};

#[test]
fn parameters_come_from_query_form_and_json_and_paths_with_and_without_their_slash() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        let pairs = [("username", owner.username.as_str()), ("password", PASSWORD)];
        for path in ["/login/", "/login"] {
            for request in [
                backend.post(path).query(&pairs),
                backend.post(path).form(&pairs),
                backend.post(path).json(&json!({ "username": owner.username, "password": PASSWORD })),
                backend.post(path).query(&pairs[..1]).form(&pairs[1..]),
            ] {
                assert_success(200, "登录成功", &answer(request).await);
            }
        }
        let room = make_room(backend, json!({ "room_alias": fresh("alias") })).await;
        let pk = text(&room, "pk");
        for path in [format!("/rooms/{pk}/"), format!("/rooms/{pk}")] {
            assert_success(200, "查询成功", &answer(backend.get(&path)).await);
            assert_success(200, "修改成功", &answer(backend.put(&path).query(&[("active", "false")])).await);
        }
        assert_eq!(answer(backend.get("/rooms?page=1")).await.0, 200);
        // Numbers where the documentation has strings.
        let alias: u64 = 700_000_000 + fresh("").parse::<u64>().expect("a number");
        assert_eq!(make_room(backend, json!({ "room_alias": alias })).await["room_alias"], alias.to_string());
        let username = alias.to_string();
        let given = json!({ "username": alias, "password": 1_234_567, "nickname": 7, "sex": 1, "age": 20 });
        assert_success(200, "创建成功", &call(backend, "POST", "/users/", given).await);
        assert_success(200, "登录成功", &login(backend, &username, "1234567").await);
    });
}

#[test]
fn options_works_everywhere() {
    run(async {
        let backend = shared().await;
        for (path, allowed) in [
            ("/users/1", "PUT, OPTIONS"),
            ("/users/icon/1", "PUT, OPTIONS"),
            ("/users/password", "PUT, OPTIONS"),
            ("/password", "PUT, OPTIONS"),
            ("/snslogin", "POST, OPTIONS"),
            ("/login", "POST, OPTIONS"),
            ("/logout", "POST, OPTIONS"),
            ("/phonelogin", "GET, HEAD, POST, OPTIONS"),
            ("/rooms", "GET, HEAD, POST, OPTIONS"),
            ("/rooms/1", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ] {
            for path in [path.to_owned(), format!("{path}/")] {
                let response = backend.request(Method::OPTIONS, &path).send().await.expect("an answer");
                assert_eq!(response.headers()["allow"], allowed, "{path}");
                assert_success(200, "查询成功", &read(response).await);
            }
        }
        // Without its slash, this path belongs to the messenger API.
        let response = backend.request(Method::OPTIONS, "/users/").send().await.expect("an answer");
        assert_eq!(response.headers()["allow"], "POST, OPTIONS");
        assert_success(200, "查询成功", &read(response).await);
        assert_eq!(answer(backend.request(Method::OPTIONS, "/rooms/1/2/")).await, refused(404, "no such endpoint"));
    });
}

#[test]
fn malformed_bodies_are_refused_at_every_endpoint() {
    run(async {
        let backend = shared().await;
        let alias = fresh("alias");
        let (_, room) = call(backend, "POST", "/rooms/", json!({ "room_alias": alias })).await;
        let room = format!("/rooms/{}/", text(&room, "pk"));
        let endpoints = [
            (Method::POST, "/users/"),
            (Method::POST, "/snslogin/"),
            (Method::POST, "/login/"),
            (Method::POST, "/logout/"),
            (Method::POST, "/phonelogin/"),
            (Method::POST, "/rooms/"),
            (Method::PUT, "/password/"),
            (Method::PUT, "/users/password/"),
            (Method::PUT, "/users/1/"),
            (Method::PUT, &room),
            (Method::DELETE, &room),
        ];
        for (method, path) in endpoints {
            for body in ["{", "[]", "\"x\"", "{\"token\": {}}", "nonsense"] {
                let (status, body) = answer(backend.request(method.clone(), path).body(body)).await;
                assert_eq!(
                    (status, &body["status"], &body["code"]),
                    (400, &json!("FAIL"), &json!("400")),
                    "{method} {path}"
                );
            }
            let long = json!({ "room_alias": "a".repeat(300_000) });
            let refusal = refused(400, "too large: at most 262144 bytes");
            assert_eq!(answer(backend.request(method.clone(), path).json(&long)).await, refusal, "{method} {path}");
        }
        for bad in [json!(1), json!("yes"), json!(""), json!({}), json!([true])] {
            let body = json!({ "room_alias": fresh("alias"), "active": bad });
            let (status, said) = call(backend, "POST", "/rooms/", body).await;
            assert!(status == 400 && text(&said, "msg").contains("active must be true or false"), "{said}");
        }
        let (status, said) = call(backend, "POST", "/rooms/", json!({ "room_alias": true })).await;
        assert_eq!((status, &said["status"]), (400, &json!("FAIL")));
    });
}

#[test]
fn requests_take_as_many_round_trips_as_written_down() {
    run(async {
        let backend = &Backend::capped().await;
        let costs = async |request: RequestBuilder, row: &str| {
            let response = request.send().await.expect("an answer");
            assert_eq!(rounds_of(&response), documented(row), "{row}");
            assert!(response.status().is_success(), "{row}");
            response
        };
        let given = json!({ "username": fresh("name"), "password": PASSWORD, "nickname": "n" });
        let registered = costs(backend.post("/users/").json(&given), "rooms: register").await;
        let (_, registered) = read(registered).await;
        let (user, token) = (format!("/users/{}/", text(&registered, "pk")), text(&registered, "token"));
        for (change, row) in [
            (json!({ "nickname": "x" }), "rooms: change of person"),
            (json!({ "city": "x" }), "… the first detail of an account"),
            (json!({ "city": "y" }), "rooms: change of person"),
            (json!({ "username": fresh("name") }), "… another username"),
        ] {
            costs(backend.put(&user).query(&[("token", &token)]).json(&change), row).await;
        }
        let without = json!({ "room_alias": fresh("alias") });
        let made = costs(backend.post("/rooms/").json(&without), "rooms: make a room").await;
        let without = format!("/rooms/{}/", text(&read(made).await.1, "pk"));
        costs(backend.get(&without), "rooms: read a room").await;
        costs(backend.get("/rooms/"), "rooms: list the open ones").await;
        let owned = json!({ "room_alias": fresh("alias"), "token": token });
        let made = costs(backend.post("/rooms/").json(&owned), "rooms: make a room").await;
        let room = format!("/rooms/{}/", text(&read(made).await.1, "pk"));
        costs(backend.get("/rooms/"), "… some of which have owners").await;
        costs(backend.get(&room), "… that has an owner").await;
        let change = json!({ "token": token, "active": false });
        costs(backend.put(&room).json(&change), "rooms: change or delete a room").await;
        costs(backend.put(&room).json(&json!({ "token": token })), "… somebody else's, or nothing to change").await;
        let own = format!("/rooms/{}/", text(&registered, "roompk"));
        let open = backend.put(&own).json(&json!({ "active": true }));
        costs(open, "… the account's own one without a token").await;
        let deleted = backend.request(Method::DELETE, &room).json(&json!({ "token": token }));
        costs(deleted, "rooms: change or delete a room").await;
        let taken = register(backend).await.username;
        let rename = backend.put(&user).query(&[("token", &token)]).json(&json!({ "username": taken }));
        let again = json!({ "username": taken, "password": PASSWORD, "nickname": "n" });
        for (request, row) in
            [(rename, "… that is taken"), (backend.post("/users/").json(&again), "… the username is taken")]
        {
            let response = request.send().await.expect("an answer");
            assert_eq!((response.status().as_u16(), rounds_of(&response)), (400, documented(row)), "{row}");
        }
        let name = text(&answer(backend.put(&user).query(&[("token", &token)]).json(&json!({}))).await.1, "username");
        let change = json!({ "username": name, "old_password": PASSWORD, "password": "another-one", "token": token });
        let changed = costs(backend.put("/password/").json(&change), "rooms: change the password").await;
        let token = text(&read(changed).await.1, "token");
        costs(backend.post("/logout/").json(&json!({ "token": token })), "rooms: log out").await;
        let phone = fresh_phone();
        costs(backend.post("/phonelogin/").json(&json!({ "phone": phone.0 })), "send a code").await;
        let with_code = json!({ "phone": phone.0, "captcha": backend.newest_code(&phone).await });
        costs(backend.post("/phonelogin/").json(&with_code), "rooms: sign in for the first time").await;
        let subject = fresh("subject");
        let by_provider = |token: &str| {
            let fields = [("login_type", "1"), ("snsid", &*subject), ("access_token", token), ("username", "tom")];
            backend.post("/snslogin/").query(&fields).query(&[("nickname", ""), ("icon", "")])
        };
        let right = format!("test-{subject}");
        costs(by_provider(&right), "rooms: sign in for the first time").await;
        costs(by_provider(&right), "rooms: sign in by a provider").await;
        for (token, row) in [("nonsense", "… that does not vouch"), ("test-broken", "… that cannot be asked")] {
            let response = by_provider(token).send().await.expect("an answer");
            assert_eq!((response.status().as_u16(), rounds_of(&response)), (400, documented(row)), "{row}");
        }
    });
}

#[test]
fn accents_in_usernames_take_as_many_round_trips_as_written_down() {
    run(async {
        let backend = &Backend::capped().await;
        let costs = async |method: Method, path: &str, body: Value, row: &str| {
            let response = backend.request(method, path).json(&body).send().await.expect("an answer");
            assert_eq!(rounds_of(&response), documented(row), "{row}");
            let (status, body) = read(response).await;
            assert_eq!(status, 200, "{row}: {body}");
            body
        };
        let user = json!({ "username": "zo\u{eb}", "password": PASSWORD, "nickname": "Zoe" });
        let made = costs(Method::POST, "/users/", user, "… with a username that has accents").await;
        let pieces = json!({ "username": "zoe\u{308}", "password": PASSWORD });
        costs(Method::POST, "/login/", pieces, "rooms: sign in with a username typed in pieces").await;
        let renamed = json!({ "username": "zo\u{e9}", "token": made["token"] });
        costs(Method::PUT, &format!("/users/{}/", text(&made, "pk")), renamed, "… with accents").await;
    });
}

//! Rooms: their owners and their lifetime.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{call, fresh, list, make_room, not_signed_in, pks, refused, register, text};
use crate::support::backend::{answer, read};
use crate::support::{Backend, run, shared};

#[test]
fn a_room_opens_closes_and_goes() {
    run(async {
        let backend = shared().await;
        let owner = register(backend).await;
        for credential in [json!({}), json!({ "token": owner.token })] {
            let with = |change: Value| {
                let mut body = credential.clone();
                body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
                body
            };
            let alias = fresh("alias");
            let made = make_room(backend, with(json!({ "room_alias": alias }))).await;
            let (pk, number) = (text(&made, "pk"), text(&made, "roomid"));
            let username = if credential["token"].is_null() { "" } else { &owner.username };
            let expected = |status: &str, msg: &str, alias: &str, active: bool| {
                json!({
                    "status": "SUCCESS", "msg": msg, "code": status, "pk": pk, "roomid": number, "room_alias": alias,
                    "username": username, "image": "", "active": active,
                })
            };
            assert_eq!(made, expected("201", "创建成功", &alias, true));
            let path = format!("/rooms/{pk}/");
            assert_eq!(answer(backend.get(&path)).await.1, expected("200", "查询成功", &alias, true));
            for active in [json!(false), json!("true"), json!("False"), json!(true), json!(true)] {
                let is = active.as_bool().unwrap_or(active == "true");
                let (status, said) = call(backend, "PUT", &path, with(json!({ "active": active }))).await;
                assert_eq!((status, said), (200, expected("200", "修改成功", &alias, is)));
                assert_eq!(answer(backend.get(&path)).await.1["active"], is);
                assert_eq!(pks(&list(backend, "pageSize=100").await).contains(&pk), is);
            }
            // Partial: an empty request changes nothing; an alias moves.
            let (_, said) = call(backend, "PUT", &path, with(json!({}))).await;
            assert_eq!(said, expected("200", "修改成功", &alias, true));
            let renamed = fresh("alias");
            let (_, said) = call(backend, "PUT", &path, with(json!({ "room_alias": renamed }))).await;
            assert_eq!(said, expected("200", "修改成功", &renamed, true));
            let other = make_room(backend, json!({ "room_alias": alias, "active": false })).await;
            assert_eq!(other["active"], false);
            let taken = call(backend, "PUT", &path, with(json!({ "room_alias": alias, "active": false }))).await;
            assert_eq!(taken, refused(400, "this room alias is taken"));
            assert_eq!(answer(backend.get(&path)).await.1["active"], true);

            let response = backend.request(Method::DELETE, &path).json(&credential).send().await.expect("an answer");
            assert_eq!((response.status().as_u16(), response.bytes().await.expect("a body").len()), (204, 0));
            for (method, status) in [("GET", 404), ("PUT", 404), ("DELETE", 404)] {
                assert_eq!(call(backend, method, &path, credential.clone()).await.0, status, "{method}");
            }
            make_room(backend, json!({ "room_alias": renamed })).await;
        }
    });
}

/// Gives a room another alias, as if it had been made when the rules were others.
async fn had_alias(backend: &Backend, room: &Value, alias: &str) {
    let text = |text: String| AttributeValue::S(text);
    let claim = format!("alias#{}", super::text(room, "room_alias"));
    let mut item = backend.item(&format!("room#{}", super::text(room, "pk")), "room").await.expect("a room");
    item.insert("alias".to_owned(), text(alias.to_owned()));
    backend.put_item(item).await;
    let mut item = backend.item(&claim, "claim").await.expect("a claim");
    item.insert("pk".to_owned(), text(format!("alias#{alias}")));
    backend.put_item(item).await;
    backend.delete_item(&claim, "claim").await;
}

#[test]
fn a_room_with_an_alias_from_before_todays_rules_is_listed_renamed_and_deleted() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let owner = register(backend).await;
        // With characters that nobody sees, and longer than an alias may be.
        for old in ["old\u{200b}alias".to_owned(), "old".repeat(30)] {
            let refusal = json!({ "room_alias": old, "token": owner.token });
            assert_eq!(call(backend, "POST", "/rooms/", refusal).await.0, 400);
            let claim = format!("alias#{old}");
            let made = make_room(backend, json!({ "room_alias": fresh("alias"), "token": owner.token })).await;
            had_alias(backend, &made, &old).await;
            let (pk, path) = (text(&made, "pk"), format!("/rooms/{}/", text(&made, "pk")));
            let (status, said) = answer(backend.get(&path)).await;
            assert_eq!((status, &said["room_alias"]), (200, &json!(old)), "{said}");
            assert_eq!(pks(&list(backend, "").await), std::slice::from_ref(&pk));
            // Closing and opening it keeps the alias.
            for active in [false, true] {
                let change = json!({ "active": active, "token": owner.token });
                let (status, said) = call(backend, "PUT", &path, change).await;
                assert_eq!((status, &said["room_alias"]), (200, &json!(old)), "{said}");
            }
            let today = fresh("alias");
            let (status, said) =
                call(backend, "PUT", &path, json!({ "room_alias": today, "token": owner.token })).await;
            assert_eq!((status, &said["room_alias"]), (200, &json!(today)), "{said}");
            assert!(backend.item(&claim, "claim").await.is_none(), "the alias is free");

            had_alias(backend, &said, &old).await;
            let credential = json!({ "token": owner.token });
            let response = backend.request(Method::DELETE, &path).json(&credential).send().await.expect("an answer");
            assert_eq!(response.status(), 204);
            assert!(backend.item(&claim, "claim").await.is_none(), "the alias is free");
            assert_eq!(list(backend, "").await["total"], "0");
        }
    });
}

#[test]
fn a_room_without_an_owner_is_gone_after_a_day_unless_renewed() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let (kept, renewed, left) = (
            make_room(&backend, json!({ "room_alias": "kept", "token": owner.token })).await,
            make_room(&backend, json!({ "room_alias": "renewed" })).await,
            make_room(&backend, json!({ "room_alias": "left" })).await,
        );
        let closed = make_room(&backend, json!({ "room_alias": "closed", "active": false })).await;
        let path = |room: &Value| format!("/rooms/{}/", text(room, "pk"));
        assert_eq!(list(&backend, "").await["total"], "3");
        backend.advance(Duration::from_mins(23 * 60 + 58));
        assert_eq!(list(&backend, "").await["total"], "3");
        assert_eq!(call(&backend, "PUT", &path(&renewed), json!({})).await.0, 200);
        backend.advance(Duration::from_mins(2));
        // Neither can be read, changed or listed any more, and the total agrees.
        for gone in [&left, &closed] {
            assert_eq!(answer(backend.get(&path(gone))).await, refused(404, "no such room"));
            assert_eq!(call(&backend, "PUT", &path(gone), json!({})).await, refused(404, "no such room"));
            assert_eq!(call(&backend, "DELETE", &path(gone), json!({})).await, refused(404, "no such room"));
        }
        let open = list(&backend, "").await;
        assert_eq!((&open["total"], pks(&open)), (&json!("2"), vec![text(&renewed, "pk"), text(&kept, "pk")]));
        // Its alias is free although the expired room is still in the table.
        let again = make_room(&backend, json!({ "room_alias": "left" })).await;
        assert_ne!(again["pk"], left["pk"]);
        let taken = call(&backend, "POST", "/rooms/", json!({ "room_alias": "renewed" })).await;
        assert_eq!(taken, refused(400, "this room alias is taken"));
        assert_eq!(list(&backend, "").await["total"], "3");
        backend.advance(Duration::from_hours(24));
        let open = list(&backend, "").await;
        assert_eq!((&open["total"], pks(&open)), (&json!("1"), vec![text(&kept, "pk")]));
    });
}

#[test]
fn rooms_without_an_owner_are_limited_by_address_and_may_be_off() {
    run(async {
        let backend = Backend::start(&[("AnonymousRoomsPerIpHour", "2")]).await;
        let owner = register(&backend).await;
        make_room(&backend, json!({ "room_alias": "a" })).await;
        // Requests that are refused for another reason do not count.
        assert_eq!(call(&backend, "POST", "/rooms/", json!({ "room_alias": "a" })).await.0, 400);
        make_room(&backend, json!({ "room_alias": "b" })).await;
        let response = backend.post("/rooms/").json(&json!({ "room_alias": "c" })).send().await.expect("an answer");
        assert!(response.headers().contains_key("retry-after"));
        let (status, said) = read(response).await;
        assert!(status == 400 && text(&said, "msg").starts_with("too many rooms from this address"), "{said}");
        make_room(&backend, json!({ "room_alias": "c", "token": owner.token })).await;
        backend.advance(Duration::from_hours(1));
        make_room(&backend, json!({ "room_alias": "d" })).await;

        let backend = Backend::start(&[("AnonymousRooms", "false")]).await;
        let owner = register(&backend).await;
        assert_eq!(call(&backend, "POST", "/rooms/", json!({ "room_alias": "a" })).await, not_signed_in());
        make_room(&backend, json!({ "room_alias": "a", "token": owner.token })).await;
    });
}

#[test]
fn one_of_many_gets_an_alias() {
    run(async {
        let backend = shared().await;
        let alias = fresh("alias");
        let makes = (0..20).map(|_| call(backend, "POST", "/rooms/", json!({ "room_alias": alias })));
        let statuses: Vec<_> = join_all(makes).await.into_iter().map(|(status, _)| status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 19, "{statuses:?}");
    });
}

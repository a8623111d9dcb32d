//! The room that every account has; the apps open it by its `roompk`.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Owner, PASSWORD, assert_success, call, fresh, list, login, make_room, not_signed_in, pks, refused, register, text,
};
use crate::support::accounts::{rooms_by_code, web_register};
use crate::support::backend::{answer, whole};
use crate::support::round_trips::documented;
use crate::support::table::{Item, number};
use crate::support::{Backend, fresh_phone, run, shared};

/// The account's own room in a sign-in response: its number, and its pk as the apps read it.
fn own_room(user: &Value) -> (String, i32) {
    let pk: i32 = text(user, "roompk").parse().unwrap_or_else(|_| panic!("no int in {user}"));
    assert!(pk > 0, "{user}");
    (text(user, "roomid"), pk)
}

async fn signed_in(backend: &Backend, owner: &Owner) -> (String, i32) {
    let (status, user) = login(backend, &owner.username, PASSWORD).await;
    assert_eq!(status, 200, "{user}");
    own_room(&user)
}

/// The items of an account's own room: numbers and rooms.
async fn kept_for(backend: &Backend, pk: &str) -> (Vec<Item>, Vec<Item>) {
    let owner = pk.parse::<i64>().ok();
    let numbers = backend.items_below("number#").await;
    let rooms = backend.items_below("room#").await;
    (
        numbers.into_iter().filter(|claim| number(claim, "user") == owner).collect(),
        rooms.into_iter().filter(|room| room.contains_key("personal") && number(room, "owner") == owner).collect(),
    )
}

async fn assert_one_room(backend: &Backend, pk: &str, (room_number, room): &(String, i32)) {
    let (numbers, rooms) = kept_for(backend, pk).await;
    assert_eq!((numbers.len(), rooms.len()), (1, 1));
    assert_eq!(numbers[0]["pk"].as_s().unwrap(), &format!("number#{room_number}"));
    assert_eq!((number(&numbers[0], "room"), number(&rooms[0], "id")), (Some((*room).into()), Some((*room).into())));
    let account = backend.account(pk.parse().expect("an id")).await;
    assert_eq!((account["room"].as_s().unwrap(), number(&account, "room_id")), (room_number, Some((*room).into())));
}

#[test]
fn an_account_goes_live_in_its_own_room() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let owner = register(backend).await;
        let (_, user) = login(backend, &owner.username, PASSWORD).await;
        let (room_number, pk) = own_room(&user);
        assert_one_room(backend, &owner.pk, &(room_number.clone(), pk)).await;
        let icon = json!({ "icon": "https://example.com/tests1.png", "token": owner.token });
        call(backend, "PUT", &format!("/users/icon/{}/", owner.pk), icon).await;

        let path = format!("/rooms/{pk}/");
        let shown = |active: bool| {
            json!({
                "pk": pk.to_string(), "roomid": room_number, "room_alias": room_number, "username": owner.username,
                "image": "https://example.com/tests1.png", "active": active,
            })
        };
        let said = |msg: &str, active: bool| {
            let mut said = shown(active);
            let outcome = json!({ "status": "SUCCESS", "msg": msg, "code": "200" });
            said.as_object_mut().expect("an object").extend(outcome.as_object().expect("an object").clone());
            (200, said)
        };
        assert_eq!(answer(backend.get(&path)).await, said("查询成功", false), "closed at first");
        assert_eq!(list(backend, "").await["results"], json!([]));
        // The apps send no token.
        for credential in [json!({}), json!({ "token": owner.token })] {
            for active in [true, true, false, true] {
                let mut change = credential.clone();
                change["active"] = json!(active);
                assert_eq!(call(backend, "PUT", &path, change).await, said("修改成功", active));
                let expected = if active { json!([shown(true)]) } else { json!([]) };
                assert_eq!(list(backend, "").await["results"], expected);
            }
        }
        assert_eq!(list(backend, "").await["total"], "1");
    });
}

#[test]
fn an_own_room_is_its_accounts_alone() {
    run(async {
        let backend = shared().await;
        let (owner, stranger) = (register(backend).await, register(backend).await);
        let own = signed_in(backend, &owner).await;
        let path = format!("/rooms/{}/", own.1);
        for change in [json!({ "active": true }), json!({ "room_alias": fresh("alias") }), json!({})] {
            let mut change = change;
            change["token"] = json!(stranger.token);
            assert_eq!(call(backend, "PUT", &path, change.clone()).await, refused(403, "this belongs to another user"));
            change["token"] = json!("forged");
            assert_eq!(call(backend, "PUT", &path, change).await, not_signed_in());
        }
        // Without a token the room can be opened and closed, but not changed in another way.
        let renamed = json!({ "room_alias": fresh("alias"), "active": true });
        assert_eq!(call(backend, "PUT", &path, renamed).await, not_signed_in());
        assert_eq!(call(backend, "DELETE", &path, json!({})).await, not_signed_in());
        assert_eq!(
            call(backend, "DELETE", &path, json!({ "token": stranger.token })).await,
            refused(403, "this belongs to another user")
        );
        let room = answer(backend.get(&path)).await.1;
        assert_eq!((&room["active"], &room["room_alias"]), (&json!(false), &json!(own.0)));
        // Without a token, only a network that the account knows can open it.
        let elsewhere = backend.at(41, 1);
        let open = json!({ "active": true });
        assert_eq!(answer(elsewhere.request(Method::PUT, &path).json(&open)).await, not_signed_in());
        assert_eq!(answer(backend.get(&path)).await.1["active"], false);
        let with_token = json!({ "active": false, "token": owner.token });
        assert_success(200, "修改成功", &answer(elsewhere.request(Method::PUT, &path).json(&with_token)).await);
        let credentials = json!({ "username": owner.username, "password": PASSWORD });
        assert_eq!(answer(elsewhere.post("/login/").json(&credentials)).await.0, 200);
        let neighbour = backend.at(41, 2);
        assert_success(200, "修改成功", &answer(neighbour.request(Method::PUT, &path).json(&open)).await);
        call(backend, "PUT", &path, with_token).await;
        // A page that the owner visits must not open it for them, although it asks from their network.
        for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "same-site")] {
            let request = backend.request(Method::PUT, &path).header(header, value).json(&open);
            assert_eq!(answer(request).await, not_signed_in());
        }
        assert_eq!(answer(backend.get(&path)).await.1["active"], false);
        // A room created with a token does not accept requests without one.
        let made = make_room(backend, json!({ "room_alias": fresh("alias"), "token": owner.token })).await;
        let made = format!("/rooms/{}/", text(&made, "pk"));
        assert_eq!(call(backend, "PUT", &made, json!({ "active": false })).await, not_signed_in());

        let strict = &Backend::start(&[("AnonymousRooms", "false")]).await;
        let owner = register(strict).await;
        let path = format!("/rooms/{}/", signed_in(strict, &owner).await.1);
        assert_eq!(call(strict, "PUT", &path, json!({ "active": true })).await, not_signed_in());
        let with_token = json!({ "active": true, "token": owner.token });
        assert_success(200, "修改成功", &call(strict, "PUT", &path, with_token).await);
    });
}

#[test]
fn first_sign_ins_at_once_give_one_room() {
    run(async {
        let backend = &Backend::start(&[("SessionsPerAccount", "20")]).await;
        for from_before in [false, true] {
            let owner = register(backend).await;
            let uid = owner.pk.parse().expect("an id");
            let before = signed_in(backend, &owner).await;
            if from_before {
                make_old(backend, uid, &before).await;
            } else {
                forget_all(backend, uid, &before).await;
            }
            let rooms = join_all((0..8).map(|_| signed_in(backend, &owner))).await;
            assert!(rooms.iter().all(|room| room == &rooms[0]), "{rooms:?}");
            assert_eq!(rooms[0].0 == before.0, from_before);
            assert_one_room(backend, &owner.pk, &rooms[0]).await;
        }
    });
}

/// Removes everything of the account's own room except its number, as before accounts had rooms.
async fn make_old(backend: &Backend, uid: u64, own: &(String, i32)) {
    backend.forget(uid, "room_id").await;
    let mut claim = backend.item(&format!("number#{}", own.0), "claim").await.expect("a claim");
    claim.remove("room");
    backend.put_item(claim).await;
    for key in [(format!("room#{}", own.1), "room"), (format!("alias#{}", own.0), "claim")] {
        backend.delete_item(&key.0, key.1).await;
    }
}

/// Turns the account into one that this API has never shown.
async fn forget_all(backend: &Backend, uid: u64, own: &(String, i32)) {
    make_old(backend, uid, own).await;
    backend.forget(uid, "room").await;
    backend.delete_item(&format!("number#{}", own.0), "claim").await;
}

#[test]
fn an_account_from_before_keeps_its_number_and_gets_its_room() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let owner = register(backend).await;
        let uid = owner.pk.parse().expect("an id");
        let first = signed_in(backend, &owner).await;
        make_old(backend, uid, &first).await;
        let credentials = json!({ "username": owner.username, "password": PASSWORD });
        let sign_in = || whole(backend.post("/login/").json(&credentials));
        let (again, later) = (sign_in().await, sign_in().await);
        let own = own_room(&again.body);
        assert_eq!((&own.0, &own), (&first.0, &own_room(&later.body)));
        assert_eq!(again.rounds(), documented("… with a number from before there were own rooms"));
        assert_eq!(later.rounds(), again.rounds() - 1, "only the first one costs more");
        assert_one_room(backend, &owner.pk, &own).await;
        assert_success(
            200,
            "修改成功",
            &call(backend, "PUT", &format!("/rooms/{}/", own.1), json!({ "active": true })).await,
        );

        // In the meantime a room of another owner has this number.
        let owner = register(backend).await;
        let uid = owner.pk.parse().expect("an id");
        let first = signed_in(backend, &owner).await;
        make_old(backend, uid, &first).await;
        make_room(backend, json!({ "room_alias": first.0 })).await;
        let own = signed_in(backend, &owner).await;
        assert_eq!(own.0, first.0);
        let room = answer(backend.get(&format!("/rooms/{}/", own.1))).await.1;
        assert_eq!(room["room_alias"], format!("{}-{}", own.0, own.1));
        assert_one_room(backend, &owner.pk, &own).await;
    });
}

#[test]
fn who_deletes_their_own_room_gets_another() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let owner = register(backend).await;
        let first = signed_in(backend, &owner).await;
        let path = format!("/rooms/{}/", first.1);
        let open = json!({ "active": true, "token": owner.token });
        assert_success(200, "修改成功", &call(backend, "PUT", &path, open).await);
        let deleted = backend.request(Method::DELETE, &path).json(&json!({ "token": owner.token }));
        assert_eq!(deleted.send().await.expect("an answer").status(), 204);
        assert_eq!((answer(backend.get(&path)).await.0, list(backend, "").await["total"].clone()), (404, json!("0")));
        let (numbers, rooms) = kept_for(backend, &owner.pk).await;
        assert_eq!((numbers.len(), rooms.len()), (0, 0));
        let account = backend.account(owner.pk.parse().expect("an id")).await;
        assert!(!account.contains_key("room") && !account.contains_key("room_id"), "{account:?}");

        let second = signed_in(backend, &owner).await;
        assert_ne!(second.1, first.1);
        assert_one_room(backend, &owner.pk, &second).await;
    });
}

#[test]
fn rooms_show_what_their_owners_are_called_and_no_phone() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let phone = fresh_phone();
        let (pk, token) = rooms_by_code(backend, &phone).await;
        let room = make_room(backend, json!({ "room_alias": "a", "token": token })).await;
        assert_eq!((&room["username"], &room["image"]), (&json!(""), &json!("")));
        let path = format!("/rooms/{}/", text(&room, "pk"));
        let change = json!({ "nickname": "晓明", "token": token });
        assert_success(200, "修改成功", &call(backend, "PUT", &format!("/users/{pk}/"), change).await);
        assert_eq!(answer(backend.get(&path)).await.1["username"], "晓明");
        let name = fresh("name");
        let change = json!({ "username": name, "token": token });
        assert_success(200, "修改成功", &call(backend, "PUT", &format!("/users/{pk}/"), change).await);
        assert_eq!(answer(backend.get(&path)).await.1["username"], name);
        let anonymous = make_room(backend, json!({ "room_alias": "b" })).await;
        assert_eq!((&anonymous["username"], &anonymous["image"]), (&json!(""), &json!("")));
        let all = list(backend, "").await;
        assert_eq!(pks(&all), [text(&anonymous, "pk"), text(&room, "pk")]);
        assert_eq!((&all["results"][0]["username"], &all["results"][1]["username"]), (&json!(""), &json!(name)));
        assert!(!all.to_string().contains(&phone.0), "{all}");
    });
}

#[test]
fn an_account_of_another_api_gets_its_room_at_its_first_sign_in_here() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let phone = fresh_phone();
        let (uid, _) = web_register(backend, &phone, PASSWORD).await;
        assert!(!backend.account(uid).await.contains_key("room_id"));
        backend.advance(Duration::from_mins(1));
        let (pk, token) = rooms_by_code(backend, &phone).await;
        assert_eq!(pk, uid.to_string());
        let (status, user) = call(backend, "PUT", &format!("/users/{pk}/"), json!({ "token": token })).await;
        assert_eq!(status, 200, "{user}");
        assert_one_room(backend, &pk, &own_room(&user)).await;
    });
}

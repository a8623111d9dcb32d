//! The number of rooms that an account owns.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::accounts::{PASSWORD, rooms_register};
use crate::support::backend::answer;
use crate::support::{Backend, run};

async fn make(backend: &Backend, alias: &str, token: Option<&str>) -> (u16, Value) {
    let mut room = json!({ "room_alias": alias });
    if let Some(token) = token {
        room["token"] = json!(token);
    }
    answer(backend.post("/rooms/").json(&room)).await
}

async fn delete(backend: &Backend, pk: &str, token: &str) -> u16 {
    let request = backend.request(Method::DELETE, &format!("/rooms/{pk}/")).query(&[("token", token)]);
    request.send().await.expect("an answer").status().as_u16()
}

/// The number of rooms in an account's list, and the number of all rooms except accounts' own ones.
async fn rooms(backend: &Backend, owner: &str) -> (usize, usize) {
    let list = backend.item(&format!("user#{owner}"), "rooms").await;
    let listed = list.and_then(|list| list.get("owned")?.as_ns().ok().map(Vec::len)).unwrap_or_default();
    let rooms = backend.items_below("room#").await;
    (listed, rooms.iter().filter(|room| !room.contains_key("personal")).count())
}

fn pk(room: &(u16, Value)) -> &str {
    room.1["pk"].as_str().expect("a pk")
}

#[test]
fn an_account_owns_as_many_rooms_as_the_policy_says() {
    run(async {
        let backend = Backend::frozen(&[("RoomsPerOwner", "3")]).await;
        let (owner, token) = rooms_register(&backend, "owner", PASSWORD, None).await;
        let (_, others) = rooms_register(&backend, "other", PASSWORD, None).await;
        let mut made = Vec::new();
        for n in 0..3 {
            made.push(make(&backend, &format!("room{n}"), Some(&token)).await);
            assert_eq!(made[n].0, 201, "{made:?}");
        }
        let before = backend.count_items().await;
        let words = json!({ "status": "FAIL", "msg": "too many rooms; delete one first", "code": "400" });
        assert_eq!(make(&backend, "one-more", Some(&token)).await, (400, words));
        assert_eq!(backend.count_items().await, before, "what was refused left nothing");
        assert_eq!(rooms(&backend, &owner).await, (3, 3));
        // Rooms of another owner, and rooms without an owner, do not count for this account. The alias of the refused
        // request stays free.
        assert_eq!(make(&backend, "one-more", Some(&others)).await.0, 201);
        assert_eq!(make(&backend, "anonymous", None).await.0, 201);
        assert_eq!(delete(&backend, pk(&made[0]), &token).await, 204);
        assert_eq!(make(&backend, "again", Some(&token)).await.0, 201);
        assert_eq!(make(&backend, "one-more-again", Some(&token)).await.0, 400);
        assert_eq!(rooms(&backend, &owner).await, (3, 5));
    });
}

#[test]
fn rooms_made_and_deleted_at_once_are_counted_right() {
    run(async {
        let backend = Backend::frozen(&[("RoomsPerOwner", "4")]).await;
        let (owner, token) = rooms_register(&backend, "owner", PASSWORD, None).await;
        let aliases: Vec<_> = (0..12).map(|n| format!("room{n}")).collect();
        let answers = join_all(aliases.iter().map(|alias| make(&backend, alias, Some(&token)))).await;
        let made: Vec<_> = answers.iter().filter(|(status, _)| *status == 201).collect();
        assert_eq!((made.len(), rooms(&backend, &owner).await), (4, (4, 4)), "{answers:?}");
        let twice = made.iter().chain(&made).map(|room| delete(&backend, pk(room), &token));
        let deleted = join_all(twice).await;
        assert_eq!(deleted.iter().filter(|status| **status == 204).count(), 4, "{deleted:?}");
        assert_eq!(rooms(&backend, &owner).await, (0, 0));
        assert_eq!(backend.items_below("alias#room").await.len(), 0, "every alias is free again");
        for alias in &aliases[..4] {
            assert_eq!(make(&backend, alias, Some(&token)).await.0, 201);
        }
        assert_eq!(make(&backend, "room5", Some(&token)).await.0, 400);
    });
}

//! Users on the blacklist, and its effects.

use std::time::Duration;

use domain::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Someone, action, done, held, refused, result, sides, turns};
use crate::support::backend::answer;
use crate::support::{Backend, run, shared};

const ADD: &str = "/user/add_to_blacklist";
const REMOVE: &str = "/user/remove_from_blacklist";

/// An entry in the format of the documentation and the clients.
fn entry(of: &Someone, nickname: &str, portrait: &str, updated: &str) -> Value {
    let user = json!({ "id": of.id, "nickname": nickname, "portraitUri": portrait, "updatedAt": updated });
    let mut entry = user.clone();
    entry["user"] = user;
    entry
}

/// The list, with both methods.
async fn list(backend: &Backend, who: &Someone) -> Vec<Value> {
    let posted = who.post(backend, "/user/blacklist", json!({})).await;
    assert_eq!(answer(who.request(backend, Method::POST, "/user/blacklist")).await, posted, "with no body at all");
    let (status, body) = who.get(backend, "/user/blacklist").await;
    assert_eq!((status, body.clone()), posted);
    assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
    body["result"].as_array().expect("a list").clone()
}

#[test]
fn the_list_is_flat_as_documented_and_nested_as_the_clients_read_it() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, friend, stranger] = Someone::several(backend, ["Tom", "Friend", "陌生人"]).await;
        tom.befriends(backend, &friend).await;
        assert_eq!(tom.get(backend, "/user/blacklist").await, result(&json!([])));
        let portrait = "http://test.com/user/abc123.jpg";
        assert_eq!(stranger.post(backend, "/user/set_portrait_uri", json!({ "portraitUri": portrait })).await, done());
        let day = backend.clock.now().utc();
        let day = format!("{:04}-{:02}-{:02}", day.year, day.month, day.day);
        let mut expected = Vec::new();
        for (somebody, nickname, portrait, time) in
            [(&friend, "Friend", "", "10:00:59.999"), (&stranger, "陌生人", portrait, "10:01:59.998")]
        {
            backend.advance(Duration::from_millis(59_999));
            assert_eq!(tom.does(backend, ADD, somebody).await, done());
            let entry = entry(somebody, nickname, portrait, &format!("{day}T{time}Z"));
            expected.push((somebody.number(), entry));
        }
        expected.sort_by_key(|(number, _)| *number);
        let expected: Vec<_> = expected.into_iter().map(|(_, entry)| entry).collect();
        assert_eq!(list(backend, &tom).await, expected);
        assert_eq!(list(backend, &friend).await, [] as [Value; 0], "nobody is told");
        assert_eq!(list(backend, &stranger).await, [] as [Value; 0]);
    });
}

#[test]
fn a_friend_on_the_blacklist_is_a_friend_again_without_it() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        tom.befriends(backend, &jerry).await;
        let before = (jerry.entry(backend, &tom).await, held(backend, &jerry, &tom).await);
        assert_eq!(tom.does(backend, ADD, &jerry).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "31 20");
        let shown = tom.entry(backend, &jerry).await.expect("an entry");
        assert_eq!((&shown["status"], &shown["user"]["phone"]), (&json!(31), &json!(jerry.phone.0)));
        assert_eq!(tom.get(backend, &format!("/friendship/{}/profile", jerry.id)).await.0, 200, "they are a friend");
        assert_eq!((jerry.entry(backend, &tom).await, held(backend, &jerry, &tom).await), before, "not told");
        assert_eq!(tom.does(backend, REMOVE, &jerry).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
        assert_eq!(held(backend, &jerry, &tom).await, before.1);
        assert_eq!(list(backend, &tom).await, [] as [Value; 0]);
        // A friendship that ends while blocked stays ended, and the block remains.
        assert_eq!(tom.does(backend, ADD, &jerry).await, done());
        assert_eq!(tom.does(backend, "/friendship/delete", &jerry).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "30b 20");
        assert_eq!(list(backend, &tom).await.len(), 1);
        assert_eq!(tom.does(backend, REMOVE, &jerry).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "30 20");
    });
}

#[test]
fn doing_it_twice_does_it_once() {
    run(async {
        let backend = shared().await;
        let [tom, friend, stranger] = Someone::several(backend, ["Tom", "Friend", "Stranger"]).await;
        tom.befriends(backend, &friend).await;
        for (somebody, before) in [(&friend, 2), (&stranger, 0)] {
            assert_eq!(tom.does(backend, REMOVE, somebody).await, done());
            assert_eq!(turns(backend, &tom, somebody).await, (before, before), "who is not on it");
            for _ in 0..3 {
                assert_eq!(tom.does(backend, ADD, somebody).await, done());
                assert_eq!(turns(backend, &tom, somebody).await, (before + 1, before));
                assert_eq!(list(backend, &tom).await.len(), 1);
            }
            for _ in 0..3 {
                assert_eq!(tom.does(backend, REMOVE, somebody).await, done());
                assert_eq!(turns(backend, &tom, somebody).await, (before + 2, before));
                assert!(list(backend, &tom).await.is_empty());
            }
        }
        assert!(held(backend, &stranger, &tom).await.is_none(), "nothing is written of who was only blocked");
        assert_eq!(tom.entry(backend, &stranger).await, None, "who was only blocked is on no list of friends");
    });
}

#[test]
fn who_is_blocked_asks_in_vain_and_is_told_the_same_every_time() {
    run(async {
        let backend = shared().await;
        for first in ["nothing", "asked", "friends", "deleted"] {
            let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
            match first {
                "asked" => assert_eq!(jerry.invites(backend, &tom, "once").await, action("Sent")),
                "friends" => jerry.befriends(backend, &tom).await,
                "deleted" => {
                    jerry.befriends(backend, &tom).await;
                    assert_eq!(tom.does(backend, "/friendship/delete", &jerry).await, done());
                }
                _ => {}
            }
            assert_eq!(tom.does(backend, ADD, &jerry).await, done());
            let before = (held(backend, &tom, &jerry).await, held(backend, &jerry, &tom).await);
            for message in ["hello", "please", ""] {
                assert_eq!(jerry.invites(backend, &tom, message).await, action("None"), "{first}");
            }
            assert_eq!((held(backend, &tom, &jerry).await, held(backend, &jerry, &tom).await), before, "{first}");
        }
    });
}

#[test]
fn whoever_wants_a_friend_takes_them_off_their_own_blacklist() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        assert_eq!(tom.does(backend, ADD, &jerry).await, done());
        assert_eq!(tom.invites(backend, &jerry, "").await, action("Sent"));
        assert_eq!(sides(backend, &tom, &jerry).await, "10 11");
        assert_eq!(jerry.does(backend, ADD, &tom).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "10 11b");
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
        assert!(list(backend, &tom).await.is_empty() && list(backend, &jerry).await.is_empty());
    });
}

#[test]
fn nobody_lifts_anothers_block() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = Someone::several(backend, ["Tom", "Jerry"]).await;
        for (who, whom) in [(&tom, &jerry), (&jerry, &tom)] {
            assert_eq!(who.does(backend, ADD, whom).await, done());
        }
        assert_eq!(jerry.does(backend, REMOVE, &tom).await, done());
        assert_eq!(sides(backend, &tom, &jerry).await, "-b -");
        assert_eq!(jerry.invites(backend, &tom, "").await, action("None"));
        assert_eq!(sides(backend, &tom, &jerry).await, "-b -");
        // A user who sent a request and then blocked the other does not become a friend, and the other is not notified.
        assert_eq!(tom.invites(backend, &jerry, "").await, action("Sent"));
        assert_eq!(tom.does(backend, ADD, &jerry).await, done());
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
        assert_eq!(sides(backend, &tom, &jerry).await, "10b 11");
        assert_eq!(list(backend, &tom).await.len(), 1);
        assert_eq!(tom.does(backend, REMOVE, &jerry).await, done());
        assert_eq!(jerry.does(backend, "/friendship/agree", &tom).await, action("Added"));
        assert_eq!(sides(backend, &tom, &jerry).await, "20 20");
    });
}

#[test]
fn only_somebody_else_who_exists_can_be_on_it() {
    run(async {
        let backend = shared().await;
        let tom = Someone::new(backend, "Tom").await;
        for path in [ADD, REMOVE] {
            let (unknown, oneself) = (refused(404, "no such user"), refused(400, "friendId is your own id"));
            for id in ["zzzzzzzz", "1", "not-an-id", "", "0", "00", "é", "zzzzzzzzz", "d9ewr89j238"] {
                assert_eq!(tom.post(backend, path, json!({ "friendId": id })).await, unknown, "{path} {id}");
            }
            assert_eq!(tom.does(backend, path, &tom).await, oneself, "{path}");
        }
        let items = backend.items(&format!("user#{}", tom.number())).await;
        assert_eq!(items.len(), 1, "nothing but the account: {items:?}");
    });
}

#[test]
fn no_number_is_on_the_list() {
    run(async {
        let backend = shared().await;
        let [tom, friend, stranger] = Someone::several(backend, ["Tom", "Friend", "Stranger"]).await;
        tom.befriends(backend, &friend).await;
        for somebody in [&friend, &stranger] {
            assert_eq!(tom.does(backend, ADD, somebody).await, done());
        }
        let text = Value::Array(list(backend, &tom).await).to_string();
        assert!(
            !text.contains(&friend.phone.0) && !text.contains(&stranger.phone.0) && !text.contains("phone"),
            "{text}"
        );
    });
}

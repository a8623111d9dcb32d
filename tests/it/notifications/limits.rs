//! How often people's devices are pushed what strangers write, and what of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Member, operations, pushes};
use crate::support::{Backend, run};

async fn with_device(backend: &Backend, nickname: &str, token: &str) -> Member {
    let member = Member::new(backend, nickname).await;
    member.signs_in_with(backend, &json!({ "ng_device_token": token })).await;
    member
}

/// How many pushes a device got whose text contains these words.
async fn count(backend: &Backend, token: &str, words: &str) -> usize {
    let pushed = pushes(backend).await;
    pushed.iter().filter(|(to, text)| to == token && text.contains(words)).count()
}

async fn befriend(backend: &Backend, one: &Member, other: &Member) {
    assert_eq!(one.invites(backend, other, "").await, "Sent");
    other.acts_on(backend, "/friendship/agree", one).await;
}

#[test]
fn strangers_push_so_many_requests_an_hour_and_the_topic_has_all() {
    run(async {
        let backend = &Backend::frozen(&[("StrangerPushesPerHour", "3")]).await;
        let ann = &with_device(backend, "Ann", "ann").await;
        let strangers = Member::several(backend, ["S1", "S2", "S3", "S4", "S5", "S6"]).await;
        for stranger in &strangers[..5] {
            stranger.invites(backend, ann, "buy this").await;
        }
        assert_eq!((operations(backend).await.len(), count(backend, "ann", "buy this").await), (5, 3));
        // Groups are counted apart, and what friends do is not.
        for stranger in &strangers[..5] {
            stranger.founds(backend, "cheap", &[&ann.id]).await;
        }
        assert_eq!(count(backend, "ann", "cheap").await, 3);
        befriend(backend, ann, &strangers[5]).await;
        strangers[5].founds(backend, "Hiking", &[&ann.id]).await;
        assert_eq!(count(backend, "ann", "Hiking").await, 1);
        backend.advance(Duration::from_hours(1));
        let late = Member::new(backend, "Late").await;
        late.invites(backend, ann, "hello").await;
        assert_eq!(count(backend, "ann", "hello").await, 1);
    });
}

#[test]
fn of_the_requests_of_a_pair_the_first_of_a_day_is_pushed() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let ann = &with_device(backend, "Ann", "ann").await;
        let tom = &Member::new(backend, "Tom").await;
        for _ in 0..3 {
            tom.invites(backend, ann, "please").await;
            ann.acts_on(backend, "/friendship/ignore", tom).await;
            backend.advance(Duration::from_secs(1));
        }
        assert_eq!((operations(backend).await.len(), count(backend, "ann", "please").await), (3, 1));
        backend.advance(Duration::from_hours(24));
        for _ in 0..3 {
            tom.invites(backend, ann, "please").await;
            backend.advance(Duration::from_secs(1));
        }
        assert_eq!((operations(backend).await.len(), count(backend, "ann", "please").await), (6, 2));
    });
}

#[test]
fn one_member_pushes_so_many_changes_an_hour_and_the_others_theirs() {
    run(async {
        let backend = &Backend::frozen(&[("GroupPushesPerHour", "3")]).await;
        let ann = &with_device(backend, "Ann", "ann").await;
        let tom = &with_device(backend, "Tom", "tom").await;
        let group = tom.founds(backend, "Hiking", &[&ann.id]).await;
        let posts = async |who: &Member, text: &str| -> Value {
            who.does(backend, "/group/set_bulletin", json!({ "groupId": group, "bulletin": text })).await
        };
        for number in 0..6 {
            posts(tom, &format!("spam {number}")).await;
            backend.settled().await;
        }
        assert_eq!((operations(backend).await.len(), count(backend, "ann", "spam").await), (7, 2));
        tom.in_group(backend, "set_manager", &group, &[ann]).await;
        posts(ann, "enough").await;
        assert_eq!(count(backend, "tom", "enough").await, 1);
        backend.advance(Duration::from_hours(1));
        posts(tom, "spam again").await;
        assert_eq!(count(backend, "ann", "spam again").await, 1);
    });
}

#[test]
fn a_push_names_the_app_first_and_has_no_link() {
    run(async {
        let backend = &Backend::frozen(&[("AppName", "Meadow")]).await;
        let ann = &with_device(backend, "Ann", "ann").await;
        let bank = &Member::new(backend, "bank.example").await;
        bank.invites(backend, ann, "sign in at https://evil.example/login now").await;
        let group = bank.founds(backend, "www.evil.example", &[&ann.id]).await;
        let post = json!({ "groupId": group, "bulletin": "点击evil。com领奖" });
        bank.does(backend, "/group/set_bulletin", post).await;
        let texts: Vec<_> = pushes(backend).await.into_iter().map(|(_, text)| text).collect();
        let expected = [
            "Meadow: … wants to be your friend: sign in at … now",
            "Meadow: …: … added you to a new group",
            "Meadow: …: …: 点击…领奖",
        ];
        assert_eq!(texts, expected);
    });
}

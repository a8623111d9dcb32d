//! Groups: actions that are not allowed, and malformed requests.

use reqwest::Method;
use reqwest::header::COOKIE;
use serde_json::{Value, json};

use super::group_helpers::{
    MANAGERS_ONLY, absent, assert_whole, changes, ids, managers_only, members_only, no_group, owner_appoints,
    owner_only, stays, too_many_groups,
};
use super::{Someone, done, not_signed_in, refused};
use crate::support::backend::answer;
use crate::support::{run, shared};

/// Every change of a group; some are about two users.
fn operations(group: &str, people: &[&Someone; 2]) -> Vec<(&'static str, Value)> {
    let (people, one) = (ids(people), people[0].id.as_str());
    [
        ("add", json!({ "memberIds": people })),
        ("kick", json!({ "memberIds": people })),
        ("set_manager", json!({ "memberIds": people })),
        ("remove_manager", json!({ "memberIds": people })),
        ("transfer", json!({ "userId": one })),
        ("rename", json!({ "name": "another name" })),
        ("set_portrait_uri", json!({ "portraitUri": "https://example.com/a.jpg" })),
        ("set_bulletin", json!({ "bulletin": "hello" })),
        ("set_display_name", json!({ "displayName": "Martin" })),
        ("dismiss", json!({})),
        ("quit", json!({})),
        ("join", json!({})),
    ]
    .into_iter()
    .map(|(action, mut body)| {
        body["groupId"] = json!(group);
        (action, body)
    })
    .collect()
}

/// The error of `kick` and `transfer` for a user who was never in the group.
fn not_a_member() -> (u16, Value) {
    refused(400, "a user in the request is not in the group")
}

#[test]
fn nobody_does_what_is_not_theirs_to_do() {
    run(async {
        let backend = shared().await;
        let everybody = &Someone::several(backend, ["Owner", "Manager", "Member", "Former", "Stranger", "Other"]).await;
        let [owner, manager, member, former, stranger, other] = everybody;
        let group = &owner.founds(backend, &[manager, member, former, other]).await;
        assert_eq!(owner.acts(backend, "set_manager", group, &[manager]).await, done());
        assert_eq!(owner.acts(backend, "kick", group, &[former]).await, done());
        let before = (changes(backend, group).await, owner.sees(backend, group).await);
        for (action, body) in operations(group, &[other, stranger]) {
            let path = format!("/group/{action}");
            let (of_manager, of_member) = match action {
                "kick" => (Some(not_a_member()), Some(managers_only())),
                "set_manager" | "remove_manager" => (Some(owner_appoints()), Some(owner_appoints())),
                "transfer" | "dismiss" => (Some(owner_only()), Some(owner_only())),
                "rename" | "set_portrait_uri" | "set_bulletin" => (None, Some(refused(400, MANAGERS_ONLY))),
                // Every member may do it.
                _ => (None, None),
            };
            let of_others = match action {
                "join" => None,
                "rename" | "set_portrait_uri" | "set_bulletin" => {
                    Some(refused(400, "you are not a member of this group"))
                }
                _ => Some(members_only()),
            };
            let cases =
                [(manager, of_manager), (member, of_member), (former, of_others.clone()), (stranger, of_others)];
            for (who, expected) in cases {
                let Some(expected) = expected else { continue };
                assert_eq!(who.post(backend, &path, body.clone()).await, expected, "{action}");
            }
        }
        for (action, whom, expected) in [
            ("kick", owner, refused(400, "memberIds contains your own id")),
            ("kick", stranger, not_a_member()),
            ("transfer", owner, stays()),
            ("transfer", former, not_a_member()),
            ("transfer", stranger, not_a_member()),
            ("set_manager", owner, stays()),
            ("set_manager", former, absent()),
            ("remove_manager", owner, stays()),
            ("remove_manager", stranger, absent()),
        ] {
            assert_eq!(owner.acts(backend, action, group, &[whom]).await, expected, "{action}");
            if action != "transfer" {
                assert_eq!(
                    owner.acts(backend, action, group, &[member, whom]).await,
                    expected,
                    "{action} for all or none"
                );
            }
        }
        assert_eq!((changes(backend, group).await, owner.sees(backend, group).await), before, "nothing changed");
        assert_whole(backend, group, &everybody.each_ref(), &[owner, manager, member, other]).await;
    });
}

#[test]
fn who_is_not_signed_in_is_told_so_and_sees_nothing() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = &Someone::several(backend, ["Tom", "Jerry"]).await;
        let group = &tom.founds(backend, &[jerry]).await;
        let before = changes(backend, group).await;
        let mut requests = vec![(Method::POST, "/group/create".to_owned(), json!({ "name": "ab", "memberIds": [] }))];
        for (action, body) in operations(group, &[jerry, tom]) {
            requests.push((Method::POST, format!("/group/{action}"), body));
        }
        for path in [
            format!("/group/{group}"),
            format!("/group/{group}/members"),
            format!("/group/get_bulletin?groupId={group}"),
        ] {
            requests.push((Method::GET, path, json!({})));
        }
        assert_eq!(requests.len(), 16);
        let pair = tom.cookie.split(';').next().expect("a pair").to_owned();
        tom.leaves(backend).await;
        let (other_api, changed) =
            (pair.replace("sealtalk_session", "web_session"), pair.replace("sealtalk_session=", "sealtalk_session=A"));
        for (method, path, body) in requests {
            for cookie in [None, Some("sealtalk_session="), Some(&changed), Some(&other_api), Some(&pair)] {
                let request = backend.request(method.clone(), &path).json(&body);
                let request = cookie.into_iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
                assert_eq!(answer(request).await, not_signed_in(), "{method} {path} with {cookie:?}");
            }
        }
        assert_eq!(changes(backend, group).await, before);
        assert_eq!(jerry.groups(backend).await, std::slice::from_ref(group));
    });
}

#[test]
fn what_is_no_group_and_what_is_no_request_is_refused() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = &Someone::several(backend, ["Tom", "Jerry"]).await;
        let group = &tom.founds(backend, &[jerry]).await;
        let before = changes(backend, group).await;
        let long = "9".repeat(50_000);
        for id in
            ["G7", "", " ", "0", "01", "é", "zzzzzzzzz", "../head", "group#1", &tom.id, &format!("{group} "), &long]
        {
            for (action, body) in operations(id, &[jerry, tom]) {
                let expected = match action {
                    "transfer" | "dismiss" => refused(400, "no such group"),
                    _ => no_group(),
                };
                assert_eq!(tom.post(backend, &format!("/group/{action}"), body).await, expected, "{action} {id}");
            }
        }
        for id in ["G7", "01", "%20", "%00", "zzzzzzzzz", "%E7%BE%A4", "a.b", "created"] {
            for path in [format!("/group/{id}"), format!("/group/{id}/members"), format!("/group/get_bulletin?id={id}")]
            {
                let (status, body) = tom.get(backend, &path).await;
                assert_eq!((status, &body["code"]), (404, &json!(404)), "{path}: {body}");
            }
        }
        // No user has such an id, so no member has it either.
        for id in ["zzzzzzzzz", "01", "é", "5Vg2XCh9f"] {
            for (action, body, status, words) in [
                ("kick", json!({ "groupId": group, "memberIds": [jerry.id, id] }), 400, None),
                ("transfer", json!({ "groupId": group, "userId": id }), 400, None),
                ("add", json!({ "groupId": group, "memberIds": [id] }), 404, Some("no such user")),
            ] {
                let (answered, body) = tom.post(backend, &format!("/group/{action}"), body).await;
                assert_eq!((answered, &body["code"]), (status, &json!(status)), "{action} {id}: {body}");
                assert!(words.is_none_or(|words| body["message"] == words), "{action} {id}: {body}");
            }
        }
        for (action, body) in operations(group, &[jerry, tom]) {
            let path = format!("/group/{action}");
            for field in body.as_object().expect("fields").keys() {
                let wrong = [json!(null), json!({}), json!([[]]), json!(1.5), json!(true)];
                for value in wrong.into_iter().map(Some).chain([None]) {
                    let mut body = body.clone();
                    match &value {
                        Some(value) => body[field] = value.clone(),
                        None => drop(body.as_object_mut().expect("fields").remove(field)),
                    }
                    let (status, answered) = tom.post(backend, &path, body).await;
                    assert_eq!((status, &answered["code"]), (400, &json!(400)), "{path} {field}: {value:?} {answered}");
                }
            }
            for body in ["", "{", "[]", "null", "{\"groupId\":", "\u{feff}{}"] {
                let request = tom.request(backend, Method::POST, &path).body(body);
                let (status, answered) = answer(request).await;
                assert_eq!((status, &answered["code"]), (400, &json!(400)), "{path} {body}: {answered}");
            }
            let huge = json!({ "groupId": group, "name": "a".repeat(300_000), "memberIds": [] });
            assert_eq!(tom.post(backend, &path, huge).await.0, 400, "{path}");
        }
        assert_eq!(changes(backend, group).await, before);
    });
}

#[test]
fn nobody_makes_and_joins_more_than_500_groups() {
    run(async {
        let backend = shared().await;
        let [tom, busy] = &Someone::several(backend, ["Tom", "Busy"]).await;
        busy.is_in_groups(backend, "live", 499).await;
        let own = &busy.founds(backend, &[]).await;
        assert_eq!(busy.makes(backend, "ab", &[]).await, too_many_groups());
        let other = &tom.founds(backend, &[]).await;
        let before = changes(backend, other).await;
        assert_eq!(busy.acts(backend, "join", other, &[]).await, too_many_groups());
        assert_eq!(changes(backend, other).await, before);
        assert_eq!(tom.groups(backend).await.len(), 1, "the refused one is nobody's");
        assert_whole(backend, other, &[tom, busy], &[tom]).await;
        // Their existing groups stay accessible, and leaving one makes room for another.
        assert_eq!(busy.acts(backend, "join", own, &[]).await, done());
        assert_eq!(busy.acts(backend, "quit", own, &[]).await, done());
        assert_eq!(busy.acts(backend, "join", other, &[]).await, done());
        assert_whole(backend, other, &[tom, busy], &[tom, busy]).await;
    });
}

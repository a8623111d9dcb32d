//! Groups: the actions, views and notifications of members.

use std::time::Duration;

use domain::clock::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::group_helpers::{
    MANAGERS_ONLY, assert_whole, changes, full, members_only, named, no_group, no_user, owner_only, partition, stays,
};
use super::{Someone, done, refused, result};
use crate::support::backend::{answer, whole};
use crate::support::table::text;
use crate::support::{Backend, run, shared};

/// The current time in the clients' format.
fn iso(backend: &Backend) -> String {
    let at = backend.clock.now().utc();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year, at.month, at.day, at.hour, at.minute, at.second, at.milli
    )
}

#[test]
fn a_group_is_made_looked_at_and_dissolved() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, jerry, anna, stranger] = &Someone::several(backend, ["Tom", "Jerry", "Anna", "Stranger"]).await;
        let body = json!({
            "name": " 项目组 ", "memberIds": [jerry.id, anna.id], "portraitUri": "http://test.com/group/abc123.jpg",
        });
        let (status, body) = tom.post(backend, "/group/create", body).await;
        let id = body["result"]["id"].as_str().expect("an id").to_owned();
        assert_eq!((status, body), result(&json!({ "id": id, "userStatus": named(&[jerry, anna]) })));
        let (made, millis) = (iso(backend), backend.clock.now().millis());
        let group = json!({
            "id": id, "name": "项目组", "portraitUri": "http://test.com/group/abc123.jpg", "memberCount": 3,
            "maxMemberCount": 500, "creatorId": tom.id, "type": 1, "bulletin": "", "bulletinTime": 0, "deletedAt": null,
        });
        for who in [tom, jerry, stranger] {
            assert_eq!(who.sees(backend, &id).await, result(&group));
        }
        let mut expected = [(jerry, "Jerry", 1), (anna, "Anna", 1)];
        expected.sort_by_key(|(who, ..)| who.number());
        let member = |(who, nickname, role): (&Someone, &str, u8)| {
            json!({
                "displayName": "", "role": role, "createdAt": made, "createdTime": millis, "updatedAt": made,
                "updatedTime": millis, "user": { "id": who.id, "nickname": nickname, "portraitUri": "" },
            })
        };
        let expected: Vec<_> = [(tom, "Tom", 0)].into_iter().chain(expected).map(member).collect();
        for who in [tom, jerry, anna] {
            let members = who.get(backend, &format!("/group/{id}/members")).await;
            assert_eq!(members, result(&json!(expected)));
            assert_eq!(who.groups(backend).await, std::slice::from_ref(&id));
        }
        assert_eq!(stranger.get(backend, &format!("/group/{id}/members")).await, members_only());
        assert_whole(backend, &id, &[tom, jerry, anna, stranger], &[tom, jerry, anna]).await;

        assert_eq!(tom.acts(backend, "dismiss", &id, &[]).await, done());
        for who in [tom, jerry, stranger] {
            assert_eq!(who.groups(backend).await, [] as [String; 0]);
            assert_eq!(who.get(backend, &format!("/group/{id}/members")).await, no_group());
            assert_eq!(who.acts(backend, "join", &id, &[]).await, no_group());
        }
        assert_eq!(tom.acts(backend, "dismiss", &id, &[]).await, refused(400, "no such group"));
        assert_whole(backend, &id, &[tom, jerry, anna, stranger], &[]).await;
    });
}

#[test]
fn a_dissolved_group_is_shown_to_those_who_were_in_it() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, jerry, former, stranger] = &Someone::several(backend, ["Tom", "Jerry", "Former", "Stranger"]).await;
        let gone = |id: &str, owner: &Someone| {
            result(&json!({
                "id": id, "name": "the group", "portraitUri": "", "memberCount": 0, "maxMemberCount": 500,
                "creatorId": owner.id, "type": 1, "bulletin": "", "bulletinTime": 0, "deletedAt": iso(backend),
            }))
        };
        let dismissed = &tom.founds(backend, &[jerry, former]).await;
        let posted = json!({ "groupId": dismissed, "bulletin": "hello" });
        assert_eq!(tom.post(backend, "/group/set_bulletin", posted).await, done());
        assert_eq!(former.acts(backend, "quit", dismissed, &[]).await, done());
        backend.advance(Duration::from_secs(5));
        assert_eq!(tom.acts(backend, "dismiss", dismissed, &[]).await, done());
        let left = &tom.founds(backend, &[jerry]).await;
        // The last member who leaves dissolves the group. The previous owner has already left.
        assert_eq!(tom.acts(backend, "quit", left, &[]).await, done());
        assert_eq!(jerry.acts(backend, "quit", left, &[]).await, done());
        for (group, owner, people) in [(dismissed, tom, [tom, jerry, former]), (left, jerry, [tom, jerry, jerry])] {
            for who in people {
                assert_eq!(who.sees(backend, group).await, gone(group, owner));
            }
            assert_eq!(stranger.sees(backend, group).await, no_group());
            // It can be read, but not used.
            assert_eq!(jerry.get(backend, &format!("/group/{group}/members")).await, no_group());
            assert_eq!(jerry.get(backend, &format!("/group/get_bulletin?groupId={group}")).await, no_group());
            assert_eq!(jerry.acts(backend, "join", group, &[]).await, no_group());
        }
    });
}

#[test]
fn people_are_named_as_clients_write_them() {
    run(async {
        let backend = shared().await;
        let [tom, jerry, anna] = &Someone::several(backend, ["Tom", "Jerry", "Anna"]).await;
        let both = format!("{},{}", jerry.id, anna.id);
        for ids in [
            json!([jerry.id, anna.id]),
            json!([tom.id, jerry.id, anna.id, jerry.id]),
            json!(format!("[\"{}\", \"{}\"]", jerry.id, anna.id)),
            json!(both),
        ] {
            let (status, body) = tom.post(backend, "/group/create", json!({ "name": "ab", "memberIds": ids })).await;
            let made = json!({ "id": body["result"]["id"], "userStatus": named(&[jerry, anna]) });
            assert_eq!((status, body.clone()), result(&made), "{ids}");
            let id = body["result"]["id"].as_str().expect("an id");
            assert_whole(backend, id, &[tom, jerry, anna], &[tom, jerry, anna]).await;
        }
        let form = tom.request(backend, Method::POST, "/group/create").form(&[("name", "ab"), ("memberIds", &both)]);
        let query = tom.request(backend, Method::POST, "/group/create").query(&[("name", "ab"), ("memberIds", &both)]);
        for request in [form, query] {
            let (status, body) = answer(request).await;
            assert_eq!((status, &body["result"]["userStatus"]), (200, &named(&[jerry, anna])), "{body}");
        }
        // A group with only its creator, to add members later.
        for ids in [json!([]), json!([tom.id]), json!("")] {
            let (status, body) = tom.post(backend, "/group/create", json!({ "name": "ab", "memberIds": ids })).await;
            assert_eq!((status, &body["result"]["userStatus"]), (200, &json!([])), "{body}");
            assert_whole(backend, body["result"]["id"].as_str().expect("an id"), &[tom, jerry], &[tom]).await;
        }
    });
}

#[test]
fn a_group_that_is_refused_is_not_made() {
    run(async {
        let backend = shared().await;
        let [tom, jerry] = &Someone::several(backend, ["Tom", "Jerry"]).await;
        let name = refused(400, "name has 2 to 32 characters and no control characters");
        let picture = refused(400, "portraitUri must be an http(s) URL of 12 to 256 characters");
        let valid = json!({ "name": "ab", "memberIds": [jerry.id], "portraitUri": "https://example.com/a.jpg" });
        let many: Vec<_> = (0..500).map(|number| format!("{}", 100 + number)).collect();
        for (field, value, expected) in [
            ("name", json!("a"), &name),
            ("name", json!(" a "), &name),
            ("name", json!(""), &name),
            ("name", json!("群".repeat(33)), &name),
            ("name", json!("a\u{0}b"), &name),
            ("name", json!("a\nb"), &name),
            ("portraitUri", json!("javascript:alert(1)"), &picture),
            ("portraitUri", json!("/images/../a"), &picture),
            ("portraitUri", json!("http://x"), &picture),
            ("portraitUri", json!(format!("https://example.com/{}", "a".repeat(256))), &picture),
            ("memberIds", json!([jerry.id, "zzzzzzzz"]), &no_user()),
            ("memberIds", json!([jerry.id, "?"]), &no_user()),
            ("memberIds", json!(["G7"]), &no_user()),
            ("memberIds", json!(many), &full()),
        ] {
            let mut body = valid.clone();
            body[field] = value.clone();
            assert_eq!(tom.post(backend, "/group/create", body).await, *expected, "{field} {value}");
        }
        for who in [tom, jerry] {
            assert!(backend.item(&format!("user#{}", who.number()), "groups").await.is_none(), "nobody was enlisted");
        }
        // Values at the limit.
        for (name, portrait) in [("群".repeat(32), json!(null)), ("\u{1f600}\u{1f600}".to_owned(), json!(""))] {
            let body = json!({ "name": name, "memberIds": [jerry.id], "portraitUri": portrait });
            let (_, made) = tom.post(backend, "/group/create", body).await;
            let id = made["result"]["id"].as_str().unwrap_or_else(|| panic!("an id in {made}"));
            assert_eq!(jerry.sees(backend, id).await.1["result"]["name"], json!(name));
        }
    });
}

#[test]
fn members_add_people_and_anybody_joins() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, jerry, anna, lisa, max] = &Someone::several(backend, ["Tom", "Jerry", "Anna", "Lisa", "Max"]).await;
        let group = &tom.founds(backend, &[jerry]).await;
        backend.advance(Duration::from_secs(1));
        let added = jerry.acts(backend, "add", group, &[anna, jerry, tom]).await;
        assert_eq!(added, result(&named(&[anna, jerry, tom])), "who is in it already stays as they are");
        backend.advance(Duration::from_secs(1));
        assert_eq!(lisa.acts(backend, "join", group, &[]).await, done());
        let before = changes(backend, group).await;
        assert_eq!(lisa.acts(backend, "join", group, &[]).await, done(), "joining twice is no error");
        assert_eq!(anna.acts(backend, "add", group, &[lisa]).await, result(&named(&[lisa])));
        assert_eq!(changes(backend, group).await, before, "and changes nothing");
        let roles = [(tom, 0), (jerry, 1), (anna, 1), (lisa, 1)].map(|(who, role)| (who.id.clone(), role));
        assert_eq!(max.acts(backend, "add", group, &[max]).await, members_only());
        assert_eq!(lisa.roles(backend, group).await, roles, "by when they came in");
        for (people, expected) in
            [(json!([]), refused(400, "memberIds must name at least one user")), (json!(["G7"]), no_user())]
        {
            let body = json!({ "groupId": group, "memberIds": people });
            assert_eq!(tom.post(backend, "/group/add", body).await, expected, "{people}");
        }
        let many: Vec<_> = (0..501).map(|number| format!("{}", 100 + number)).collect();
        let body = json!({ "groupId": group, "memberIds": many });
        assert_eq!(tom.post(backend, "/group/add", body).await, refused(400, "memberIds must name at most 500 users"));
        let body = json!({ "groupId": group, "memberIds": [max.id, "G7"] });
        assert_eq!(tom.post(backend, "/group/add", body).await, no_user(), "all or none");
        assert_whole(backend, group, &[tom, jerry, anna, lisa, max], &[tom, jerry, anna, lisa]).await;
    });
}

#[test]
fn who_blocks_somebody_is_not_put_into_their_groups_and_they_are_not_told() {
    run(async {
        let backend = shared().await;
        let [tom, jerry, anna] = &Someone::several(backend, ["Tom", "Jerry", "Anna"]).await;
        assert_eq!(jerry.does(backend, "/user/add_to_blacklist", tom).await, done());
        // The responses are the same as for a group with all of them in it.
        let group = &tom.founds(backend, &[jerry, anna]).await;
        assert_whole(backend, group, &[tom, jerry, anna], &[tom, anna]).await;
        let alone = &tom.founds(backend, &[jerry]).await;
        assert_whole(backend, alone, &[tom, jerry], &[tom]).await;
        assert_eq!(tom.acts(backend, "add", group, &[jerry]).await, result(&named(&[jerry])));
        assert_eq!(tom.acts(backend, "add", group, &[jerry, anna]).await, result(&named(&[jerry, anna])));
        assert_eq!(jerry.groups(backend).await, [] as [String; 0]);
        assert_eq!(jerry.lists(backend, group).await, (false, false), "nothing is left behind with who blocks");
        // Users they have not blocked can add them, and they can join by themselves.
        assert_eq!(anna.acts(backend, "add", group, &[jerry]).await, result(&named(&[jerry])));
        assert_eq!(jerry.acts(backend, "join", alone, &[]).await, done());
        assert_whole(backend, group, &[tom, jerry, anna], &[tom, jerry, anna]).await;
        assert_whole(backend, alone, &[tom, jerry, anna], &[tom, jerry]).await;
        // A user can add someone whom they have blocked themselves.
        assert_eq!(anna.does(backend, "/user/add_to_blacklist", tom).await, done());
        let anna_s = &anna.founds(backend, &[tom]).await;
        assert_whole(backend, anna_s, &[tom, anna], &[tom, anna]).await;
    });
}

#[test]
fn the_owner_who_quits_is_followed_by_a_manager_or_else_by_who_came_first() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, jerry, anna, lisa] = &Someone::several(backend, ["Tom", "Jerry", "Anna", "Lisa"]).await;
        let group = &tom.founds(backend, &[]).await;
        for who in [jerry, anna, lisa] {
            backend.advance(Duration::from_secs(1));
            assert_eq!(who.acts(backend, "join", group, &[]).await, done());
        }
        assert_eq!(tom.acts(backend, "set_manager", group, &[lisa]).await, done());
        let everybody = [tom, jerry, anna, lisa];
        let mut members = everybody.to_vec();
        for (quits, heir) in [(tom, lisa), (lisa, jerry), (jerry, anna)] {
            assert_eq!(quits.acts(backend, "quit", group, &[]).await, done());
            members.retain(|who| who.id != quits.id);
            assert_eq!(anna.roles(backend, group).await[0], (heir.id.clone(), 0));
            assert_eq!(anna.sees(backend, group).await.1["result"]["creatorId"], json!(heir.id));
            assert_eq!(quits.acts(backend, "quit", group, &[]).await, members_only());
            assert_eq!(quits.lists(backend, group).await, (false, true), "their devices hear of it");
            assert_whole(backend, group, &everybody, &members).await;
        }
        assert_eq!(anna.acts(backend, "quit", group, &[]).await, done());
        assert_eq!(anna.acts(backend, "quit", group, &[]).await, no_group(), "the last one out dissolves the group");
        assert_whole(backend, group, &everybody, &[]).await;
    });
}

#[test]
fn who_is_kicked_is_out_and_may_come_back() {
    run(async {
        let backend = shared().await;
        let everybody = &Someone::several(backend, ["Tom", "Jerry", "Anna", "Lisa"]).await;
        let [tom, jerry, anna, lisa] = everybody;
        let group = &tom.founds(backend, &[jerry, anna, lisa]).await;
        assert_eq!(tom.acts(backend, "set_manager", group, &[jerry]).await, done());
        let body = json!({ "groupId": group, "bulletin": "hello" });
        assert_eq!(jerry.post(backend, "/group/set_bulletin", body).await, done());
        let body = json!({ "groupId": group, "displayName": "Martin" });
        assert_eq!(anna.post(backend, "/group/set_display_name", body).await, done());
        assert_eq!(jerry.acts(backend, "kick", group, &[anna, lisa]).await, done());
        assert_whole(backend, group, &everybody.each_ref(), &[tom, jerry]).await;
        let before = changes(backend, group).await;
        assert_eq!(jerry.acts(backend, "kick", group, &[anna]).await, done(), "kicking twice is no error");
        assert_eq!(changes(backend, group).await, before);
        assert_eq!(anna.get(backend, &format!("/group/{group}/members")).await, members_only());
        assert_eq!(anna.get(backend, &format!("/group/get_bulletin?groupId={group}")).await, members_only());
        let shown = anna.sees(backend, group).await.1;
        assert_eq!((&shown["result"]["bulletin"], &shown["result"]["bulletinTime"]), (&json!(""), &json!(0)));
        assert_eq!(anna.groups(backend).await, [] as [String; 0]);
        assert_eq!(anna.lists(backend, group).await, (false, true));
        assert_eq!(anna.acts(backend, "join", group, &[]).await, done());
        let (_, body) = anna.get(backend, &format!("/group/{group}/members")).await;
        let back = body["result"].as_array().expect("a list").iter().find(|member| member["user"]["id"] == anna.id);
        let back = back.expect("anna");
        assert_eq!((&back["role"], &back["displayName"]), (&json!(1), &json!("")), "as somebody new");
        // The owner can remove managers, and nobody can remove the owner.
        assert_eq!(jerry.acts(backend, "kick", group, &[tom]).await, stays());
        assert_eq!(tom.acts(backend, "kick", group, &[jerry, anna]).await, done());
        assert_whole(backend, group, &everybody.each_ref(), &[tom]).await;
    });
}

#[test]
fn a_group_is_handed_over_and_managers_come_and_go() {
    run(async {
        let backend = shared().await;
        let everybody = &Someone::several(backend, ["Tom", "Jerry", "Anna"]).await;
        let [tom, jerry, anna] = everybody;
        let group = &tom.founds(backend, &[jerry, anna]).await;
        let roles = async |expected: [u64; 3]| {
            let roles = tom.roles(backend, group).await;
            let role = |who: &Someone| roles.iter().find(|(id, _)| *id == who.id).map(|(_, role)| *role);
            assert_eq!([tom, jerry, anna].map(role), expected.map(Some));
        };
        assert_eq!(tom.acts(backend, "set_manager", group, &[jerry, anna]).await, done());
        roles([0, 2, 2]).await;
        assert_eq!(tom.acts(backend, "remove_manager", group, &[anna]).await, done());
        roles([0, 2, 1]).await;
        let before = changes(backend, group).await;
        assert_eq!(tom.acts(backend, "remove_manager", group, &[anna]).await, done());
        assert_eq!(tom.acts(backend, "set_manager", group, &[jerry]).await, done());
        assert_eq!(changes(backend, group).await, before, "who is what they are to be changes nothing");
        assert_eq!(tom.acts(backend, "transfer", group, &[jerry]).await, done());
        roles([1, 0, 1]).await;
        assert_eq!(tom.acts(backend, "dismiss", group, &[]).await, owner_only());
        assert_eq!(tom.acts(backend, "transfer", group, &[tom]).await, owner_only());
        assert_eq!(jerry.sees(backend, group).await.1["result"]["creatorId"], json!(jerry.id));
        assert_eq!(jerry.acts(backend, "transfer", group, &[jerry]).await, stays());
        assert_whole(backend, group, &everybody.each_ref(), &[tom, jerry, anna]).await;
    });
}

#[test]
fn names_and_pictures_are_changed_by_those_who_may() {
    run(async {
        let backend = shared().await;
        let everybody = &Someone::several(backend, ["Tom", "Jerry"]).await;
        let [tom, jerry] = everybody;
        let group = &tom.founds(backend, &[jerry]).await;
        let set = async |who: &Someone, path: &str, field: &str, value: &str| {
            who.post(backend, path, json!({ "groupId": group, field: value })).await
        };
        let name = refused(400, "name has 2 to 32 characters and no control characters");
        for bad in ["", "a", " ", "a\u{7f}b", &"x".repeat(33)] {
            assert_eq!(set(tom, "/group/rename", "name", bad).await, name, "{bad}");
        }
        assert_eq!(set(tom, "/group/rename", "name", "  另一个名字 ").await, done());
        assert_eq!(jerry.sees(backend, group).await.1["result"]["name"], json!("另一个名字"));
        // The URL of a picture on this service is stored as a path, and returned with the requested host.
        let own = format!("/images/{}.png", "0123456789abcdef".repeat(2));
        let other = "https://example.com/a.jpg";
        for (portrait, kept) in [(backend.url(&own).as_str(), own.as_str()), (other, other)] {
            assert_eq!(set(tom, "/group/set_portrait_uri", "portraitUri", portrait).await, done());
            assert_eq!(jerry.sees(backend, group).await.1["result"]["portraitUri"], json!(portrait));
            assert_eq!(jerry.get(backend, "/user/groups").await.1["result"][0]["portraitUri"], json!(portrait));
            let head = backend.item(&partition(group), "head").await.expect("a group");
            assert_eq!(text(&head, "portrait"), Some(kept));
        }
        let picture = refused(400, "portraitUri must be an http(s) URL of 12 to 256 characters");
        for bad in ["", &own, "ftp://example.com/a", "https://a b.example.com/", "https://x/\"><script>"] {
            assert_eq!(set(tom, "/group/set_portrait_uri", "portraitUri", bad).await, picture, "{bad}");
        }
        // Members choose their own name in the group.
        let long = refused(400, "displayName must have at most 32 characters and no control characters");
        assert_eq!(set(jerry, "/group/set_display_name", "displayName", &"x".repeat(33)).await, long);
        assert_eq!(set(jerry, "/group/set_display_name", "displayName", "a\tb").await, long);
        for (given, shown) in [(" Martin ", "Martin"), (&*"名".repeat(32), &*"名".repeat(32)), ("", "")] {
            assert_eq!(set(jerry, "/group/set_display_name", "displayName", given).await, done());
            let (_, members) = tom.get(backend, &format!("/group/{group}/members")).await;
            let names: Vec<_> =
                members["result"].as_array().expect("a list").iter().map(|member| &member["displayName"]).collect();
            assert_eq!(names, [&json!(""), &json!(shown)]);
        }
        assert_whole(backend, group, &everybody.each_ref(), &[tom, jerry]).await;
    });
}

#[test]
fn the_board_is_for_members() {
    run(async {
        let backend = &Backend::frozen(&[]).await;
        let [tom, jerry, stranger] = &Someone::several(backend, ["Tom", "Jerry", "Stranger"]).await;
        let group = &tom.founds(backend, &[jerry]).await;
        let none = refused(402, "the group has no bulletin");
        let paths = [format!("/group/get_bulletin?groupId={group}"), format!("/group/get_bulletin?id={group}")];
        for path in &paths {
            assert_eq!(jerry.get(backend, path).await, none);
            assert_eq!(stranger.get(backend, path).await, members_only());
        }
        let longest = "公".repeat(1024);
        for (field, content) in
            [("bulletin", "明天 4 点下班\n\t!"), ("content", "<b>&amp;</b>"), ("bulletin", &longest)]
        {
            backend.advance(Duration::from_secs(1));
            let body = json!({ "groupId": group, field: content });
            assert_eq!(tom.post(backend, "/group/set_bulletin", body).await, done());
            let now = backend.clock.now().millis();
            let posted = json!({ "id": group, "groupId": group, "content": content, "timestamp": now });
            for path in &paths {
                assert_eq!(jerry.get(backend, path).await, result(&posted));
                assert_eq!(stranger.get(backend, path).await, members_only());
            }
            let shown = jerry.sees(backend, group).await.1;
            assert_eq!(
                (&shown["result"]["bulletin"], &shown["result"]["bulletinTime"]),
                (&json!(content), &json!(now))
            );
            assert_eq!(stranger.sees(backend, group).await.1["result"]["bulletin"], json!(""));
        }
        let length = refused(400, "bulletin must have at most 1024 characters");
        for bad in ["a\u{0}", &"x".repeat(1025)] {
            let body = json!({ "groupId": group, "bulletin": bad });
            assert_eq!(tom.post(backend, "/group/set_bulletin", body).await, length);
        }
        let missing = |field: &str| refused(400, &format!("{field} is missing"));
        assert_eq!(tom.post(backend, "/group/set_bulletin", json!({ "groupId": group })).await, missing("bulletin"));
        assert_eq!(tom.get(backend, "/group/get_bulletin").await, missing("groupId"));
        // An empty text clears it, also the second time.
        for _ in 0..2 {
            let clear = || json!({ "groupId": group, "bulletin": "" });
            assert_eq!(jerry.post(backend, "/group/set_bulletin", clear()).await, refused(400, MANAGERS_ONLY));
            assert_eq!(tom.post(backend, "/group/set_bulletin", clear()).await, done());
            assert_eq!(jerry.get(backend, &paths[0]).await, none);
            let shown = jerry.sees(backend, group).await.1;
            assert_eq!((&shown["result"]["bulletin"], &shown["result"]["bulletinTime"]), (&json!(""), &json!(0)));
        }
        assert!(backend.item(&partition(group), "bulletin").await.is_none());
        let again = json!({ "groupId": group, "bulletin": "again" });
        assert_eq!(tom.post(backend, "/group/set_bulletin", again).await, done());
        assert_eq!(jerry.get(backend, &paths[0]).await.1["result"]["content"], "again");
        // The board is deleted with the group.
        assert_eq!(tom.acts(backend, "dismiss", group, &[]).await, done());
        assert_eq!(jerry.get(backend, &paths[0]).await, no_group());
        assert!(backend.item(&partition(group), "bulletin").await.is_none());
    });
}

#[test]
fn requests_about_groups_stay_within_their_round_trips() {
    run(async {
        let backend = &Backend::capped().await;
        let [tom, jerry, anna] = &Someone::several(backend, ["Tom", "Jerry", "Anna"]).await;
        let post = |path: &str, body: Value| (Method::POST, format!("/group/{path}"), body);
        let get = |path: String| (Method::GET, path, json!({}));
        let costs = async |who: &Someone, row: &str, (method, path, body): (Method, String, Value), rounds: u32| {
            let answer = whole(who.request(backend, method, &path).json(&body)).await;
            assert_eq!(answer.rounds(), rounds, "{row}: {path}: {}", answer.body);
            answer.body
        };
        let alone = json!({ "name": "ab", "memberIds": [] });
        costs(tom, "… of oneself alone", post("create", alone), 1).await;
        let made = json!({ "name": "ab", "memberIds": [jerry.id] });
        let made = costs(tom, "SealTalk: make a group", post("create", made), 2).await;
        let group = made["result"]["id"].as_str().expect("an id");
        let of = |mut body: Value| {
            body["groupId"] = json!(group);
            body
        };
        let bulletin = of(json!({ "bulletin": "hello" }));
        for (who, row, request, rounds) in [
            (tom, "SealTalk: a group, its board", get(format!("/group/{group}")), 1),
            (anna, "SealTalk: a group, its board", get(format!("/group/{group}")), 1),
            (tom, "SealTalk: a group, its board", get(format!("/group/get_bulletin?groupId={group}")), 1),
            (tom, "SealTalk: change a group", post("set_bulletin", bulletin), 2),
            (tom, "SealTalk: a group, its board", get(format!("/group/get_bulletin?groupId={group}")), 1),
            (tom, "SealTalk: members of a group", get(format!("/group/{group}/members")), 2),
            (tom, "SealTalk: groups", get("/user/groups".to_owned()), 2),
            (anna, "SealTalk: change a group", post("join", of(json!({}))), 2),
            (anna, "… that changes nothing of it", post("join", of(json!({}))), 1),
            (anna, "SealTalk: change a group", post("quit", of(json!({}))), 2),
            (tom, "SealTalk: add to a group", post("add", of(json!({ "memberIds": [anna.id] }))), 3),
            (tom, "SealTalk: change a group", post("rename", of(json!({ "name": "cd" }))), 2),
            (tom, "SealTalk: change a group", post("set_manager", of(json!({ "memberIds": [anna.id] }))), 2),
            (tom, "SealTalk: change a group", post("transfer", of(json!({ "userId": anna.id }))), 2),
            (anna, "SealTalk: change a group", post("kick", of(json!({ "memberIds": [tom.id] }))), 2),
            (tom, "… that is refused", post("rename", of(json!({ "name": "ef" }))), 1),
            (anna, "SealTalk: change a group", post("dismiss", of(json!({}))), 2),
        ] {
            costs(who, row, request, rounds).await;
        }
    });
}

//! The members of groups.

use serde_json::{Value, json};

use super::{Someone, done, refused, users, wrong_field};
use crate::support::{Backend, run, shared};

/// The members of a group with their roles.
async fn roles(backend: &Backend, who: &Someone, group: &str) -> Vec<(String, String)> {
    let members = who.list(backend, &format!("{group}/members"), 2).await;
    let role = |member: &Value| member["role"].as_str().expect("a role").to_owned();
    users(&members).into_iter().zip(members.iter().map(role)).collect()
}

fn pairs(expected: &[(&Someone, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(someone, role)| (someone.id.clone(), (*role).to_owned())).collect()
}

fn member(group: &str, who: &Someone) -> String {
    format!("{group}/members/{}", who.id)
}

#[test]
fn members_join_and_are_added() {
    run(async {
        let backend = shared().await;
        let [owner, one, other, stranger] = Someone::several(backend, ["Owner", "One", "Other", "Stranger"]).await;
        let group = format!("/v1/groups/{}", owner.founds(backend, &[]).await);
        refused(stranger.get(backend, &format!("{group}/members")), 403, "group_rule").await;
        refused(stranger.put(backend, &member(&group, &one)), 403, "group_rule").await;
        for path in [format!("{group}/members/me"), member(&group, &one)] {
            done(one.put(backend, &path), 204).await;
        }
        for _ in 0..2 {
            done(one.put(backend, &member(&group, &other)), 204).await;
        }
        let expected = pairs(&[(&owner, "owner"), (&one, "member"), (&other, "member")]);
        assert_eq!(roles(backend, &other, &group).await, expected);
        let listed = owner.list(backend, &format!("{group}/members"), 50).await;
        assert_eq!(listed[1]["user"], json!({ "id": one.id, "name": "One" }), "no number");
        refused(owner.put(backend, &format!("{group}/members/nobody")), 404, "not_found").await;
        let nobody = "00000000-0000-8001-8000-000000000001";
        refused(owner.put(backend, &format!("{group}/members/{nobody}")), 404, "not_found").await;
    });
}

#[test]
fn a_user_who_blocks_the_caller_is_left_out_without_a_word() {
    run(async {
        let backend = shared().await;
        let [owner, other] = Someone::several(backend, ["Owner", "Other"]).await;
        done(other.put(backend, &format!("/v1/blocks/{}", owner.id)), 204).await;
        let group = format!("/v1/groups/{}", owner.founds(backend, &[&other]).await);
        done(owner.put(backend, &member(&group, &other)), 204).await;
        assert_eq!(roles(backend, &owner, &group).await, pairs(&[(&owner, "owner")]));
    });
}

#[test]
fn members_leave_and_are_removed() {
    run(async {
        let backend = shared().await;
        let [owner, one, other, stranger] = Someone::several(backend, ["Owner", "One", "Other", "Stranger"]).await;
        let group = format!("/v1/groups/{}", owner.founds(backend, &[&one, &other]).await);
        refused(one.delete(backend, &member(&group, &other)), 403, "group_rule").await;
        refused(stranger.delete(backend, &format!("{group}/members/me")), 403, "group_rule").await;
        refused(owner.delete(backend, &member(&group, &stranger)), 404, "group_rule").await;
        for _ in 0..2 {
            done(owner.delete(backend, &member(&group, &other)), 204).await;
        }
        refused(other.get(backend, &format!("{group}/members")), 403, "group_rule").await;
        done(owner.delete(backend, &member(&group, &owner)), 204).await;
        assert_eq!(roles(backend, &one, &group).await, pairs(&[(&one, "owner")]), "the ownership passes on");
        done(one.delete(backend, &format!("{group}/members/me")), 204).await;
        assert!(done(one.get(backend, &group), 200).await["dissolved_at"].is_string());
    });
}

#[test]
fn the_owner_changes_roles() {
    run(async {
        let backend = shared().await;
        let [owner, one, other, stranger] = Someone::several(backend, ["Owner", "One", "Other", "Stranger"]).await;
        let group = format!("/v1/groups/{}", owner.founds(backend, &[&one, &other]).await);
        let role =
            |who: &Someone, of: &Someone, role: &str| who.patch(backend, &member(&group, of), &json!({ "role": role }));
        for _ in 0..2 {
            done(role(&owner, &one, "manager"), 204).await;
        }
        let mut expected = roles(backend, &owner, &group).await;
        assert_eq!(expected[..2], pairs(&[(&owner, "owner"), (&one, "manager")]));
        // A manager may change the group, and no roles.
        done(one.patch(backend, &group, &json!({ "name": "of a manager" })), 204).await;
        refused(role(&one, &other, "manager"), 403, "group_rule").await;
        let stays = refused(role(&owner, &owner, "member"), 403, "group_rule").await;
        assert!(stays["detail"].as_str().unwrap().contains("/v1/groups/{id}/transfer"), "{stays}");
        refused(one.delete(backend, &member(&group, &owner)), 403, "group_rule").await;
        refused(role(&owner, &stranger, "manager"), 404, "group_rule").await;
        refused(role(&stranger, &one, "manager"), 403, "group_rule").await;
        wrong_field(role(&owner, &one, "owner"), "role").await;
        refused(owner.patch(backend, &member(&group, &one), &json!({})), 400, "malformed").await;
        assert_eq!(roles(backend, &owner, &group).await, expected);
        done(role(&owner, &one, "member"), 204).await;
        expected = roles(backend, &owner, &group).await;
        assert!(expected.contains(&(one.id.clone(), "member".to_owned())), "{expected:?}");
    });
}

#[test]
fn members_set_their_own_names() {
    run(async {
        let backend = shared().await;
        let [owner, one] = Someone::several(backend, ["Owner", "One"]).await;
        let group = format!("/v1/groups/{}", owner.founds(backend, &[&one]).await);
        let me = format!("{group}/members/me");
        let name = |name: Value| one.patch(backend, &me, &json!({ "display_name": name }));
        done(name(json!("The One")), 204).await;
        let shown = |members: Vec<Value>| members[1].get("display_name").cloned();
        let list = format!("{group}/members");
        assert_eq!(shown(owner.list(backend, &list, 50).await), Some(json!("The One")));
        wrong_field(name(json!("a".repeat(33))), "display_name").await;
        let of_another = owner.patch(backend, &member(&group, &one), &json!({ "display_name": "x" }));
        refused(of_another, 403, "not_yours").await;
        // Both fields at once are refused as a whole.
        for who in [&owner, &one] {
            let both = json!({ "role": "manager", "display_name": "Both" });
            refused(who.patch(backend, &me, &both), 403, "group_rule").await;
        }
        assert_eq!(shown(owner.list(backend, &list, 50).await), Some(json!("The One")));
        done(name(Value::Null), 204).await;
        assert_eq!(shown(owner.list(backend, &list, 50).await), None);
    });
}

#[test]
fn the_owner_passes_the_group_on() {
    run(async {
        let backend = shared().await;
        let [owner, one, stranger] = Someone::several(backend, ["Owner", "One", "Stranger"]).await;
        let group = format!("/v1/groups/{}", owner.founds(backend, &[&one]).await);
        let pass = |who: &Someone, to: &str| who.post(backend, &format!("{group}/transfer"), &json!({ "to": to }));
        refused(pass(&one, &one.id), 403, "group_rule").await;
        refused(pass(&stranger, &one.id), 403, "group_rule").await;
        refused(pass(&owner, &owner.id), 403, "group_rule").await;
        refused(pass(&owner, &stranger.id), 404, "group_rule").await;
        refused(pass(&owner, "nobody"), 404, "not_found").await;
        done(pass(&owner, &one.id), 204).await;
        assert_eq!(roles(backend, &one, &group).await, pairs(&[(&one, "owner"), (&owner, "member")]));
        refused(pass(&owner, &one.id), 403, "group_rule").await;
    });
}

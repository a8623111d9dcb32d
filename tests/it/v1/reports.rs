//! Reports.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::{Someone, done, id_of, refused, wrong_field};
use crate::support::backend::whole;
use crate::support::table::{Item, number, text};
use crate::support::{Backend, run, shared};

const PICTURE: &str = "0123456789abcdef0123456789abcdef.jpg";

/// The reports that a user made, oldest first.
async fn reports(backend: &Backend, of: &Someone) -> Vec<Item> {
    let items = backend.items(&format!("user#{}", of.number())).await;
    items.into_iter().filter(|item| text(item, "sk").is_some_and(|sk| sk.starts_with("report#"))).collect()
}

/// The entry of a report in the list of its week.
async fn entry(backend: &Backend, report: &Item) -> Option<Item> {
    let week = number(report, "made").expect("a time") / (7 * 86_400_000);
    let place = text(report, "sk").expect("a key").strip_prefix("report#").expect("a place").to_owned();
    backend.item(&format!("reports#{week}"), &place).await
}

#[test]
fn a_report_is_stored_for_its_author_and_for_operators() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let group = other.founds(backend, &[]).await;
        let mut made = BTreeSet::new();
        for body in [
            json!({ "user": other.id, "reason": "harassment", "note": "every\nday" }),
            json!({ "group": group, "reason": "illegal_goods" }),
            json!({ "media": PICTURE, "reason": "other", "note": "" }),
        ] {
            let id = id_of(&done(one.post(backend, "/v1/reports", &body), 201).await);
            assert!(id[14..15] == *"8" && made.insert(id), "new ids");
        }
        let reports = reports(backend, &one).await;
        let mut items = backend.items(&format!("user#{}", other.number())).await.into_iter();
        let group = items.find_map(|item| item.get("live")?.as_ns().ok()?.first().cloned()).expect("a group");
        let said: Vec<_> =
            reports.iter().map(|item| (text(item, "about"), text(item, "reason"), text(item, "note"))).collect();
        let (user, group) = (format!("user#{}", other.number()), format!("group#{group}"));
        assert_eq!(
            said,
            [
                (Some(user.as_str()), Some("harassment"), Some("every\nday")),
                (Some(group.as_str()), Some("illegal_goods"), None),
                (Some(format!("media#{PICTURE}").as_str()), Some("other"), None),
            ]
        );
        for report in &reports {
            let entry = entry(backend, report).await.expect("an entry in the list of the week");
            assert_eq!(number(&entry, "user"), i64::try_from(one.number()).ok());
            let days = |item: &Item| (number(item, "ttl").unwrap() - number(report, "made").unwrap() / 1_000) / 86_400;
            assert_eq!((days(report), days(&entry)), (180, 180));
        }
    });
}

#[test]
fn a_report_that_makes_no_sense_is_refused() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let post = |body: Value| one.post(backend, "/v1/reports", &body);
        wrong_field(post(json!({ "user": other.id, "reason": "boring" })), "reason").await;
        wrong_field(post(json!({ "user": other.id, "reason": "spam", "note": "a".repeat(501) })), "note").await;
        wrong_field(post(json!({ "user": one.id, "reason": "spam" })), "user").await;
        for body in [
            json!({ "user": other.id }),
            json!({ "reason": "spam" }),
            json!({ "user": other.id, "media": PICTURE, "reason": "spam" }),
        ] {
            refused(post(body), 400, "malformed").await;
        }
        for body in [
            json!({ "user": "nobody", "reason": "spam" }),
            json!({ "user": "00000000-0000-8001-8000-000000000001", "reason": "spam" }),
            json!({ "group": "00000000-0000-8007-8000-000000000001", "reason": "spam" }),
            json!({ "group": other.id, "reason": "spam" }),
            json!({ "media": "../accounts", "reason": "spam" }),
        ] {
            refused(post(body), 404, "not_found").await;
        }
        assert!(reports(backend, &one).await.is_empty());
    });
}

#[test]
fn a_repeated_report_is_one_report() {
    run(async {
        let backend = shared().await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let body = json!({ "user": other.id, "reason": "spam" });
        let post = |body: &Value| one.post(backend, "/v1/reports", body).header("Idempotency-Key", "key");
        let answers = join_all((0..8).map(|_| whole(post(&body)))).await;
        let mut made = BTreeSet::new();
        for answer in answers {
            assert_eq!(answer.status, 201, "{}", answer.body);
            made.insert(id_of(&answer.body));
        }
        made.insert(id_of(&done(post(&body), 201).await));
        assert_eq!((made.len(), reports(backend, &one).await.len()), (1, 1));
        refused(post(&json!({ "user": other.id, "reason": "hate" })), 422, "idempotency_key_reused").await;
        // The key was used for a report, so it makes no group.
        let group = json!({ "name": "the group" });
        let group = one.post(backend, "/v1/groups", &group).header("Idempotency-Key", "key");
        refused(group, 422, "idempotency_key_reused").await;
        assert_eq!(reports(backend, &one).await.len(), 1);
    });
}

#[test]
fn an_account_reports_only_so_often_in_a_day() {
    run(async {
        let backend = &Backend::frozen(&[("ReportsPerDay", "2")]).await;
        let [one, other] = Someone::several(backend, ["One", "Other"]).await;
        let body = json!({ "user": other.id, "reason": "spam" });
        let post = || one.post(backend, "/v1/reports", &body);
        let first = id_of(&done(post().header("Idempotency-Key", "key"), 201).await);
        done(post(), 201).await;
        let limited = whole(post()).await;
        assert_eq!((limited.status, &limited.body["code"]), (429, &json!("reports")));
        assert!(limited.headers.contains_key("retry-after"));
        assert_eq!(reports(backend, &one).await.len(), 2);
        assert_eq!(id_of(&done(post().header("Idempotency-Key", "key"), 201).await), first);
        backend.advance(Duration::from_hours(24));
        let one = Someone::on(backend, one.phone.clone()).await;
        done(one.post(backend, "/v1/reports", &body), 201).await;
    });
}

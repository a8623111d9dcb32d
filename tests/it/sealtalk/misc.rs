//! Endpoints that the apps use besides the documented ones: several profiles in one request, and the versions of the
//! apps.

use serde_json::{Value, json};

use super::{as_of, done, kind, not_signed_in, refused, register, result};
use crate::support::backend::{answer, whole};
use crate::support::{Backend, fresh_phone, round_trips, run, shared};

#[test]
fn several_profiles_come_at_once_in_the_order_asked_for() {
    run(async {
        let backend = shared().await;
        let (one, two) = (register(backend).await, register(backend).await);
        let portrait = json!({ "portraitUri": "https://example.com/two.jpg" });
        assert_eq!(answer(as_of(backend.post("/user/set_portrait_uri"), &two.cookie).json(&portrait)).await, done());
        let user = |id: &str, portrait: &str| json!({ "id": id, "nickname": "Tom", "portraitUri": portrait });
        let (first, second) = (user(&one.id, ""), user(&two.id, "https://example.com/two.jpg"));
        let batch = |query: String| as_of(backend.get(&format!("/user/batch?{query}")), &one.cookie);
        let (a, b) = (&one.id, &two.id);
        for (query, expected) in [
            (format!("id={a}&id={b}"), json!([first, second])),
            (format!("id={b}&id={a}&id={b}"), json!([second, first])),
            (format!("id={b}"), json!([second])),
            // No user has these ids, and one of them is not a valid id.
            (format!("id={a}&id=5Vg2XCh9f&id=%21&id=&id=0"), json!([first])),
            ("id=5Vg2XCh9f".to_owned(), json!([])),
            (format!("ids={b}&id={a}"), json!([first])),
        ] {
            let answer = whole(batch(query.clone())).await;
            assert_eq!((answer.status, &answer.body), (200, &result(&expected).1), "{query}");
            let row = "SealTalk: several people by their ids";
            assert_eq!(answer.rounds(), round_trips::documented(row), "{query}");
        }
        let missing = refused(400, 400, "id is missing");
        for query in ["", "ids=1"] {
            assert_eq!(answer(batch(query.to_owned())).await, missing);
        }
        let many = |count: usize| (1..=count).map(|n| format!("id={n:b}")).collect::<Vec<_>>().join("&");
        assert_eq!(answer(batch(many(500))).await.0, 200);
        assert_eq!(answer(batch(many(501))).await, refused(400, 400, "id must name at most 500 users"));
        assert_eq!(answer(backend.get(&format!("/user/batch?id={a}"))).await, not_signed_in());
        assert_eq!(answer(as_of(backend.post("/user/logout"), &two.cookie)).await, done());
        let ended = as_of(backend.get(&format!("/user/batch?id={a}")), &two.cookie);
        assert_eq!(answer(ended).await, not_signed_in());
    });
}

const MOBILE: [(&str, &str); 5] = [
    ("AndroidVersion", "1.3.2"),
    ("AndroidUrl", "https://example.com/app.apk"),
    ("IosVersion", "1.1.6"),
    ("IosBuild", "201807181821"),
    ("IosUrl", "https://example.com/app.plist"),
];

#[test]
fn apps_are_told_the_newest_versions_where_the_deployment_names_them() {
    run(async {
        let mac = [
            ("MacVersion", "1.0.2"),
            ("MacUrl", "https://example.com/app.dmg"),
            ("MacNotes", "修正"),
            ("MacDate", "2016-05-05T16:00:00+08:00"),
        ];
        let backend = Backend::start(&[&MOBILE[..], &mac].concat()).await;
        let mobile = json!({
            "iOS": { "version": "1.1.6", "build": "201807181821", "url": "https://example.com/app.plist" },
            "Android": { "version": "1.3.2", "url": "https://example.com/app.apk" },
        });
        let told = whole(backend.get("/misc/client_version")).await;
        assert_eq!((told.status, &told.body), (200, &mobile));
        assert_eq!(kind(&told), Some("application/json; charset=utf-8"));

        let update = json!({
            "version": "1.0.2", "url": "https://example.com/app.dmg", "name": "1.0.2", "notes": "修正",
            "pub_date": "2016-05-05T16:00:00+08:00",
        });
        let ask = |version: &str| backend.get("/misc/latest_update").query(&[("version", version)]);
        for older in ["1.0.1", "0.9.9", "v1.0.1", " 1.0.2-beta.1"] {
            assert_eq!(answer(ask(older)).await, (200, update.clone()), "{older}");
        }
        for newest in ["1.0.2", "1.0.3", "1.1.0", "2.0.0"] {
            let told = whole(ask(newest)).await;
            assert_eq!((told.status, &told.body, kind(&told)), (204, &Value::Null, None), "{newest}");
        }
        let words = "version must be three numbers with dots between, such as 1.0.1";
        for bad in ["", "abc", "1", "1.0", "1.0.0.0", "1.0.x", &"1".repeat(5_000)] {
            assert_eq!(answer(ask(bad)).await, refused(400, 400, words), "{bad}");
        }
        assert_eq!(answer(backend.get("/misc/latest_update")).await, refused(400, 400, words));
    });
}

#[test]
fn without_versions_and_below_misc_what_is_missing_is_missing_in_this_envelope() {
    run(async {
        // An incomplete set of mobile versions counts as none: the apps would stop at it.
        let backend = Backend::start(&MOBILE[..4]).await;
        let owner = register(&backend).await;
        let no_version = refused(404, 404, "no such version");
        assert_eq!(answer(backend.get("/misc/client_version")).await, no_version);
        assert_eq!(answer(backend.get("/misc/latest_update?version=1.0.1")).await, no_version);
        assert_eq!(answer(backend.get("/misc/demo_square")).await, result(&json!([])));
        let message = json!({ "conversationType": "PRIVATE", "targetId": owner.id });
        for request in [
            backend.get("/misc"),
            backend.get("/misc/"),
            backend.get("/misc/nothing"),
            backend.get(&format!("/misc/{}/there", fresh_phone())),
            as_of(backend.post("/misc/send_message"), &owner.cookie).json(&message),
        ] {
            assert_eq!(answer(request).await, refused(404, 404, "no such endpoint"));
        }
    });
}

//! The common API: address books, public profiles, and what everybody may know about the deployment.

use domain::account::UserId;
use domain::uuid::Uuid;
use reqwest::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::backend::{Whole, answer, whole};
use crate::support::pictures::extension;
use crate::support::round_trips::documented;
use crate::support::{Backend, Person, fresh_phone, run, shared};

/// A user's id in this API.
fn id(person: &Person) -> String {
    Uuid::of_user(UserId::new(person.uid).expect("an id")).to_string()
}

fn look_up(backend: &Backend, person: &Person, body: &Value) -> RequestBuilder {
    backend.post("/v1/contacts/lookup").bearer_auth(&person.access_token).json(body)
}

fn get(backend: &Backend, person: &Person, path: &str) -> RequestBuilder {
    backend.get(path).bearer_auth(&person.access_token)
}

fn problem(status: u16, title: &str, code: &str, detail: &str) -> (u16, Value) {
    let body = json!({ "type": "about:blank", "title": title, "status": status, "code": code, "detail": detail });
    (status, body)
}

/// Asserts that a field was refused, and returns its rule.
async fn refused_field(request: RequestBuilder, field: &str) -> String {
    let (status, body) = answer(request).await;
    assert_eq!((status, &body["code"], &body["errors"][0]["field"]), (422, &json!("invalid"), &json!(field)), "{body}");
    body["errors"][0]["rule"].as_str().expect("a rule").to_owned()
}

/// Asserts the cost of a request that succeeds.
async fn costs(row: &str, request: RequestBuilder) -> Whole {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{row}: {} {}", answer.status, answer.body);
    assert_eq!(answer.rounds(), documented(row), "{row}");
    answer
}

/// Uses every feature of these endpoints once.
pub async fn whole_session(backend: &Backend) {
    let phone = fresh_phone();
    let person = backend.person_on(&phone).await;
    assert_eq!(answer(look_up(backend, &person, &json!({ "phones": [phone.e164()] }))).await.0, 200);
    assert_eq!(answer(get(backend, &person, &format!("/v1/users/{}", id(&person)))).await.0, 200);
    for path in ["/v1/config", "/healthz", "/openapi.json"] {
        assert_eq!(answer(backend.get(path)).await.0, 200, "{path}");
    }
}

#[test]
fn only_registered_numbers_are_returned_as_they_were_sent() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let (one, other, nobody) = (fresh_phone(), fresh_phone(), fresh_phone());
        let (first, second) = (backend.person_on(&one).await, backend.person_on(&other).await);
        let avatar = "/images/0123456789abcdef0123456789abcdef.png";
        let change = json!({ "name": "小明", "state": "here", "avatar": avatar });
        let change = backend.patch("/users/me").bearer_auth(&second.access_token).json(&change);
        assert_eq!(answer(change).await.0, 200);
        let second = json!({ "id": id(&second), "name": "小明", "state": "here", "avatar": backend.url(avatar) });
        // Fields without a value are absent.
        let own = json!({ "id": id(&first) });

        let phones = json!({ "phones": [other.e164(), nobody.e164(), one.e164(), "pizza", "", one.0, other.e164()] });
        let expected = json!({ "items": [
            { "phone": other.e164(), "user": second }, { "phone": one.e164(), "user": own },
            { "phone": other.e164(), "user": second },
        ] });
        assert_eq!(answer(look_up(&backend, &first, &phones)).await, (200, expected));

        let spaced = format!("{} {}", &one.0[..3], &one.0[3..]);
        let phones = json!({ "phones": [spaced, one.0, format!("0086{}", one.0)], "country": "+86" });
        let expected: Vec<_> = [spaced, one.0.clone(), format!("0086{}", one.0)]
            .into_iter()
            .map(|phone| json!({ "phone": phone, "user": own }))
            .collect();
        assert_eq!(answer(look_up(&backend, &first, &phones)).await, (200, json!({ "items": expected })));

        // In another country it is another number, unless it names its country.
        let phones = json!({ "phones": [one.0, one.e164()], "country": "49" });
        let expected = json!({ "items": [{ "phone": one.e164(), "user": own }] });
        assert_eq!(answer(look_up(&backend, &first, &phones)).await, (200, expected));
        let none = answer(look_up(&backend, &first, &json!({ "phones": [] }))).await;
        assert_eq!(none, (200, json!({ "items": [] })));
    });
}

#[test]
fn what_is_no_address_book_is_refused() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for body in ["", "{}", "[", "[]", "null", r#"{"phones":"+86"}"#, r#"{"phones":[1]}"#, r#"{"phones":[null]}"#] {
            let request = backend.post("/v1/contacts/lookup").bearer_auth(&person.access_token).body(body);
            let (status, answered) = answer(request).await;
            assert_eq!((status, &answered["code"]), (400, &json!("malformed")), "{body}: {answered}");
        }
        for country in ["", "CN", "999", "+", "8 6"] {
            let phones = json!({ "phones": ["1"], "country": country });
            let rule = refused_field(look_up(backend, &person, &phones), "country").await;
            assert_eq!(rule, "must be a country calling code in digits, such as 86 or 1", "{country}");
        }
        let forged = backend.post("/v1/contacts/lookup").bearer_auth("forged").json(&json!({ "phones": [] }));
        assert_eq!(whole(forged).await.status, 401);
    });
}

#[test]
fn an_address_book_has_5000_numbers_in_512_kib_and_20000_a_day() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let person = backend.person().await;
        let list = |block: u32, count: u32| -> Vec<Value> {
            (0..count).map(|n| json!(format!("+86138{block:04}{n:04}"))).collect()
        };
        let too_many = answer(look_up(&backend, &person, &json!({ "phones": list(0, 5_001) }))).await;
        let expected = problem(422, "Unprocessable Entity", "too_many", "at most 5000 numbers per call");
        assert_eq!(too_many, expected);
        let long: Vec<_> = (0..5_000).map(|_| "1".repeat(110)).collect();
        let too_large = answer(look_up(&backend, &person, &json!({ "phones": long }))).await;
        assert_eq!(too_large, problem(413, "Payload Too Large", "too_large", "too large: at most 524288 bytes"));

        for block in 0..4 {
            for _ in 0..2 {
                // The same list again is not counted.
                let found = answer(look_up(&backend, &person, &json!({ "phones": list(block, 5_000) }))).await;
                assert_eq!(found, (200, json!({ "items": [] })), "{block}");
            }
        }
        let full = whole(look_up(&backend, &person, &json!({ "phones": list(9, 1) }))).await;
        assert_eq!((full.status, &full.body["code"]), (429, &json!("lookups")), "{}", full.body);
        assert_eq!(full.retry_after(), Some(14 * 3_600));
        // The messenger's address book counts in the same place.
        let messengers = json!([{ "zone": "86", "number": "13912345678" }]);
        assert_eq!(answer(backend.look_up(&person, &messengers)).await.0, 400);
    });
}

#[test]
fn a_user_is_found_by_id_and_nobody_is_not() {
    run(async {
        let backend = shared().await;
        let (person, other) = (backend.person().await, backend.person().await);
        assert_eq!(answer(backend.nickname(&other.access_token, "Tom")).await.0, 200);
        let found = answer(get(backend, &person, &format!("/v1/users/{}", id(&other)))).await;
        assert_eq!(found, (200, json!({ "id": id(&other), "name": "Tom" })));
        let nobody = Uuid::of_user(UserId::new(1).expect("an id")).to_string();
        let group = id(&other).replacen("8001", "8007", 1);
        for wrong in [nobody.as_str(), group.as_str(), "1", "x", "00000000-0000-0000-0000-000000000000"] {
            let found = answer(get(backend, &person, &format!("/v1/users/{wrong}"))).await;
            assert_eq!(found, problem(404, "Not Found", "not_found", "no such user"), "{wrong}");
        }
        let forged = whole(backend.get(&format!("/v1/users/{}", id(&other))).bearer_auth("forged")).await;
        assert_eq!((forged.status, forged.rounds()), (401, 0));
    });
}

#[test]
fn a_session_that_has_ended_sees_nobody() {
    run(async {
        let backend = Backend::start(&[("SessionsPerAccount", "1")]).await;
        let phone = fresh_phone();
        let ended = backend.sessions_on(&phone, 2).await.swap_remove(0);
        let path = format!("/v1/users/{}", id(&ended));
        assert_eq!(answer(get(&backend, &ended, &path)).await.0, 401);
        assert_eq!(answer(look_up(&backend, &ended, &json!({ "phones": [phone.e164()] }))).await.0, 401);
    });
}

#[test]
fn people_cost_what_is_documented() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let phone = fresh_phone();
        let (one, other) = (backend.person_on(&phone).await, backend.person().await);
        costs("v1: somebody by id", get(&backend, &one, &format!("/v1/users/{}", id(&other)))).await;
        let mut phones: Vec<_> = (0..5_000).map(|n| format!("+861380000{n:04}")).collect();
        phones[0] = phone.e164();
        for count in [1, 100, 5_000] {
            let phones = json!({ "phones": phones[..count] });
            costs("v1: address book", look_up(&backend, &one, &phones)).await;
        }
        let again = look_up(&backend, &one, &json!({ "phones": phones }));
        costs("v1: address book", again).await;
        for path in ["/v1/config", "/healthz", "/openapi.json", "/docs"] {
            costs("v1: settings, health, description, reference", backend.get(path)).await;
        }
    });
}

#[test]
fn everybody_may_know_what_the_deployment_allows() {
    run(async {
        let backend = Backend::start(&[
            ("AllowedCountries", "86,CA"),
            ("SignUps", "false"),
            ("IosVersion", "1.0.5"),
            ("IosUrl", "https://apps.example.com/ios"),
            ("GoogleClientIds", ""),
            ("QqAppId", ""),
        ])
        .await;
        let config = whole(backend.get("/v1/config")).await;
        assert_eq!(config.headers[CACHE_CONTROL], "public, max-age=60");
        assert_eq!(
            config.body,
            json!({
                "countries": ["86", "CA"], "code_digits": 6, "password_bytes": { "min": 6, "max": 64 },
                "sign_ups": false, "anonymous_accounts": false, "providers": ["wechat", "weibo", "apple"],
                "page": { "usual": 50, "max": 200 },
                "max": {
                    "media_body_bytes": 4_194_304, "image_bytes": 20_971_520, "image_pixels": 50_000_000,
                    "audio_bytes": 20_971_520, "media_bytes_per_account": 2_147_483_648_u64,
                    "numbers_per_lookup": 5_000, "numbers_per_day": 20_000, "sessions": 10,
                },
                "apps": [{ "platform": "ios", "version": "1.0.5", "url": "https://apps.example.com/ios" }],
            })
        );
        let (_, usual) = answer(shared().await.get("/v1/config")).await;
        assert_eq!(usual["providers"], json!(["wechat", "qq", "weibo", "apple", "google"]));
        assert_eq!((usual.get("countries"), usual.get("apps")), (None, None));
        assert_eq!((&usual["sign_ups"], &usual["anonymous_accounts"]), (&json!(true), &json!(true)));
    });
}

#[test]
fn the_description_is_the_committed_one() {
    run(async {
        let backend = shared().await;
        let served = backend.get("/openapi.json").send().await.expect("an answer");
        assert_eq!(served.headers()[CACHE_CONTROL], "public, max-age=300");
        assert_eq!(served.headers()[CONTENT_TYPE], "application/json");
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi/v1.json");
        assert!(served.text().await.expect("text") == std::fs::read_to_string(committed).expect("the file"));
    });
}

#[test]
fn health_is_told_to_everybody_and_refusals_are_this_apis() {
    run(async {
        let backend = shared().await;
        assert_eq!(answer(backend.get("/healthz")).await, (200, json!({ "status": "ok" })));
        let wrong = whole(backend.post("/healthz")).await;
        let (status, body) = problem(405, "Method Not Allowed", "wrong_method", "no such endpoint: use GET /healthz");
        assert_eq!((wrong.status, &wrong.body), (status, &body));
        assert_eq!(wrong.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(wrong.headers["allow"], "GET");
        for path in ["/healthz/x", "/openapi.json/x", "/docs/x"] {
            let answered = whole(backend.get(path)).await;
            assert_eq!((answered.status, answered.body), problem(404, "Not Found", "no_route", "no such endpoint"));
        }
    });
}

#[test]
fn the_reference_page_loads_only_from_this_deployment() {
    run(async {
        let backend = shared().await;
        let page = backend.get("/docs").send().await.expect("an answer");
        assert_eq!(page.status(), 200);
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().expect("a policy").to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = page.text().await.expect("a page");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<style"), "{page}");
        let parts: Vec<_> = page.split(['"']).filter(|text| text.starts_with("/docs/")).collect();
        assert_eq!(parts.len(), 4, "{page}");
        for part in parts {
            let answered = backend.get(part).header("accept-encoding", "gzip").send().await.expect("an answer");
            let headers = answered.headers().clone();
            let kind =
                if extension(part) == "js" { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
            assert_eq!(answered.status(), 200, "{part}");
            assert_eq!(headers[CONTENT_TYPE], kind, "{part}");
            let bytes = answered.bytes().await.expect("bytes");
            let is_compressed = part.contains("swagger-ui");
            assert_eq!(headers.contains_key(CONTENT_ENCODING), is_compressed, "{part}");
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b, 8]), is_compressed, "{part}");
        }
        let head = backend.request(Method::HEAD, "/docs").send().await.expect("an answer");
        assert_eq!(head.status(), 200);
    });
}

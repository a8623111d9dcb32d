//! The common API: the user's picture, and the pictures and voice notes that the user owns.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::backend::{Whole, answer, whole};
use crate::support::pictures::{
    Bucket, Noise, SECRET, broken_webps, holds, jpeg, jpeg_of_a_place, name, noise_png, one_of_each, png, size,
    voice_notes,
};
use crate::support::round_trips::documented;
use crate::support::table::{number, text};
use crate::support::{Backend, Person, fresh_phone, run, shared};

fn signed(backend: &Backend, person: &Person, method: Method, path: &str) -> RequestBuilder {
    backend.request(method, path).bearer_auth(&person.access_token)
}

fn post(backend: &Backend, person: &Person, bytes: Vec<u8>) -> RequestBuilder {
    signed(backend, person, Method::POST, "/v1/media").body(bytes)
}

fn delete(backend: &Backend, person: &Person, name: &str) -> RequestBuilder {
    signed(backend, person, Method::DELETE, &format!("/v1/media/{name}"))
}

fn record(backend: &Backend, person: &Person, name: &str) -> RequestBuilder {
    signed(backend, person, Method::GET, &format!("/v1/media/{name}"))
}

fn put_avatar(backend: &Backend, person: &Person) -> RequestBuilder {
    signed(backend, person, Method::PUT, "/v1/me/avatar")
}

fn problem(status: u16, title: &str, code: &str, detail: &str) -> (u16, Value) {
    let body = json!({ "type": "about:blank", "title": title, "status": status, "code": code, "detail": detail });
    (status, body)
}

/// The error for a file of no known format.
const NEITHER: &str = "neither a picture nor a voice note of a known format";

fn no_such_media() -> (u16, Value) {
    problem(404, "Not Found", "not_found", "no such media")
}

fn unsupported(detail: &str) -> (u16, Value) {
    problem(415, "Unsupported Media Type", "unsupported_media", detail)
}

fn no_space() -> (u16, Value) {
    problem(403, "Forbidden", "full", "the account has no space left for pictures and voice notes")
}

/// Stores a file and returns the response.
async fn stored(backend: &Backend, person: &Person, bytes: Vec<u8>) -> Value {
    let (status, body) = answer(post(backend, person, bytes)).await;
    assert_eq!(status, 201, "{body}");
    body
}

async fn status_of(request: RequestBuilder) -> u16 {
    request.send().await.expect("an answer").status().as_u16()
}

/// The bytes that count against the account's space.
async fn counted(backend: &Backend, person: &Person) -> i64 {
    number(&backend.account(person.uid).await, "media_bytes").unwrap_or_default()
}

async fn avatar(backend: &Backend, person: &Person) -> Value {
    answer(signed(backend, person, Method::GET, "/v1/me")).await.1["avatar"].take()
}

/// Asserts the cost of a request that succeeds, and returns its response.
async fn costs(row: &str, request: RequestBuilder) -> Whole {
    let answer = whole(request).await;
    assert!(answer.status < 300, "{row}: {} {}", answer.status, answer.body);
    assert_eq!(answer.rounds(), documented(row), "{row}");
    answer
}

/// Sends the form of a presigned upload.
async fn send_form(upload: &Value, bytes: Vec<u8>) {
    let fields = upload["fields"].as_object().expect("fields").iter();
    let form =
        fields.fold(Form::new(), |form, (name, value)| form.text(name.clone(), value.as_str().unwrap().to_owned()));
    let form = form.part("file", Part::bytes(bytes));
    let sent = reqwest::Client::new().post(upload["url"].as_str().expect("a URL")).multipart(form).send().await;
    assert_eq!(sent.expect("an answer").status(), 204);
}

/// Uses every feature of these endpoints once.
pub async fn whole_session(backend: &Backend) {
    let person = backend.person().await;
    let picture = stored(backend, &person, jpeg(30, 20)).await;
    let note = stored(backend, &person, b"#!AMR\n\x3c\x91".to_vec()).await;
    // A repeated request looks whether the file is there, which differs for pictures and voice notes.
    for bytes in [jpeg(31, 20), b"#!AMR\n\x3c\x92".to_vec()] {
        for _ in 0..2 {
            let key = format!("key-{}", bytes.len());
            let request = post(backend, &person, bytes.clone()).header("idempotency-key", key);
            assert_eq!(answer(request).await.0, 201);
        }
    }
    let chosen = put_avatar(backend, &person).json(&json!({ "media": picture["name"] }));
    assert_eq!(answer(chosen).await.0, 200);
    assert_eq!(answer(put_avatar(backend, &person).body(png(20, 20))).await.0, 200);
    assert_eq!(status_of(signed(backend, &person, Method::DELETE, "/v1/me/avatar")).await, 204);
    let wanted = signed(backend, &person, Method::POST, "/v1/uploads").json(&json!({ "content_type": "image/png" }));
    assert_eq!(answer(wanted).await.0, 201);
    assert_eq!(answer(signed(backend, &person, Method::GET, "/v1/media")).await.0, 200);
    backend.settled().await;
    for media in [&picture, &note] {
        let name = media["name"].as_str().expect("a name");
        assert_eq!(answer(record(backend, &person, name)).await.0, 200);
        assert_eq!(status_of(delete(backend, &person, name)).await, 204);
    }
    backend.settled().await;
}

#[test]
fn pictures_and_voice_notes_are_known_by_their_bytes() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for (kind, extension, bytes) in one_of_each(40, 30) {
            // The content type says something else.
            let request = post(backend, &person, bytes.clone()).header(CONTENT_TYPE, "audio/amr");
            let (status, body) = answer(request).await;
            let name = body["name"].as_str().expect("a name");
            let url = backend.url(&format!("/images/{name}"));
            let expected = json!({
                "name": name, "url": url, "kind": "image", "content_type": kind, "bytes": bytes.len(), "width": 40,
                "height": 30,
            });
            assert_eq!((status, &body), (201, &expected));
            assert!(name.ends_with(&format!(".{extension}")));
            assert!(backend.bytes(&format!("/images/{name}")).await == bytes);
        }
        for (kind, extension, bytes) in voice_notes().into_iter().filter(|(_, extension, _)| *extension != "bin") {
            let body = stored(backend, &person, bytes.clone()).await;
            let name = body["name"].as_str().expect("a name");
            let url = backend.url(&format!("/audios/{name}"));
            let length = backend.bytes(&format!("/audios/{name}")).await.len();
            assert_eq!(
                body,
                json!({ "name": name, "url": url, "kind": "audio", "content_type": kind, "bytes": length })
            );
            assert!(name.ends_with(&format!(".{extension}")), "{name}");
        }
    });
}

#[test]
fn a_picture_is_measured_as_it_is_shown_and_loses_its_metadata() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for orientation in 1..=8 {
            let original = jpeg_of_a_place(48, 32, orientation);
            assert!(holds(&original, SECRET));
            let body = stored(backend, &person, original.clone()).await;
            let expected = if orientation > 4 { (32, 48) } else { (48, 32) };
            assert_eq!((&body["width"], &body["height"]), (&json!(expected.0), &json!(expected.1)), "{orientation}");
            let kept = backend.bytes(&format!("/images/{}", body["name"].as_str().unwrap())).await;
            assert!(!holds(&kept, SECRET) && body["bytes"] == kept.len());
            let by_avatar = answer(put_avatar(backend, &person).body(original)).await.1;
            let by_avatar = backend.bytes(&format!("/images/{}", name(by_avatar["avatar"].as_str().unwrap()))).await;
            assert!(by_avatar == kept);
        }
    });
}

#[test]
fn what_is_no_picture_and_no_voice_note_is_refused_and_not_kept() {
    run(async {
        let backend = Backend::start(&[("ImageMaxBytes", "100000"), ("ImageMaxPixels", "65536")]).await;
        let person = backend.person().await;
        let before = (backend.count_items().await, backend.objects().await);
        let refusals: [(Vec<u8>, (u16, Value)); 9] = [
            (Vec::new(), unsupported("the upload is empty")),
            (b"hello".to_vec(), unsupported(NEITHER)),
            (b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), unsupported(NEITHER)),
            (Noise::new(7).bytes(5_000), unsupported(NEITHER)),
            (b"MM\0\x2a\0\0\0\x08".to_vec(), unsupported("not a JPEG, PNG, WebP, GIF or HEIC picture")),
            (png(8, 8)[..40].to_vec(), unsupported("the picture is cut short")),
            (png(257, 256), unsupported("the picture has too many pixels")),
            (
                [png(8, 8), vec![0; 100_000]].concat(),
                problem(413, "Payload Too Large", "too_large", "too large: at most 100000 bytes"),
            ),
            (vec![0; 4_194_305], problem(413, "Payload Too Large", "too_large", "too large: at most 4194304 bytes")),
        ];
        for (bytes, expected) in refusals {
            let words = expected.1["detail"].clone();
            assert_eq!(answer(post(&backend, &person, bytes.clone())).await, expected, "{words}");
            let expected =
                if words == NEITHER { unsupported("not a JPEG, PNG, WebP, GIF or HEIC picture") } else { expected };
            assert_eq!(answer(put_avatar(&backend, &person).body(bytes)).await, expected, "avatar: {words}");
        }
        for method_path in [(Method::POST, "/v1/media"), (Method::PUT, "/v1/me/avatar")] {
            let (method, path) = method_path;
            let coded = whole(signed(&backend, &person, method, path).header(CONTENT_ENCODING, "gzip").body(png(8, 8)));
            let coded = coded.await;
            assert_eq!((coded.status, &coded.body["code"]), (415, &json!("encoded_body")), "{path}");
            assert_eq!(coded.headers[ACCEPT_ENCODING], "identity");
        }
        assert_eq!((backend.count_items().await, backend.objects().await), before);
        assert_eq!(counted(&backend, &person).await, 0);
    });
}

#[test]
fn who_is_not_signed_in_stores_and_reads_nothing() {
    run(async {
        let backend = Backend::start(&[("SessionsPerAccount", "1")]).await;
        let phone = fresh_phone();
        let ended = backend.sessions_on(&phone, 2).await.swap_remove(0);
        let forged = Person { access_token: "forged".into(), ..ended.clone() };
        let before = (backend.count_items().await, backend.objects().await);
        for person in [&ended, &forged] {
            let name = "0123456789abcdef0123456789abcdef.jpg";
            let once = |request: RequestBuilder| request.header("idempotency-key", "k");
            let body = json!({ "content_type": "image/jpeg" });
            for request in [
                post(&backend, person, png(8, 8)),
                once(post(&backend, person, png(8, 8))),
                signed(&backend, person, Method::GET, "/v1/media"),
                record(&backend, person, name),
                delete(&backend, person, name),
                signed(&backend, person, Method::POST, "/v1/uploads").json(&body),
                once(signed(&backend, person, Method::POST, "/v1/uploads").json(&body)),
                put_avatar(&backend, person).body(png(8, 8)),
                put_avatar(&backend, person).json(&json!({ "media": name })),
                signed(&backend, person, Method::DELETE, "/v1/me/avatar"),
            ] {
                let (status, body) = answer(request).await;
                assert_eq!((status, &body["code"]), (401, &json!("not signed in")), "{body}");
            }
        }
        assert_eq!((backend.count_items().await, backend.objects().await), before);
    });
}

#[test]
fn a_repeated_upload_is_the_same_one_and_counted_once() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let once = |key: &str, bytes: Vec<u8>| answer(post(&backend, &person, bytes).header("idempotency-key", key));
        let (status, first) = once("one", jpeg(30, 20)).await;
        assert_eq!(status, 201, "{first}");
        let space = counted(&backend, &person).await;
        assert_eq!(once("one", jpeg(30, 20)).await, (201, first.clone()));
        assert_eq!(counted(&backend, &person).await, space);
        // Another key is another picture, and so is no key.
        let (_, second) = once("two", jpeg(30, 20)).await;
        assert_ne!(second["name"], first["name"]);
        assert_ne!(stored(&backend, &person, jpeg(30, 20)).await["name"], first["name"]);
        // The key of another body, and of another user.
        let words = "this Idempotency-Key was used for another request; use a new key for each request";
        let reused = problem(422, "Unprocessable Entity", "idempotency_key_reused", words);
        assert_eq!(once("one", jpeg(31, 20)).await, reused);
        let other = backend.person().await;
        let (status, others) = answer(post(&backend, &other, jpeg(30, 20)).header("idempotency-key", "one")).await;
        assert_eq!(status, 201, "{others}");
        assert_ne!(others["name"], first["name"]);
        for bad in ["", "a b", &"k".repeat(129)] {
            let (status, body) = once(bad, jpeg(30, 20)).await;
            assert_eq!((status, &body["errors"][0]["field"]), (422, &json!("Idempotency-Key")), "{bad}");
        }
        // If the first request stopped before it stored the picture, the second stores it.
        let name = first["name"].as_str().expect("a name");
        let bucket = Bucket::of(&backend);
        backend.settled().await;
        bucket.delete(&format!("originals/images/{name}")).await;
        assert_eq!(once("one", jpeg(30, 20)).await, (201, first.clone()));
        assert!(backend.bytes(&format!("/images/{name}")).await == jpeg(30, 20));
        // What was deleted does not come back.
        backend.settled().await;
        assert_eq!(status_of(delete(&backend, &person, name)).await, 204);
        assert_eq!(once("one", jpeg(30, 20)).await, no_such_media());
        assert_eq!(bucket.get(&format!("originals/images/{name}")).await, None);
        // A day later the key is forgotten.
        backend.advance(Duration::from_secs(24 * 3_600 + 1));
        let person = Person::of(&answer(backend.refresh(&person.refresh_token)).await.1);
        let again = answer(post(&backend, &person, jpeg(30, 20)).header("idempotency-key", "one")).await;
        assert_eq!(again.0, 201, "{}", again.1);
        assert_ne!(again.1["name"], first["name"]);
    });
}

#[test]
fn eight_uploads_at_once_with_one_key_store_one_picture() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let picture = jpeg(60, 40);
        let request = || post(&backend, &person, picture.clone()).header("idempotency-key", "one");
        let answers = futures::future::join_all((0..8).map(|_| answer(request()))).await;
        let names: BTreeSet<_> = answers.iter().map(|(_, body)| body["name"].to_string()).collect();
        assert!(answers.iter().all(|(status, _)| *status == 201), "{answers:?}");
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(counted(&backend, &person).await, i64::try_from(picture.len()).unwrap());
        backend.settled().await;
        let originals = backend.objects().await.into_iter().filter(|key| key.starts_with("originals/"));
        assert_eq!(originals.count(), 1);
    });
}

#[test]
fn an_account_without_space_is_refused_and_a_repetition_is_not() {
    run(async {
        let picture = noise_png(40);
        let space = picture.len() + 10;
        let backend = Backend::start(&[("MediaBytesPerAccount", &space.to_string())]).await;
        let person = backend.person().await;
        let once = || post(&backend, &person, picture.clone()).header("idempotency-key", "one");
        let (status, first) = answer(once()).await;
        assert_eq!(status, 201, "{first}");
        assert_eq!(answer(post(&backend, &person, picture.clone())).await, no_space());
        assert_eq!(answer(post(&backend, &person, picture.clone()).header("idempotency-key", "two")).await, no_space());
        assert_eq!(answer(put_avatar(&backend, &person).body(picture.clone())).await, no_space());
        assert_eq!(answer(once()).await, (201, first.clone()));
        // Deleting gives the space back.
        backend.settled().await;
        assert_eq!(status_of(delete(&backend, &person, first["name"].as_str().unwrap())).await, 204);
        assert_eq!(counted(&backend, &person).await, 0);
        stored(&backend, &person, picture.clone()).await;
    });
}

#[test]
fn pages_hold_everything_of_ones_own_that_was_stored_and_not_deleted() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (person, other) = (backend.person().await, backend.person().await);
        let mut names = BTreeSet::new();
        for n in 0..12 {
            let bytes = if n % 3 == 0 { b"#!AMR\n\x3c\x91".to_vec() } else { png(8 + n, 8) };
            names.insert(stored(&backend, &person, bytes).await["name"].as_str().unwrap().to_owned());
        }
        // Neither others' media, nor unused presigned uploads, nor deleted media are listed.
        stored(&backend, &other, png(8, 8)).await;
        for _ in 0..3 {
            let body = json!({ "content_type": "image/png" });
            let upload = signed(&backend, &person, Method::POST, "/v1/uploads").json(&body);
            assert_eq!(answer(upload).await.0, 201);
        }
        let gone: Vec<_> = names.iter().step_by(4).cloned().collect();
        backend.settled().await;
        for name in &gone {
            assert_eq!(status_of(delete(&backend, &person, name)).await, 204);
            names.remove(name);
        }
        for limit in [1, 2, 5, 9, 200] {
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let mut query = vec![("limit", limit.to_string())];
                query.extend(cursor.map(|cursor| ("cursor", cursor)));
                let page = signed(&backend, &person, Method::GET, "/v1/media").query(&query);
                let (status, page) = answer(page).await;
                assert_eq!(status, 200, "{page}");
                let items = page["items"].as_array().expect("items");
                assert!(items.len() <= limit);
                seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
                cursor = page.get("next_cursor").map(|next| next.as_str().expect("a cursor").to_owned());
                if cursor.is_none() {
                    break;
                }
            }
            // A set is in the order of the names, as the pages are.
            assert_eq!(seen, names.iter().cloned().collect::<Vec<_>>(), "limit {limit}");
        }
        let (_, whole) = answer(signed(&backend, &person, Method::GET, "/v1/media")).await;
        let first = &whole["items"][0];
        let own = answer(record(&backend, &person, first["name"].as_str().unwrap())).await;
        assert_eq!(own, (200, first.clone()));
        let fields: BTreeSet<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, BTreeSet::from(["bytes", "content_type", "created_at", "kind", "name", "url"]));
        let nobodys = answer(signed(&backend, &backend.person().await, Method::GET, "/v1/media")).await;
        assert_eq!(nobodys, (200, json!({ "items": [] })));
        for query in [("limit", "0"), ("limit", "201"), ("limit", "x"), ("cursor", "!"), ("cursor", "eA")] {
            let (status, body) = answer(signed(&backend, &person, Method::GET, "/v1/media").query(&[query])).await;
            assert_eq!((status, &body["errors"][0]["field"]), (422, &json!(query.0)), "{body}");
        }
    });
}

#[test]
fn a_record_is_shown_to_its_owner_only() {
    run(async {
        let backend = shared().await;
        let (person, other) = (backend.person().await, backend.person().await);
        let picture = stored(backend, &person, png(9, 9)).await;
        let name = picture["name"].as_str().expect("a name");
        assert_eq!(answer(record(backend, &person, name)).await.1["bytes"], picture["bytes"]);
        for (who, name) in [
            (&other, name),
            (&person, "0123456789abcdef0123456789abcdef.png"),
            (&person, "0123456789abcdef0123456789abcdef.exe"),
            (&person, "x"),
            (&person, &format!("{name}@128w_128h_1c")),
        ] {
            assert_eq!(answer(record(backend, who, name)).await, no_such_media(), "{name}");
            assert_eq!(answer(delete(backend, who, name)).await, no_such_media(), "{name}");
        }
        assert!(backend.bytes(&format!("/images/{name}")).await == png(9, 9));
    });
}

#[test]
fn a_deleted_picture_is_gone_with_everything_that_was_made_of_it() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let [(_, broken), _] = broken_webps();
        for bytes in [jpeg(300, 200), broken, b"#!AMR\n\x3c\x91".to_vec()] {
            let before = backend.objects().await;
            let (space, media) = (counted(&backend, &person).await, stored(&backend, &person, bytes).await);
            backend.settled().await;
            let (name, url) = (media["name"].as_str().unwrap(), media["url"].as_str().unwrap());
            let path = &url[backend.url("").len()..];
            if media["kind"] == "image" {
                // The thumbnail, or the note that there is none.
                whole(backend.get(&format!("{path}@128w_128h_1c"))).await;
            }
            assert!(backend.objects().await.len() > before.len());
            assert_eq!(status_of(delete(&backend, &person, name)).await, 204);
            assert_eq!(backend.objects().await, before, "{name}");
            assert_eq!(counted(&backend, &person).await, space);
            assert_eq!(status_of(backend.get(path)).await, 404);
            if media["kind"] == "image" {
                assert_eq!(status_of(backend.get(&format!("{path}@128w_128h_1c"))).await, 404);
            }
            assert_eq!(answer(record(&backend, &person, name)).await, no_such_media());
            assert_eq!(answer(delete(&backend, &person, name)).await, no_such_media());
            assert_eq!(counted(&backend, &person).await, space);
            // The record says so for a week, for uploads and repetitions that come too late.
            let left = backend.item(&format!("user#{}", person.uid), &format!("media#{name}")).await.expect("a mark");
            let week = number(&left, "ttl").unwrap() - number(&left, "deleted").unwrap() / 1_000;
            assert_eq!(week, 7 * 24 * 3_600);
        }
    });
}

#[test]
fn eight_deletions_at_once_give_the_space_back_once() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let kept = stored(&backend, &person, noise_png(20)).await["bytes"].as_i64().unwrap();
        for n in 0..5 {
            let picture = stored(&backend, &person, noise_png(30 + n)).await;
            let name = picture["name"].as_str().expect("a name");
            let chosen = put_avatar(&backend, &person).json(&json!({ "media": name }));
            assert_eq!(answer(chosen).await.0, 200);
            backend.settled().await;
            let all = (0..8).map(|_| status_of(delete(&backend, &person, name)));
            let mut statuses = futures::future::join_all(all).await;
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
            assert_eq!(counted(&backend, &person).await, kept);
            assert_eq!(avatar(&backend, &person).await, Value::Null);
        }
    });
}

#[test]
fn objects_that_could_not_be_deleted_are_deleted_by_the_next_attempt() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let picture = stored(&backend, &person, jpeg(30, 20)).await;
        backend.settled().await;
        let name = picture["name"].as_str().expect("a name");
        backend.running.endpoints().fail_next("s3:DeleteObject", 1, emulator::Fault::error(403, "AccessDenied"));
        assert_eq!(answer(delete(&backend, &person, name)).await.0, 500);
        assert_eq!(counted(&backend, &person).await, 0);
        assert_eq!(answer(delete(&backend, &person, name)).await, no_such_media());
        assert_eq!(counted(&backend, &person).await, 0);
        assert_eq!(backend.objects().await, Vec::<String>::new());
    });
}

#[test]
fn a_picture_is_chosen_by_its_name_or_url_if_it_is_ones_own() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (person, other) = (backend.person().await, backend.person().await);
        let picture = stored(&backend, &person, png(9, 9)).await;
        let (name, url) = (picture["name"].as_str().unwrap(), picture["url"].as_str().unwrap());
        for media in [name, url, &format!("/images/{name}")] {
            let chosen = answer(put_avatar(&backend, &person).json(&json!({ "media": media }))).await;
            assert_eq!(chosen, (200, json!({ "avatar": url })));
            assert_eq!(avatar(&backend, &person).await, url);
            let removed = signed(&backend, &person, Method::DELETE, "/v1/me/avatar");
            assert_eq!(status_of(removed).await, 204);
            assert_eq!(avatar(&backend, &person).await, Value::Null);
        }
        // Removing it again is no error, and the picture is still there.
        assert_eq!(status_of(signed(&backend, &person, Method::DELETE, "/v1/me/avatar")).await, 204);
        assert!(backend.bytes(&format!("/images/{name}")).await == png(9, 9));

        let note = stored(&backend, &person, b"#!AMR\n\x3c\x91".to_vec()).await;
        let others = stored(&backend, &other, png(9, 9)).await;
        let upload =
            signed(&backend, &person, Method::POST, "/v1/uploads").json(&json!({ "content_type": "image/png" }));
        let waiting = answer(upload).await.1;
        let deleted = stored(&backend, &person, png(9, 9)).await;
        backend.settled().await;
        assert_eq!(status_of(delete(&backend, &person, deleted["name"].as_str().unwrap())).await, 204);
        for media in [
            &note["name"],
            &note["url"],
            &others["name"],
            &others["url"],
            &waiting["name"],
            &deleted["name"],
            &json!(""),
            &json!("x"),
            &json!("https://elsewhere.example/a.png"),
            &json!(format!("https://elsewhere.example/images/{name}")),
        ] {
            let (status, body) = answer(put_avatar(&backend, &person).json(&json!({ "media": media }))).await;
            let rule = "must be the name or the URL of a picture that you have uploaded";
            let errors = json!([{ "field": "media", "rule": rule }]);
            assert_eq!((status, &body["errors"]), (422, &errors), "{media}: {body}");
        }
        for body in ["", "{", "{}", "[]", r#"{"media":1}"#, r#"{"media":null}"#] {
            let request = put_avatar(&backend, &person).header(CONTENT_TYPE, "application/json").body(body);
            let (status, answered) = answer(request).await;
            assert_eq!((status, &answered["code"]), (400, &json!("malformed")), "{body}: {answered}");
        }
        assert_eq!(avatar(&backend, &person).await, Value::Null);
    });
}

#[test]
fn a_new_picture_counts_as_an_upload_and_as_a_change_of_looks() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let (status, set) =
            answer(put_avatar(backend, &person).header(CONTENT_TYPE, "image/png").body(png(9, 7))).await;
        assert_eq!(status, 200, "{set}");
        let url = set["avatar"].as_str().expect("a URL");
        assert!(backend.bytes(&url[backend.url("").len()..]).await == png(9, 7));
        assert_eq!(size(&png(9, 7)), (9, 7));
        assert_eq!(counted(backend, &person).await, i64::try_from(png(9, 7).len()).unwrap());
        let looks = |account: &crate::support::table::Item| number(account, "looks");
        assert_eq!(looks(&backend.account(person.uid).await), Some(1));
        backend.settled().await;
        assert_eq!(status_of(delete(backend, &person, name(url))).await, 204);
        let account = backend.account(person.uid).await;
        assert_eq!((looks(&account), text(&account, "avatar")), (Some(2), Some("")));
        // A picture that the user does not show is deleted without a change of looks.
        let another = stored(backend, &person, png(9, 7)).await;
        backend.settled().await;
        assert_eq!(status_of(delete(backend, &person, another["name"].as_str().unwrap())).await, 204);
        assert_eq!(looks(&backend.account(person.uid).await), Some(2));
    });
}

#[test]
fn a_presigned_upload_is_accepted_once_and_not_after_it_was_deleted() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let wanted =
            |kind: &str| signed(&backend, &person, Method::POST, "/v1/uploads").json(&json!({ "content_type": kind }));
        let (status, upload) = answer(wanted("image/png")).await;
        let fields: BTreeSet<_> = upload.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((status, fields), (201, BTreeSet::from(["expires_at", "fields", "name", "url"])));
        let name = upload["name"].as_str().unwrap();
        let waiting = answer(record(&backend, &person, name)).await.1;
        assert_eq!((&waiting["name"], waiting.get("bytes")), (&upload["name"], None));
        send_form(&upload, png(30, 20)).await;
        backend.settled().await;
        let (_, accepted) = answer(record(&backend, &person, name)).await;
        let space = counted(&backend, &person).await;
        assert_eq!(accepted["bytes"], space);
        assert!(backend.bytes(&format!("/images/{name}")).await == png(30, 20));

        // Deleted: the same form, sent again, brings nothing back.
        assert_eq!(status_of(delete(&backend, &person, name)).await, 204);
        send_form(&upload, png(30, 20)).await;
        backend.settled().await;
        assert_eq!((counted(&backend, &person).await, backend.objects().await), (0, Vec::new()));
        // Deleted before it was sent.
        let (_, upload) = answer(wanted("image/png")).await;
        assert_eq!(status_of(delete(&backend, &person, upload["name"].as_str().unwrap())).await, 204);
        send_form(&upload, png(30, 20)).await;
        backend.settled().await;
        assert_eq!((counted(&backend, &person).await, backend.objects().await), (0, Vec::new()));

        // A repeated request is for the same name.
        let once = |kind: &str| answer(wanted(kind).header("idempotency-key", "one"));
        let (first, second) = (once("image/jpeg").await, once("image/jpeg").await);
        assert_eq!((first.0, second.0, &first.1["name"]), (201, 201, &second.1["name"]));
        assert_eq!(once("image/png").await.1["code"], "idempotency_key_reused");
        send_form(&second.1, jpeg(30, 20)).await;
        backend.settled().await;
        assert!(backend.bytes(&format!("/images/{}", first.1["name"].as_str().unwrap())).await == jpeg(30, 20));
        for kind in ["", "image/bmp", "audio/amr", "x"] {
            let (status, body) = answer(wanted(kind)).await;
            assert_eq!((status, &body["errors"][0]["field"]), (422, &json!("content_type")), "{kind}");
        }
        for body in ["", "{}", "[]", r#"{"content_type":1}"#] {
            let request = signed(&backend, &person, Method::POST, "/v1/uploads").body(body);
            assert_eq!(answer(request).await.1["code"], "malformed", "{body}");
        }
    });
}

#[test]
fn media_cost_what_is_documented() {
    run(async {
        let backend = Backend::frozen(&[]).await;
        let person = backend.person().await;
        let request = || post(&backend, &person, jpeg(30, 20)).header("idempotency-key", "one");
        let picture = costs("v1: upload, presigned upload", request()).await.body;
        costs("… repeated with its key", request()).await;
        costs("v1: upload, presigned upload", post(&backend, &person, jpeg(30, 20))).await;
        let upload =
            || signed(&backend, &person, Method::POST, "/v1/uploads").json(&json!({ "content_type": "image/png" }));
        costs("v1: upload, presigned upload", upload()).await;
        costs("v1: upload, presigned upload", upload().header("idempotency-key", "two")).await;
        let name = picture["name"].as_str().unwrap();
        costs("v1: own media", signed(&backend, &person, Method::GET, "/v1/media")).await;
        costs("v1: own media", record(&backend, &person, name)).await;
        costs("v1: picture as the body", put_avatar(&backend, &person).body(png(9, 9))).await;
        let chosen = put_avatar(&backend, &person).json(&json!({ "media": name }));
        costs("v1: picture of an upload, no picture", chosen).await;
        let removed = signed(&backend, &person, Method::DELETE, "/v1/me/avatar");
        costs("v1: picture of an upload, no picture", removed).await;
        backend.settled().await;
        costs("v1: delete media", delete(&backend, &person, name)).await;
        let again = whole(delete(&backend, &person, name)).await;
        assert_eq!((again.status, again.rounds()), (404, 1));
    });
}

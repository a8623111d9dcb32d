//! Every row of `docs/access-patterns.md`, with its DynamoDB round trips, counted through the real SDK.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use emulator::Fault;
use image::{ImageFormat, RgbImage};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::backend::{Whole, whole};
use crate::support::round_trips::{line_in, rows};
use crate::support::users::wrong_code;
use crate::support::{Backend, Person, Phone, fresh_phone, run};

/// A row of the table, with its documented rounds.
struct Row {
    /// The beginning of the document's row.
    request: &'static str,
    status: u16,
    rounds: u32,
}

const fn row(request: &'static str, status: u16, rounds: u32) -> Row {
    Row { request, status, rounds }
}

const SEND: Row = row("send a code", 200, 1);
const SEND_REFUSED: Row = row("… SNS refused", 400, 2);
const SEND_RESERVED: Row = row("… a stranger's part of a limit is used up", 200, 4);
const SEND_WITH_CAPTCHA: Row = row("… a captcha came with it", 200, 2);
const GUESS: Row = row("guess a code, wrong", 400, 1);
const GUESS_RESERVED: Row = row("… strangers have used up its guesses", 400, 4);
const SIGN_UP: Row = row("sign in by code, new number", 200, 2);
const SIGN_IN: Row = row("sign in by code, known number", 200, 2);
const CROWDED: Row = row("… with ten sessions or ten networks already", 200, 3);
const REFRESH: Row = row("refresh", 200, 1);
const THEFT: Row = row("… an old token: theft", 400, 2);
const PROFILE: Row = row("nickname, state, profile", 200, 1);
const PUSH_TOKENS: Row = row("bind or unbind push tokens", 200, 1);
const PUSH_TOKENS_MOVED: Row = row("… that another session of the account has", 200, 2);
const UPLOAD: Row = row("upload a picture or voice note", 200, 1);
const AVATAR: Row = row("upload an avatar", 200, 2);
const BOOK: Row = row("address book, up to 100 numbers", 200, 2);
const LONG_BOOK: Row = row("… up to 5,000", 200, 2);
const BOOK_AGAIN: Row = row("… the same again on the same day", 200, 2);
const FREE: Row = row("download, thumbnail, keys", 200, 0);

const ROWS: [&Row; 20] = [
    &SEND,
    &SEND_REFUSED,
    &SEND_RESERVED,
    &SEND_WITH_CAPTCHA,
    &GUESS,
    &GUESS_RESERVED,
    &SIGN_UP,
    &SIGN_IN,
    &CROWDED,
    &REFRESH,
    &THEFT,
    &PROFILE,
    &PUSH_TOKENS,
    &PUSH_TOKENS_MOVED,
    &UPLOAD,
    &AVATAR,
    &BOOK,
    &LONG_BOOK,
    &BOOK_AGAIN,
    &FREE,
];

impl Row {
    /// Sends a request of this row, which must cost exactly what is documented.
    async fn costs(&self, request: RequestBuilder) -> Whole {
        let answer = whole(request).await;
        assert_eq!(answer.status, self.status, "{}: {}", self.request, answer.body);
        assert_eq!(answer.rounds(), self.rounds, "{}: {:?}", self.request, line_in(&answer.headers));
        answer
    }
}

fn sign_in(backend: &Backend, phone: &Phone, code: &str) -> RequestBuilder {
    backend.post("/auth/token").json(&json!({ "zone": "86", "number": phone.0, "code": code }))
}

async fn backend() -> Backend {
    Backend::frozen(&[("CodesPerPhoneHour", "50"), ("CodesPerPhoneDay", "50")]).await
}

#[test]
fn the_document_has_these_rows_and_no_others() {
    let documented: Vec<_> = rows().into_iter().filter(|row| row.api == "messenger").collect();
    let documented: Vec<_> = documented.iter().map(|row| (row.request.as_str(), row.rounds)).collect();
    let tested: Vec<_> = ROWS.iter().map(|row| (row.request, row.rounds)).collect();
    assert_eq!(documented, tested);
}

/// The source of an API's tests.
fn source(api: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it");
    let folders = if api == "sealtalk" { vec![api, "social", "sync"] } else { vec![api] };
    let inner = folders.into_iter().flat_map(|api| fs::read_dir(folder.join(api)).into_iter().flatten());
    let inner = inner.map(|entry| entry.expect("an entry").path());
    // The common API has a file for each subject, such as `v1_media.rs`.
    let subjects = fs::read_dir(&folder).expect("the tests").map(|entry| entry.expect("an entry"));
    let subjects = subjects.filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{api}_")));
    let files = inner.chain(subjects.map(|entry| entry.path())).chain([folder.join(format!("{api}.rs"))]);
    files.filter_map(|file| fs::read_to_string(file).ok()).collect()
}

#[test]
fn every_row_of_another_api_is_held_by_that_apis_tests() {
    let untested = [
        // It depends on the random ids of the rooms.
        "… a shard holds more than its share of the page",
        // An event, which has no response with a count.
        "… what came by it is taken in",
    ];
    for row in rows().iter().filter(|row| row.api != "messenger" && !untested.contains(&row.request.as_str())) {
        assert!(source(row.api).contains(&format!("\"{}\"", row.request)), "{} {}", row.api, row.request);
    }
}

#[test]
fn codes_and_sign_ins_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        for phone in [fresh_phone(), fresh_phone(), fresh_phone(), fresh_phone(), phone.clone()] {
            backend.running.endpoints().fail_next("sns:Publish", 1, Fault::error(400, "OptedOut"));
            SEND_REFUSED.costs(backend.ask(&phone)).await;
            SEND.costs(backend.ask(&phone)).await;
            let code = backend.newest_code(&phone).await;
            GUESS.costs(sign_in(&backend, &phone, &wrong_code(&code, 1))).await;
            SIGN_UP.costs(sign_in(&backend, &phone, &code)).await;
        }
        for _ in 0..9 {
            backend.advance(Duration::from_mins(1));
            let code = backend.code_for(&phone).await;
            GUESS.costs(sign_in(&backend, &phone, &wrong_code(&code, 1))).await;
            SIGN_IN.costs(sign_in(&backend, &phone, &code)).await;
        }
        for _ in 0..10 {
            backend.advance(Duration::from_mins(1));
            let code = backend.code_for(&phone).await;
            CROWDED.costs(sign_in(&backend, &phone, &code)).await;
        }
    });
}

#[test]
fn what_is_kept_for_known_addresses_costs_what_is_documented() {
    run(async {
        let backend = Backend::capped().await;
        let phone = fresh_phone();
        backend.person_on(&phone).await;
        for _ in 0..2 {
            backend.advance(Duration::from_mins(1));
            SEND.costs(backend.ask(&phone)).await;
        }
        backend.advance(Duration::from_mins(1));
        SEND_RESERVED.costs(backend.ask(&phone)).await;
        let code = backend.newest_code(&phone).await;
        for n in 1..=5 {
            assert_eq!(backend.at(1, 1).sign_in(&phone, &wrong_code(&code, n)).await.0, 400);
        }
        GUESS_RESERVED.costs(sign_in(&backend, &phone, &wrong_code(&code, 6))).await;
        let phone = fresh_phone();
        let picture = backend.get("/api/v1.0/imagecode/an-id").send().await.expect("a picture");
        let text = picture.headers()["x-captcha-text"].to_str().expect("text").to_owned();
        let with = backend.ask(&phone).query(&[("captcha_id", "an-id"), ("captcha", &text)]);
        SEND_WITH_CAPTCHA.costs(with).await;
    });
}

#[test]
fn sending_costs_one_round_with_every_cap_in_force() {
    run(async {
        let backend = Backend::capped().await;
        let phone = fresh_phone();
        SEND.costs(backend.ask(&phone)).await;
        let too_soon = whole(backend.ask(&phone)).await;
        assert_eq!((too_soon.status, too_soon.rounds()), (400, 1));
    });
}

#[test]
fn refreshes_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let first = backend.person().await;
        let second = REFRESH.costs(backend.refresh(&first.refresh_token)).await;
        REFRESH.costs(backend.refresh(&first.refresh_token)).await;
        let second = Person::of(&second.body);
        REFRESH.costs(backend.refresh(&second.refresh_token)).await;
        THEFT.costs(backend.refresh(&first.refresh_token)).await;
        let forged = whole(backend.refresh("forged")).await;
        assert_eq!((forged.status, forged.rounds()), (400, 0), "what is no token of ours costs nothing");
    });
}

#[test]
fn profiles_and_address_books_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let phone = fresh_phone();
        let person = backend.person_on(&phone).await;
        PROFILE.costs(backend.nickname(&person.access_token, "Tom")).await;
        let state = backend.put("/users/me/state").bearer_auth(&person.access_token).json(&json!({ "value": "here" }));
        PROFILE.costs(state).await;
        let patch = json!({ "name": "Tim", "state": "there", "avatar": "https://example.com/a.jpg" });
        PROFILE.costs(backend.patch("/users/me").bearer_auth(&person.access_token).json(&patch)).await;
        let refused = whole(backend.nickname("forged", "Tom")).await;
        assert_eq!((refused.status, refused.rounds()), (401, 0));
        let list = |count: u32| -> Value { (0..count).map(|n| json!({ "number": phone.neighbour(n).0 })).collect() };
        for count in [1, 2, 19, 19, 20, 50, 100] {
            BOOK.costs(backend.look_up(&person, &list(count))).await;
        }
        for count in [101, 200, 500, 1_000, 2_000, 5_000] {
            LONG_BOOK.costs(backend.look_up(&person, &list(count))).await;
            BOOK_AGAIN.costs(backend.look_up(&person, &list(count))).await;
        }
    });
}

#[test]
fn push_tokens_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let people = backend.sessions_on(&fresh_phone(), 2).await;
        let body = json!({ "hw_device_token": "h1" });
        let send = |path: &str, person: &Person| backend.post(path).bearer_auth(&person.access_token).json(&body);
        PUSH_TOKENS.costs(send("/device/bind", &people[0])).await;
        PUSH_TOKENS_MOVED.costs(send("/device/bind", &people[1])).await;
        PUSH_TOKENS_MOVED.costs(send("/device/unbind", &people[0])).await;
        PUSH_TOKENS.costs(send("/device/unbind", &people[0])).await;
    });
}

#[test]
fn media_cost_what_is_documented() {
    run(async {
        let backend = backend().await;
        let person = backend.person().await;
        let mut picture = Cursor::new(Vec::new());
        RgbImage::from_fn(300, 200, |x, y| image::Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y).unwrap(), 0]))
            .write_to(&mut picture, ImageFormat::Png)
            .unwrap();
        let picture = picture.into_inner();
        let upload = backend.post("/images").bearer_auth(&person.access_token).body(picture.clone());
        let stored = UPLOAD.costs(upload).await.body;
        let note = backend.post("/audios").bearer_auth(&person.access_token).body(&b"#!AMR\nabc"[..]);
        let note = UPLOAD.costs(note).await.body;
        let avatar = backend.put("/users/me/avatar").bearer_auth(&person.access_token).body(picture);
        AVATAR.costs(avatar).await;
        let (image, audio) = (stored["src"].as_str().unwrap(), note["src"].as_str().unwrap());
        for path in
            [image, audio, &format!("{image}@128w_128h_1c"), &format!("{image}@256w_256h_0c"), "/.well-known/jwks.json"]
        {
            FREE.costs(backend.get(path)).await;
        }
        let small = backend.post("/images").bearer_auth("forged").body(vec![0; 100]);
        let refused = whole(small).await;
        assert_eq!((refused.status, refused.rounds()), (401, 0));
    });
}

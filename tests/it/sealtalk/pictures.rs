//! Captchas, and pictures that clients upload directly to the bucket.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use emulator::Fault;
use futures::future::join_all;
use image::{ImageFormat, RgbImage};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{as_of, costs, done, post, refused, register, result};
use crate::support::backend::answer;
use crate::support::heic::{QUARTERS, code, heic_of_a_place};
use crate::support::pictures::{Bucket, SECRET, holds, jpeg, name};
use crate::support::{Backend, fresh_phone, round_trips, run, shared};

/// Fetches a captcha's picture like a client; returns its id and its text.
async fn captcha(backend: &Backend) -> (String, String) {
    let (status, body) = answer(backend.get("/user/get_sms_img_code")).await;
    assert_eq!(status, 200, "{body}");
    let (url, id) =
        (body["result"]["url"].as_str().expect("a url"), body["result"]["verifyId"].as_str().expect("an id"));
    let path = url.strip_prefix(&backend.url("")).expect("a url of this backend");
    let response = backend.get(path).send().await.expect("an answer");
    assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &"image/png".parse().unwrap()));
    assert_eq!(response.headers()["cache-control"], "no-store");
    let text = response.headers()["x-captcha-text"].to_str().expect("text").to_owned();
    let picture = image::load_from_memory(&response.bytes().await.expect("bytes")).expect("a picture");
    assert!(picture.width() > 60);
    (id.to_owned(), text)
}

#[test]
fn a_stage_that_requires_captchas_sends_no_code_without_one() {
    run(async {
        let backend = Backend::start(&[("CaptchaRequired", "true")]).await;
        let phone = fresh_phone();
        let ask = |id: &str, text: &str| {
            let body = json!({ "region": "86", "phone": phone.0, "picCode": text, "picCodeId": id });
            backend.post("/user/send_code").json(&body)
        };
        let needed =
            refused(400, 400, "a captcha is needed: get a picture, and send its id and its text with the request");
        assert_eq!(post(&backend, "/user/send_code", json!({ "region": "86", "phone": phone.0 })).await, needed);
        assert_eq!(answer(ask("", "")).await, needed);
        let expired = refused(400, 400, "the captcha has expired or was already used; request a new one");
        assert_eq!(answer(ask("0123", "abcd")).await, expired);
        assert_eq!(answer(ask("not an id", "abcd")).await, expired);
        let (id, text) = captcha(&backend).await;
        assert_eq!(answer(ask(&id, "????")).await, refused(400, 400, "wrong captcha text; request a new captcha"));
        assert_eq!(answer(ask(&id, &text)).await, expired, "spent by the wrong answer");
        let (id, text) = captcha(&backend).await;
        backend.advance(Duration::from_mins(10));
        assert_eq!(answer(ask(&id, &text)).await, expired);
        let (id, text) = captcha(&backend).await;
        assert_eq!(answer(ask(&id, &text.to_lowercase())).await, done());
        assert_eq!(answer(ask(&id, &text)).await, expired);
    });
}

#[test]
fn the_picture_of_a_captcha_is_got_by_either_method_and_needs_an_id() {
    run(async {
        let backend = shared().await;
        for method in [Method::GET, Method::POST] {
            let (status, body) = answer(backend.request(method, "/user/get_sms_img_code")).await;
            let id = body["result"]["verifyId"].as_str().expect("an id").to_owned();
            let url = backend.url(&format!("/user/sms_img_code/{id}"));
            assert_eq!((status, body), result(&json!({ "url": url, "verifyId": id })));
        }
        let bad = answer(backend.get("/user/sms_img_code/a%20b")).await;
        assert_eq!(bad, refused(404, 404, "no such picture"));
    });
}

#[test]
fn captchas_cost_what_is_documented() {
    run(async {
        let backend = Backend::capped().await;
        let drawn = answer(backend.get("/user/get_sms_img_code")).await.1;
        let url = drawn["result"]["url"].as_str().expect("a url").to_owned();
        let picture = backend.get(url.strip_prefix(&backend.url("")).expect("a url of this backend")).send().await;
        let picture = picture.expect("an answer");
        assert_eq!(round_trips::rounds_of(&picture), round_trips::documented("SealTalk: a captcha's picture"));
        let (id, text) = (&drawn["result"]["verifyId"], picture.headers()["x-captcha-text"].to_str().expect("text"));
        let asked = json!({ "phone": fresh_phone().0, "picCode": text, "picCodeId": id });
        costs(backend.post("/user/send_code").json(&asked), "SealTalk: send a code with a captcha").await;
    });
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_fn(40, 30, |x, y| image::Rgb([u8::try_from(6 * x).unwrap(), u8::try_from(8 * y).unwrap(), 90]))
        .write_to(&mut bytes, format)
        .expect("a picture");
    bytes.into_inner()
}

/// A JPEG that contains its location.
fn jpeg_of_a_place() -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::Jpeg);
    let comment = b"taken at home";
    let mut segment = vec![0xff, 0xfe, 0, u8::try_from(comment.len() + 2).unwrap()];
    segment.extend(comment);
    bytes.splice(2..2, segment);
    bytes
}

/// An upload token as a client reads it.
pub(super) struct Token {
    url: String,
    fields: BTreeMap<String, String>,
    pub(super) image: String,
}

impl Token {
    /// Replaces the key with that of another presigned upload.
    pub(super) fn put_key_of(&mut self, other: &Self) {
        self.fields.insert("key".to_owned(), other.fields["key"].clone());
    }
}

pub(super) async fn token(backend: &Backend, cookie: &str, query: &[(&str, &str)]) -> Token {
    let (status, body) = answer(as_of(backend.get("/user/get_image_token"), cookie).query(query)).await;
    assert_eq!((status, &body["code"], &body["result"]["target"]), (200, &json!(200), &json!("s3")), "{body}");
    let host = backend.url("");
    let domain = body["result"]["domain"].as_str().expect("a domain");
    assert_eq!(host.strip_prefix("http://"), Some(domain));
    let json = BASE64_STANDARD.decode(body["result"]["token"].as_str().expect("a token")).expect("base64");
    let token: Value = serde_json::from_slice(&json).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let fields = token["fields"].as_object().expect("fields").iter();
    Token {
        url: text(&token["url"]),
        fields: fields.map(|(name, value)| (name.clone(), text(value))).collect(),
        image: text(&token["image"]),
    }
}

/// Uploads with a token; returns the status.
pub(super) async fn upload(token: &Token, bytes: Vec<u8>) -> u16 {
    let form = token.fields.iter().fold(Form::new(), |form, (name, value)| form.text(name.clone(), value.clone()));
    let form = form.part("file", Part::bytes(bytes).file_name("portrait.jpg"));
    let sent = reqwest::Client::new().post(&token.url).multipart(form).send().await;
    sent.expect("an answer").status().as_u16()
}

/// The content of the bucket after all its events were handled.
pub(super) async fn settled(backend: &Backend) -> Vec<String> {
    backend.settled().await;
    backend.objects().await
}

/// Uses every picture feature of this API once, for the test that compares the functions' roles with their calls.
pub async fn whole_session(backend: &Backend) {
    let owner = register(backend).await;
    let (id, text) = captcha(backend).await;
    let asked = json!({ "phone": fresh_phone().0, "picCode": text, "picCodeId": id });
    assert_eq!(post(backend, "/user/send_code", asked).await, done());
    assert_eq!(answer(as_of(backend.get(&format!("/user/{}", owner.id)), &owner.cookie)).await.0, 200);
    let token = token(backend, &owner.cookie, &[]).await;
    assert!((200..300).contains(&upload(&token, encoded(ImageFormat::Jpeg)).await));
    settled(backend).await;
}

#[test]
fn a_picture_comes_by_a_token_and_loses_its_metadata() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let token = token(&backend, &owner.cookie, &[]).await;
        let path = token.image.strip_prefix(&backend.url("")).expect("a url of this backend").to_owned();
        assert_eq!(backend.get(&path).send().await.expect("an answer").status(), 404);
        assert!((200..300).contains(&upload(&token, jpeg_of_a_place()).await));
        let objects = settled(&backend).await;
        assert!(objects.iter().all(|key| !key.starts_with("uploads/")), "{objects:?}");
        let response = backend.get(&path).send().await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"image/jpeg".parse().unwrap())
        );
        let bytes = response.bytes().await.expect("bytes");
        assert!(!bytes.windows(4).any(|window| window == b"home"));
        assert!(backend.get(&format!("{path}@128w_128h_1c")).send().await.expect("an answer").status().is_success());
        let point = as_of(backend.post("/user/set_portrait_uri"), &owner.cookie);
        assert_eq!(answer(point.json(&json!({ "portraitUri": token.image }))).await, done());
        // The name is already served, so nothing else may be stored under it.
        assert!((200..300).contains(&upload(&token, encoded(ImageFormat::Jpeg)).await));
        settled(&backend).await;
        assert_eq!(backend.get(&path).send().await.unwrap().bytes().await.unwrap(), bytes);
    });
}

#[test]
fn what_is_served_stays_when_a_second_upload_missed_it() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let token = token(&backend, &owner.cookie, &[]).await;
        let key = format!("originals/images/{}", name(&token.image));
        assert!((200..300).contains(&upload(&token, encoded(ImageFormat::Jpeg)).await));
        let objects = settled(&backend).await;
        let first = Bucket::of(&backend).get(&key).await.expect("an original");
        let endpoints = backend.running.endpoints();
        // As if the first upload had been stored after the check.
        endpoints.fail_next("s3:HeadObject", 1, Fault::error(404, "NotFound"));
        assert!((200..300).contains(&upload(&token, jpeg(50, 50)).await));
        assert_eq!(settled(&backend).await, objects, "dropped, and nothing else");
        assert_eq!(endpoints.faults_left(), 0, "an ordered fault did not happen");
        assert!(Bucket::of(&backend).get(&key).await.as_ref() == Some(&first), "what was served was replaced");
    });
}

#[test]
fn an_upload_that_met_another_request_is_taken_in_when_the_event_comes_again() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let token = token(&backend, &owner.cookie, &[]).await;
        let endpoints = backend.running.endpoints();
        // S3 returns this if the key is changed at the same time, also by a deletion: then no object exists.
        endpoints.fail_next("s3:PutObject", 1, Fault::error(409, "ConditionalRequestConflict"));
        assert!((200..300).contains(&upload(&token, encoded(ImageFormat::Jpeg)).await));
        settled(&backend).await;
        let key = format!("originals/images/{}", name(&token.image));
        assert!(Bucket::of(&backend).get(&key).await.is_some(), "the picture is lost");
        assert_eq!(endpoints.faults_left(), 0, "the ordered fault did not happen");
    });
}

#[test]
fn many_uploads_by_one_token_at_once_leave_the_first_that_was_served() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        for round in 0..4 {
            let token = token(&backend, &owner.cookie, &[]).await;
            let key = format!("originals/images/{}", name(&token.image));
            let uploads = (0..8).map(|nth| upload(&token, jpeg(600 + 8 * nth, 600)));
            let served = async {
                loop {
                    if let Some(original) = Bucket::of(&backend).get(&key).await {
                        break original;
                    }
                }
            };
            let (statuses, served) = tokio::join!(join_all(uploads), served);
            assert!(statuses.iter().all(|status| (200..300).contains(status)), "{statuses:?}");
            let objects = settled(&backend).await;
            assert!(objects.iter().all(|key| !key.starts_with("uploads/")), "{objects:?}");
            assert!(Bucket::of(&backend).get(&key).await == Some(served), "round {round}: it was replaced");
        }
    });
}

#[test]
fn a_token_is_for_one_place_one_type_one_size_and_ten_minutes() {
    run(async {
        let backend = Backend::start(&[("ImageMaxBytes", "20000")]).await;
        let owner = register(&backend).await;
        let changed = async |name: &str, value: &str| {
            let mut token = token(&backend, &owner.cookie, &[]).await;
            token.fields.insert(name.to_owned(), value.to_owned());
            upload(&token, encoded(ImageFormat::Jpeg)).await
        };
        let elsewhere = "originals/images/0123456789abcdef0123456789abcdef.jpg";
        for (name, value) in [
            ("key", elsewhere),
            ("key", "uploads/images/7/0123456789abcdef0123456789abcdef.jpg"),
            ("Content-Type", "text/html"),
            ("x-amz-signature", "00"),
            ("acl", "public-read"),
        ] {
            let status = changed(name, value).await;
            assert!((400..500).contains(&status), "{name}={value}: {status}");
        }
        let large = token(&backend, &owner.cookie, &[]).await;
        assert!((400..500).contains(&upload(&large, vec![0xff; 20_001]).await));
        assert!((400..500).contains(&upload(&large, Vec::new()).await));
        assert_eq!(settled(&backend).await, Vec::<String>::new());
        // A file that is not a picture, or one of another format, is dropped.
        for bytes in [b"<html>".to_vec(), encoded(ImageFormat::Png)] {
            let token = token(&backend, &owner.cookie, &[]).await;
            assert!((200..300).contains(&upload(&token, bytes).await));
            assert_eq!(settled(&backend).await, Vec::<String>::new());
        }
        let png = token(&backend, &owner.cookie, &[("type", "image/png")]).await;
        assert!(png.image.rsplit_once('.').is_some_and(|(_, extension)| extension == "png"));
        assert!((200..300).contains(&upload(&png, encoded(ImageFormat::Png)).await));
        assert!(settled(&backend).await.iter().any(|key| key.starts_with("originals/images/")));
        let rule = refused(400, 400, "type must be image/jpeg, image/png, image/webp, image/gif or image/heic");
        let asked = as_of(backend.post("/user/get_image_token"), &owner.cookie).json(&json!({ "type": "text/html" }));
        assert_eq!(answer(asked).await, rule);
    });
}

#[test]
fn a_heic_comes_by_a_token_too() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let token = token(&backend, &owner.cookie, &[("type", "image/heic")]).await;
        let path = token.image.strip_prefix(&backend.url("")).expect("a url of this backend").to_owned();
        assert!(path.rsplit('.').next() == Some("heic") && token.fields["Content-Type"] == "image/heic");
        assert!((200..300).contains(&upload(&token, heic_of_a_place(0, (512, 512))).await));
        let objects = settled(&backend).await;
        assert!(objects.len() == 5 && objects.iter().all(|key| !key.starts_with("uploads/")), "{objects:?}");
        let kept = backend.bytes(&path).await;
        assert!(code(&kept) == code(QUARTERS) && !holds(&kept, SECRET));
        assert_eq!(backend.bytes(&format!("{path}@128w_128h_1c")).await[..2], [0xff, 0xd8]);
    });
}

#[test]
fn what_comes_by_a_token_is_judged_like_any_upload_and_dropped() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        let jpeg = encoded(ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
        let mut bomb = jpeg.clone();
        bomb[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
        let cases = [
            ("image/jpeg", "a page", b"<html><script>alert(1)</script>".to_vec()),
            ("image/jpeg", "a PNG", encoded(ImageFormat::Png)),
            ("image/jpeg", "a HEIC", QUARTERS.to_vec()),
            ("image/jpeg", "a JPEG of 4 gigapixels", bomb),
            ("image/jpeg", "a JPEG that ends before its pixels", jpeg[..frame].to_vec()),
            ("image/png", "a JPEG", jpeg.clone()),
            ("image/gif", "an archive", b"PK\x03\x04 GIF89a".to_vec()),
            ("image/heic", "a JPEG", jpeg),
            ("image/heic", "a HEIC that is cut", QUARTERS[..QUARTERS.len() - 1].to_vec()),
            ("image/heic", "a HEIC of 4 gigapixels", heic_of_a_place(0, (65_500, 65_500))),
        ];
        for (kind, what, bytes) in cases {
            let token = token(&backend, &owner.cookie, &[("type", kind)]).await;
            assert!((200..300).contains(&upload(&token, bytes).await), "{what}");
            assert_eq!(settled(&backend).await, Vec::<String>::new(), "{what} as {kind}");
            let path = token.image.strip_prefix(&backend.url("")).expect("a url of this backend").to_owned();
            let missing = (404, json!({ "error": "no such image" }));
            assert_eq!(answer(backend.get(&path)).await, missing, "{what} as {kind}");
            // A refused upload did not use up the token, which is still valid for its own type only.
            if kind == "image/png" {
                assert!((200..300).contains(&upload(&token, encoded(ImageFormat::Png)).await));
                assert_eq!(settled(&backend).await.len(), 5);
                for key in backend.objects().await {
                    Bucket::of(&backend).delete(&key).await;
                }
            }
        }
    });
}

#[test]
fn a_token_that_has_expired_puts_nothing_into_the_bucket() {
    run(async {
        let backend = Backend::start(&[]).await;
        let owner = register(&backend).await;
        // The bucket's clock continued while the token's stood still for ten minutes and some seconds.
        backend.set_back(Duration::from_secs(605));
        let late = token(&backend, &owner.cookie, &[]).await;
        assert_eq!(upload(&late, encoded(ImageFormat::Jpeg)).await, 403);
        backend.advance(Duration::from_secs(30));
        let just_in_time = token(&backend, &owner.cookie, &[]).await;
        assert!((200..300).contains(&upload(&just_in_time, encoded(ImageFormat::Jpeg)).await));
        assert_eq!(settled(&backend).await.len(), 5);
    });
}

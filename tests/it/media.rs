//! Uploading pictures, voice notes and avatars.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HOST};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::backend::answer;
use crate::support::pictures::{
    SECRET, decoded, extension, gif, holds, jpeg, jpeg_of_a_place, name, one_of_each, png, segment, voice_notes,
};
use crate::support::table::text;
use crate::support::users::{internal_error, not_signed_in};
use crate::support::{Backend, Person, fresh_phone, run, shared};

fn form(bytes: Vec<u8>, file_name: &str, kind: &str) -> Form {
    let part = Part::bytes(bytes).file_name(file_name.to_owned()).mime_str(kind).expect("a media type");
    Form::new().text("note", "before the file").part("file", part)
}

fn signed(backend: &Backend, person: &Person, path: &str) -> RequestBuilder {
    backend.post(path).bearer_auth(&person.access_token)
}

/// The records of uploads in a user's partition.
async fn records(backend: &Backend, person: &Person) -> Vec<String> {
    let items = backend.items(&format!("user#{}", person.uid)).await;
    let keys = items.iter().filter_map(|item| item["sk"].as_s().ok());
    keys.filter_map(|key| key.strip_prefix("media#")).map(str::to_owned).collect()
}

#[test]
fn a_picture_of_every_format_comes_back_byte_for_byte() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for (kind, extension, bytes) in one_of_each(40, 30) {
            let upload = backend.upload(&person, Method::POST, "/images", bytes.clone());
            let (status, body) = answer(upload).await;
            assert_eq!(status, 200, "{body}");
            let src = body["src"].as_str().expect("src");
            assert_eq!(body, json!({ "src": src, "src_url": backend.url(src) }));
            let (path, ending) = src.split_once('.').expect("an extension");
            assert_eq!(ending, extension);
            let digits = path.strip_prefix("/images/").expect("below /images/");
            assert!(digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{src}");

            let response = backend.get(src).send().await.expect("an answer");
            assert_eq!(response.headers()[CONTENT_TYPE], kind);
            assert!(response.bytes().await.expect("bytes") == bytes, "{kind}");
        }
    });
}

#[test]
fn two_uploads_of_the_same_bytes_have_two_names() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let one = backend.post_image(&person, jpeg(20, 20)).await;
        let other = backend.post_image(&person, jpeg(20, 20)).await;
        assert_ne!(one, other);
    });
}

#[test]
fn the_bytes_decide_and_not_the_content_type() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let kinds = [
            "image/jpeg",
            "text/plain",
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "multipart/form-data; boundary=never-used",
            "nonsense",
            "",
        ];
        for kind in kinds {
            let upload = signed(backend, &person, "/images").header(CONTENT_TYPE, kind).body(png(9, 7));
            let (status, body) = answer(upload).await;
            assert_eq!(status, 200, "{kind}: {body}");
            assert_eq!(body["src"].as_str().map(extension), Some("png"), "{kind}");
        }
        let (status, _) = answer(signed(backend, &person, "/images").body(png(9, 7))).await;
        assert_eq!(status, 200, "no content type at all");
    });
}

#[test]
fn a_file_may_come_as_the_part_of_a_form() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        // A GIF with the content type of a JPEG is a GIF.
        let upload = signed(backend, &person, "/images").multipart(form(gif(12, 8), "holiday.jpg", "image/jpeg"));
        let (status, body) = answer(upload).await;
        assert_eq!(status, 200, "{body}");
        let src = body["src"].as_str().expect("src");
        assert_eq!(extension(src), "gif");
        assert!(backend.bytes(src).await == gif(12, 8));

        let (_, _, amr) = voice_notes().swap_remove(0);
        let upload = signed(backend, &person, "/audios").multipart(form(amr.clone(), "a", "application/plain"));
        let (status, body) = answer(upload).await;
        assert_eq!(status, 200, "{body}");
        assert!(backend.bytes(body["src"].as_str().expect("src")).await == amr);

        let upload = backend.put("/users/me/avatar").bearer_auth(&person.access_token);
        let (status, body) = answer(upload.multipart(form(png(5, 5), "a.png", "image/png"))).await;
        assert_eq!(status, 200, "{body}");
    });
}

#[test]
fn urls_are_on_the_host_that_was_asked() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for (host, origin) in [("api.example.com", "https://api.example.com"), ("localhost", "http://localhost")] {
            for (method, path) in [(Method::POST, "/images"), (Method::PUT, "/users/me/avatar")] {
                let (_, body) = answer(backend.upload(&person, method, path, jpeg(8, 8)).header(HOST, host)).await;
                let src = body["src"].as_str().expect("src");
                assert_eq!(body["src_url"], format!("{origin}{src}"));
            }
        }
    });
}

#[test]
fn the_place_a_picture_was_taken_at_is_taken_out_and_its_orientation_kept() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for orientation in 1..=8 {
            let original = jpeg_of_a_place(48, 32, orientation);
            assert!(holds(&original, SECRET) && holds(&original, b"ns.adobe.com"));
            let (_, pixels, turn) = decoded(&original);
            assert_eq!(turn.to_exif(), orientation);

            let src = backend.post_image(&person, original).await;
            let kept = backend.bytes(&src).await;
            assert!(!holds(&kept, SECRET) && !holds(&kept, b"ns.adobe.com"));
            // The tag of the pointer to the GPS directory, which is in no other part of such a small picture.
            assert!(!holds(&kept, &[0x88, 0x25, 0, 4]));
            let (_, kept_pixels, kept_turn) = decoded(&kept);
            assert_eq!(kept_turn, turn);
            assert!(kept_pixels == pixels, "orientation {orientation}");
        }
    });
}

#[test]
fn only_what_had_to_go_is_gone() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let plain = jpeg(33, 21);
        let mut commented = plain.clone();
        let tables = commented.windows(2).position(|pair| pair == [0xff, 0xdb]).expect("tables");
        commented.splice(tables..tables, segment(0xfe, SECRET));
        let src = backend.post_image(&person, commented).await;
        assert!(backend.bytes(&src).await == plain);
    });
}

#[test]
fn voice_notes_are_known_by_their_bytes() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        for (kind, extension, bytes) in voice_notes() {
            let upload = backend.upload(&person, Method::POST, "/audios", bytes.clone());
            let (status, body) = answer(upload).await;
            assert_eq!(status, 200, "{extension}: {body}");
            let src = body["src"].as_str().expect("src");
            assert_eq!(body, json!({ "src": src, "src_url": backend.url(src) }));
            assert!(src.starts_with("/audios/") && src.ends_with(&format!(".{extension}")), "{src}");

            let response = backend.get(src).send().await.expect("an answer");
            assert_eq!(response.headers()[CONTENT_TYPE], kind, "{extension}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            // A file of an unknown format is never displayed in a browser.
            let shown = response.headers().get("content-disposition").is_none();
            assert_eq!(shown, kind != "application/octet-stream", "{extension}");
            assert!(response.bytes().await.expect("bytes") == bytes, "{extension}");
        }
    });
}

#[test]
fn what_is_no_voice_note_is_refused_and_not_kept() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let before = backend.count_items().await;
        let files: [(&str, Vec<u8>); 14] = [
            ("a page", b"<!DOCTYPE html><script>alert(1)</script>".to_vec()),
            ("a page after a mark", "\u{feff} \n<html></html>".into()),
            ("a drawing", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
            ("a drawing with a declaration", b"<?xml version='1.0'?><svg/>".to_vec()),
            ("an ELF program", b"\x7fELF\x02\x01\x01\0\0\0".to_vec()),
            ("a Windows program", b"MZ\x90\0\x03\0\0\0".to_vec()),
            ("a script", b"#!/bin/sh\nid\n".to_vec()),
            ("a ZIP archive", b"PK\x03\x04\x14\0\0\0".to_vec()),
            ("a JPEG", jpeg(8, 8)),
            ("a PNG", png(8, 8)),
            ("a GIF", gif(8, 8)),
            ("a text", b"hello\n".to_vec()),
            ("a list of names", "name,number\r\n王,1\r\n".into()),
            ("nothing", Vec::new()),
        ];
        for (what, bytes) in files {
            let (status, body) = answer(backend.upload(&person, Method::POST, "/audios", bytes)).await;
            assert_eq!(status, 400, "{what}: {body}");
            assert!(body["error"].is_string() && body.as_object().expect("an object").len() == 1, "{what}: {body}");
        }
        assert_eq!((backend.count_items().await, backend.objects().await.len()), (before, 0));
    });
}

#[test]
fn an_upload_is_written_down_in_its_owner_s_partition() {
    run(async {
        let backend = shared().await;
        let (person, other) = (backend.person().await, backend.person().await);
        assert_eq!(records(backend, &person).await, Vec::<String>::new());
        let mut expected = vec![
            backend.post_image(&person, jpeg(10, 10)).await,
            backend.post_audio(&person, b"#!AMR\n\x3c\x91".to_vec()).await,
            backend.put_avatar(&person, png(10, 10)).await,
        ];
        for path in &mut expected {
            *path = name(path).to_owned();
        }
        expected.sort();
        assert_eq!(records(backend, &person).await, expected);
        assert_eq!(records(backend, &other).await, Vec::<String>::new());
    });
}

#[test]
fn an_avatar_is_seen_in_address_books_and_at_the_next_sign_in() {
    run(async {
        let backend = Backend::start(&[]).await;
        let phone = fresh_phone();
        let (person, friend) = (backend.person_on(&phone).await, backend.person().await);
        let look_up = async || backend.card(&friend, &phone).await["avatar"].clone();
        assert_eq!(look_up().await, Value::Null);
        let first = backend.put_avatar(&person, jpeg(30, 30)).await;
        assert_eq!(look_up().await, backend.url(&first));
        let second = backend.put_avatar(&person, png(30, 30)).await;
        assert_eq!(look_up().await, backend.url(&second));

        backend.advance(Duration::from_secs(61));
        let code = backend.code_for(&phone).await;
        let (_, tokens) = backend.sign_in(&phone, &code).await;
        assert_eq!(tokens["avatar"], backend.url(&second), "{tokens}");
        // Existing links to the first file still work.
        assert!(backend.bytes(&first).await == jpeg(30, 30));
        assert!(
            backend.bytes(tokens["avatar"].as_str().expect("a URL").trim_start_matches(&backend.url(""))).await
                == png(30, 30)
        );
    });
}

#[test]
fn nobody_uploads_without_signing_in() {
    run(async {
        let backend = Backend::start(&[]).await;
        let before = backend.count_items().await;
        for (method, path) in [(Method::POST, "/images"), (Method::POST, "/audios"), (Method::PUT, "/users/me/avatar")]
        {
            for credential in [None, Some("Bearer x"), Some("Bearer"), Some("Basic eDp5"), Some("")] {
                let mut upload = backend.request(method.clone(), path).body(jpeg(10, 10));
                if let Some(credential) = credential {
                    upload = upload.header("authorization", credential);
                }
                let (status, body) = answer(upload).await;
                assert_eq!((status, body), not_signed_in(), "{path} {credential:?}");
            }
        }
        assert_eq!((backend.count_items().await, backend.objects().await), (before, Vec::new()));
    });
}

#[test]
fn a_session_that_ended_uploads_nothing() {
    run(async {
        let backend = Backend::start(&[("SessionsPerAccount", "1")]).await;
        let phone = fresh_phone();
        let ended = backend.person_on(&phone).await;
        backend.advance(Duration::from_secs(61));
        let living = backend.person_on(&phone).await;
        let before = backend.count_items().await;
        for (method, path) in [(Method::POST, "/images"), (Method::POST, "/audios"), (Method::PUT, "/users/me/avatar")]
        {
            let bytes = if path == "/audios" { b"#!AMR\n\x3c".to_vec() } else { jpeg(300, 300) };
            let (status, body) = answer(backend.upload(&ended, method.clone(), path, bytes.clone())).await;
            assert_eq!((status, body), not_signed_in(), "{path}");
            backend.settled().await;
            assert_eq!(backend.objects().await, Vec::<String>::new(), "{path}");
            assert_eq!(backend.count_items().await, before, "{path}");
            assert_eq!(records(&backend, &ended).await, Vec::<String>::new(), "{path}");
        }
        assert_eq!(records(&backend, &living).await, Vec::<String>::new());
        // The other session of the same account continues.
        backend.post_image(&living, jpeg(10, 10)).await;
        assert_eq!(records(&backend, &living).await.len(), 1);
    });
}

#[test]
fn when_the_bucket_fails_the_caller_is_told_and_nothing_is_half_done() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        // More often than the SDK retries.
        backend.running.endpoints().fail_next("s3:PutObject", 3, emulator::Fault::slow_down());
        let upload = backend.upload(&person, Method::PUT, "/users/me/avatar", jpeg(10, 10));
        assert_eq!(answer(upload).await, internal_error());
        assert_eq!(backend.running.endpoints().faults_left(), 0);
        assert_eq!(backend.objects().await, Vec::<String>::new());
        let account = backend.account(person.uid).await;
        assert!(text(&account, "avatar").unwrap_or_default().is_empty(), "{account:?}");
        // Once is covered by the SDK's retry.
        backend.running.endpoints().fail_next("s3:PutObject", 1, emulator::Fault::slow_down());
        backend.put_avatar(&person, jpeg(10, 10)).await;
    });
}

//! A backend with a data folder is stopped and started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::crypto::SystemRandom;
use domain::random;
use emulator::Fault;
use local::Options;
use serde_json::json;

use crate::support::backend::answer;
use crate::support::pictures::{Bucket, broken_webps, jpeg, name, size};
use crate::support::{Backend, fresh_phone, run};

/// A folder that is deleted after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let id = u128::from_be_bytes(random::bytes(&SystemRandom));
        Self(std::env::temp_dir().join(format!("handset-test-{id:032x}")))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options(folder: &Path) -> Options {
    Options { port: 0, data: Some(folder.to_owned()), ..Options::default() }
}

async fn start(folder: &Folder) -> Backend {
    Backend::with(options(&folder.0), |handset| handset).await.expect("the backend starts")
}

#[test]
fn what_was_there_before_a_restart_is_there_after_it() {
    run(async {
        let folder = Folder::new();
        let phone = fresh_phone();
        let before = start(&folder).await;
        assert_eq!(before.running.data(), Some(folder.0.as_path()));
        let person = before.person_on(&phone).await;
        let (image, audio) = (
            before.put_avatar(&person, jpeg(300, 200)).await,
            before.post_audio(&person, b"#!AMR\n\x3c\x91".to_vec()).await,
        );
        assert_eq!(answer(before.nickname(&person.access_token, "小明")).await, (200, json!({})));
        let (texts, sessions) = (before.texts(&phone).await, before.sessions(person.uid).await);
        let tag = before.get(&image).send().await.expect("an answer").headers()["etag"].clone();
        before.running.stop().await;

        let after = start(&folder).await;
        assert_eq!(after.texts(&phone).await, texts);
        assert!(after.sessions(person.uid).await == sessions);
        // The same access token, signed with the same secret, and the same account.
        let card = after.card(&person, &phone).await;
        assert_eq!((card["uid"].as_u64(), &card["name"]), (Some(person.uid), &json!("小明")));
        assert_eq!(card["avatar"], after.url(&image));
        assert!(after.bytes(&image).await == jpeg(300, 200));
        assert_eq!(after.get(&image).send().await.expect("an answer").headers()["etag"], tag);
        assert_eq!(size(&after.bytes(&format!("{image}@128w_128h_1c")).await), (128, 128));
        assert!(after.bytes(&audio).await == b"#!AMR\n\x3c\x91");
        // The session continues, and the phone signs in to the same account.
        let (status, tokens) = answer(after.refresh(&person.refresh_token)).await;
        assert_eq!((status, tokens["uid"].as_u64()), (200, Some(person.uid)), "{tokens}");
        after.advance(Duration::from_secs(61));
        assert_eq!(after.person_on(&phone).await.uid, person.uid);
        after.running.stop().await;
    });
}

#[test]
fn a_code_that_was_sent_before_a_restart_works_after_it() {
    run(async {
        let folder = Folder::new();
        let phone = fresh_phone();
        let before = start(&folder).await;
        let code = before.code_for(&phone).await;
        before.running.stop().await;
        let after = start(&folder).await;
        let (status, tokens) = after.sign_in(&phone, &code).await;
        assert_eq!(status, 200, "{tokens}");
        after.running.stop().await;
    });
}

#[test]
fn a_folder_belongs_to_one_run_at_a_time() {
    run(async {
        let folder = Folder::new();
        let first = start(&folder).await;
        let second = Backend::with(options(&folder.0), |handset| handset).await;
        let error = second.err().expect("a second run on the same folder").to_string();
        assert!(error.contains("in use") && error.contains(&folder.0.display().to_string()), "{error}");
        // The first backend continues undisturbed.
        first.person().await;
        first.running.stop().await;
        let third = start(&folder).await;
        third.person().await;
        third.running.stop().await;
    });
}

#[test]
fn the_folder_is_for_its_owner_s_eyes_only_where_it_holds_secrets() {
    run(async {
        let folder = Folder::new();
        start(&folder).await.running.stop().await;
        let secrets = fs::metadata(folder.0.join("secrets.json")).expect("the secrets");
        assert!(secrets.len() > 64);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secrets.permissions()) & 0o077, 0);
    });
}

#[test]
fn that_a_picture_has_no_thumbnails_is_read_after_a_restart_and_not_found_again_by_decoding() {
    run(async {
        let folder = Folder::new();
        let before = start(&folder).await;
        let person = before.person().await;
        let mut pictures = Vec::new();
        for (_, bytes) in broken_webps() {
            pictures.push(before.post_image(&person, bytes).await);
        }
        before.settled().await;
        before.running.stop().await;

        let after = start(&folder).await;
        let endpoints = after.running.endpoints();
        for src in pictures {
            let (note, _) = Bucket::of(&after).get(&format!("refusals/{}", name(&src))).await.expect("a note");
            assert_eq!(String::from_utf8_lossy(&note), "1: the picture is damaged");
            // Each request reads the thumbnail and the note. The original is not read: that call would fail.
            endpoints.fail_after("s3:GetObject", 4, 1, Fault::slow_down());
            for suffix in ["@128w_128h_1c", "@256w_256h_0c"] {
                let refused = answer(after.get(&format!("{src}{suffix}"))).await;
                assert_eq!(refused, (400, json!({ "error": "the picture is damaged" })), "{suffix}");
            }
            assert_eq!(endpoints.faults_left(), 1);
            assert!(after.get(&src).send().await.expect("an answer").status().is_success());
            assert_eq!(endpoints.faults_left(), 0, "the original itself is read, at the second try");
        }
    });
}

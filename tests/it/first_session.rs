//! `docs/first-session.sh`, run as README and `docs/local-testing.md` print it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::support::backend::{answer, whole};
use crate::support::pictures::jpeg;
use crate::support::{Backend, fresh_phone, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The fenced blocks of a document, each with its language.
fn blocks(document: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join(document)).expect("a document");
    let (mut found, mut open) = (Vec::new(), None::<(String, String)>);
    for line in text.lines() {
        match (line.trim().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, block))) => {
                block.push_str(line.trim_start());
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// The block that runs the first session, and the one after it.
fn session_of(document: &str) -> (String, String) {
    let blocks = blocks(document);
    let at = blocks.iter().position(|(_, block)| block.contains("first-session.sh"));
    let at = at.unwrap_or_else(|| panic!("{document} runs the first session"));
    (blocks[at].1.clone(), blocks.get(at + 1).map(|(_, block)| block.clone()).unwrap_or_default())
}

/// Runs a text with `sh`, on this test's own thread, at the root of the repository, as somebody who pasted it there.
fn sh(text: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", text]).current_dir(root()).envs(variables.iter().copied());
    command.output().expect("sh runs")
}

fn said(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).expect("text")
}

/// Digits and the names of pictures as `#`, so that two runs can be compared.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let name = word.split('/').find(|piece| piece.len() > 32 && piece.contains('@'));
        let word = name.map_or(word.to_owned(), |name| word.replace(name, "#"));
        shape.extend(word.chars().map(|one| if one.is_ascii_digit() { '#' } else { one }));
    }
    while shape.contains("##") {
        shape = shape.replace("##", "#");
    }
    shape
}

#[test]
fn readmes_session_runs_as_printed_twice_within_a_minute() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (session, shown) = session_of("README.md");
        for _ in 0..2 {
            let output = sh(&session, &[("API", &backend.running.url())]);
            let (out, err) = (said(&output.stdout), said(&output.stderr));
            assert!(output.status.success() && err.is_empty(), "{out}{err}");
            let own = out.replace(&backend.running.url(), "http://localhost:3000");
            assert_eq!(shape(&own), shape(&shown), "README shows what is printed");
            let thumbnail = out.split_whitespace().next_back().expect("an address");
            let path = thumbnail.strip_prefix(&backend.running.url()).expect("an address of this run");
            let thumbnail = whole(backend.get(path)).await;
            assert_eq!((thumbnail.status, &thumbnail.headers["content-type"]), (200, &"image/jpeg".parse().unwrap()));
        }
        // Two accounts, because a number gets only one code a minute.
        let texts = answer(backend.get("/_local/sms")).await.1;
        let texts = texts.as_array().expect("a list");
        assert!(texts.len() == 2 && texts[0]["phone"] != texts[1]["phone"], "{texts:?}");
    });
}

#[test]
fn local_testings_session_runs_as_printed() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (session, _) = session_of("docs/local-testing.md");
        // Its own address, which is that of `cargo lambda watch`.
        let own = "http://localhost:9000";
        assert!(session.contains(own), "{session}");
        let output = sh(&session.replace(own, &backend.running.url()), &[]);
        assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    });
}

#[test]
fn a_session_on_one_number_goes_by_the_newest_code_and_stops_at_the_first_failure() {
    run(async {
        let backend = Backend::start(&[]).await;
        let (session, _) = session_of("README.md");
        let (phone, photo) = (fresh_phone(), std::env::temp_dir().join(format!("photo-{}.jpg", std::process::id())));
        fs::write(&photo, jpeg(300, 200)).expect("written");
        let url = backend.running.url();
        let variables = [("API", url.as_str()), ("NUMBER", &phone.0), ("PHOTO", photo.to_str().expect("text"))];
        // Older texts lie in the inbox, to this number and to others.
        for _ in 0..2 {
            backend.code_for(&fresh_phone()).await;
            backend.code_for(&phone).await;
            backend.advance(Duration::from_mins(1));
        }
        let output = sh(&session, &variables);
        assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
        assert!(said(&output.stdout).contains(".jpg@128w_128h_1c"));
        // Again at once: no code, so nothing else is tried.
        let output = sh(&session, &variables);
        let err = said(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{err}");
        assert!(err.starts_with(&format!("failed  a code for +86 {phone}: expected \"code\":\", got: ")), "{err}");
        assert!(err.contains("a code was sent a moment ago; try again in"), "{err}");
        fs::remove_file(photo).expect("removed");
        // Where nothing listens.
        let output = sh(&session, &[("API", "http://localhost:1")]);
        let err = said(&output.stderr);
        assert!(!output.status.success() && err.contains("Does the local run listen at http://localhost:1?"), "{err}");
    });
}

/// No other program than these is on the path, and none of them is used beyond what POSIX has.
#[cfg(unix)]
#[test]
fn a_session_needs_only_sh_and_curl() {
    run(async {
        let backend = Backend::start(&[]).await;
        let folder = std::env::temp_dir().join(format!("first-session-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let paths = std::env::var_os("PATH").expect("a path");
        for name in ["curl", "sed", "cut", "date"] {
            let found = std::env::split_paths(&paths).map(|path| path.join(name)).find(|path| path.is_file());
            let found = found.unwrap_or_else(|| panic!("{name} is installed"));
            std::os::unix::fs::symlink(found, folder.join(name)).expect("a link");
        }
        let script = fs::read_to_string(root().join("docs/first-session.sh")).expect("the session");
        let path = folder.to_str().expect("text");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).env_clear().env("PATH", path).env("API", backend.running.url());
        let output = command.output().expect("sh runs");
        assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
        fs::remove_dir_all(folder).expect("removed");
    });
}

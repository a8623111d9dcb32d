//! Voice notes without their metadata: the service does not publish the data that a phone writes into a recording.

use reqwest::Method;

use crate::support::backend::answer;
use crate::support::pictures::holds;
use crate::support::{run, shared};

const PLACE: &[u8] = b"+48.8577+002.2950/";
const NAME: &[u8] = b"Rue de la Paix 7";
const SOUND: &[u8] = b"udta and LIST within the sound are sound";

fn mp4_box(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).expect("a short box");
    [&length.to_be_bytes(), kind, content].concat()
}

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short chunk");
    [kind, &length.to_le_bytes(), content].concat()
}

/// A recording by a phone's camera app, whose brand is a general one, with its user data or with free space.
fn m4a(user_data: &[u8], place: &[u8], name: &[u8]) -> Vec<u8> {
    let (place, name) = if user_data == b"free" {
        (vec![0; place.len() + 12], vec![0; name.len() + 12])
    } else {
        let text = |kind: &[u8], text: &[u8]| {
            let length = u16::try_from(text.len()).expect("a short text");
            mp4_box(kind, &[&length.to_be_bytes()[..], b"\x15\xc7", text].concat())
        };
        (text(b"\xa9xyz", place), text(b"\xa9nam", name))
    };
    let user_data = mp4_box(user_data, &[place, name].concat());
    let moov = mp4_box(b"moov", &[mp4_box(b"mvhd", &[1; 100]), user_data].concat());
    [mp4_box(b"ftyp", b"isom\0\0\x02\0isommp42"), moov, mp4_box(b"mdat", SOUND)].concat()
}

fn wav(list: &[u8], name: &[u8]) -> Vec<u8> {
    let head = [&b"RIFF\x78\0\0\0WAVE"[..], &chunk(b"fmt ", &[1; 16])].concat();
    [head, chunk(list, name), chunk(b"data", SOUND)].concat()
}

#[test]
fn where_a_voice_note_was_recorded_and_what_it_is_called_is_taken_out() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let info = [b"INFO", &chunk(b"INAM", NAME)[..], &chunk(b"ICMT", PLACE)].concat();
        let cases = [
            (m4a(b"udta", PLACE, NAME), m4a(b"free", PLACE, NAME)),
            (wav(b"LIST", &info), wav(b"JUNK", &vec![0; info.len()])),
        ];
        for (recorded, expected) in cases {
            assert!(holds(&recorded, PLACE) && holds(&recorded, NAME));
            let src = backend.post_audio(&person, recorded.clone()).await;
            let kept = backend.bytes(&src).await;
            assert!(!holds(&kept, PLACE) && !holds(&kept, NAME), "{src}");
            assert_eq!(kept.len(), recorded.len(), "{src}");
            assert!(kept == expected, "{src}");
        }
    });
}

#[test]
fn a_voice_note_that_lies_about_its_lengths_is_kept_as_it_came() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let mut lying = m4a(b"udta", PLACE, NAME);
        // The length of `moov`, after the 24 bytes of `ftyp`.
        lying[24..28].copy_from_slice(&u32::MAX.to_be_bytes());
        for recorded in [lying, m4a(b"udta", PLACE, NAME)[..60].to_vec(), wav(b"bext", NAME)[..50].to_vec()] {
            let (status, body) = answer(backend.upload(&person, Method::POST, "/audios", recorded.clone())).await;
            assert_eq!(status, 200, "{body}");
            assert!(backend.bytes(body["src"].as_str().expect("src")).await == recorded);
        }
    });
}

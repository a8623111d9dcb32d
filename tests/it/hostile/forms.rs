//! Malformed forms, and bodies that are too large.

use reqwest::Method;
use serde_json::json;

use super::{assert_in_envelope, holdings, multipart, own, png_claiming};
use crate::support::backend::answer;
use crate::support::pictures::{Noise, extension, jpeg, noise_png, png};
use crate::support::{Backend, run};

#[test]
fn a_form_that_makes_no_sense_is_refused() {
    run(async {
        let (backend, person, before) = own().await;
        let part = |name: &str, extra: &str, bytes: &[u8]| {
            let head = format!("--x\r\nContent-Disposition: form-data; {name}{extra}\r\n\r\n");
            [head.as_bytes(), bytes, b"\r\n"].concat()
        };
        let closed = |parts: &[Vec<u8>]| [&parts.concat()[..], b"--x--\r\n"].concat();
        let file = part("name=\"file\"", "", &png(8, 8));
        let huge = "a".repeat(300_000);
        let kind = "multipart/form-data; boundary=x";
        let forms: [(&str, &str, Vec<u8>); 14] = [
            ("no parts", kind, closed(&[])),
            ("only a field", kind, closed(&[part("name=\"note\"", "", b"hello")])),
            ("a part without a name", kind, closed(&[part("nothing", "", &png(8, 8))])),
            ("an empty file", kind, closed(&[part("name=\"file\"", "", b"")])),
            ("a file that is a page", kind, closed(&[part("name=\"file\"", "; filename=\"a.png\"", b"<html>")])),
            ("an empty file before a picture", kind, closed(&[part("name=\"file\"", "", b""), file.clone()])),
            ("no end", kind, file.clone()),
            ("cut in the file", kind, file[..file.len() / 2].to_vec()),
            ("cut in the head", kind, b"--x\r\nContent-Disposition: form-da".to_vec()),
            ("only dashes", kind, b"--".to_vec()),
            ("another boundary", "multipart/form-data; boundary=y", closed(std::slice::from_ref(&file))),
            ("no boundary", "multipart/form-data; charset=utf-8", closed(std::slice::from_ref(&file))),
            ("a huge head", kind, closed(&[part("name=\"file\"", &format!("; filename=\"{huge}\""), b"")])),
            ("a huge name of a header", kind, [format!("--x\r\n{huge}: a\r\n\r\n").as_bytes(), &file].concat()),
        ];
        for (what, kind, body) in forms {
            let (status, body) = answer(multipart(&backend, &person, kind, body)).await;
            assert_eq!(status, 400, "{what}: {body}");
            assert_in_envelope(what, status, &body);
        }
        // A thousand fields and no file.
        let fields = vec![part("name=\"note\"", "", b"hello"); 1000];
        let (status, body) = answer(multipart(&backend, &person, kind, closed(&fields))).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn of_two_files_in_a_form_one_is_kept() {
    run(async {
        let (backend, person, before) = own().await;
        let part = |bytes: &[u8]| {
            [b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../a\"\r\n\r\n", bytes, b"\r\n"]
                .concat()
        };
        let body = [part(&png(8, 8)), part(&jpeg(8, 8)), b"--x--\r\n".to_vec()].concat();
        let (status, body) = answer(multipart(&backend, &person, "multipart/form-data; boundary=x", body)).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["src"].as_str().map(extension), Some("png"), "not the first");
        let (items, objects) = holdings(&backend).await;
        assert_eq!(items, before.0 + 1);
        // The picture and its four thumbnails.
        assert_eq!(objects.len(), 5, "{objects:?}");
    });
}

#[test]
fn the_gateway_refuses_what_is_too_large_for_a_function() {
    run(async {
        let (backend, person, before) = own().await;
        let bytes = noise_png(1_290);
        assert!(bytes.len() > 4_900_000);
        for (what, bytes) in [("5 MB", bytes), ("11 MB", vec![0x89; 11_000_000])] {
            for path in ["/images", "/audios"] {
                let (status, body) = answer(backend.upload(&person, Method::POST, path, bytes.clone())).await;
                assert_eq!((status, body), (413, json!({ "message": "Request Entity Too Large" })), "{what} {path}");
            }
        }
        assert_eq!(holdings(&backend).await, before);
    });
}

#[test]
fn what_is_larger_than_the_policy_allows_is_refused() {
    run(async {
        let parameters = [("ImageMaxBytes", "2048"), ("AudioMaxBytes", "1024"), ("ImageMaxPixels", "65536")];
        let backend = Backend::start(&parameters).await;
        let person = backend.person().await;
        let before = holdings(&backend).await;
        let mut noise = Noise::new(1);
        let note = [b"#!AMR\n", &noise.bytes(1019)[..]].concat();
        let padded = [&png(8, 8)[..], &noise.bytes(2048)].concat();
        let far = noise.bytes(400_000);
        for (path, bytes, words) in [
            ("/images", padded, "too large: at most 2048 bytes"),
            ("/images", far.clone(), "too large: at most 2048 bytes"),
            ("/audios", note.clone(), "too large: at most 1024 bytes"),
            ("/audios", far, "too large: at most 1024 bytes"),
            ("/images", png(257, 256), "the picture has too many pixels"),
            ("/images", png_claiming(65_537, 1), "the picture has too many pixels"),
        ] {
            let answered = answer(backend.upload(&person, Method::POST, path, bytes)).await;
            assert_eq!(answered, (400, json!({ "error": words })), "{path}");
        }
        assert_eq!(holdings(&backend).await, before);
        backend.post_image(&person, png(256, 256)).await;
        backend.post_audio(&person, note[..1024].to_vec()).await;
    });
}

//! Malformed request lines, names and headers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::assert_in_envelope;
use crate::support::backend::without_details;
use crate::support::pictures::{jpeg, jpeg_of_a_place};
use crate::support::{Backend, run, shared};

/// Sends a request line that an HTTP library would not send, and reads status and body.
fn raw(backend: &Backend, line: &[u8]) -> (u16, String) {
    let address = backend.running.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("a connection");
    let head = format!(" HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(&[line, head.as_bytes()].concat()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status.unwrap_or_else(|| panic!("no status in {answer:?}")), body)
}

#[test]
fn names_that_lead_elsewhere_lead_nowhere() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, jpeg_of_a_place(40, 30, 6)).await;
        let (own, long) = (src.trim_start_matches("/images/"), "a".repeat(4096));
        let names = [
            "..",
            ".",
            "../secret",
            "../../etc/passwd",
            "%2e%2e",
            "%2e%2e/%2e%2e/etc/passwd",
            "%2e%2e%2fsecret",
            "..%5c..%5csecret",
            "%252e%252e%252f",
            "%00",
            "a%00.jpg",
            "%0d%0aX-Evil:%201",
            "%0a",
            "%20",
            "%7f",
            "%2f",
            "%2f%2f",
            "a/b",
            "a/../b",
            "//",
            "%3f",
            "%23",
            "%25",
            "%e5%9b%be%e7%89%87.jpg",
            "%f0%9f%92%a9",
            "%ef%bc%90",
            "%22%3e%3cscript%3e",
            "'%20or%201=1--",
            "${jndi:ldap://x}",
            "*",
            "{name}",
            "@",
            "@@@@",
            &long,
            &format!("{own}%2f"),
            &format!("{own}/"),
            &format!("{own}/.."),
            &format!("../images/{own}"),
            &format!("%2e/{own}"),
            &format!("{own}@128w_128h_1c/../x"),
            &format!("{own}@{long}w_1h_1c"),
        ];
        for name in names {
            for prefix in ["/images/", "/audios/", "/audio/"] {
                for method in ["GET ", "HEAD "] {
                    let (status, body) = raw(backend, format!("{method}{prefix}{name}").as_bytes());
                    let what = format!("{method}{prefix}{name:.60}");
                    assert!(matches!(status, 400 | 404), "{what}: {status} {body}");
                    if method == "GET " {
                        let body =
                            serde_json::from_str(&body).unwrap_or_else(|error| panic!("{what}: {error} in {body:?}"));
                        assert_in_envelope(&what, status, &without_details(body));
                    }
                }
            }
        }
    });
}

#[test]
fn white_space_behind_a_name_is_no_part_of_it() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, jpeg(40, 30)).await;
        // Lambda's HTTP library parses paths by the URL standard, which removes surrounding spaces and line breaks.
        for tail in ["%00", "%20", "%0d%0a", "%09", "%1f%20"] {
            assert!(backend.bytes(&format!("{src}{tail}")).await == jpeg(40, 30), "{tail}");
        }
    });
}

#[test]
fn a_request_line_that_is_none_is_a_bad_request() {
    run(async {
        let backend = shared().await;
        let lines: [&[u8]; 5] = [
            // Not valid text after decoding.
            b"GET /images/%ff%fe.jpg",
            b"GET /images/%c0%ae%c0%ae",
            b"GET /images/\xff\xfe.jpg",
            b"GET /images/a b.jpg",
            b"\x16\x03\x01",
        ];
        for line in lines {
            let (status, body) = raw(backend, line);
            assert_eq!(status, 400, "{}: {body}", String::from_utf8_lossy(line));
        }
        // Invalid encoding is left unchanged, and is not a valid name.
        for line in [&b"GET /images/%"[..], b"GET /images/%zz", b"GET /images/%2"] {
            assert_eq!(raw(backend, line).0, 404, "{}", String::from_utf8_lossy(line));
        }
        let long = [b"GET /images/", "a".repeat(11_000).as_bytes()].concat();
        assert_eq!(raw(backend, &long).0, 431);
    });
}

#[test]
fn headers_that_make_no_sense_are_as_if_they_were_not_there() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let src = backend.post_image(&person, jpeg(30, 30)).await;
        let long = "\"a\",".repeat(1_000);
        for (name, value) in [
            ("range", "bytes=18446744073709551615-18446744073709551616"),
            ("range", "bytes=0-18446744073709551616"),
            ("range", "bytes=-18446744073709551616"),
            ("range", "\u{7f}"),
            ("if-none-match", long.as_str()),
            ("if-none-match", "W/"),
            ("if-modified-since", "Fri, 31 Feb 2100 25:61:61 GMT"),
            ("if-range", "\""),
            ("accept", "*/*;q=x"),
            ("content-type", "multipart/form-data"),
            ("authorization", "Bearer nonsense"),
        ] {
            // The HTTP library does not send a value that is not allowed in a header.
            let request = backend.get(&src).header(name, value).build();
            let Ok(_) = request else { continue };
            let status = backend.get(&src).header(name, value).send().await.expect("an answer").status().as_u16();
            assert!(matches!(status, 200 | 206 | 416), "{name}: {value:.40}: {status}");
        }
    });
}

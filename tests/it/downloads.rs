//! Downloads of pictures, thumbnails and voice notes: ranges, conditions, caching, and links for large files.

use reqwest::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, LOCATION, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use reqwest::{Method, Response};
use serde_json::json;

use crate::support::backend::{answer, without_details};
use crate::support::pictures::{Bucket, Noise, jpeg, noise_png};
use crate::support::{Backend, round_trips, run};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file to download.
struct Subject {
    path: String,
    kind: &'static str,
    bytes: Vec<u8>,
}

/// A picture, a thumbnail of it, a voice note, and the voice note by the path of older clients.
async fn subjects(backend: &Backend) -> Vec<Subject> {
    let person = backend.person().await;
    let picture = jpeg(300, 200);
    let note = [b"#!AMR\n", &Noise::new(7).bytes(5_000)[..]].concat();
    let image = backend.post_image(&person, picture.clone()).await;
    let audio = backend.post_audio(&person, note.clone()).await;
    let thumbnail = format!("{image}@128w_128h_1c.jpg");
    // Otherwise the thumbnail might be made twice, by the event and by the first request, and its date would change.
    backend.settled().await;
    vec![
        Subject { bytes: backend.bytes(&thumbnail).await, path: thumbnail, kind: "image/jpeg" },
        Subject { path: image, kind: "image/jpeg", bytes: picture },
        Subject { path: audio.replace("/audios/", "/audio/"), kind: "audio/amr", bytes: note.clone() },
        Subject { path: audio, kind: "audio/amr", bytes: note },
    ]
}

async fn ask(backend: &Backend, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request =
        headers.iter().fold(backend.request(method, path), |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

async fn get(backend: &Backend, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    let response = ask(backend, Method::GET, path, headers).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.expect("bytes").to_vec())
}

fn told<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("no {name} in {headers:?}")).to_str().expect("text")
}

#[test]
fn a_download_may_be_kept_for_ever_and_says_what_it_is() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, kind, bytes } in subjects(backend).await {
            let response = ask(backend, Method::GET, &path, &[]).await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(round_trips::rounds_of(&response), 0, "{path} asks DynamoDB");
            let headers = response.headers().clone();
            assert_eq!(told(&headers, CONTENT_TYPE.as_str()), kind, "{path}");
            assert_eq!(told(&headers, CONTENT_LENGTH.as_str()), bytes.len().to_string(), "{path}");
            assert_eq!(told(&headers, CACHE_CONTROL.as_str()), FOR_EVER, "{path}");
            assert_eq!(told(&headers, ACCEPT_RANGES.as_str()), "bytes", "{path}");
            assert_eq!(told(&headers, X_CONTENT_TYPE_OPTIONS.as_str()), "nosniff", "{path}");
            let tag = told(&headers, ETAG.as_str());
            assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
            assert!(told(&headers, LAST_MODIFIED.as_str()).ends_with(" GMT"), "{path}");
            assert!(response.bytes().await.expect("bytes") == bytes, "{path}");
        }
    });
}

#[test]
fn head_says_what_get_says_without_the_bytes() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, .. } in subjects(backend).await {
            let (_, expected, _) = get(backend, &path, &[]).await;
            let response = ask(backend, Method::HEAD, &path, &[]).await;
            assert_eq!((response.status().as_u16(), round_trips::rounds_of(&response)), (200, 0), "{path}");
            let own = ["apigw-requestid", "date"];
            let names = expected.keys().chain(response.headers().keys()).filter(|name| !own.contains(&name.as_str()));
            for name in names {
                assert_eq!(response.headers().get(name), expected.get(name), "{path}: {name}");
            }
            assert!(response.bytes().await.expect("no bytes").is_empty(), "{path}");
            // HEAD ignores a range (RFC 9110, 14.2).
            assert_eq!(ask(backend, Method::HEAD, &path, &[("range", "bytes=0-0")]).await.status(), 200, "{path}");
        }
    });
}

#[test]
fn a_range_gets_that_part() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, kind, bytes } in subjects(backend).await {
            let length = bytes.len();
            let last = length - 1;
            let ranges = [
                ("bytes=0-0".to_owned(), 0, 0),
                ("bytes=1-3".to_owned(), 1, 3),
                ("bytes=100-".to_owned(), 100, last),
                ("bytes=-1".to_owned(), last, last),
                ("bytes=-100".to_owned(), length - 100, last),
                ("bytes=-99999999".to_owned(), 0, last),
                ("bytes=0-99999999999".to_owned(), 0, last),
                (format!("bytes={last}-{last}"), last, last),
                (format!("bytes={last}-"), last, last),
                ("Bytes=2-2".to_owned(), 2, 2),
            ];
            for (range, first, last) in ranges {
                let (status, headers, part) = get(backend, &path, &[(RANGE.as_str(), &range)]).await;
                assert_eq!(status, 206, "{path} {range}");
                assert_eq!(told(&headers, CONTENT_RANGE.as_str()), format!("bytes {first}-{last}/{length}"));
                assert_eq!(told(&headers, CONTENT_LENGTH.as_str()), part.len().to_string(), "{range}");
                assert_eq!(told(&headers, CONTENT_TYPE.as_str()), kind, "{range}");
                assert_eq!(told(&headers, CACHE_CONTROL.as_str()), FOR_EVER, "{range}");
                assert!(headers.contains_key(ETAG) && headers.contains_key(LAST_MODIFIED), "{range}");
                assert!(part == bytes[first..=last], "{path} {range}");
            }
        }
    });
}

#[test]
fn a_range_behind_the_end_is_told_the_length() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, bytes, .. } in subjects(backend).await {
            let length = bytes.len();
            for range in [
                format!("bytes={length}-"),
                format!("bytes={length}-{length}"),
                "bytes=-0".to_owned(),
                "bytes=99999999999999999999-".to_owned(),
            ] {
                let (status, headers, body) = get(backend, &path, &[(RANGE.as_str(), &range)]).await;
                assert_eq!(status, 416, "{path} {range}");
                assert_eq!(told(&headers, CONTENT_RANGE.as_str()), format!("bytes */{length}"), "{range}");
                assert!(body.is_empty() && !headers.contains_key(ETAG), "{range}");
                assert_eq!(told(&headers, CACHE_CONTROL.as_str()), "no-store", "a refusal that is kept");
            }
        }
    });
}

#[test]
fn ranges_that_make_no_sense_and_several_at_once_get_the_whole() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let ranges = [
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes",
            "items=0-1",
            "bytes=0-1,4-5",
            "0-1",
            "",
        ];
        for Subject { path, bytes, .. } in subjects(backend).await {
            for range in ranges {
                let (status, headers, whole) = get(backend, &path, &[(RANGE.as_str(), range)]).await;
                assert_eq!((status, headers.contains_key(CONTENT_RANGE)), (200, false), "{path} {range}");
                assert!(whole == bytes, "{path} {range}");
            }
        }
    });
}

#[test]
fn if_range_gets_a_part_only_of_the_same_object() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, bytes, .. } in subjects(backend).await {
            let (_, headers, _) = get(backend, &path, &[]).await;
            let (tag, date) = (told(&headers, ETAG.as_str()), told(&headers, LAST_MODIFIED.as_str()));
            let weak = format!("W/{tag}");
            let validators = [
                (tag, 206),
                (date, 206),
                (weak.as_str(), 200),
                ("\"another\"", 200),
                ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
                ("nonsense", 200),
            ];
            for (validator, expected) in validators {
                let asked = [(RANGE.as_str(), "bytes=1-2"), (IF_RANGE.as_str(), validator)];
                let (status, _, body) = get(backend, &path, &asked).await;
                assert_eq!(status, expected, "{path} {validator}");
                let wanted = if expected == 206 { &bytes[1..3] } else { &bytes[..] };
                assert!(body == wanted, "{path} {validator}");
            }
            // Without a range it has no effect.
            assert_eq!(get(backend, &path, &[(IF_RANGE.as_str(), "\"another\"")]).await.0, 200, "{path}");
        }
    });
}

#[test]
fn who_has_it_already_is_told_so() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, bytes, .. } in subjects(backend).await {
            let (_, headers, _) = get(backend, &path, &[]).await;
            let (tag, date) = (told(&headers, ETAG.as_str()), told(&headers, LAST_MODIFIED.as_str()));
            let (none, since) = (IF_NONE_MATCH.as_str(), IF_MODIFIED_SINCE.as_str());
            let (weak, list) = (format!("W/{tag}"), format!("\"a\", {tag} ,\"b\""));
            let (long_ago, to_come) = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
            let conditions: [(&[(&str, &str)], u16); 12] = [
                (&[(none, tag)], 304),
                (&[(none, &weak)], 304),
                (&[(none, &list)], 304),
                (&[(none, "*")], 304),
                (&[(none, "\"another\"")], 200),
                (&[(none, "nonsense")], 200),
                (&[(since, date)], 304),
                (&[(since, to_come)], 304),
                (&[(since, long_ago)], 200),
                (&[(since, "nonsense")], 200),
                // The tag takes precedence over the date, and both over the range.
                (&[(none, "\"another\""), (since, date)], 200),
                (&[(none, tag), (since, long_ago), (RANGE.as_str(), "bytes=0-0")], 304),
            ];
            for (asked, expected) in conditions {
                for method in [Method::GET, Method::HEAD] {
                    let response = ask(backend, method.clone(), &path, asked).await;
                    assert_eq!(response.status(), expected, "{method} {path} {asked:?}");
                    assert_eq!(round_trips::rounds_of(&response), 0, "{path}");
                    let now = response.headers().clone();
                    assert_eq!((told(&now, ETAG.as_str()), told(&now, LAST_MODIFIED.as_str())), (tag, date));
                    assert_eq!(told(&now, CACHE_CONTROL.as_str()), FOR_EVER);
                    let body = response.bytes().await.expect("bytes");
                    let is_whole = expected == 200 && method == Method::GET;
                    assert!(body == if is_whole { &bytes[..] } else { &[] }, "{method} {path} {asked:?}");
                }
            }
        }
    });
}

#[test]
fn who_means_another_object_is_refused() {
    run(async {
        let backend = &Backend::start(&[]).await;
        for Subject { path, bytes, .. } in subjects(backend).await {
            let (_, headers, _) = get(backend, &path, &[]).await;
            let (tag, date) = (told(&headers, ETAG.as_str()), told(&headers, LAST_MODIFIED.as_str()));
            let (only, since) = (IF_MATCH.as_str(), IF_UNMODIFIED_SINCE.as_str());
            let (weak, list) = (format!("W/{tag}"), format!("\"a\", {tag}"));
            let long_ago = "Thu, 01 Jan 1970 00:00:00 GMT";
            let conditions: [(&[(&str, &str)], u16); 11] = [
                (&[(only, tag)], 200),
                (&[(only, &list)], 200),
                (&[(only, "*")], 200),
                (&[(only, tag), (RANGE.as_str(), "bytes=0-")], 206),
                (&[(only, &weak)], 412),
                (&[(only, "\"another\"")], 412),
                (&[(only, "\"another\""), (IF_NONE_MATCH.as_str(), tag)], 412),
                (&[(since, date)], 200),
                (&[(since, "nonsense")], 200),
                (&[(since, long_ago)], 412),
                (&[(since, long_ago), (only, tag)], 200),
            ];
            for (asked, expected) in conditions {
                let (status, now, body) = get(backend, &path, asked).await;
                assert_eq!(status, expected, "{path} {asked:?}");
                if expected == 412 {
                    let words = json!({ "error": "the file does not match If-Match or If-Unmodified-Since" });
                    let body = serde_json::from_slice(&body).expect("JSON");
                    assert_eq!(without_details(body), words, "{path}");
                    assert_eq!(told(&now, CACHE_CONTROL.as_str()), "no-store", "a refusal that is kept");
                    let head = ask(backend, Method::HEAD, &path, asked).await;
                    assert_eq!(head.status(), 412, "{path} {asked:?}");
                } else {
                    assert!(body == bytes, "{path} {asked:?}");
                }
            }
        }
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    run(async {
        let backend = &Backend::start(&[]).await;
        let all = subjects(backend).await;
        let (image, audio) = (&all[1].path, &all[3].path);
        let name = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
        let unknown = "0123456789abcdef0123456789abcdef";
        let audios = [
            format!("/audios/{unknown}.amr"),
            format!("/audio/{unknown}.amr"),
            format!("/audios/{}", name(image)),
            audio.to_uppercase().replace("/AUDIOS/", "/audios/"),
            audio.replace(".amr", ".mp3"),
            audio.replace(".amr", ""),
            format!("{audio}.amr"),
            format!("{audio}@128w_128h_1c"),
            "/audios/x".to_owned(),
        ];
        let images =
            [format!("/images/{unknown}.jpg"), format!("/images/{}", name(audio)), image.replace(".jpg", ".png")];
        for (paths, what) in [(&audios[..], "audio"), (&images[..], "image")] {
            for path in paths {
                let found = answer(backend.get(path)).await;
                assert_eq!(found, (404, json!({ "error": format!("no such {what}") })), "{path}");
                for asked in [("range", "bytes=0-0"), ("if-none-match", "*"), ("if-match", "*")] {
                    assert_eq!(get(backend, path, &[asked]).await.0, 404, "{path} {asked:?}");
                }
                let head = ask(backend, Method::HEAD, path, &[]).await;
                assert_eq!(head.status(), 404, "{path}");
                assert_eq!(head.headers()[CACHE_CONTROL], "no-store", "{path}");
            }
        }
    });
}

/// Follows a link out of the gateway, like a client's HTTP library.
async fn follow(method: Method, url: &str, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::new();
    let request =
        headers.iter().fold(client.request(method, url), |request, (name, value)| request.header(*name, *value));
    request.send().await.expect("an answer")
}

#[test]
fn what_is_longer_than_4_mb_is_reached_by_a_link() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        // 4.3 MB, which in base64 still fits through the gateway.
        let picture = noise_png(1200);
        assert!((4_194_305..4_700_000).contains(&picture.len()), "{}", picture.len());
        let image = backend.post_image(&person, picture.clone()).await;
        let audio = "/audios/00112233445566778899aabbccddeeff.amr";
        let note = [b"#!AMR\n", &Noise::new(9).bytes(4_194_299)[..]].concat();
        Bucket::of(&backend)
            .put("originals/audios/00112233445566778899aabbccddeeff.amr", "audio/amr", note.clone())
            .await;
        for (path, bytes, kind) in [(image.as_str(), &picture, "image/png"), (audio, &note, "audio/amr")] {
            let response = ask(&backend, Method::GET, path, &[]).await;
            assert_eq!((response.status().as_u16(), round_trips::rounds_of(&response)), (302, 0), "{path}");
            let headers = response.headers().clone();
            let cache = told(&headers, CACHE_CONTROL.as_str());
            assert!(cache.starts_with("private, max-age="), "{cache} outlives the link");
            assert!(response.bytes().await.expect("no bytes").is_empty());
            let link = told(&headers, LOCATION.as_str());

            let served = follow(Method::GET, link, &[]).await;
            assert_eq!(
                (served.status().as_u16(), &served.headers()[CONTENT_TYPE]),
                (200, &kind.parse().expect("a type"))
            );
            assert!(served.bytes().await.expect("bytes") == *bytes, "{path}");
            let part = follow(Method::GET, link, &[("range", "bytes=4194300-")]).await;
            assert_eq!(part.status(), 206);
            assert!(part.bytes().await.expect("bytes") == bytes[4_194_300..], "{path}");

            for asked in [("range", "bytes=0-0"), ("range", "bytes=-5"), ("if-none-match", "\"another\"")] {
                assert_eq!(ask(&backend, Method::GET, path, &[asked]).await.status(), 302, "{path} {asked:?}");
            }
            let other = ask(&backend, Method::GET, path, &[("if-match", "\"another\"")]).await;
            assert_eq!(other.status(), 412, "{path}");
            let known = ask(&backend, Method::GET, path, &[("if-none-match", "*")]).await;
            assert_eq!(known.status(), 304, "{path}");
            let head = ask(&backend, Method::HEAD, path, &[]).await;
            assert_eq!(head.status(), 302, "{path}");
            let described = follow(Method::HEAD, told(head.headers(), LOCATION.as_str()), &[]).await;
            assert_eq!(described.status(), 200);
            assert_eq!(told(described.headers(), CONTENT_LENGTH.as_str()), bytes.len().to_string());
        }
        // Its thumbnails are small, as always.
        assert_eq!(backend.get(&format!("{image}@128w_128h_1c")).send().await.expect("an answer").status(), 200);
    });
}

#[test]
fn exactly_4_mb_still_passes_through() {
    run(async {
        let backend = Backend::start(&[]).await;
        let bytes = Noise::new(3).bytes(4 * 1024 * 1024);
        let name = "ffeeddccbbaa99887766554433221100.bin";
        let bucket = Bucket::of(&backend);
        bucket.put(&format!("originals/audios/{name}"), "application/octet-stream", bytes.clone()).await;
        let (status, headers, body) = get(&backend, &format!("/audios/{name}"), &[]).await;
        assert_eq!(status, 200);
        assert_eq!(headers["content-disposition"], "attachment");
        assert!(body == bytes);
    });
}

#[test]
fn a_link_that_was_changed_opens_nothing() {
    run(async {
        let backend = Backend::start(&[]).await;
        let person = backend.person().await;
        let bucket = Bucket::of(&backend);
        let long = Noise::new(5).bytes(4_194_305);
        bucket.put("originals/audios/00112233445566778899aabbccddeeff.amr", "audio/amr", long).await;
        let secret = backend.post_audio(&person, b"#!AMR\n\x3csecret".to_vec()).await;
        let response = ask(&backend, Method::GET, "/audios/00112233445566778899aabbccddeeff.amr", &[]).await;
        let link = told(response.headers(), LOCATION.as_str()).to_owned();
        assert_eq!(follow(Method::GET, &link, &[]).await.status(), 200);

        let other = secret.trim_start_matches("/audios/");
        let (before, signature) = link.split_once("X-Amz-Signature=").expect("a signature");
        let digit = if signature.starts_with('0') { '1' } else { '0' };
        let changed = [
            link.replace("00112233445566778899aabbccddeeff.amr", other),
            link.replace("X-Amz-Expires=900", "X-Amz-Expires=90000"),
            format!("{before}X-Amz-Signature={digit}{}", &signature[1..]),
            before.trim_end_matches('&').to_owned(),
            link.split_once('?').expect("a query").0.to_owned(),
        ];
        for changed in changed {
            assert_ne!(changed, link);
            let status = follow(Method::GET, &changed, &[]).await.status().as_u16();
            assert!((400..404).contains(&status), "{status}: {changed}");
        }
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(follow(method.clone(), &link, &[]).await.status(), 403, "{method}");
        }
        assert_eq!(follow(Method::GET, &link, &[]).await.status(), 200, "the object is still there");
    });
}

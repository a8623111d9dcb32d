//! All responses to a download, with a store in memory that counts the calls.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::body::to_bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;
use domain::Error;
use domain::clock::Timestamp;
use domain::media::ImageRequest;

const TAG: &str = "\"0123\"";
const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

struct Memory {
    object: Option<(Meta, Bytes)>,
    calls: Mutex<Vec<&'static str>>,
}

impl Memory {
    fn of(length: usize, content_type: &str) -> Self {
        let bytes: Bytes = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let meta = Meta {
            content_type: content_type.to_owned(),
            length: length as u64,
            etag: TAG.to_owned(),
            modified: Timestamp::from_millis(1_700_000_000_250),
        };
        Self { object: Some((meta, bytes)), calls: Mutex::default() }
    }

    fn called(&self, name: &'static str) {
        self.calls.lock().unwrap().push(name);
    }
}

#[async_trait]
impl ObjectStore for Memory {
    async fn put(&self, _: &Key, _: &'static str, _: Bytes) -> Result<String> {
        unreachable!("a download stores nothing")
    }

    async fn put_new(&self, _: &Key, _: &'static str, _: Bytes) -> Result<bool> {
        unreachable!("a download stores nothing")
    }

    async fn get(&self, _: &Key, part: Part, most: u64) -> Result<Fetched> {
        self.called("get");
        let Some((meta, bytes)) = self.object.clone() else { return Ok(Fetched::Missing) };
        let Some((first, end)) = part.within(meta.length) else { return Ok(Fetched::PastTheEnd) };
        if meta.length > most {
            return Ok(Fetched::TooLong);
        }
        let bytes = bytes.slice(usize::try_from(first).unwrap()..usize::try_from(end).unwrap());
        Ok(Fetched::Found { meta, first, bytes })
    }

    async fn head(&self, _: &Key) -> Result<Option<Meta>> {
        self.called("head");
        Ok(self.object.clone().map(|(meta, _)| meta))
    }

    async fn delete(&self, _: &Key) -> Result<()> {
        unreachable!("nothing is deleted here")
    }

    async fn link(&self, key: &Key, method: LinkFor) -> Result<String> {
        Ok(format!("https://bucket/{key}?for={method:?}"))
    }
}

fn request(method: &Method, headers: &[(&'static str, &str)]) -> DownloadRequest {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    DownloadRequest::new(method, &headers)
}

fn key() -> Key {
    ImageRequest::parse("0f86d081884c7d659a2feaa0c55ad015.jpg").unwrap().key()
}

/// The status, a header by name, and the body: from the store and from bytes in memory, which must give the same.
async fn answers(store: &Memory, request: &DownloadRequest) -> Vec<(StatusCode, HeaderMap, Bytes)> {
    let mut answers = vec![stored(store, &key(), request).await.unwrap().unwrap()];
    let (meta, bytes) = store.object.as_ref().unwrap();
    if meta.length <= MOST {
        answers.push(at_hand(meta, bytes, request).unwrap());
    }
    let mut read = Vec::new();
    for answer in answers {
        let (parts, body) = answer.into_parts();
        read.push((parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap()));
    }
    read
}

#[tokio::test]
async fn a_whole_object_comes_with_everything_a_cache_and_a_player_need() {
    let store = Memory::of(1000, "audio/amr");
    for (status, headers, body) in answers(&store, &request(&Method::GET, &[])).await {
        assert_eq!((status, body.len()), (StatusCode::OK, 1000));
        for (name, value) in [
            ("content-type", "audio/amr"),
            ("content-length", "1000"),
            ("etag", TAG),
            ("last-modified", DATE),
            ("accept-ranges", "bytes"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(headers[name], value);
        }
        assert!(!headers.contains_key("content-disposition"));
    }
    assert_eq!(*store.calls.lock().unwrap(), ["get"]);
}

#[tokio::test]
async fn what_nobody_knows_is_a_download() {
    let store = Memory::of(10, "application/octet-stream");
    for (_, headers, _) in answers(&store, &request(&Method::GET, &[])).await {
        assert_eq!(headers["content-disposition"], "attachment");
    }
}

#[tokio::test]
async fn a_head_has_the_headers_of_the_get_and_no_body() {
    let store = Memory::of(1000, "image/png");
    for (status, headers, body) in answers(&store, &request(&Method::HEAD, &[("range", "bytes=0-1")])).await {
        assert_eq!((status, body.len()), (StatusCode::OK, 0));
        assert_eq!(
            (&headers["content-length"], &headers["content-type"]),
            (&"1000".parse().unwrap(), &"image/png".parse().unwrap())
        );
    }
    assert_eq!(*store.calls.lock().unwrap(), ["head"]);
}

#[tokio::test]
async fn ranges_are_answered_with_206() {
    let cases = [
        ("bytes=0-0", "bytes 0-0/1000", 1),
        ("bytes=10-19", "bytes 10-19/1000", 10),
        ("bytes=990-2000", "bytes 990-999/1000", 10),
        ("bytes=900-", "bytes 900-999/1000", 100),
        ("bytes=-5", "bytes 995-999/1000", 5),
        ("bytes=-5000", "bytes 0-999/1000", 1000),
    ];
    for (range, expected, length) in cases {
        let store = Memory::of(1000, "audio/amr");
        for (status, headers, body) in answers(&store, &request(&Method::GET, &[("range", range)])).await {
            assert_eq!((status, body.len()), (StatusCode::PARTIAL_CONTENT, length), "{range}");
            assert_eq!(
                (&headers["content-range"], &headers["content-length"]),
                (&expected.parse().unwrap(), &length.into())
            );
            let (_, whole) = store.object.as_ref().unwrap();
            let first: usize = expected[6..].split('-').next().unwrap().parse().unwrap();
            assert_eq!(body, whole.slice(first..first + length));
        }
        assert_eq!(*store.calls.lock().unwrap(), ["get"]);
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_416_with_the_length() {
    let store = Memory::of(1000, "audio/amr");
    for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0"] {
        for (status, headers, body) in answers(&store, &request(&Method::GET, &[("range", range)])).await {
            assert_eq!((status, body.len()), (StatusCode::RANGE_NOT_SATISFIABLE, 0), "{range}");
            assert_eq!(headers["content-range"], "bytes */1000");
        }
    }
}

#[tokio::test]
async fn several_ranges_are_answered_with_the_whole() {
    let store = Memory::of(1000, "audio/amr");
    for (status, _, body) in answers(&store, &request(&Method::GET, &[("range", "bytes=0-1,5-6")])).await {
        assert_eq!((status, body.len()), (StatusCode::OK, 1000));
    }
}

#[tokio::test]
async fn a_client_that_has_the_object_is_told_so() {
    let cases: [(&[(&str, &str)], bool); 11] = [
        (&[("if-none-match", TAG)], true),
        (&[("if-none-match", "W/\"0123\"")], true),
        (&[("if-none-match", "\"x\", \"0123\"")], true),
        (&[("if-none-match", "*")], true),
        (&[("if-none-match", "\"x\"")], false),
        (&[("if-modified-since", DATE)], true),
        (&[("if-modified-since", "Tue, 14 Nov 2023 22:13:21 GMT")], true),
        (&[("if-modified-since", "Tue, 14 Nov 2023 22:13:19 GMT")], false),
        (&[("if-modified-since", "yesterday")], false),
        (&[("if-none-match", "\"x\""), ("if-modified-since", DATE)], false),
        (&[("if-none-match", TAG), ("range", "bytes=0-1")], true),
    ];
    for (headers, has) in cases {
        for method in [Method::GET, Method::HEAD] {
            let store = Memory::of(1000, "image/png");
            for (status, answered, body) in answers(&store, &request(&method, headers)).await {
                let expected = if has { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
                assert_eq!(status, expected, "{headers:?}");
                assert_eq!(
                    (&answered["etag"], body.is_empty()),
                    (&TAG.parse().unwrap(), has || method == Method::HEAD)
                );
                assert!(answered.contains_key("cache-control"));
            }
        }
    }
}

#[tokio::test]
async fn who_means_another_object_is_refused_before_anything_else() {
    const EARLIER: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
    const LATER: &str = "Tue, 14 Nov 2023 22:13:21 GMT";
    let cases: [(&[(&str, &str)], u16); 18] = [
        (&[("if-match", TAG)], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", "\"x\" , \"0123\"")], 200),
        (&[("if-match", "\"x\"")], 412),
        (&[("if-match", "0123")], 412),
        (&[("if-match", "W/\"0123\"")], 412),
        (&[("if-unmodified-since", DATE)], 200),
        (&[("if-unmodified-since", LATER)], 200),
        (&[("if-unmodified-since", EARLIER)], 412),
        (&[("if-unmodified-since", "yesterday")], 200),
        // The tag takes precedence over the date.
        (&[("if-match", TAG), ("if-unmodified-since", EARLIER)], 200),
        (&[("if-match", "\"x\""), ("if-unmodified-since", DATE)], 412),
        // The conditions that follow are checked only if these are met.
        (&[("if-match", TAG), ("if-none-match", TAG)], 304),
        (&[("if-match", "\"x\""), ("if-none-match", TAG)], 412),
        (&[("if-unmodified-since", DATE), ("if-modified-since", DATE)], 304),
        (&[("if-unmodified-since", EARLIER), ("if-modified-since", DATE)], 412),
        (&[("if-match", "\"x\""), ("range", "bytes=0-9")], 412),
        (&[("if-match", "\"x\""), ("range", "bytes=5000-")], 412),
    ];
    for (headers, expected) in cases {
        for method in [Method::GET, Method::HEAD] {
            let (store, request) = (Memory::of(1000, "image/png"), request(&method, headers));
            let (meta, bytes) = store.object.clone().unwrap();
            let read = stored(&store, &key(), &request).await.map(|answer| answer.unwrap().status().as_u16());
            for answered in [read, at_hand(&meta, &bytes, &request).map(|answer| answer.status().as_u16())] {
                match answered {
                    Ok(status) => assert_eq!(status, expected, "{method} {headers:?}"),
                    Err(Error::ConditionFailed) => assert_eq!(412, expected, "{method} {headers:?}"),
                    Err(error) => panic!("{method} {headers:?}: {error}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn there_is_no_link_to_another_object_than_is_meant() {
    let store = Memory::of(usize::try_from(MOST).unwrap() + 1, "audio/wav");
    for method in [Method::GET, Method::HEAD] {
        for condition in [("if-match", "\"x\""), ("if-unmodified-since", "Tue, 14 Nov 2023 22:13:19 GMT")] {
            let refused = stored(&store, &key(), &request(&method, &[condition])).await;
            assert!(matches!(refused, Err(Error::ConditionFailed)), "{method} {condition:?}");
        }
        let meant = stored(&store, &key(), &request(&method, &[("if-match", TAG)])).await.unwrap().unwrap();
        assert_eq!(meant.status(), StatusCode::FOUND, "{method}");
    }
}

#[tokio::test]
async fn a_part_of_another_object_is_answered_with_the_whole() {
    let cases =
        [(TAG, true), (DATE, true), ("W/\"0123\"", false), ("\"x\"", false), ("Tue, 14 Nov 2023 22:13:21 GMT", false)];
    for (validator, same) in cases {
        let store = Memory::of(1000, "audio/amr");
        let request = request(&Method::GET, &[("range", "bytes=0-9"), ("if-range", validator)]);
        for (status, _, body) in answers(&store, &request).await {
            let expected = if same { (StatusCode::PARTIAL_CONTENT, 10) } else { (StatusCode::OK, 1000) };
            assert_eq!((status, body.len()), expected, "{validator}");
        }
    }
}

#[tokio::test]
async fn what_is_too_long_is_read_by_a_link() {
    let length = usize::try_from(MOST).unwrap();
    for (method, headers) in [
        (Method::GET, vec![]),
        (Method::HEAD, vec![]),
        (Method::GET, vec![("range", "bytes=0-9")]),
        (Method::GET, vec![("range", "bytes=99999999-")]),
        (Method::GET, vec![("if-none-match", "\"x\"")]),
    ] {
        let request = request(&method, &headers);
        for (status, answered, body) in answers(&Memory::of(length + 1, "audio/wav"), &request).await {
            assert_eq!((status, body.len()), (StatusCode::FOUND, 0), "{method} {headers:?}");
            let location = answered["location"].to_str().unwrap();
            assert!(location.ends_with(if method == Method::HEAD { "for=Head" } else { "for=Get" }));
        }
    }
    let whole = answers(&Memory::of(length, "audio/wav"), &request(&Method::GET, &[])).await;
    assert_eq!(whole[0].0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_there_is_nothing() {
    let store = Memory { object: None, calls: Mutex::default() };
    for (method, headers) in [
        (Method::GET, vec![]),
        (Method::HEAD, vec![]),
        (Method::GET, vec![("range", "bytes=0-9")]),
        (Method::GET, vec![("if-none-match", "*")]),
        (Method::GET, vec![("if-match", "*")]),
    ] {
        assert!(stored(&store, &key(), &request(&method, &headers)).await.unwrap().is_none());
    }
}

//! The targets of media links: `infra/media-paths.json`. `infra/check_template.py` compares `CloudFront` with this
//! file, and this test compares the API.

use std::fs;

use domain::Error;
use domain::media::{AudioName, ImageRequest};
use serde_json::Value;

use super::root;

/// The bucket key that the API uses for a path.
fn key(path: &str) -> Result<String, Error> {
    if let Some(name) = path.strip_prefix("/images/") {
        return ImageRequest::parse(name).map(|request| request.key().to_string());
    }
    let name = path.strip_prefix("/audios/").or_else(|| path.strip_prefix("/audio/"));
    AudioName::parse(name.unwrap_or_default()).map(|name| name.key().to_string())
}

#[test]
fn cloudfront_looks_for_media_where_the_api_does() {
    let text = fs::read_to_string(root().join("infra/media-paths.json")).expect("infra/media-paths.json");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list");
    assert!(cases.iter().filter(|case| case["object"].is_string()).count() > 5);
    for case in cases {
        let path = case["path"].as_str().expect("a path");
        let object = case["object"].as_str();
        assert_eq!(key(path).ok().as_deref(), object, "{}", case["why"]);
        // The path that CloudFront requests from the API instead leads to the same file.
        if let Some(asked) = case["api"].as_str() {
            assert_eq!(key(asked).ok().as_deref(), object, "{}", case["why"]);
        }
    }
}

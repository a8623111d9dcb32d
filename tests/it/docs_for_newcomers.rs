//! README and `docs/` have the information that a newcomer needs for an app, an upload or a new endpoint.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::json;

use crate::support::backend::whole;
use crate::support::{run, shared};

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).expect("a page")
}

#[test]
fn readme_says_what_emulators_and_phones_call() {
    let readme = page("README.md");
    let (_, section) = readme.split_once("## From an app\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("a next section");
    for told in ["http://10.0.2.2:3000", "adb reverse tcp:3000 tcp:3000", "cargo run -- --host 0.0.0.0", "simulator"] {
        assert!(section.contains(told), "{told}");
    }
    assert!(section.contains("anyone in the network can read the codes"), "what it exposes");
}

#[test]
fn readme_has_the_answer_to_an_avatar_of_5_mb_and_the_way_for_it() {
    run(async {
        let backend = shared().await;
        let person = backend.person().await;
        let avatar = backend.upload(&person, Method::PUT, "/users/me/avatar", vec![0; 5_000_000]);
        let answered = whole(avatar).await;
        let gateways = json!({ "message": "Request Entity Too Large" });
        assert_eq!((answered.status, &answered.body), (413, &gateways));
        let fits = whole(backend.upload(&person, Method::PUT, "/users/me/avatar", vec![0; 4_400_000])).await;
        assert!(fits.body["error"].is_string(), "a smaller one reaches the function: {}", fits.body);
        for (name, way) in [("README.md", "/user/get_image_token"), ("docs/dialects.md", "get_image_token")] {
            let page = page(name);
            assert!(page.contains("413") && page.contains(&gateways.to_string()), "{name} has the answer");
            assert!(page.contains("about 4.5 MB") && page.contains(way), "{name} has the limit and the way");
        }
    });
}

/// Each of these is a file or a list that a new endpoint changes, and a test that compares it.
#[test]
fn the_page_on_endpoints_names_what_is_written_anew() {
    let page = page("docs/adding-an-endpoint.md");
    for told in [
        "[workspace.metadata.lambda.watch.router]",
        "UPDATE_DOCS=1 cargo test -p handset-tests --test it contract",
        "UPDATE_DOCS=1 cargo test -p handset-http every_error",
        "docs/openapi/",
        "shared/http/src/endpoints.txt",
        "docs/access-patterns.md",
        "infra/local/src/hints.rs",
        "CHANGELOG.md",
    ] {
        assert!(page.contains(told), "{told}");
    }
}

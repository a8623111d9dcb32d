//! The local run as other devices reach it: URLs in answers are on the host that was called.

use local::Options;
use reqwest::{Client, redirect};
use serde_json::{Value, json};

use crate::support::pictures::jpeg;
use crate::support::{Backend, fresh_phone, run};

/// A run that listens for other devices, and a base URL of it that is not the one it prints for this machine.
async fn reachable() -> (Backend, String) {
    let options = Options { host: [0, 0, 0, 0].into(), port: 0, data: None, ..Options::default() };
    let backend = Backend::with(options, |handset| handset).await.expect("the backend starts");
    let devices = backend.running.urls_for_devices().expect("it listens for devices");
    // A machine without a network still has more than one loopback address.
    let url = devices.into_iter().next().unwrap_or_else(|| backend.url("").replace("localhost", "127.0.0.1"));
    (backend, url)
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.expect("a body")).expect("JSON")
}

#[test]
fn urls_in_answers_are_on_the_host_that_was_called() {
    run(async {
        let (_backend, url) = reachable().await;
        let client = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        let (phone, at) = (fresh_phone(), |path: &str| format!("{url}{path}"));
        let asked = json_of(client.post(at("/verify_code")).json(&json!({ "number": phone.0 }))).await;
        let sign_in = json!({ "number": phone.0, "code": asked["code"] });
        let tokens = json_of(client.post(at("/auth/token")).json(&sign_in)).await;
        let bearer = tokens["access_token"].as_str().expect("a token");
        let stored = json_of(client.put(at("/users/me/avatar")).bearer_auth(bearer).body(jpeg(40, 30))).await;
        let picture = stored["src_url"].as_str().expect("a URL");
        assert!(picture.starts_with(&format!("{url}/images/")), "{picture} on {url}");
        assert_eq!(client.get(picture).send().await.expect("an answer").status(), 200);
        let numbers = json!([{ "number": phone.0 }]);
        let found = json_of(client.post(at("/users")).bearer_auth(bearer).json(&numbers)).await;
        assert_eq!(found[0]["avatar"], picture);

        // For a file that is too long for a function, the response is a link. The same device must be able to follow
        // it.
        let long = [b"#!AMR\n".to_vec(), vec![0x3c; 4_300_000]].concat();
        let stored = json_of(client.post(at("/audios")).bearer_auth(bearer).body(long)).await;
        let audio = stored["src_url"].as_str().expect("a URL");
        let link = client.get(audio).send().await.expect("an answer");
        assert_eq!(link.status(), 302);
        let link = link.headers()["location"].to_str().expect("text").to_owned();
        let host =
            |url: &str| url.split('/').nth(2).and_then(|host| host.rsplit_once(':')).expect("a port").0.to_owned();
        assert_eq!(host(&link), host(&url), "{link}");
        assert_eq!(client.get(&link).send().await.expect("an answer").status(), 200);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn without_being_told_to_it_listens_for_this_machine_alone() {
    run(async {
        let backend = Backend::start(&[]).await;
        assert_eq!(backend.running.urls_for_devices(), None);
        let port = backend.running.url().rsplit_once(':').expect("a port").1.parse::<u16>().expect("a number");
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(std::net::TcpStream::connect(("127.0.0.2", port)).is_err());
    });
}

//! Services that hang or are slow: every request still ends in time, with a proper response.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use local::{Functions, Handset, Invoke, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;

use crate::support::backend::answer;
use crate::support::users::internal_error;
use crate::support::{Backend, fresh_phone, run};

/// The treatment of requests that contain a text.
#[derive(Clone, Copy)]
enum Trouble {
    /// They never arrive.
    Hang(&'static str),
    /// They arrive late.
    Late(&'static str, Duration),
}

/// A connection between the functions and the endpoints on which faults can be injected.
#[derive(Clone, Default)]
struct Wire {
    trouble: Arc<Mutex<Option<Trouble>>>,
    /// The number of requests affected.
    met: Arc<Mutex<u32>>,
    url: Arc<OnceCell<String>>,
}

impl Wire {
    fn trouble(&self, trouble: Trouble) {
        *self.trouble.lock().expect("the wire") = Some(trouble);
    }

    fn met(&self) -> u32 {
        *self.met.lock().expect("the wire")
    }

    /// The fault for these bytes.
    fn meets(&self, bytes: &[u8]) -> Option<Trouble> {
        let trouble = (*self.trouble.lock().expect("the wire"))?;
        let (Trouble::Hang(text) | Trouble::Late(text, _)) = trouble;
        bytes.windows(text.len()).any(|part| part == text.as_bytes()).then(|| {
            *self.met.lock().expect("the wire") += 1;
            trouble
        })
    }

    /// Opens the functions' end; the other end is at `url`.
    async fn to(&self, url: &str) -> String {
        let end = self.url.get_or_init(async || {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            let (wire, far) = (self.clone(), url.trim_start_matches("http://").to_owned());
            tokio::spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    let far = TcpStream::connect(&far).await.expect("the endpoints");
                    tokio::spawn(wire.clone().carry(near, far));
                }
            });
            format!("http://{address}")
        });
        end.await.clone()
    }

    async fn carry(self, near: TcpStream, far: TcpStream) {
        let ((mut asks, mut hears), (mut answers, mut takes)) = (near.into_split(), far.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut answers, &mut hears).await });
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = asks.read(&mut bytes).await {
            match self.meets(&bytes[..count]) {
                Some(Trouble::Hang(_)) => std::future::pending().await,
                Some(Trouble::Late(_, by)) => tokio::time::sleep(by).await,
                None => {}
            }
            if takes.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}

/// The repository's functions behind this connection.
struct Wired(Handset, Wire);

impl Functions for Wired {
    fn build<'a>(
        &'a self,
        binary: &'a str,
        environment: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Arc<dyn Invoke>, String>> {
        let mut environment = environment.clone();
        Box::pin(async move {
            let url = self.1.to(&environment["AWS_ENDPOINT_URL"]).await;
            environment.insert("AWS_ENDPOINT_URL".into(), url);
            self.0.build(binary, &environment).await
        })
    }

    fn openapi(&self) -> Value {
        self.0.openapi()
    }
}

async fn wired(parameters: &[(&str, &str)]) -> (Backend, Wire) {
    let wire = Wire::default();
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { port: 0, data: None, parameters, ..Options::default() };
    let own = wire.clone();
    (Backend::with(options, |handset| Wired(handset, own)).await.expect("the backend starts"), wire)
}

/// The response to a request, and the seconds it took.
async fn timed(request: reqwest::RequestBuilder) -> ((u16, Value), f64) {
    let began = Instant::now();
    (answer(request).await, began.elapsed().as_secs_f64())
}

/// A call times out after 8 s.
fn assert_given_up(seconds: f64) {
    assert!((7.5..11.0).contains(&seconds), "{seconds} s");
}

#[test]
fn a_call_that_hangs_is_tried_again_and_given_up_in_time() {
    let table = async {
        let (backend, wire) = wired(&[]).await;
        wire.trouble(Trouble::Hang("TransactWriteItems"));
        let phone = fresh_phone();
        let (answered, seconds) = timed(backend.ask(&phone)).await;
        assert_eq!(answered, internal_error());
        assert_given_up(seconds);
        assert_eq!(wire.met(), 3, "attempts");
        assert!(backend.texts(&phone).await.is_empty());
    };
    let texts = async {
        let (backend, wire) = wired(&[]).await;
        wire.trouble(Trouble::Hang("Action=Publish"));
        let (answered, seconds) = timed(backend.ask(&fresh_phone())).await;
        assert_eq!(answered, internal_error());
        assert_given_up(seconds);
        assert_eq!(wire.met(), 1, "a second attempt could be a second text");
    };
    let bucket = async {
        let (backend, wire) = wired(&[]).await;
        wire.trouble(Trouble::Hang("originals/images/"));
        let path = "/images/0123456789abcdef0123456789abcdef.jpg";
        let (answered, seconds) = timed(backend.get(path)).await;
        assert_eq!(answered, internal_error());
        assert_given_up(seconds);
        assert_eq!(wire.met(), 3, "attempts");
    };
    run(async {
        futures::join!(table, texts, bucket);
    });
}

#[test]
fn calls_that_dawdle_within_their_time_are_waited_for() {
    run(async {
        let (backend, wire) = wired(&[]).await;
        wire.trouble(Trouble::Late("x-amz-target: DynamoDB", Duration::from_millis(1_500)));
        let phone = fresh_phone();
        let (answered, seconds) = timed(backend.ask(&phone)).await;
        assert_eq!(answered.0, 200, "{answered:?}");
        assert!((1.5..6.0).contains(&seconds), "{seconds} s");
        assert_eq!(wire.met(), 1, "what comes late and in time is not asked for twice");
        let code = backend.newest_code(&phone).await;
        assert_eq!(backend.sign_in(&phone, &code).await.0, 200);
    });
}

#[test]
fn a_provider_that_hangs_is_given_up_in_time() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (backend, _) = wired(&[("WeChatBaseUrl", &url)]).await;
        let sign_in = json!({
            "username": "x", "nickname": "x", "login_type": "1", "snsid": "hangs", "access_token": "t", "icon": "",
        });
        let (answered, seconds) = timed(backend.post("/snslogin/").json(&sign_in)).await;
        assert_eq!(answered.1["msg"], "the sign-in provider cannot be reached; try again", "{answered:?}");
        assert!((4.5..8.0).contains(&seconds), "{seconds} s");
        drop(listener);
    });
}

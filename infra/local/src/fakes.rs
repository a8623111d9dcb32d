//! Fakes of the services outside AWS: the sign-in providers and the chat service.
//!
//! On loopback they respond as the services' documentation says, including errors, so the functions use the same
//! clients as for the real services. They store no users: each access token itself determines the response. Apple and
//! Google have no access tokens here; `/apple/sign` and `/google/sign` sign identity tokens.
//!
//! | access token | response |
//! |---|---|
//! | `test-<subject>` | belongs to the subject and to our app |
//! | `test-other-app-<subject>` | belongs to the subject and to another app |
//! | `test-expired` | has expired |
//! | `test-slow` | comes after the functions have stopped waiting |
//! | `test-broken` | an error page |
//! | any other token | is invalid |

mod id_token;
mod message;
mod qq;
mod rongcloud;
mod token;
mod wechat;
mod weibo;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::id_token::Issuer;
use self::message::{Asked, Told};

/// Running fakes; they stop when this is dropped.
#[derive(Debug)]
pub struct Fakes {
    address: SocketAddr,
    issuers: Arc<Issuers>,
    task: JoinHandle<()>,
}

/// The providers that sign identity tokens. They are the only fakes with a state, which is their keys.
#[derive(Debug)]
struct Issuers {
    apple: Issuer,
    google: Issuer,
}

impl Fakes {
    /// Listens on a free port of the loopback interface.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let issuers = Arc::new(Issuers { apple: Issuer::apple(), google: Issuer::google() });
        Ok(Self { address, issuers: issuers.clone(), task: tokio::spawn(serve(listener, issuers)) })
    }

    /// Their base URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The template's parameters that point the functions here instead of to the services. The chat service is used
    /// only if its key is set too: `RongCloudAppKey=local-app-key` and `RongCloudAppSecret=local-app-secret`.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let base = |service: &str| format!("{}/{service}", self.url());
        let parameters = [
            ("WeChatBaseUrl", base("wechat")),
            ("QqBaseUrl", base("qq")),
            ("QqAppId", qq::APP_ID.into()),
            ("WeiboBaseUrl", base("weibo")),
            ("WeiboAppKey", weibo::APP_KEY.into()),
            ("AppleBaseUrl", base("apple")),
            ("AppleClientIds", self.issuers.apple.client_id.into()),
            ("GoogleBaseUrl", base("google")),
            ("GoogleClientIds", self.issuers.google.client_id.into()),
            ("RongCloudBaseUrl", base("rongcloud")),
        ];
        parameters.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

impl Drop for Fakes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, issuers: Arc<Issuers>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let issuers = issuers.clone();
                let service = service_fn(move |request| answer(request, issuers.clone()));
                let connection =
                    http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection to a fake ended early");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to a fake could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn answer(request: hyper::Request<Incoming>, issuers: Arc<Issuers>) -> Result<message::Response, Infallible> {
    let told = match Asked::read(request).await {
        Some(asked) => route(&asked, &issuers).await,
        None => Told::text(400, "the body cannot be read"),
    };
    Ok(told.into_response())
}

async fn route(asked: &Asked, issuers: &Issuers) -> Told {
    match asked.path.as_str() {
        "/wechat/sns/auth" => wechat::auth(asked).await,
        "/qq/oauth2.0/me" => qq::me(asked).await,
        "/weibo/oauth2/get_token_info" => weibo::get_token_info(asked).await,
        "/apple/auth/keys" => issuers.apple.certs(asked),
        "/apple/sign" => issuers.apple.sign(asked),
        "/apple/rotate" => issuers.apple.rotate(asked),
        "/google/oauth2/v3/certs" => issuers.google.certs(asked),
        "/google/sign" => issuers.google.sign(asked),
        "/google/rotate" => issuers.google.rotate(asked),
        "/rongcloud/user/getToken.json" => rongcloud::get_token(asked),
        _ => Told::text(404, "fakes: /wechat, /qq, /weibo, /apple, /google, /rongcloud"),
    }
}

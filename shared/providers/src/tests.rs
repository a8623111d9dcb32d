//! The clients, tested against sockets that send wrong responses or none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::client::{BaseUrl, CallError, HttpsClient, Limits};
use super::{ProviderSettings, Providers, RongCloud};
use domain::account::UserId;
use domain::chat::ChatTokens;
use domain::clock::{Clock, Timestamp};
use domain::crypto::{self, SystemRandom};
use domain::provider::{Provider, ProviderCheck};
use domain::random::Random;
use domain::{Error, Result};

const TOKEN: &str = "a+token/with=signs&of=its?own";
const SHORT: Limits =
    Limits { connect: Duration::from_millis(200), whole: Duration::from_millis(300), body: 64 * 1024 };

/// A socket that answers every connection with these bytes and closes it. It also reports the requests it received.
async fn answering(bytes: Vec<u8>) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, questions) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            asked.send(question(&mut stream).await).unwrap();
            // The client may close the connection early if it has read enough.
            let _ = stream.write_all(&bytes).await;
        }
    });
    (address, questions)
}

/// Reads a request: its head, and as much of the body as the head announces.
pub(crate) async fn question(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        if stream.read_buf(&mut read).await.unwrap() == 0 {
            return String::from_utf8_lossy(&read).into_owned();
        }
    }
}

pub(crate) fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn base(at: SocketAddr) -> BaseUrl {
    BaseUrl::parse(&format!("http://{at}")).unwrap()
}

fn providers(at: SocketAddr) -> Providers {
    let base = base(at);
    let settings = ProviderSettings {
        wechat: Some(base.clone()),
        qq: Some((base.clone(), "100".to_owned())),
        weibo: Some((base, "200".to_owned())),
    };
    Providers::new(settings, Arc::new(SystemRandom)).within(SHORT)
}

async fn vouches(provider: Provider, answer: Vec<u8>) -> Result<()> {
    providers(answering(answer).await.0).vouches(provider, TOKEN, "42").await
}

#[tokio::test]
async fn a_provider_is_believed_only_when_it_names_us_and_the_person() {
    use Provider::{Qq, WeChat, Weibo};
    for (provider, body) in [
        (WeChat, r#"{"errcode":0,"errmsg":"ok"}"#),
        (Qq, r#"callback( {"client_id":"100","openid":"42"} );"#),
        (Qq, "callback({\"client_id\":\"100\",\"openid\":\"42\"});\n"),
        (Qq, r#"{"client_id":"100","openid":"42","unionid":"x"}"#),
        (Qq, r#"{"client_id":100,"openid":"42"}"#),
        (Weibo, r#"{"uid":42,"appkey":200,"scope":null,"create_at":1352267591,"expire_in":157679471}"#),
        (Weibo, r#"{"uid":"42","appkey":"200","scope":null,"create_at":"1","expires_in":"1"}"#),
    ] {
        vouches(provider, http("200 OK", body)).await.unwrap_or_else(|error| panic!("{error}: {body}"));
    }
    for (provider, body) in [
        (Qq, r#"callback( {"client_id":"101","openid":"42"} );"#),
        (Qq, r#"callback( {"client_id":"100","openid":"43"} );"#),
        (Qq, r#"{"client_id":"100","openid":""}"#),
        (Weibo, r#"{"uid":43,"appkey":200,"expire_in":1}"#),
        (Weibo, r#"{"uid":42,"appkey":201,"expire_in":1}"#),
        (Weibo, r#"{"uid":42,"appkey":200,"expire_in":0}"#),
        (Weibo, r#"{"uid":42,"appkey":200,"expire_in":-5}"#),
    ] {
        let refused = vouches(provider, http("200 OK", body)).await;
        assert!(matches!(refused, Err(Error::ProviderRefused)), "{refused:?}: {body}");
    }
}

#[tokio::test]
async fn only_a_documented_refusal_is_one() {
    use Provider::{Qq, WeChat, Weibo};
    for (provider, status, body) in [
        (WeChat, "200 OK", r#"{"errcode":40003,"errmsg":"invalid openid"}"#),
        (WeChat, "200 OK", r#"{"errcode":42001,"errmsg":"access_token expired"}"#),
        (Qq, "200 OK", r#"callback( {"error":100016,"error_description":"access token check failed"} );"#),
        (Qq, "200 OK", r#"{"error":"100014","error_description":"access token is expired"}"#),
        (Weibo, "403 Forbidden", r#"{"error":"expired_token","error_code":21327,"request":"/oauth2/get_token_info"}"#),
        (Weibo, "400 Bad Request", r#"{"error":"invalid_access_token","error_code":21332}"#),
    ] {
        let refused = vouches(provider, http(status, body)).await;
        assert!(matches!(refused, Err(Error::ProviderRefused)), "{refused:?}: {body}");
    }
    for (status, body) in [
        ("200 OK", ""),
        ("200 OK", "{}"),
        ("200 OK", "[]"),
        ("200 OK", "null"),
        ("200 OK", "<html>"),
        ("200 OK", "callback( {} );"),
        ("200 OK", r#"{"errcode":"0"}"#),
        ("200 OK", r#"{"errcode":-1,"errmsg":"system error"}"#),
        ("200 OK", r#"{"errcode":45009,"errmsg":"reach max api daily quota limit"}"#),
        ("200 OK", r#"{"client_id":"100"}"#),
        ("200 OK", r#"{"client_id":"100","openid":"42","error":1}"#),
        ("200 OK", r#"{"uid":42,"appkey":200}"#),
        (
            "500 Internal Server Error",
            r#"{"errcode":0,"client_id":"100","openid":"42","uid":42,"appkey":200,"expire_in":1}"#,
        ),
        ("302 Found", r#"{"errcode":0,"client_id":"100","openid":"42","uid":42,"appkey":200,"expire_in":1}"#),
        ("403 Forbidden", r#"{"error":"ip limit","error_code":10002}"#),
        ("404 Not Found", "Not Found"),
        ("429 Too Many Requests", ""),
        ("502 Bad Gateway", "<html>nginx</html>"),
    ] {
        for provider in [WeChat, Qq, Weibo] {
            let unclear = vouches(provider, http(status, body)).await;
            assert!(matches!(unclear, Err(Error::ProviderUnreachable)), "{provider:?} {unclear:?}: {status} {body}");
        }
    }
}

#[tokio::test]
async fn a_broken_service_is_unreachable_in_bounded_time_and_space() {
    let long = format!(r#"{{"errcode":0,"errmsg":"{}"}}"#, "k".repeat(64 * 1024));
    let endless = |start: &str| [start.as_bytes(), &b"a".repeat(8 * 1024 * 1024)].concat();
    for (what, bytes) in [
        ("closes at once", Vec::new()),
        ("no HTTP", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        ("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"errcode\":0".to_vec()),
        ("a body over the limit", http("200 OK", &long)),
        ("chunks without end", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n")),
        ("a header without end", endless("HTTP/1.1 200 OK\r\nX: ")),
    ] {
        let answer = vouches(Provider::WeChat, bytes).await;
        assert!(matches!(answer, Err(Error::ProviderUnreachable)), "{what}: {answer:?}");
    }
    // It accepts connections and sends nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = providers(silent.local_addr().unwrap());
    let answer = tokio::time::timeout(SHORT.whole * 4, asked.vouches(Provider::Qq, TOKEN, "42")).await.unwrap();
    assert!(matches!(answer, Err(Error::ProviderUnreachable)));
    // No process listens on this port.
    let address = silent.local_addr().unwrap();
    drop(silent);
    let answer = providers(address).vouches(Provider::Weibo, TOKEN, "42").await;
    assert!(matches!(answer, Err(Error::ProviderUnreachable)));
}

/// A random source that always gives a pause of a quarter of a second.
struct Quarter;

impl Random for Quarter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        bytes[0] = 250;
    }
}

#[tokio::test]
async fn a_service_that_takes_no_connection_is_tried_once_more_after_a_pause() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = port.local_addr().unwrap();
    let base = self::base(at);
    drop(port);
    let client = HttpsClient::new(Arc::new(Quarter));
    let asked = tokio::spawn(async move { client.get(&base, "/x", &[]).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let port = TcpListener::bind(at).await.unwrap();
    let (mut stream, _) = port.accept().await.unwrap();
    question(&mut stream).await;
    stream.write_all(&http("200 OK", "{}")).await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap().status, 200);

    // A request that was sent is not sent again: the service may have used up the user's token already.
    let (at, mut questions) = answering(Vec::new()).await;
    let base = self::base(at);
    assert!(matches!(HttpsClient::new(Arc::new(Quarter)).get(&base, "/x", &[]).await, Err(CallError::Send(_))));
    assert!(questions.recv().await.is_some() && questions.try_recv().is_err());
}

#[tokio::test]
async fn a_redirect_takes_the_token_nowhere() {
    let (elsewhere, mut asked) = answering(http("200 OK", r#"{"errcode":0}"#)).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!("HTTP/1.1 {status}\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
        let answer = vouches(Provider::WeChat, answer.into_bytes()).await;
        assert!(matches!(answer, Err(Error::ProviderUnreachable)), "{status}");
    }
    assert!(asked.try_recv().is_err());
}

#[tokio::test]
async fn each_provider_is_asked_as_its_document_says() {
    let encoded = "a%2Btoken%2Fwith%3Dsigns%26of%3Dits%3Fown";
    for (provider, line, body) in [
        (Provider::WeChat, format!("GET /sns/auth?access_token={encoded}&openid=42 HTTP/1.1"), String::new()),
        (Provider::Qq, format!("GET /oauth2.0/me?access_token={encoded}&fmt=json HTTP/1.1"), String::new()),
        (Provider::Weibo, "POST /oauth2/get_token_info HTTP/1.1".into(), format!("access_token={encoded}")),
    ] {
        let (address, mut asked) = answering(http("200 OK", "")).await;
        let _ = providers(address).vouches(provider, TOKEN, "42").await;
        let question = asked.recv().await.unwrap();
        let (head, rest) = question.split_once("\r\n\r\n").unwrap();
        assert_eq!((head.lines().next().unwrap(), rest), (line.as_str(), body.as_str()));
        assert!(head.contains(&format!("\r\nhost: {address}")), "{head}");
    }
}

#[tokio::test]
async fn what_is_no_token_and_who_is_not_configured_is_refused_without_asking() {
    let (address, mut asked) = answering(http("200 OK", r#"{"errcode":0}"#)).await;
    for bad in ["", "a b", "a\r\nb", "é", &"a".repeat(LONGEST + 1)] {
        let answer = providers(address).vouches(Provider::WeChat, bad, "42").await;
        assert!(matches!(answer, Err(Error::ProviderRefused)), "{bad}");
    }
    let bare = Providers::new(ProviderSettings::default(), Arc::new(SystemRandom));
    for provider in Provider::ALL {
        assert!(matches!(bare.vouches(provider, TOKEN, "42").await, Err(Error::ProviderRefused)), "{provider:?}");
    }
    assert!(asked.try_recv().is_err());
}

const LONGEST: usize = 1024;

#[test]
fn only_this_machine_is_reached_without_tls() {
    for good in [
        "https://api.weixin.qq.com",
        "https://a.example/path/",
        "http://127.0.0.1:1/x",
        "http://localhost:1",
        "http://[::1]:1",
    ] {
        assert!(BaseUrl::parse(good).is_some(), "{good}");
    }
    for bad in [
        "",
        "api.weixin.qq.com",
        "http://api.weixin.qq.com",
        "http://10.0.0.1",
        "http://localhost.example",
        "ftp://localhost",
        "https://a/?b",
        "/a",
        "https://",
    ] {
        assert!(BaseUrl::parse(bad).is_none(), "{bad}");
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

fn rongcloud(at: SocketAddr) -> RongCloud {
    let service = RongCloud::new(base(at), "key", "secret", Arc::new(Noon), Arc::new(SystemRandom));
    service.unwrap().within(SHORT)
}

#[tokio::test]
async fn rongcloud_is_asked_with_a_signature_and_no_secret() {
    let (address, mut asked) = answering(http("200 OK", r#"{"code":200,"userId":"g8","token":"t/+="}"#)).await;
    let user = UserId::new(2_612).unwrap();
    let token = rongcloud(address).token_for(user, "小明", "https://a.example/b.jpg").await.unwrap();
    assert_eq!(token, "t/+=");
    let question = asked.recv().await.unwrap();
    let header = |name: &str| {
        let line = question.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} in {question}"))
    };
    let (nonce, timestamp) = (header("nonce"), header("timestamp"));
    assert!(question.starts_with("POST /user/getToken.json HTTP/1.1\r\n"));
    assert!(question.ends_with("userId=g8&name=%E5%B0%8F%E6%98%8E&portraitUri=https%3A%2F%2Fa.example%2Fb.jpg"));
    assert_eq!((header("app-key"), timestamp, nonce.len() <= 18), ("key", "1800000000000", true));
    assert_eq!(header("signature"), crypto::sha1_hex(format!("secret{nonce}{timestamp}").as_bytes()));
    assert!(!question.contains("secret"));
}

#[tokio::test]
async fn whatever_else_rongcloud_answers_is_a_fault_that_tells_no_secret() {
    for (status, body) in [
        ("401 Unauthorized", r#"{"code":1004,"errorMessage":"signature error"}"#),
        ("200 OK", r#"{"code":2007,"userId":"g8","token":"t"}"#),
        ("200 OK", r#"{"code":200,"userId":"g9","token":"t"}"#),
        ("200 OK", r#"{"code":200,"userId":"g8"}"#),
        ("500 Oops", r#"{"code":200,"userId":"g8","token":"t"}"#),
        ("200 OK", "<html>"),
    ] {
        let (address, _asked) = answering(http(status, body)).await;
        let answer = rongcloud(address).token_for(UserId::new(2_612).unwrap(), "", "").await;
        let Err(Error::Fault(fault)) = answer else { panic!("{answer:?}: {body}") };
        assert!(!fault.chain().contains("secret") && fault.chain().contains("RongCloud"), "{}", fault.chain());
    }
}

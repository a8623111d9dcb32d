//! A client that sends exactly the given bytes.

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A response, unchanged.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(own, _)| own == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The one value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} came more than once: {all:?}");
        all.first().copied()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// Sends raw bytes and reads until the server closes the connection or the stated length has arrived.
pub async fn raw(port: u16, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut read, mut write) = stream.split();
    // The server may answer and close the connection before everything is sent.
    let send = async {
        let _ = write.write_all(request).await;
    };
    let head = request.starts_with(b"HEAD ");
    let receive = receive(&mut read, head);
    tokio::join!(send, receive).1
}

async fn receive(read: &mut (impl tokio::io::AsyncRead + Unpin), bodiless: bool) -> Answer {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 65_536];
    loop {
        if let Some(answer) = parse(&bytes, bodiless) {
            return answer;
        }
        let count = read.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the server closed after {:?}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&chunk[..count]);
    }
}

fn parse(bytes: &[u8], bodiless: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let rest = &bytes[end + 4..];
    if status == 100 {
        return parse(rest, bodiless);
    }
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = match length {
        Some((_, length)) if !bodiless => length.parse().unwrap(),
        _ => 0,
    };
    let body = rest.get(..length)?.to_vec();
    Some(Answer { status, headers, body })
}

/// Sends a request with these extra header lines and a body of known length.
pub async fn send(port: u16, line: &str, headers: &[&str], body: &[u8]) -> Answer {
    let mut request = format!("{line} HTTP/1.1\r\nHost: localhost:{port}\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    if !body.is_empty() {
        let _ = write!(request, "Content-Length: {}\r\n", body.len());
    }
    request.push_str("\r\n");
    let mut request = request.into_bytes();
    request.extend_from_slice(body);
    raw(port, &request).await
}

/// Sends a request without a body.
pub async fn get(port: u16, line: &str) -> Answer {
    send(port, line, &[], b"").await
}

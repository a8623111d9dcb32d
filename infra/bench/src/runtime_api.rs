//! A fake of Lambda's Runtime API for one process: it hands out events and takes the responses.
//!
//! Source: the Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Result;

/// How long a function may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A request's time, for the header that says when it ends.
const DEADLINE: Duration = Duration::from_secs(29);

/// What the process does.
enum Said {
    /// It asks for an event.
    Next,
    /// It answers one.
    Response(String),
    /// It failed, with this message.
    Error(String),
}

/// The API, until it is dropped.
pub(crate) struct RuntimeApi {
    /// Its address.
    pub(crate) address: SocketAddr,
    events: Sender<String>,
    said: Receiver<Said>,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback interface.
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let ((events, pending), (say, said)) = (channel(), channel());
        let pending = Arc::new(Mutex::new(pending));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (pending, say) = (Arc::clone(&pending), say.clone());
                // An error is the end of the connection, which the process under test makes when it ends.
                std::thread::spawn(move || serve(connection, &pending, &say).ok());
            }
        });
        Ok(Self { address, events, said })
    }

    /// Waits until the process asks for an event.
    pub(crate) fn wait_for_next(&self) -> Result<()> {
        match self.said.recv_timeout(PATIENCE)? {
            Said::Next => Ok(()),
            Said::Response(_) => Err("a response to no event".into()),
            Said::Error(error) => Err(error.into()),
        }
    }

    /// Hands out an event and waits for the response and for the next question.
    pub(crate) fn invoke(&self, event: &str) -> Result<String> {
        self.events.send(event.to_owned())?;
        let response = match self.said.recv_timeout(PATIENCE)? {
            Said::Response(response) => response,
            Said::Next => return Err("an event without a response".into()),
            Said::Error(error) => return Err(error.into()),
        };
        self.wait_for_next()?;
        Ok(response)
    }
}

/// Serves the requests of one connection.
fn serve(mut connection: TcpStream, events: &Mutex<Receiver<String>>, say: &Sender<Said>) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    loop {
        let (path, body) = read(&mut reader)?;
        let answer = if path.ends_with("/invocation/next") {
            say.send(Said::Next)?;
            let event = events.lock().unwrap_or_else(PoisonError::into_inner).recv()?;
            let deadline = SystemTime::now().duration_since(UNIX_EPOCH)? + DEADLINE;
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: \
                 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\nlambda-runtime-deadline-ms: {}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:000000000000:function:bench\r\n\
                 lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n\
                 content-length: {}\r\n\r\n{event}",
                deadline.as_millis(),
                event.len(),
            )
        } else {
            let said = if path.ends_with("/response") { Said::Response(body) } else { Said::Error(body) };
            say.send(said)?;
            "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"status\":\"OK\"}"
                .to_owned()
        };
        connection.write_all(answer.as_bytes())?;
    }
}

/// The path and the body of the next request.
fn read(reader: &mut BufReader<TcpStream>) -> Result<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).ok_or("the connection ended")?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse()?,
            "transfer-encoding" => chunked = value.trim() == "chunked",
            _ => {}
        }
    }
    let mut body = Vec::new();
    loop {
        if chunked {
            line.clear();
            reader.read_line(&mut line)?;
            length = usize::from_str_radix(line.trim(), 16)?;
        }
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..])?;
        if !chunked {
            break;
        }
        line.clear();
        reader.read_line(&mut line)?;
        if length == 0 {
            break;
        }
    }
    Ok((path, String::from_utf8(body)?))
}

//! The listener, its connections, and stopping.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::gateway::Gateway;
use crate::pages::Pages;

/// The most connections waiting to be accepted; a burst of clients opens hundreds in parallel.
const BACKLOG: u32 = 1_024;

/// How long stopping waits for requests in progress.
const GRACE: Duration = Duration::from_secs(5);

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The most header fields that the parser accepts. The effective limit is the gateway's, in bytes; this one only has to
/// be above the number that fits into it.
const MAX_HEADERS: usize = 2_048;

/// A listening gateway.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on the loopback interface; port 0 uses any free one.
    pub fn start(port: u16, gateway: Gateway, pages: Option<Pages>) -> io::Result<Self> {
        Self::start_on(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), gateway, pages)
    }

    /// Listens on an address of this machine, or on all of them; port 0 takes any free one.
    pub fn start_on(address: SocketAddr, gateway: Gateway, pages: Option<Pages>) -> io::Result<Self> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        let site = Arc::new(Site { gateway, pages, port: address.port() });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(listener, site, stopped));
        Ok(Self { address, stop, task })
    }

    /// The URL of the gateway, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        match self.address.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => format!("http://localhost:{}", self.address.port()),
            _ => format!("http://{}", self.address),
        }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Accepts no more requests, and waits a few seconds for those in progress.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the gateway's task failed");
        }
    }
}

/// Handles requests on the port: the local pages first, then the gateway.
struct Site {
    gateway: Gateway,
    pages: Option<Pages>,
    port: u16,
}

/// `TCP_NODELAY` is set on the listener, because connections inherit it: without it, small responses wait for the
/// client's delayed acknowledgement.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On other systems the option would allow a second process to use the port as well.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(listener: TcpListener, site: Arc<Site>, mut stopped: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => connect(stream, peer, &site, &graceful),
            Err(error) => {
                // Usually too many open files; after a moment some are closed.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way and were cut off");
    }
}

fn connect(stream: TcpStream, peer: SocketAddr, site: &Arc<Site>, graceful: &GracefulShutdown) {
    let site = Arc::clone(site);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let site = Arc::clone(&site);
        async move {
            let local = site.pages.as_ref().and_then(|pages| pages.answer(&request));
            Ok::<_, Infallible>(match local {
                Some(response) => response,
                None => site.gateway.answer(request, peer, site.port).await,
            })
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

//! Listeners.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// The most connections waiting to be accepted; tests open hundreds in parallel.
const BACKLOG: u32 = 1_024;

/// Listens on 127.0.0.1. Port 0 uses any free one.
pub fn on_loopback(port: u16) -> io::Result<TcpListener> {
    on(Ipv4Addr::LOCALHOST.into(), port)
}

/// Listens on an address of this machine, or on all addresses. Port 0 uses any free one.
///
/// `TCP_NODELAY` is set on the listener because connections inherit it, also those accepted by a server outside this
/// crate. Without it, small responses wait for the peer's delayed acknowledgement.
pub fn on(host: IpAddr, port: u16) -> io::Result<TcpListener> {
    let socket = if host.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On other systems the option would allow a second process to use the port as well.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(SocketAddr::from((host, port)))?;
    socket.listen(BACKLOG)
}

//! Loopback listeners.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted; tests open hundreds at once.
const BACKLOG: u32 = 1_024;

/// Listens on 127.0.0.1. Port 0 takes any free one.
///
/// `TCP_NODELAY` is set on the listener because connections inherit it, also
/// those accepted by a server this crate does not control. Without it, small
/// answers wait for the peer's delayed acknowledgement.
pub fn on_loopback(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere the option would let a second process take the port as well.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(BACKLOG)
}

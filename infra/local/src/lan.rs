//! The addresses at which other devices reach this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// Addresses in the networks that homes and offices use (RFC 1918), and one outside them (RFC 5737). The address from
/// which this machine would send to each is one of its own addresses. Nothing is sent.
const ELSEWHERE: [Ipv4Addr; 4] = [
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(192, 168, 0, 1),
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(172, 16, 0, 1),
];

/// The addresses at which other devices reach a listener on `host`, the likeliest first. `None` for the loopback
/// interface, which no other device reaches.
pub fn addresses(host: IpAddr) -> Option<Vec<IpAddr>> {
    if host.is_loopback() {
        return None;
    }
    if !host.is_unspecified() {
        return Some(vec![host]);
    }
    let mut found = Vec::new();
    for elsewhere in ELSEWHERE {
        let own = own_address_towards(elsewhere).filter(|own| !own.is_loopback() && !own.is_unspecified());
        found.extend(own.filter(|own| !found.contains(own)));
    }
    Some(found)
}

fn own_address_towards(elsewhere: Ipv4Addr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))).ok()?;
    socket.connect(SocketAddr::from((elsewhere, 9))).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_devices_do_not_reach_the_loopback_interface() {
        assert_eq!(addresses(Ipv4Addr::LOCALHOST.into()), None);
        let one = Ipv4Addr::new(192, 168, 1, 5).into();
        assert_eq!(addresses(one), Some(vec![one]));
        let all = addresses(Ipv4Addr::UNSPECIFIED.into()).unwrap();
        assert!(all.iter().all(|own| !own.is_loopback() && !own.is_unspecified()), "{all:?}");
    }
}

//! Addresses that an account knows: those from which it signed in within the last 90 days, and those of its active
//! sessions.
//!
//! If a limit applied to an account or a number alone, a stranger could lock out its owner. So an owner at an address
//! that the account knows has separate counters, and a part of each limit is reserved for them; a stranger cannot use
//! these up. The idea comes from the OWASP guide on credential stuffing (device cookies). Here the network takes the
//! place of the cookie, because the clients of the older APIs store no cookies.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::clock::Timestamp;
use super::policy::Policy;

/// How an account remembers a network: a keyed hash of account and network. A reader of the table learns nothing from
/// it, and the same network has another hash in another account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkHash(String);

impl NetworkHash {
    /// The hash with this text, as [`super::tokens::Keys::network_hash`] computes it or the table stores it.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The hash as text: 12 letters, digits, hyphens and underscores.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NetworkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkHash")
    }
}

/// The network of an address, as bytes to hash: the /24 of an IPv4 address, the /64 of an IPv6 address. Internet
/// providers assign changing addresses within these.
#[must_use]
pub fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[..3].to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// The networks of past sign-ins, each with the time of its last sign-in.
pub type SignInNetworks = BTreeMap<NetworkHash, Timestamp>;

/// The networks after one more sign-in. Expired networks are dropped; of the others the newest are kept, at most
/// [`Policy::sign_in_networks`].
#[must_use]
pub fn with_sign_in(policy: &Policy, before: &SignInNetworks, network: &NetworkHash, now: Timestamp) -> SignInNetworks {
    let counts = |seen: &Timestamp| seen.plus(policy.known_address_for) > now;
    let others = before.iter().filter(|(hash, seen)| *hash != network && counts(seen));
    let mut newest: Vec<_> = others.map(|(hash, seen)| (*seen, hash.clone())).collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(policy.sign_in_networks().saturating_sub(1));
    newest.into_iter().map(|(seen, hash)| (hash, seen)).chain([(network.clone(), now)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn hash(n: usize) -> NetworkHash {
        NetworkHash(format!("hash {n:02}"))
    }

    #[test]
    fn neighbours_share_a_network() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
    }

    #[test]
    fn the_newest_networks_stay() {
        let policy = Policy::for_tests();
        let most = policy.sign_in_networks();
        let mut networks = SignInNetworks::new();
        for n in 0..most + 3 {
            networks = with_sign_in(&policy, &networks, &hash(n), NOW.plus(std::time::Duration::from_secs(n as u64)));
            assert!(networks.len() <= most && networks.contains_key(&hash(n)));
        }
        assert!(!networks.contains_key(&hash(2)) && networks.contains_key(&hash(3)));
        // Another sign-in from a known network is not counted twice, and old networks are forgotten.
        let later = NOW.plus(policy.known_address_for);
        let networks = with_sign_in(&policy, &networks, &hash(most + 2), later);
        assert_eq!(networks[&hash(most + 2)], later);
        assert!(!networks.contains_key(&hash(0)) && networks.len() == most, "{networks:?}");
        assert_eq!(with_sign_in(&policy, &networks, &hash(0), later.plus(policy.known_address_for)).len(), 1);
    }
}

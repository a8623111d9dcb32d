//! Addresses that an account knows: those it signed in from within the last 90 days, and those of its active sessions.
//!
//! A limit on an account or a number would let a stranger lock its owner out. So the owner, at an address that the
//! account knows, has counters and a part of each cap that a stranger cannot use up. The idea is that of the OWASP
//! guide on credential stuffing (device cookies), with the network in place of a cookie, since the clients of the older
//! APIs keep none.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::Result;
use super::account::{Account, UserId};
use super::clock::Timestamp;
use super::identity::IdentityStore;
use super::policy::Policy;
use super::tokens::Keys;

/// How an account remembers a network: a keyed hash of both. It says nothing to readers of the table, and the same
/// network is another hash in another account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkHash(String);

impl NetworkHash {
    /// From its text, as [`Keys::network_hash`] makes it or the table holds it.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As text: 12 letters, digits, hyphens and underscores.
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

/// The network of an address, as bytes to be hashed: the /24 of an IPv4 address, the /64 of an IPv6 one. Providers hand
/// out new addresses within these.
#[must_use]
pub fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[..3].to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// The networks of past sign-ins, each with its last sign-in.
pub type SignInNetworks = BTreeMap<NetworkHash, Timestamp>;

/// These networks with one more sign-in: the ones that still count, the newest first to stay, at most
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

impl Account {
    /// Whether the account knows one of these hashes of a network.
    #[must_use]
    pub fn knows(&self, policy: &Policy, hashes: &[NetworkHash], now: Timestamp) -> bool {
        let signed_in =
            |hash: &NetworkHash| self.networks.get(hash).is_some_and(|seen| seen.plus(policy.known_address_for) > now);
        let has_session = |hash: &NetworkHash| {
            self.sessions.values().any(|session| session.lives(now) && session.network.as_ref() == Some(hash))
        };
        hashes.iter().any(|hash| signed_in(hash) || has_session(hash))
    }
}

/// The hash of the network that `address` lies in, if the account `user` knows it: one round trip.
pub async fn known_network(
    accounts: &dyn IdentityStore,
    keys: &Keys,
    policy: &Policy,
    (user, address): (UserId, Option<IpAddr>),
    now: Timestamp,
) -> Result<Option<NetworkHash>> {
    let Some(address) = address else { return Ok(None) };
    let Some(account) = accounts.account(user).await? else { return Ok(None) };
    let hashes = keys.network_hashes(user, address);
    Ok(if account.knows(policy, &hashes, now) { hashes.into_iter().next() } else { None })
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
        // A network that signs in again is not counted twice, and old ones are forgotten.
        let later = NOW.plus(policy.known_address_for);
        let networks = with_sign_in(&policy, &networks, &hash(most + 2), later);
        assert_eq!(networks[&hash(most + 2)], later);
        assert!(!networks.contains_key(&hash(0)) && networks.len() == most, "{networks:?}");
        assert_eq!(with_sign_in(&policy, &networks, &hash(0), later.plus(policy.known_address_for)).len(), 1);
    }
}

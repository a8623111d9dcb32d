//! Whether an account knows the network that a request comes from.

use std::net::IpAddr;

use super::IdentityStore;
use crate::Result;
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::network::NetworkHash;
use crate::policy::Policy;
use crate::tokens::Keys;

/// The hash of the network of `address`, if the account `user` knows it. Takes one round trip.
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

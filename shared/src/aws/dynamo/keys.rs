//! Every key of the table, and nothing else. `docs/access-patterns.md` tells what is read and written under each.

use std::net::IpAddr;

use crate::domain::account::UserId;
use crate::domain::clock::Timestamp;
use crate::domain::phone::Phone;

/// A primary key: partition and sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

fn user(id: UserId) -> String {
    format!("user#{id}")
}

fn phone_partition(phone: &Phone) -> String {
    format!("phone#{}", phone.e164())
}

/// The account: profile and sessions.
pub fn account(id: UserId) -> Key {
    key(user(id), "account")
}

/// A picture or voice note that the account owns.
pub fn media(id: UserId, name: &str) -> Key {
    key(user(id), format!("media#{name}"))
}

/// How many numbers the account looked up on a day.
pub fn lookups(id: UserId, now: Timestamp) -> Key {
    key(user(id), format!("lookups#{}", now.day()))
}

/// Which account a phone signs in to.
pub fn phone_claim(phone: &Phone) -> Key {
    key(phone_partition(phone), "claim")
}

/// The code waiting for a phone, and when codes were sent to it.
pub fn code(phone: &Phone) -> Key {
    key(phone_partition(phone), "code")
}

/// The codes an address asked for in an hour. An IPv6 network hands out whole /64s, so one counts as one address.
pub fn codes_of_address(from: IpAddr, now: Timestamp) -> Key {
    let network = match from.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    };
    key(format!("address#{network}"), format!("codes#{}", now.hour()))
}

/// The codes sent to a country in an hour, in one of its shards.
pub fn codes_of_country_hour(zone: u16, shard: u32, now: Timestamp) -> Key {
    key(format!("country#{zone}#{shard}"), format!("codes#hour#{}", now.hour()))
}

/// The codes sent to a country in a day, in one of its shards.
pub fn codes_of_country_day(zone: u16, shard: u32, now: Timestamp) -> Key {
    key(format!("country#{zone}#{shard}"), format!("codes#day#{}", now.day()))
}

/// The codes sent into and used from a block of numbers in an hour.
pub fn conversion(phone: &Phone, now: Timestamp) -> Key {
    key(format!("block#{}", phone.block()), format!("codes#{}", now.hour()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let now = Timestamp::from_millis(0);
        let of = |text: &str| codes_of_address(text.parse().unwrap(), now).pk;
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}

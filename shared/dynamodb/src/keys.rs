//! All keys of the table, and nothing else. `docs/access-patterns.md` lists the reads and writes for each.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use domain::account::UserId;
use domain::captcha::CaptchaId;
use domain::clock::Timestamp;
use domain::device_id::DeviceId;
use domain::login_identifier::LoginIdentifier;
use domain::network::NetworkHash;
use domain::once::Once;
use domain::phone::Phone;
use domain::rooms::{Alias, Place, RoomId};
use domain::social::GroupId;

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

/// The account's data of the Supabase API.
pub fn app_data(id: UserId) -> Key {
    key(user(id), "app")
}

/// A picture or voice note that the account owns.
pub fn media(id: UserId, name: &str) -> Key {
    key(user(id), format!("{MEDIA}{name}"))
}

/// The prefix of the sort keys of pictures and voice notes.
pub const MEDIA: &str = "media#";

/// What a request with an `Idempotency-Key` made, by the key's hash.
pub fn once(id: UserId, once: &Once) -> Key {
    key(user(id), format!("once#{}", once.key()))
}

/// The account's identity document, encrypted.
pub fn identity(id: UserId) -> Key {
    key(user(id), "identity")
}

/// How many numbers the account has looked up on a day.
pub fn lookups(id: UserId, now: Timestamp) -> Key {
    key(user(id), format!("lookups#{}", now.day()))
}

/// The account that signs in with a phone number.
pub fn phone_claim(phone: &Phone) -> Key {
    key(phone_partition(phone), "claim")
}

/// The account that has an id in the device API.
pub fn device_id(id: DeviceId) -> Key {
    key(format!("device#{id}"), "claim")
}

/// The account that signs in with a claim.
pub fn claim(claim: &LoginIdentifier) -> Key {
    key(claim_partition(claim), "claim")
}

fn claim_partition(claim: &LoginIdentifier) -> String {
    match claim {
        LoginIdentifier::Phone(phone) => phone_partition(phone),
        LoginIdentifier::Username(name) => format!("username#{}", name.as_str()),
        LoginIdentifier::Provider { provider, subject } => format!("{}#{}", provider.name(), subject.as_str()),
    }
}

/// The failed sign-ins with a claim in a window, whether or not an account has the claim. Those from a network that the
/// account knows have a separate key.
pub fn failures_of_claim(of: &LoginIdentifier, window: i64, known: Option<&NetworkHash>) -> Key {
    key(claim_partition(of), failures(window, known))
}

/// The wrong tries at a signed-in account's old password in a window. Those from a known network have a separate key
/// too.
pub fn failures_of_user(id: UserId, window: i64, known: Option<&NetworkHash>) -> Key {
    key(user(id), failures(window, known))
}

fn failures(window: i64, known: Option<&NetworkHash>) -> String {
    match known {
        Some(network) => format!("failures#{window}#{}", network.as_str()),
        None => format!("failures#{window}"),
    }
}

/// The failed sign-ins from an address in a window.
pub fn failures_of_address(from: IpAddr, window: i64) -> Key {
    key(format!("address#{}", network(from)), format!("failures#{window}"))
}

/// The accounts created from an address in an hour that cost no text message.
pub fn accounts_of_address(from: IpAddr, now: Timestamp) -> Key {
    key(format!("address#{}", network(from)), format!("accounts#{}", now.hour()))
}

/// The anonymous accounts created from an address in an hour.
pub fn anonymous_accounts_of_address(from: IpAddr, now: Timestamp) -> Key {
    key(format!("address#{}", network(from)), format!("anonymous#{}", now.hour()))
}

/// The requests from an address in a day whose responses show whether a number or a name has an account.
pub fn checks_of_address(from: IpAddr, now: Timestamp) -> Key {
    key(format!("address#{}", network(from)), format!("checks#{}", now.day()))
}

/// A verification token, by its keyed hash.
pub fn verification(digest: &[u8; 32]) -> Key {
    key(format!("verification#{}", BASE64_URL_SAFE_NO_PAD.encode(digest)), "token")
}

/// The current code of a phone, and the times at which codes were sent to it.
pub fn code(phone: &Phone) -> Key {
    key(phone_partition(phone), "code")
}

/// The captcha with an id that a client of an API chose.
pub fn captcha(api: &str, id: &CaptchaId) -> Key {
    key(format!("captcha#{api}#{}", id.as_str()), "captcha")
}

/// The codes requested from an address in an hour. An IPv6 provider assigns whole /64s, so a /64 counts as one address.
pub fn codes_of_address(from: IpAddr, now: Timestamp) -> Key {
    key(format!("address#{}", network(from)), format!("codes#{}", now.hour()))
}

fn network(from: IpAddr) -> String {
    match from.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
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
pub fn conversion(phone: &Phone, hour: i64) -> Key {
    key(format!("block#{}", phone.block()), format!("codes#{hour}"))
}

/// A room.
pub fn room(id: RoomId) -> Key {
    key(format!("room#{id}"), "room")
}

/// The room or the account that has a room number.
pub fn room_number(number: &str) -> Key {
    key(format!("number#{number}"), "claim")
}

/// The room that has an alias.
pub fn room_alias(alias: &Alias) -> Key {
    key(format!("alias#{}", alias.as_str()), "claim")
}

/// The rooms without an owner created from an address in an hour.
pub fn rooms_of_address(from: IpAddr, now: Timestamp) -> Key {
    key(format!("address#{}", network(from)), format!("rooms#{}", now.hour()))
}

/// The rooms that an account owns.
pub fn rooms_of_owner(id: UserId) -> Key {
    key(user(id), "rooms")
}

/// The number of open rooms that do not expire, in one of the shards.
pub fn lasting_rooms(shard: u64) -> Key {
    key(open_rooms_counted(shard), "open#lasting")
}

/// The numbers of open rooms that expire in each minute of an hour, in one of the shards.
pub fn expiring_rooms(shard: u64, hour: i64) -> Key {
    // Padded, so that hours sort like numbers; digits sort before the word above.
    key(open_rooms_counted(shard), format!("open#{hour:08}"))
}

/// The partition in which a shard of the open rooms is counted.
pub fn open_rooms_counted(shard: u64) -> String {
    format!("rooms#{shard}")
}

/// A user's relation to another.
pub fn relation(id: UserId, other: UserId) -> Key {
    key(user(id), format!("{RELATIONS}{other}"))
}

/// The note that `other` blocks a user. It leads from the blocked user to the relation of the other.
pub fn blocker(id: UserId, other: UserId) -> Key {
    key(user(id), format!("{BLOCKERS}{other}"))
}

/// The prefix of the sort keys of these notes.
pub const BLOCKERS: &str = "blocker#";

/// The note that a grace period ends.
pub fn grace(id: UserId) -> Key {
    key(user(id), "grace")
}

/// The user of such a note, if there is one at this key.
pub fn owner_of_grace(pk: &str, sk: &str) -> Option<UserId> {
    (sk == "grace").then_some(pk)?.strip_prefix("user#")?.parse().ok()
}

/// The user of an account at this key.
pub fn owner_of_account(pk: &str, sk: &str) -> Option<UserId> {
    (sk == "account").then_some(pk)?.strip_prefix("user#")?.parse().ok()
}

/// The prefix of the sort keys of relations.
pub const RELATIONS: &str = "friend#";

/// The owner of the relation at a key, if the key is that of a relation.
pub fn owner_of_relation(pk: &str, sk: &str) -> Option<UserId> {
    sk.starts_with(RELATIONS).then_some(pk)?.strip_prefix("user#")?.parse().ok()
}

/// The note that an account's nickname or picture is not spread yet.
pub fn unspread(id: UserId) -> Key {
    key(user(id), UNSPREAD)
}

const UNSPREAD: &str = "unspread";

/// The user of a note, if there is one at this key.
pub fn owner_of_unspread(pk: &str, sk: &str) -> Option<UserId> {
    (sk == UNSPREAD).then_some(pk)?.strip_prefix("user#")?.parse().ok()
}

/// The pushes of a kind in an hour that an account received or caused.
pub fn pushes(id: UserId, kind: &str, now: Timestamp) -> Key {
    key(user(id), format!("pushes#{kind}#{}", now.hour()))
}

/// The friend requests that an account sent on a day.
pub fn invitations(id: UserId, now: Timestamp) -> Key {
    key(user(id), format!("invitations#{}", now.day()))
}

/// The groups that an account created on a day.
pub fn groups_made(id: UserId, now: Timestamp) -> Key {
    key(user(id), format!("groups#{}", now.day()))
}

/// A report that an account made. The keys of one account sort by time.
pub fn report(id: UserId, made: Timestamp, report: &str) -> Key {
    key(user(id), format!("report#{}", place_of_report(made, report)))
}

/// The entry of a report in the list of its week, which sorts by time.
pub fn report_entry(made: Timestamp, report: &str) -> Key {
    key(format!("reports#{}", made.day().div_euclid(7)), place_of_report(made, report))
}

fn place_of_report(made: Timestamp, report: &str) -> String {
    format!("{:013}#{report}", made.millis().max(0))
}

/// The reports that an account made on a day.
pub fn reports_made(id: UserId, now: Timestamp) -> Key {
    key(user(id), format!("reports#{}", now.day()))
}

/// The groups that a user is in.
pub fn memberships(id: UserId) -> Key {
    key(user(id), "groups")
}

/// The record of what a device was sent in the sync response with this version. It has several parts if the user has
/// very many rows.
pub fn told(id: UserId, version: u64, part: usize) -> Key {
    key(user(id), if part == 0 { format!("sync#{version}") } else { format!("sync#{version}#{part}") })
}

/// A group.
pub fn group(id: GroupId) -> Key {
    key(format!("group#{id}"), "head")
}

/// Whether a key is that of a group.
pub fn is_group(pk: &str, sk: &str) -> bool {
    pk.starts_with("group#") && sk == "head"
}

/// The current and former members of a group.
pub fn roster(id: GroupId) -> Key {
    key(format!("group#{id}"), "roster")
}

/// The bulletin on a group's board.
pub fn bulletin(id: GroupId) -> Key {
    key(format!("group#{id}"), "bulletin")
}

/// The note that work is left for a group.
pub fn job(id: GroupId) -> Key {
    key(format!("group#{id}"), "job")
}

/// The index of open rooms: its name, and its two attributes.
pub const OPEN_ROOMS: [&str; 3] = ["open-rooms", "open", "opened"];

/// The partition of that index for rooms with or without an owner, in one of its shards.
pub fn open_rooms(owned: bool, shard: u64) -> String {
    format!("{}#{shard}", if owned { "owned" } else { "anonymous" })
}

/// A place in the order of that index.
pub fn opened(place: Place) -> String {
    format!("{}#{:016}", opened_at(place.opened), place.id.get())
}

/// Sorts immediately before a place of that index: no place is in between.
pub fn opened_before(place: Place) -> String {
    format!("{}#{:016}", opened_at(place.opened), place.id.get() - 1)
}

/// Sorts before every place of this time, and after every place of an earlier time.
pub fn opened_at(moment: Timestamp) -> String {
    format!("{:013}", moment.millis().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_rooms_sort_by_opening() {
        let place = |opened, id| Place { opened: Timestamp::from_millis(opened), id: RoomId::new(id).unwrap() };
        let (early, late) = (place(999_999_999_999, 70), place(1_800_000_000_000, 7));
        assert!(opened(early) < opened(late) && opened_before(late) < opened(late));
        assert!(opened_before(late) >= opened(place(1_800_000_000_000, 6)));
        assert!(opened_at(late.opened) < opened(place(1_800_000_000_000, 1)) && opened_at(late.opened) > opened(early));
        assert!(expiring_rooms(0, 500_000).sk < lasting_rooms(0).sk);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let now = Timestamp::from_millis(0);
        let of = |text: &str| codes_of_address(text.parse().unwrap(), now).pk;
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}

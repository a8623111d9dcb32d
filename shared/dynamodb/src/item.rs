//! Conversions between the table's attributes and the domain's types.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use domain::account::{Account, Linked, Secret, UserId};
use domain::app_data::AppData;
use domain::clock::Timestamp;
use domain::codes::Waiting;
use domain::device_id::DeviceId;
use domain::device_name::DeviceName;
use domain::login_identifier::{Provider, Subject};
use domain::lookup::Card;
use domain::network::{NetworkHash, SignInNetworks};
use domain::rooms::RoomId;
use domain::session::{PushService, PushTokens, Session, SessionId, SignInMethod};
use domain::{Fault, Result};
use serde_json::{Map, Value};

/// An item, or a map inside one.
pub type Item = HashMap<String, AttributeValue>;

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(clippy::needless_pass_by_value, reason = "numbers and ids are copied anyway")]
pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub fn moment(value: Timestamp) -> AttributeValue {
    number(value.millis())
}

pub fn blob(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

pub fn get_text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

pub fn get_number<N: std::str::FromStr>(item: &Item, name: &str) -> Option<N> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub fn get_moment(item: &Item, name: &str) -> Option<Timestamp> {
    get_number(item, name).map(Timestamp::from_millis)
}

pub fn get_blob(item: &Item, name: &str) -> Option<Vec<u8>> {
    item.get(name)?.as_b().ok().map(|blob| blob.as_ref().to_vec())
}

pub fn get_user(item: &Item, name: &str) -> Option<UserId> {
    get_number(item, name).and_then(UserId::new)
}

/// The id in the device API in an account's item.
pub fn get_device_id(account: &Item) -> Option<DeviceId> {
    get_number(account, "device_id").and_then(DeviceId::new)
}

/// A session as a map inside its account's item.
pub fn session(session: &Session) -> AttributeValue {
    let mut map = HashMap::from([
        ("turn".to_owned(), number(session.generation)),
        ("moved".to_owned(), moment(session.moved)),
        ("began".to_owned(), moment(session.began)),
        ("expires".to_owned(), moment(session.expires)),
        ("ends".to_owned(), moment(session.ends)),
        ("api".to_owned(), text(&session.api)),
    ]);
    if let Some((token, platform)) = &session.push.device {
        map.extend([("device".to_owned(), text(token)), ("platform".to_owned(), number(platform))]);
    }
    map.extend(session.network.iter().map(|network| ("network".to_owned(), text(network.as_str()))));
    map.extend(session.method.map(|method| ("how".to_owned(), text(method.name()))));
    map.extend(session.device.iter().map(|device| ("client".to_owned(), text(device.as_str()))));
    map.extend(session.used.map(|used| ("last".to_owned(), moment(used))));
    map.extend(session.seen_generation.map(|generation| ("used".to_owned(), number(generation))));
    map.extend(session.push.services.iter().map(|(service, token)| (service.name().to_owned(), text(token))));
    AttributeValue::M(map)
}

fn read_session(item: &Item) -> Option<Session> {
    Some(Session {
        generation: get_number(item, "turn")?,
        moved: get_moment(item, "moved")?,
        began: get_moment(item, "began")?,
        expires: get_moment(item, "expires")?,
        ends: get_moment(item, "ends")?,
        api: get_text(item, "api")?,
        push: PushTokens {
            device: get_text(item, "device").zip(get_number(item, "platform")),
            services: PushService::ALL
                .into_iter()
                .filter_map(|service| Some((service, get_text(item, service.name())?)))
                .collect(),
        },
        network: get_text(item, "network").map(NetworkHash::from_text),
        method: get_text(item, "how").as_deref().and_then(SignInMethod::from_name),
        device: get_text(item, "client").map(DeviceName::stored),
        used: get_moment(item, "last"),
        seen_generation: get_number(item, "used"),
    })
}

/// Sessions as a map inside their account's item.
pub fn sessions<'a>(held: impl IntoIterator<Item = (SessionId, &'a Session)>) -> AttributeValue {
    AttributeValue::M(held.into_iter().map(|(id, held)| (id.to_string(), session(held))).collect())
}

/// The networks of past sign-ins as a map inside their account's item.
pub fn networks(networks: &SignInNetworks) -> AttributeValue {
    AttributeValue::M(networks.iter().map(|(hash, seen)| (hash.as_str().to_owned(), moment(*seen))).collect())
}

fn read_networks(map: &Item) -> SignInNetworks {
    let network = |hash: &String| Some((NetworkHash::from_text(hash), get_moment(map, hash)?));
    map.keys().filter_map(network).collect()
}

/// An account's item, without its key.
pub fn account(account: &Account) -> Item {
    let sessions = sessions(account.sessions.iter().map(|(id, held)| (*id, held)));
    let mut item = HashMap::from([
        ("id".to_owned(), number(account.id)),
        ("created".to_owned(), moment(account.created)),
        ("sessions".to_owned(), sessions),
        ("networks".to_owned(), networks(&account.networks)),
    ]);
    let texts = [("name", &account.name), ("state", &account.state), ("avatar", &account.avatar)];
    item.extend(
        texts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.to_owned(), text(value))),
    );
    item.extend(account.phone.iter().map(|phone| ("phone".to_owned(), text(phone))));
    item.extend(account.username.iter().map(|name| ("username".to_owned(), text(name))));
    item.extend(account.room.iter().map(|room| ("room".to_owned(), text(room))));
    item.extend(account.room_id.map(|room| ("room_id".to_owned(), number(room))));
    item.extend(account.device_id.map(|id| ("device_id".to_owned(), number(id))));
    item.extend(secret(&account.secret));
    if !account.details.is_empty() {
        let details = account.details.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        item.insert("details".to_owned(), AttributeValue::M(details));
    }
    item.extend(account.seen.map(|seen| ("seen".to_owned(), moment(seen))));
    item.extend(account.phone_proved.map(|proved| ("phone_at".to_owned(), moment(proved))));
    item.extend(account.updated.map(|updated| ("updated".to_owned(), moment(updated))));
    if !account.linked.is_empty() {
        item.insert("linked".to_owned(), linked(&account.linked));
    }
    item
}

/// The sign-in providers' users of an account, as a list inside its item.
pub fn linked(linked: &[Linked]) -> AttributeValue {
    let entry = |linked: &Linked| {
        AttributeValue::M(HashMap::from([
            ("provider".to_owned(), text(linked.provider.name())),
            ("subject".to_owned(), text(linked.subject.as_str())),
            ("since".to_owned(), moment(linked.since)),
        ]))
    };
    AttributeValue::L(linked.iter().map(entry).collect())
}

fn read_linked(entry: &AttributeValue) -> Option<Linked> {
    let entry = entry.as_m().ok()?;
    Some(Linked {
        provider: Provider::from_name(&get_text(entry, "provider")?)?,
        subject: Subject::parse(&get_text(entry, "subject")?).ok()?,
        since: get_moment(entry, "since")?,
    })
}

/// The data of the Supabase API as an item, without its key.
pub fn app_data(data: &AppData) -> Item {
    let json = |map: &Map<String, Value>| text(Value::Object(map.clone()).to_string());
    let mut item = HashMap::new();
    let maps = [("user_metadata", &data.user_metadata), ("app_metadata", &data.app_metadata)];
    item.extend(maps.into_iter().filter(|(_, map)| !map.is_empty()).map(|(name, map)| (name.to_owned(), json(map))));
    if !data.identities.is_empty() {
        let identities = data.identities.iter().map(|(provider, said)| (provider.clone(), json(said))).collect();
        item.insert("identities".to_owned(), AttributeValue::M(identities));
    }
    if let Some((phone, asked)) = &data.new_phone {
        item.extend([("new_phone".to_owned(), text(phone)), ("new_phone_at".to_owned(), moment(*asked))]);
    }
    item.extend(data.reauthentication_sent.map(|sent| ("reauthentication_at".to_owned(), moment(sent))));
    item.extend(data.updated.map(|updated| ("updated".to_owned(), moment(updated))));
    item
}

/// The attributes of [`app_data`].
pub const APP_DATA: [&str; 7] =
    ["user_metadata", "app_metadata", "identities", "new_phone", "new_phone_at", "reauthentication_at", "updated"];

/// The data of the Supabase API in an item.
pub fn read_app_data(item: &Item) -> AppData {
    let json = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let map = |name: &str| get_text(item, name).map(|text| json(&text)).unwrap_or_default();
    let identities = item.get("identities").and_then(|map| map.as_m().ok()).into_iter().flatten();
    AppData {
        user_metadata: map("user_metadata"),
        app_metadata: map("app_metadata"),
        identities: identities
            .filter_map(|(provider, said)| Some((provider.clone(), json(said.as_s().ok()?))))
            .collect(),
        new_phone: get_text(item, "new_phone").zip(get_moment(item, "new_phone_at")),
        reauthentication_sent: get_moment(item, "reauthentication_at"),
        updated: get_moment(item, "updated"),
    }
}

/// What waits with a code, as attributes of its item.
pub fn waiting(waiting: &Waiting) -> Item {
    let texts = [
        ("waiting_session", waiting.session.map(|session| session.to_string())),
        ("waiting_hash", waiting.password_hash.clone()),
        ("waiting_network", waiting.network.clone()),
        ("waiting_metadata", waiting.user_metadata.clone()),
    ];
    let texts = texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value?))));
    let user = waiting.user.map(|user| ("waiting_user".to_owned(), number(user)));
    let needs_account = waiting.needs_account.then(|| ("waiting_account".to_owned(), AttributeValue::Bool(true)));
    texts.chain(user).chain(needs_account).collect()
}

/// The attributes of [`waiting`].
pub const WAITING: [&str; 6] =
    ["waiting_session", "waiting_hash", "waiting_network", "waiting_metadata", "waiting_user", "waiting_account"];

/// What waits with a code in its item.
pub fn read_waiting(code: &Item) -> Waiting {
    Waiting {
        user: get_user(code, "waiting_user"),
        session: get_text(code, "waiting_session").and_then(|session| session.parse().ok()),
        password_hash: get_text(code, "waiting_hash"),
        network: get_text(code, "waiting_network"),
        user_metadata: get_text(code, "waiting_metadata"),
        needs_account: code.contains_key("waiting_account"),
    }
}

/// The attributes of a secret, in an account's item and in a claim's.
pub fn secret(secret: &Secret) -> Item {
    let hash = secret.hash.iter().map(|hash| ("hash".to_owned(), text(hash)));
    // The item of an account that never had a password contains no version.
    let version = (secret.version > 0).then(|| ("version_of_secret".to_owned(), number(secret.version)));
    hash.chain(version).collect()
}

/// The secret in an account's or a claim's item.
pub fn read_secret(item: &Item) -> Secret {
    Secret { hash: get_text(item, "hash"), version: get_number(item, "version_of_secret").unwrap_or_default() }
}

/// The account in an item.
pub fn read_account(item: &Item) -> Result<Account> {
    let broken = || Fault::new("reading an account", "the item lacks an attribute or has it in another type");
    let sessions = item.get("sessions").and_then(|map| map.as_m().ok()).ok_or_else(broken)?;
    let sessions =
        sessions.iter().map(|(id, map)| Some((id.parse::<SessionId>().ok()?, read_session(map.as_m().ok()?)?)));
    Ok(Account {
        id: get_user(item, "id").ok_or_else(broken)?,
        phone: get_text(item, "phone"),
        name: get_text(item, "name").unwrap_or_default(),
        state: get_text(item, "state").unwrap_or_default(),
        avatar: get_text(item, "avatar").unwrap_or_default(),
        username: get_text(item, "username"),
        secret: read_secret(item),
        details: item.get("details").and_then(|map| map.as_m().ok()).map(texts).unwrap_or_default(),
        room: get_text(item, "room"),
        room_id: get_number(item, "room_id").and_then(RoomId::new),
        device_id: get_device_id(item),
        created: get_moment(item, "created").ok_or_else(broken)?,
        phone_proved: get_moment(item, "phone_at"),
        updated: get_moment(item, "updated"),
        linked: item
            .get("linked")
            .and_then(|list| list.as_l().ok())
            .into_iter()
            .flatten()
            .filter_map(read_linked)
            .collect(),
        app: AppData::default(),
        looks: get_number(item, "looks").unwrap_or_default(),
        seen: get_moment(item, "seen"),
        sessions: sessions.collect::<Option<BTreeMap<_, _>>>().ok_or_else(broken)?,
        networks: item.get("networks").and_then(|map| map.as_m().ok()).map(read_networks).unwrap_or_default(),
    })
}

/// Whether an account's item is a tombstone, or hidden until a grace period is over.
pub fn is_deleted(item: &Item) -> bool {
    item.contains_key("deleted")
}

/// The account in an item, unless it was deleted.
pub fn read_living(item: Option<&Item>) -> Result<Option<Account>> {
    item.filter(|item| !is_deleted(item)).map(read_account).transpose()
}

fn texts(map: &Item) -> BTreeMap<String, String> {
    map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone()))).collect()
}

/// The card in an account's item.
pub fn read_card(item: &Item) -> Option<Card> {
    Some(Card {
        id: get_user(item, "id")?,
        name: get_text(item, "name").unwrap_or_default(),
        state: get_text(item, "state").unwrap_or_default(),
        avatar: get_text(item, "avatar").unwrap_or_default(),
        seen: get_moment(item, "seen"),
    })
}

/// The attributes that [`read_card`] needs, for a projection.
pub const CARD: &[&str] = &["id", "name", "state", "avatar", "seen"];

#[cfg(test)]
mod tests {
    use super::*;
    use domain::phone::Phone;

    #[test]
    fn an_account_survives_the_table() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let session = Session {
            generation: 3,
            moved: now,
            began: now,
            expires: now,
            ends: now,
            api: "messenger".into(),
            push: PushTokens {
                device: Some(("other".into(), 1)),
                services: BTreeMap::from([(PushService::Apns, "token".into()), (PushService::Jp, "third".into())]),
            },
            network: Some(NetworkHash::from_text("a-network")),
            method: Some(SignInMethod::Code),
            device: DeviceName::parse("a phone"),
            used: Some(now),
            seen_generation: Some(2),
        };
        let phone = Phone::parse("86", "13912345678").unwrap();
        let id = UserId::new(7).unwrap();
        let secret = Secret { hash: Some("$argon2id$".into()), version: 4 };
        let before = Account {
            username: Some("tom".into()),
            details: BTreeMap::from([("sex".into(), "0".into())]),
            room: Some("8696".into()),
            room_id: RoomId::new(5),
            device_id: DeviceId::new(13),
            secret: secret.clone(),
            ..Account::with_phone(id, &phone, (SessionId::from_bytes([1; 12]), session), now)
        };
        let after = read_account(&account(&before)).unwrap();
        assert_eq!(format!("{after:?}"), format!("{before:?}"));
        assert_eq!((after.phone, after.secret), (before.phone, secret));
    }

    #[test]
    fn a_broken_item_is_a_fault_and_no_panic() {
        assert!(read_account(&Item::new()).is_err());
        assert!(read_card(&Item::new()).is_none());
    }
}

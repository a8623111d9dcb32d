//! Rooms on a store that returns what a test sets.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::*;
use crate::account::UserId;
use crate::crypto::SystemRandom;
use crate::network::NetworkHash;
use crate::session::{Lifetime, NewSession, PushTokens, Session, SessionId};

/// Treats the numbers of the first rooms as taken, and records every number that was tried.
#[derive(Default)]
struct Told {
    taken: usize,
    open: u64,
    tried: Mutex<Vec<String>>,
    /// The results of giving an account its room, the last first.
    given: Mutex<Vec<Given>>,
    read: AtomicU64,
}

#[async_trait]
impl RoomStore for Told {
    async fn make(&self, room: &Room, _: Option<Caller>, _: Option<IpAddr>, _: Timestamp) -> Result<Made> {
        let mut tried = self.tried.lock().unwrap();
        tried.push(room.number.clone());
        Ok(if tried.len() > self.taken { Made::Done } else { Made::NumberTaken })
    }

    async fn room(&self, _: RoomId) -> Result<Option<Room>> {
        Ok(None)
    }

    async fn change(&self, _: &Room, _: &Room, _: Option<Caller>, _: Timestamp) -> Result<bool> {
        Ok(false)
    }

    async fn delete(&self, _: &Room, _: Option<Caller>, _: Timestamp) -> Result<bool> {
        Ok(false)
    }

    async fn count_open(&self, _: Timestamp) -> Result<u64> {
        Ok(self.open)
    }

    async fn open(&self, _: Page, _: Timestamp) -> Result<Listed> {
        self.read.fetch_add(1, Ordering::Relaxed);
        Ok(Listed { rooms: Vec::new(), next: None })
    }

    async fn check_session(&self, _: Caller, _: Timestamp) -> Result<()> {
        Ok(())
    }

    async fn give_room(&self, room: &Room, before: Option<&str>, _: Timestamp) -> Result<Given> {
        assert!(room.personal && !room.active && room.expires.is_none() && room.owner.is_some());
        let mut tried = self.tried.lock().unwrap();
        tried.push(format!("{} {}", room.number, room.alias.as_str()));
        assert!(before.is_none_or(|before| before == "8696"));
        Ok(self.given.lock().unwrap().pop().expect("no more calls"))
    }

    async fn knows(&self, _: UserId, _: &[NetworkHash], _: Timestamp) -> Result<bool> {
        Ok(false)
    }

    async fn hosts(&self, _: &BTreeSet<UserId>) -> Result<Hosts> {
        Ok(Hosts::new())
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

fn rooms(policy: Policy, told: Told) -> (Rooms, Arc<Told>) {
    let store = Arc::new(told);
    let rooms = Rooms {
        policy: Arc::new(policy),
        keys: Arc::new(Keys::for_tests()),
        clock: Arc::new(Noon),
        random: Arc::new(SystemRandom),
        store: store.clone(),
        numbers: Numbers::default(),
    };
    (rooms, store)
}

fn wanted() -> NewRoom {
    NewRoom { alias: Alias::parse("a").unwrap(), active: true }
}

#[tokio::test]
async fn a_taken_number_is_drawn_again_and_soon_longer() {
    let (rooms, store) = rooms(Policy::for_tests(), Told { taken: 3, ..Told::default() });
    let room = rooms.make(wanted(), None, None).await.unwrap().room;
    let lengths: Vec<_> = store.tried.lock().unwrap().iter().map(String::len).collect();
    assert_eq!((lengths.as_slice(), room.number.len()), ([4, 4, 4, 5].as_slice(), 5));
    // The next room starts with the length that worked.
    assert_eq!(rooms.make(wanted(), None, None).await.unwrap().room.number.len(), 5);
}

#[tokio::test]
async fn a_draw_that_never_ends_is_a_fault() {
    let (rooms, store) = rooms(Policy::for_tests(), Told { taken: usize::MAX, ..Told::default() });
    assert!(matches!(rooms.make(wanted(), None, None).await, Err(Error::Fault(_))));
    assert_eq!(store.tried.lock().unwrap().len(), Draw::MOST);
}

#[tokio::test]
async fn a_stage_may_demand_the_token() {
    let policy = Policy { anonymous_rooms: false, ..Policy::for_tests() };
    let (rooms, store) = rooms(policy, Told::default());
    assert!(matches!(rooms.make(wanted(), None, None).await, Err(Error::Unauthenticated(_))));
    assert!(store.tried.lock().unwrap().is_empty());
}

#[tokio::test]
async fn pages_by_number_have_an_end_and_pages_by_place_have_none() {
    let (rooms, store) = rooms(Policy::for_tests(), Told { open: 10_000, ..Told::default() });
    let page = |start| Page { start, size: 30 };
    assert_eq!(rooms.open(page(Start::Skip(Page::DEEPEST - 30))).await.unwrap().total, 10_000);
    assert_eq!(store.read.load(Ordering::Relaxed), 1);
    for skip in [Page::DEEPEST - 29, 9_999] {
        assert!(
            matches!(rooms.open(page(Start::Skip(skip))).await, Err(Error::Invalid { field: "page", .. })),
            "{skip}"
        );
    }
    // There are no rooms behind the last one, and finding this out costs nothing.
    for skip in [10_000, usize::MAX] {
        assert!(rooms.open(page(Start::Skip(skip))).await.unwrap().listed.rooms.is_empty());
    }
    assert_eq!(store.read.load(Ordering::Relaxed), 1);
    let place = Place { opened: Timestamp::from_millis(1), id: RoomId::new(1).unwrap() };
    assert!(rooms.open(page(Start::After(place))).await.is_ok());
    assert_eq!(store.read.load(Ordering::Relaxed), 2);
}

fn account(room: Option<&str>, room_id: Option<u64>) -> Account {
    let policy = Policy::for_tests();
    let new = NewSession {
        api: "rooms",
        lifetime: Lifetime::Refreshed,
        push: PushTokens::default(),
        from: None,
        device: None,
    };
    let session = Session::begin(&policy, new, Noon.now());
    let account = Account::new(UserId::new(7).unwrap(), (SessionId::from_bytes([1; 12]), session), Noon.now());
    Account { room: room.map(str::to_owned), room_id: room_id.and_then(RoomId::new), ..account }
}

/// The account's room after these results, the first first, and the numbers and aliases that were tried.
async fn own_after(account: &Account, mut given: Vec<Given>) -> (Result<(String, RoomId)>, Vec<String>) {
    given.reverse();
    let (rooms, store) = rooms(Policy::for_tests(), Told { given: Mutex::new(given), ..Told::default() });
    let own = rooms.own(account).await;
    assert!(store.given.lock().unwrap().is_empty(), "calls were left out");
    let tried = store.tried.lock().unwrap().clone();
    (own, tried)
}

#[tokio::test]
async fn an_account_gets_a_room_called_by_its_number() {
    let nine = RoomId::new(9).unwrap();
    let (own, tried) = own_after(&account(Some("8696"), Some(9)), Vec::new()).await;
    assert_eq!((own.unwrap(), tried.len()), (("8696".to_owned(), nine), 0), "what is there costs nothing");

    let taken = vec![Given::NumberTaken, Given::AliasTaken, Given::IdTaken, Given::Done];
    let (own, tried) = own_after(&account(None, None), taken).await;
    let (number, id) = own.unwrap();
    assert_eq!((tried.len(), tried.last()), (4, Some(&format!("{number} {number}"))));
    assert!(id.get() < 1 << 31, "the apps have it in an int");

    // Another request was faster.
    let had = Given::Had(Own { number: Some("1263".into()), room: Some(nine) });
    assert_eq!(own_after(&account(None, None), vec![had]).await.0.unwrap(), ("1263".to_owned(), nine));
}

#[tokio::test]
async fn an_account_from_before_keeps_its_number() {
    let old = account(Some("8696"), None);
    let (own, tried) = own_after(&old, vec![Given::Done]).await;
    assert_eq!((own.unwrap().0.as_str(), tried.as_slice()), ("8696", ["8696 8696".to_owned()].as_slice()));
    // Another room has this number as its alias.
    let (own, tried) = own_after(&old, vec![Given::AliasTaken, Given::Done]).await;
    let (number, id) = own.unwrap();
    assert_eq!((number.as_str(), tried[1].as_str()), ("8696", format!("8696 8696-{id}").as_str()));
    // If the number belongs to another room or account, the account gets a new number rather than no room.
    let (own, tried) = own_after(&old, vec![Given::NumberTaken, Given::Done]).await;
    assert_eq!(tried[1], format!("{0} {0}", own.unwrap().0));
    let (own, tried) = own_after(&old, vec![Given::IdTaken; Draw::MOST]).await;
    assert!(own.is_err() && tried.len() == Draw::MOST);
}

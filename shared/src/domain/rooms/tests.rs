//! Rooms on a store that says what a test tells it to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::*;
use crate::crypto::SystemRandom;
use crate::domain::account::UserId;

/// Takes the first rooms' numbers as taken, and remembers every number that was tried.
#[derive(Default)]
struct Told {
    taken: usize,
    open: u64,
    tried: Mutex<Vec<String>>,
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

    async fn give_number(&self, _: UserId, number: &str, _: Timestamp) -> Result<Numbered> {
        let mut tried = self.tried.lock().unwrap();
        tried.push(number.to_owned());
        Ok(if tried.len() > self.taken { Numbered::Had("1234".into()) } else { Numbered::NumberTaken })
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
    let room = rooms.make(wanted(), None, None).await.unwrap();
    let lengths: Vec<_> = store.tried.lock().unwrap().iter().map(String::len).collect();
    assert_eq!((lengths.as_slice(), room.number.len()), ([4, 4, 4, 5].as_slice(), 5));
    // The next room starts where there was space.
    assert_eq!(rooms.make(wanted(), None, None).await.unwrap().number.len(), 5);
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
    assert!(matches!(rooms.make(wanted(), None, None).await, Err(Error::Unauthenticated)));
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
    // Behind the last room there is nothing, which costs nothing to say.
    for skip in [10_000, usize::MAX] {
        assert!(rooms.open(page(Start::Skip(skip))).await.unwrap().listed.rooms.is_empty());
    }
    assert_eq!(store.read.load(Ordering::Relaxed), 1);
    let place = Place { opened: Timestamp::from_millis(1), id: RoomId::new(1).unwrap() };
    assert!(rooms.open(page(Start::After(place))).await.is_ok());
    assert_eq!(store.read.load(Ordering::Relaxed), 2);
}

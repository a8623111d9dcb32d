//! Account ids for the device API. Its clients store an id in a signed 32-bit number, which is too small for a
//! [`UserId`]. So an account gets a separate id for that API when it first uses it.

use std::sync::Arc;

use async_trait::async_trait;

use super::account::Account;
use super::clock::{Clock, Timestamp};
pub use super::id::DeviceId;
use super::id::UserId;
use super::random::Random;
use super::{Fault, Result};

/// The API that shows these ids, by its name in the code.
pub const API: &str = "device";

/// The result of giving an account such an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The account has it now.
    Done,
    /// Another account has it. Nothing was written.
    Taken,
    /// The account already has this id. Nothing was written.
    Had(DeviceId),
}

/// The store of these ids. An id is stored in the account and as a claim.
#[async_trait]
pub trait DeviceIdStore: Send + Sync {
    /// Gives the account this id, if the account has none and the id is free. Takes one round trip;
    /// [`super::Error::Unauthenticated`] when the account does not exist.
    async fn give_device_id(&self, user: UserId, id: DeviceId, now: Timestamp) -> Result<Given>;
}

/// Gives accounts their ids.
pub struct DeviceIds {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random ids.
    pub random: Arc<dyn Random>,
    /// The store of the ids.
    pub store: Arc<dyn DeviceIdStore>,
}

/// Ids are drawn from two thousand million numbers, so a taken one is rare, and many taken ones in a row do not happen
/// by chance.
const DRAWS: usize = 16;

impl DeviceIds {
    /// The account's id. It is assigned the first time it is needed; after that no round trip is necessary.
    pub async fn of(&self, account: &Account) -> Result<DeviceId> {
        if let Some(id) = account.device_id {
            return Ok(id);
        }
        for _ in 0..DRAWS {
            let id = DeviceId::generate(&*self.random);
            match self.store.give_device_id(account.id, id, self.clock.now()).await? {
                Given::Done => return Ok(id),
                Given::Had(had) => return Ok(had),
                Given::Taken => {}
            }
        }
        Err(Fault::new("giving an account its id in the device API", "every id drawn was taken").into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::SystemClock;
    use crate::crypto::SystemRandom;
    use crate::policy::Policy;
    use crate::session::{Lifetime, NewSession, PushTokens, Session, SessionId};

    #[test]
    fn an_id_fits_a_signed_number_of_32_bits() {
        for _ in 0..10_000 {
            let id = DeviceId::generate(&SystemRandom);
            assert!(i32::try_from(id.get()).is_ok_and(|id| id > 0), "{id}");
            assert_eq!(DeviceId::new(id.get()), Some(id));
        }
        assert!(DeviceId::new(0).is_none() && DeviceId::new(1 << 31).is_none() && DeviceId::new(u32::MAX).is_none());
        assert!(DeviceId::new(1).is_some() && DeviceId::new((1 << 31) - 1).is_some());
    }

    /// Returns the results it was given, the last first.
    struct Scripted(Mutex<Vec<Given>>);

    #[async_trait]
    impl DeviceIdStore for Scripted {
        async fn give_device_id(&self, _: UserId, _: DeviceId, _: Timestamp) -> Result<Given> {
            Ok(self.0.lock().unwrap().pop().expect("no more calls"))
        }
    }

    async fn id_after(script: Vec<Given>, has: Option<DeviceId>) -> Result<DeviceId> {
        let now = SystemClock.now();
        let new = NewSession {
            api: API,
            lifetime: Lifetime::Refreshed,
            push: PushTokens::default(),
            from: None,
            device: None,
        };
        let session = Session::begin(&Policy::for_tests(), new, now);
        let account = Account::new(UserId::new(7).unwrap(), (SessionId::from_bytes([1; 12]), session), now);
        let store = Arc::new(Scripted(Mutex::new(script)));
        let ids = DeviceIds { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), store: store.clone() };
        let id = ids.of(&Account { device_id: has, ..account }).await;
        assert!(store.0.lock().unwrap().is_empty(), "calls were left out");
        id
    }

    #[tokio::test]
    async fn a_taken_id_is_drawn_again_and_one_that_is_there_stays() {
        let nine = DeviceId::new(9);
        assert!(id_after(vec![Given::Done, Given::Taken, Given::Taken], None).await.is_ok());
        assert_eq!(id_after(vec![Given::Had(nine.unwrap())], None).await.ok(), nine);
        assert_eq!(id_after(Vec::new(), nine).await.ok(), nine);
        assert!(id_after(vec![Given::Taken; DRAWS], None).await.is_err());
    }
}

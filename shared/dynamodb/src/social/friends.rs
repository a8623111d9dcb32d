//! Relations between users.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::{items, profile};
use crate::batch::Reads;
use crate::item::{self, Item, number, text};
use crate::write::{self, Change};
use crate::{Table, Transacted, change_by, failed, found, keys, living, not_signed_in};
use domain::account::{Caller, UserId};
use domain::clock::Timestamp;
use domain::social::friendship::{Pair, Relation, Status};
use domain::social::store::Listed;
use domain::social::{FriendStore, PublicProfile, PublicProfiles};
use domain::{Error, Fault, Quota, Result};
use telemetry::round_trips;

#[async_trait]
impl FriendStore for Table {
    async fn pair(&self, caller: Caller, other: UserId, now: Timestamp) -> Result<(Pair, Option<PublicProfile>)> {
        let (mine, theirs) = (keys::relation(caller.user, other), keys::relation(other, caller.user));
        let (own, others) = (keys::account(caller.user), keys::account(other));
        let all = vec![own.clone(), others.clone(), mine.clone(), theirs.clone()];
        let found = self.get_all(all, &[], Reads::Consistently).await?;
        let mut by_key: HashMap<_, _> = found
            .into_iter()
            .filter_map(|found| Some(((item::get_text(&found, "pk")?, item::get_text(&found, "sk")?), found)))
            .collect();
        let mut take = |key: keys::Key| by_key.remove(&(key.pk, key.sk));
        living(take(own).as_ref(), caller, now)?;
        let relation =
            |found: Option<Item>, of| found.as_ref().map_or_else(|| Ok(Relation::stranger(of)), items::read_relation);
        let pair = Pair { mine: relation(take(mine), other)?, theirs: relation(take(theirs), caller.user)? };
        let others = take(others).filter(|other| !item::is_deleted(other));
        Ok((pair, others.as_ref().map(profile)))
    }

    async fn living(&self, caller: Caller, now: Timestamp) -> Result<()> {
        self.check_living(caller, now).await
    }

    async fn relations(&self, caller: Caller, now: Timestamp) -> Result<Vec<Relation>> {
        Ok(round_trips::both(self.check_living(caller, now), self.relations_of(caller.user)).await?.1)
    }

    async fn profiles(&self, people: &BTreeSet<UserId>) -> Result<PublicProfiles> {
        self.read_faces(people, Reads::Consistently).await
    }

    async fn write(
        &self,
        caller: Caller,
        mine: &Relation,
        theirs: Option<&Relation>,
        listed: Listed,
        now: Timestamp,
    ) -> Result<bool> {
        const ACCOUNT: usize = 0;
        let mut writes = vec![
            self.count_blocked(change_by(caller, "", now), listed).in_transaction(&self.name)?,
            items::put_relation(&self.name, caller.user, mine)?,
        ];
        if let Some(theirs) = theirs {
            writes.push(items::put_relation(&self.name, mine.other, theirs)?);
        }
        match listed {
            Listed::On => writes.push(self.note_blocker(mine.other, caller.user)?),
            Listed::Off => writes.push(write::delete(&self.name, &keys::blocker(mine.other, caller.user))?),
            Listed::AsBefore => {}
        }
        let relations = writes.len();
        let asks = theirs.is_some() && mine.status == Some(Status::Asked);
        let invitations = asks.then(|| self.invitations(caller.user, now));
        if let Some(counter) = &invitations {
            writes.push(counter.change(now).in_transaction(&self.name)?);
        }
        match self.transact("changing a friendship", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) if failed(&reasons, ACCOUNT) => {
                let account = found(&reasons, ACCOUNT);
                let lives = listed == Listed::On && living(account, caller, now).is_ok();
                Err(if lives { Error::Full(Quota::Blacklist) } else { not_signed_in(account, caller) })
            }
            Transacted::Refused(reasons) => match invitations {
                // Only if no other condition failed: after a new decision the change may not be a friend request any
                // more.
                Some(counter) if !(ACCOUNT..relations).any(|position| failed(&reasons, position)) => {
                    Err(counter.refusal(now))
                }
                _ => Ok(false),
            },
        }
    }
}

impl Table {
    /// Counts the users on the blacklist in the owner's account, as part of a change of that account. An account
    /// without a blacklist stores no count.
    fn count_blocked(&self, account: Change, listed: Listed) -> Change {
        let (mut account, added) = match listed {
            Listed::AsBefore => return account,
            Listed::Off => (account, -1),
            Listed::On => {
                let account = account.and("(attribute_not_exists(#blocked) OR #blocked < :most_blocked)");
                (account.value(":most_blocked", number(self.policy.blocked_per_account)), 1)
            }
        };
        account.update.push_str(" ADD #blocked :listed");
        account.name("#blocked", "blocked").value(":listed", number(added))
    }

    /// The note that leads from a blocked user to the user who blocks them, so that nothing is left when the blocked user
    /// is deleted.
    fn note_blocker(&self, blocked: UserId, by: UserId) -> Result<TransactWriteItem> {
        write::put(&self.name, &keys::blocker(blocked, by), Item::new())
    }

    /// All relations of a user to others, page by page.
    pub(super) async fn relations_of(&self, user: UserId) -> Result<Vec<Relation>> {
        const DOING: &str = "reading relations";
        let key = keys::relation(user, user);
        let (mut relations, mut start) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&*self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :relations)")
                .expression_attribute_values(":pk", AttributeValue::S(key.pk.clone()))
                .expression_attribute_values(":relations", text(keys::RELATIONS))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| Fault::new(DOING, error.into_service_error()))?;
            for relation in page.items() {
                relations.push(items::read_relation(relation)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                relations.sort_unstable_by_key(|relation| relation.other);
                return Ok(relations);
            }
        }
    }
}

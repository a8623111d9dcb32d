//! Users' data in the rooms API, and the usernames they sign in with.

use std::net::IpAddr;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::accounts::{COUNT_LOOKS, count_looks};
use super::item::{self, moment, number, text};
use super::write::{self, Change};
use super::{Table, Transacted, Updated, change_by, failed, found, keys, living, not_signed_in, session_is_active};
use domain::account::{Account, Caller};
use domain::clock::Timestamp;
use domain::login_identifier::{LoginIdentifier, Username};
use domain::person::{PersonChange, PersonStore};
use domain::{Error, Fault, Result};

#[async_trait]
impl PersonStore for Table {
    async fn change_person(&self, caller: Caller, change: &PersonChange, now: Timestamp) -> Result<Account> {
        // An account has no map of details before the first detail is set.
        for has_details in [true, false, true] {
            let update = set_person(caller, change, has_details, now);
            match self.update("changing a person", update.returning_item()).await? {
                Updated::Done(account) => return item::read_account(&account),
                Updated::Refused(None) => return Err(not_signed_in(None, caller)),
                Updated::Refused(Some(account)) => {
                    living(Some(&account), caller, now)?;
                }
            }
        }
        Err(Fault::new("changing a person", "the account's details came and went").into())
    }

    async fn rename(
        &self,
        caller: Caller,
        from: Option<IpAddr>,
        before: &Account,
        username: &Username,
        change: &PersonChange,
        now: Timestamp,
    ) -> Result<bool> {
        const ACCOUNT: usize = 0;
        const CLAIM: usize = 1;
        const CHECKS: usize = 2;
        let checks = self.checks(from, Some(caller.user), now);
        let mut writes = vec![
            set_username(caller, before, username, change, now).in_transaction(&self.name)?,
            self.claim_username(before, username, now)?,
        ];
        for counter in &checks {
            writes.push(counter.change(now).in_transaction(&self.name)?);
        }
        if let Some(old) = &before.username {
            let old = keys::claim(&LoginIdentifier::Username(Username::stored(old)?));
            writes.push(write::delete_of_user(&self.name, &old, before.id)?);
        }
        match self.transact("changing a username", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) if failed(&reasons, ACCOUNT) => {
                living(found(&reasons, ACCOUNT), caller, now)?;
                Ok(false)
            }
            Transacted::Refused(reasons) => {
                let full = checks.iter().zip(CHECKS..).find(|(_, position)| failed(&reasons, *position));
                if let Some((full, _)) = full {
                    return Err(full.refusal(now));
                }
                if failed(&reasons, CLAIM) {
                    self.count_in_all(&checks, now).await?;
                    return Err(Error::Taken("username"));
                }
                Ok(false)
            }
        }
    }

    async fn sign_out(&self, caller: Caller, now: Timestamp) -> Result<()> {
        let change = session_is_active(caller, now).updating("SET #seen = :now REMOVE #sessions.#sid".to_owned());
        match self.update("signing out", change).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(account) => Err(not_signed_in(account.as_ref(), caller)),
        }
    }
}

impl Table {
    /// The claim of a username, with the secret that is checked at sign-in.
    fn claim_username(&self, account: &Account, username: &Username, now: Timestamp) -> Result<TransactWriteItem> {
        let mut claim = item::secret(&account.secret);
        claim.extend([("user".to_owned(), number(account.id)), ("since".to_owned(), moment(now))]);
        write::put_new(&self.name, &keys::claim(&LoginIdentifier::Username(username.clone())), claim)
    }
}

/// The change as an update of the caller's account. It writes into the existing map of details or creates a new one.
fn set_person(caller: Caller, change: &PersonChange, has_details: bool, now: Timestamp) -> Change {
    let mut set = Vec::new();
    set.extend(change.name.as_ref().map(|name| ("#name".to_owned(), ":name".to_owned(), text(name.as_str()))));
    set.extend(change.avatar.as_ref().map(|url| ("#avatar".to_owned(), ":avatar".to_owned(), text(url.as_str()))));
    if has_details {
        set.extend(
            change.details.iter().map(|(name, value)| (format!("#details.#{name}"), format!(":d_{name}"), text(value))),
        );
    } else if !change.details.is_empty() {
        let map = change.details.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        set.push(("#details".to_owned(), ":details".to_owned(), AttributeValue::M(map)));
    }
    let mut steps: Vec<_> = set.iter().map(|(name, value, _)| format!("{name} = {value}")).collect();
    let looks = change.name.is_some() || change.avatar.is_some();
    steps.extend(looks.then(|| COUNT_LOOKS.to_owned()));
    let mut update = change_by(caller, &steps.join(", "), now);
    if looks {
        update = count_looks(update);
    }
    if !change.details.is_empty() {
        update = update.and(if has_details { "attribute_exists(#details)" } else { "attribute_not_exists(#details)" });
    }
    set.into_iter().fold(update, |update, (_, placeholder, value)| update.value(&placeholder, value))
}

/// The same with a new username, on the condition that the account has not changed since it was read.
fn set_username(
    caller: Caller,
    before: &Account,
    username: &Username,
    change: &PersonChange,
    now: Timestamp,
) -> Change {
    let mut update = set_person(caller, change, !before.details.is_empty(), now);
    update.update.push_str(", #username = :username");
    let update = match &before.username {
        Some(old) => update.and("#username = :old").value(":old", text(old)),
        None => update.and("attribute_not_exists(#username)"),
    };
    update.if_secret(before.secret.version).value(":username", text(username.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::account::UserId;
    use domain::profile::Nickname;
    use domain::session::SessionId;

    #[test]
    fn details_go_into_the_map_or_make_it() {
        let caller = Caller { user: UserId::new(7).unwrap(), session: SessionId::from_bytes([1; 12]) };
        let change = PersonChange {
            name: Some(Nickname::parse("Tom").unwrap()),
            details: [("sex".to_owned(), "1".to_owned())].into(),
            ..PersonChange::default()
        };
        let now = Timestamp::from_millis(0);
        let into = set_person(caller, &change, true, now);
        let (seen, looks) = ("SET #seen = :now, #sessions.#sid.#last = :hour, #name = :name", COUNT_LOOKS);
        assert_eq!(into.update, format!("{seen}, #details.#sex = :d_sex, {looks}"));
        assert!(into.condition.unwrap().ends_with(" AND attribute_exists(#details)"));
        assert_eq!((into.names["#sex"].as_str(), into.values.len()), ("sex", 6));
        let make = set_person(caller, &change, false, now);
        assert_eq!(make.update, format!("{seen}, #details = :details, {looks}"));
        assert!(make.condition.unwrap().ends_with(" AND attribute_not_exists(#details)"));
    }
}

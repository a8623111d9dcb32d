//! Accounts with their data of the Supabase API, which is an item of its own.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::identity::spent_already;
use super::item::{self, moment, number, text};
use super::keys;
use super::sessions::in_place;
use super::write::{self, Change};
use super::{Table, Transacted, Updated, change_by, failed, living, session_is_active};
use domain::account::{Account, Caller, UserId};
use domain::app_data::AppData;
use domain::clock::Timestamp;
use domain::identity::{AppUserStore, IdentityStore, Linking, NumberChange, Proof, SessionAfter};
use domain::login_identifier::LoginIdentifier;
use domain::session::SessionId;
use domain::{Error, Result};
use telemetry::round_trips;

#[async_trait]
impl AppUserStore for Table {
    async fn account_with_app(&self, user: UserId) -> Result<Option<Account>> {
        let (account, app) = round_trips::both(IdentityStore::account(self, user), self.app_data(user)).await?;
        Ok(account.map(|account| Account { app, ..account }))
    }

    async fn set_app_data(
        &self,
        caller: Caller,
        account: &Account,
        data: &AppData,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool> {
        let mut writes = self.proof(proof, now)?;
        writes.push(session_is_active(caller, now).into_check(&self.name)?);
        writes.push(self.replace_app_data(account, data, account.is_anonymous())?);
        match self.transact("changing the data of an app", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) => spent_already(proof, failed(&reasons, 0)).map(|()| false),
        }
    }

    async fn change_number(&self, account: &Account, change: &NumberChange, now: Timestamp) -> Result<bool> {
        let phone = &change.spent.phone;
        let mut writes = self.spend(&change.spent, now)?;
        let claim = writes.len();
        let mut claimed = item::secret(&account.secret);
        claimed.extend([("user".to_owned(), number(account.id)), ("since".to_owned(), moment(now))]);
        writes.push(write::put_new(&self.name, &keys::phone_claim(phone), claimed)?);
        if let Some(before) = &account.phone {
            let before = keys::phone_claim(&before.parse()?);
            writes.push(write::delete_of_user(&self.name, &before, account.id)?);
        }
        let data = AppData { new_phone: None, ..account.app.clone() };
        writes.push(self.replace_app_data(account, &data, false)?);
        writes.push(self.new_number(account, change, now).in_transaction(&self.name)?);
        match self.transact("changing a number", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) if failed(&reasons, 0) => Err(Error::CodeNotAsked),
            Transacted::Refused(reasons) if failed(&reasons, claim) => Err(Error::Taken("number")),
            Transacted::Refused(_) => Ok(false),
        }
    }

    async fn change_links(
        &self,
        caller: Caller,
        account: &Account,
        change: &Linking,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool> {
        let mut writes = self.proof(proof, now)?;
        let first = writes.len();
        let mut account_change = change_by(caller, "#updated = :now", now);
        let mut linked = account.linked.clone();
        let (claim, data) = match change {
            Linking::Add { linked: new, data } => {
                let claim = LoginIdentifier::Provider { provider: new.provider, subject: new.subject.clone() };
                let claimed = [("user".to_owned(), number(account.id)), ("since".to_owned(), moment(now))].into();
                linked.push(new.clone());
                (write::put_new(&self.name, &keys::claim(&claim), claimed)?, data)
            }
            Linking::Remove { claim, data } => {
                match claim {
                    LoginIdentifier::Phone(_) => {
                        account_change.update.push_str(" REMOVE #phone, #phone_at");
                        account_change = account_change.name("#phone_at", "phone_at");
                    }
                    LoginIdentifier::Username(_) => account_change.update.push_str(" REMOVE #username"),
                    LoginIdentifier::Provider { provider, subject } => {
                        linked.retain(|linked| (linked.provider, &linked.subject) != (*provider, subject));
                    }
                }
                (write::delete_of_user(&self.name, &keys::claim(claim), account.id)?, data)
            }
        };
        // The ways to sign in are as they were read, so the last one cannot be removed by two requests at once.
        let same = |change: Change, name: &str, before: Option<AttributeValue>| match before {
            Some(before) => change.and(&format!("#{name} = :before_{name}")).value(&format!(":before_{name}"), before),
            None => change.and(&format!("attribute_not_exists(#{name})")),
        };
        let before = (!account.linked.is_empty()).then(|| item::linked(&account.linked));
        account_change = same(account_change, "linked", before);
        account_change = same(account_change, "phone", account.phone.as_ref().map(text));
        account_change = same(account_change, "username", account.username.as_ref().map(text));
        account_change.update = match (linked == account.linked, linked.is_empty()) {
            (true, _) => account_change.update,
            (false, true) => format!("{} REMOVE #linked", account_change.update),
            (false, false) => account_change.update.replacen("SET ", "SET #linked = :linked, ", 1),
        };
        if linked != account.linked && !linked.is_empty() {
            account_change = account_change.value(":linked", item::linked(&linked));
        }
        if account.is_anonymous() {
            account_change.update.push_str(" REMOVE #ttl");
            account_change = account_change.name("#ttl", "ttl");
        }
        writes.extend([
            claim,
            account_change.in_transaction(&self.name)?,
            self.replace_app_data(account, data, false)?,
        ]);
        match self.transact("changing the ways to sign in", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) => {
                spent_already(proof, failed(&reasons, 0))?;
                if failed(&reasons, first) { Err(Error::Taken("identity")) } else { Ok(false) }
            }
        }
    }

    async fn end_one_session(&self, caller: Caller, session: SessionId, now: Timestamp) -> Result<()> {
        let change = session_is_active(caller, now)
            .updating("REMOVE #sessions.#ended".to_owned())
            .and("attribute_exists(#sessions.#ended)")
            .name("#ended", session.to_string());
        match self.update("ending a session", change).await? {
            Updated::Done(_) => Ok(()),
            Updated::Refused(account) => {
                living(account.as_ref(), caller, now)?;
                Err(Error::NotFound("session"))
            }
        }
    }

    async fn end_sessions(&self, account: &Account, kept: Option<SessionId>) -> Result<bool> {
        let held = kept.and_then(|id| account.sessions.get(&id).map(|session| (id, session)));
        let mut change = Change::new(keys::account(account.id), "SET #sessions = :sessions")
            .when("attribute_exists(pk) AND attribute_not_exists(#deleted)")
            .value(":sessions", item::sessions(held));
        if let Some((id, session)) = held {
            // As it was read, so that no change in between is overwritten.
            change = change.and("#sessions.#sid = :kept");
            change = change.name("#sid", id.to_string()).value(":kept", item::session(session));
        }
        Ok(matches!(self.update("ending sessions", change).await?, Updated::Done(_)))
    }

    async fn record_seen(&self, caller: Caller, generation: u32) -> Result<()> {
        let change = Change::new(keys::account(caller.user), "SET #sessions.#sid.#used = :turn")
            .when("#sessions.#sid.#turn = :turn")
            .name("#sid", caller.session.to_string())
            .value(":turn", number(generation));
        // The condition fails when the session has moved on or ended meanwhile, and then there is nothing to record.
        self.update("recording a used token", change).await.map(drop)
    }
}

impl Table {
    /// The account's data of the Supabase API.
    pub(super) async fn app_data(&self, user: UserId) -> Result<AppData> {
        let item = self.get("reading the data of an app", &keys::app_data(user)).await?;
        Ok(item.as_ref().map(item::read_app_data).unwrap_or_default())
    }

    /// When an account that nobody can sign in to again is deleted: some time after its session can last.
    pub(super) fn anonymous_ttl(&self, account: &Account) -> Option<AttributeValue> {
        let ends = account.sessions.values().map(|session| session.ends).max()?;
        Some(number(ends.plus(self.policy.anonymous_accounts_for).seconds()))
    }

    /// The write that replaces the account's data of the Supabase API, on the condition that it is as it was read with
    /// the account. That of an account that stays anonymous ends with the account.
    fn replace_app_data(&self, account: &Account, data: &AppData, anonymous: bool) -> Result<TransactWriteItem> {
        let (before, after) = (item::app_data(&account.app), item::app_data(data));
        // An item that was written only for its key and time to live is the same as none.
        let mut change = Change::new(keys::app_data(account.id), "");
        for (name, value) in &before {
            change = change.and(&format!("#{name} = :before_{name}")).value(&format!(":before_{name}"), value.clone());
        }
        for name in item::APP_DATA.into_iter().filter(|name| !before.contains_key(*name)) {
            change = change.and(&format!("attribute_not_exists(#{name})"));
        }
        let ttl = self.anonymous_ttl(account).filter(|_| anonymous);
        let mut after = after;
        after.extend(ttl.map(|ttl| ("ttl".to_owned(), ttl)));
        let set: Vec<_> = after.keys().map(|name| format!("#{name} = :{name}")).collect();
        let mut gone: Vec<_> = item::APP_DATA.into_iter().filter(|name| !after.contains_key(*name)).collect();
        if !anonymous {
            gone.push("ttl");
        }
        let set = if set.is_empty() { String::new() } else { format!("SET {}", set.join(", ")) };
        let gone: Vec<_> = gone.into_iter().map(|name| format!("#{name}")).collect();
        let remove = if gone.is_empty() { String::new() } else { format!(" REMOVE {}", gone.join(", ")) };
        change = change.updating(format!("{set}{remove}"));
        for (name, value) in after {
            change = change.value(&format!(":{name}"), value);
        }
        change.in_transaction(&self.name)
    }

    /// Gives an account another number and its session the next refresh token, on the condition that its number and its
    /// secret are as they were read. If there is a new session, older ones end as at every sign-in.
    fn new_number(&self, account: &Account, change: &NumberChange, now: Timestamp) -> Change {
        let set = "SET #phone = :phone, #phone_at = :now, #updated = :now, #seen = :now";
        let base = match &change.session {
            SessionAfter::Next { id, generation } => {
                let set = format!("{set}, #sessions.#sid.#turn = :next, #sessions.#sid.#moved = :now REMOVE #ttl");
                Change::new(keys::account(account.id), set)
                    .when("#sessions.#sid.#turn = :turn")
                    .name("#sid", id.to_string())
                    .value(":turn", number(generation))
                    .value(":next", number(generation.saturating_add(1)))
            }
            SessionAfter::New(id, session) => {
                let set = format!("{set}, #sessions.#sid = :session");
                let added = Change::new(keys::account(account.id), set)
                    .when("attribute_exists(pk) AND attribute_not_exists(#deleted)")
                    .name("#sid", id.to_string())
                    .value(":session", item::session(session));
                in_place(&self.policy, added, account, session, &["#ttl"], now)
            }
        };
        let base = match &account.phone {
            Some(before) => base.and("#phone = :before").value(":before", text(before)),
            None => base.and("attribute_not_exists(#phone)"),
        };
        let base = base.if_secret(account.secret.version);
        base.value(":phone", text(change.spent.phone.e164())).value(":now", moment(now))
    }
}

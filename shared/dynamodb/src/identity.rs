//! Accounts, their claims and their sessions.

use std::net::IpAddr;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::TransactWriteItem;

use super::counters::Counter;
use super::item::{self, Item, moment, number, text};
use super::keys::{self, Key};
use super::write::{self, Change};
use super::{Table, Transacted, Updated, failed, found, not_signed_in, session_is_active};
use domain::account::{Account, Caller, Secret, UserId};
use domain::app_data::{self, AppData};
use domain::clock::Timestamp;
use domain::identity::{
    Admission, Attempt, Claimed, Creation, Guesser, IdentityStore, Move, PasswordGuess, Proof, Remaining, SpentCode,
    Verification,
};
use domain::login_identifier::LoginIdentifier;
use domain::network::NetworkHash;
use domain::phone::Phone;
use domain::tokens::RefreshToken;
use domain::{Cap, Error, Result};
use telemetry::round_trips;

#[async_trait]
impl IdentityStore for Table {
    async fn owner(&self, claim: &LoginIdentifier) -> Result<Option<UserId>> {
        let claim = self.get("reading a claim", &keys::claim(claim)).await?;
        Ok(claim.and_then(|claim| item::get_user(&claim, "user")))
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>> {
        let account = self.get("reading an account", &keys::account(user)).await?;
        item::read_living(account.as_ref())
    }

    async fn attempt(&self, guess: &PasswordGuess, now: Timestamp) -> Result<Attempt> {
        let count = self.count_password_guess(guess, now);
        let Guesser::LoginIdentifier(claim) = &guess.guesser else {
            count.await?;
            return Ok(Attempt { user: None, secret: Secret::default() });
        };
        let key = keys::claim(claim);
        let ((), claim) = round_trips::both(count, self.get("reading a claim", &key)).await?;
        Ok(Attempt {
            user: claim.as_ref().and_then(|claim| item::get_user(claim, "user")),
            secret: claim.as_ref().map(item::read_secret).unwrap_or_default(),
        })
    }

    async fn knock(&self, claim: &LoginIdentifier, from: Option<IpAddr>, now: Timestamp) -> Result<Option<Claimed>> {
        let count = async {
            let writes = self.count_failures(self.address_counter(from, now), now)?;
            if writes.is_empty() {
                return Ok(());
            }
            match self.transact("counting a sign-in by a provider", writes).await? {
                Transacted::Done => Ok(()),
                Transacted::Refused(_) => Err(self.too_many_failures(now)),
            }
        };
        let key = keys::claim(claim);
        let ((), claim) = round_trips::both(count, self.get("reading a claim", &key)).await?;
        Ok(claim.and_then(|claim| {
            Some(Claimed { user: item::get_user(&claim, "user")?, since: item::get_moment(&claim, "since") })
        }))
    }

    async fn forgive(&self, from: Option<IpAddr>, now: Timestamp) -> Result<()> {
        let Some((key, _)) = self.address_counter(from, now) else { return Ok(()) };
        self.update("taking back a counted sign-in", forgive(key)).await.map(drop)
    }

    async fn check(&self, claim: &LoginIdentifier, from: Option<IpAddr>, now: Timestamp) -> Result<Option<UserId>> {
        let counters = self.checks(from, None, now);
        let count = self.count_in_all(&counters, now);
        Ok(round_trips::both(count, IdentityStore::owner(self, claim)).await?.1)
    }

    async fn admit(&self, user: UserId, admission: &Admission, now: Timestamp) -> Result<Option<Account>> {
        if admission.session.1.api != app_data::API {
            return self.add_session(user, admission, now).await;
        }
        // An error of the read must not hide the result of the write.
        let read = async { Ok(self.app_data(user).await) };
        let (account, app) = round_trips::both(self.add_session(user, admission, now), read).await?;
        let Some(account) = account else { return Ok(None) };
        let app = match app {
            Ok(app) => app,
            Err(_) => self.app_data(user).await?,
        };
        Ok(Some(Account { app, ..account }))
    }

    async fn create(
        &self,
        account: &Account,
        claim: Option<&LoginIdentifier>,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Creation> {
        let mut writes = self.proof(proof, now)?;
        let first = writes.len();
        let mut created = item::account(account);
        let ttl = self.anonymous_ttl(account).filter(|_| account.is_anonymous());
        created.extend(ttl.iter().map(|ttl| ("ttl".to_owned(), ttl.clone())));
        writes.push(write::put_new(&self.name, &keys::account(account.id), created)?);
        if let Some(claim) = claim {
            let mut claimed = item::secret(&account.secret);
            claimed.extend([("user".to_owned(), number(account.id)), ("since".to_owned(), moment(now))]);
            writes.push(write::put_new(&self.name, &keys::claim(claim), claimed)?);
        }
        if !account.app.is_empty() {
            let mut data = item::app_data(&account.app);
            data.extend(ttl.map(|ttl| ("ttl".to_owned(), ttl)));
            writes.push(write::put_new(&self.name, &keys::app_data(account.id), data)?);
        }
        if let Some(id) = account.device_id {
            writes.push(self.claim_device_id(account.id, id, now)?);
        }
        let (counters, checks) = self.counted_for_address(proof, now);
        let counted = writes.len();
        for counter in counters.iter().chain(&checks) {
            writes.push(counter.change(now).in_transaction(&self.name)?);
        }
        match self.transact("making an account", writes).await? {
            Transacted::Done => Ok(Creation::Done),
            Transacted::Refused(reasons) => {
                spent_already(proof, failed(&reasons, 0))?;
                // This comes before any result that shows whether the claim exists.
                let mut all = counters.iter().chain(&checks).zip(counted..);
                if let Some((full, _)) = all.find(|(_, position)| failed(&reasons, *position)) {
                    return Err(full.refusal(now));
                }
                if claim.is_some() && failed(&reasons, first + 1) {
                    self.count_in_all(&checks, now).await?;
                    return Ok(Creation::ClaimTaken);
                }
                Ok(Creation::IdTaken)
            }
        }
    }

    async fn set_secret(
        &self,
        account: &Account,
        secret: &Secret,
        remaining: &Remaining,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<bool> {
        let mut writes = self.proof(proof, now)?;
        writes.push(replace_secret(account, secret, remaining, now).in_transaction(&self.name)?);
        for claim in claims_with_secret(account)? {
            let change = with_secret(Change::new(keys::claim(&claim), ""), secret, "");
            let change = change.when("#user = :user").value(":user", number(account.id));
            writes.push(change.in_transaction(&self.name)?);
        }
        match self.transact("setting a password", writes).await? {
            Transacted::Done => Ok(true),
            Transacted::Refused(reasons) => spent_already(proof, failed(&reasons, 0)).map(|()| false),
        }
    }

    async fn keep_verification(
        &self,
        spent: &SpentCode,
        digest: &[u8; 32],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let mut writes = self.spend(spent, now)?;
        let verification = Item::from([
            ("phone".to_owned(), text(spent.phone.e164())),
            ("expires".to_owned(), moment(expires)),
            ("ttl".to_owned(), number(expires.seconds())),
        ]);
        writes.push(write::put_new(&self.name, &keys::verification(digest), verification)?);
        match self.transact("keeping a verification token", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(Error::CodeNotAsked),
        }
    }

    async fn verification(&self, digest: &[u8; 32]) -> Result<Option<Verification>> {
        let Some(item) = self.get("reading a verification token", &keys::verification(digest)).await? else {
            return Ok(None);
        };
        let phone: Option<Phone> = item::get_text(&item, "phone").and_then(|phone| phone.parse().ok());
        let expires = item::get_moment(&item, "expires");
        Ok(phone.zip(expires).map(|(phone, expires)| Verification { phone, expires }))
    }

    async fn move_refresh_token(
        &self,
        api: &str,
        token: RefreshToken,
        network: Option<NetworkHash>,
        now: Timestamp,
    ) -> Result<Move> {
        const MOVE: &str = "SET #sessions.#sid.#turn = :next, #sessions.#sid.#moved = :now, \
                            #sessions.#sid.#expires = :until, #seen = :now";
        let used_from = if network.is_some() { ", #sessions.#sid.#network = :network" } else { "" };
        let mut change = Change::new(keys::account(token.caller.user), format!("{MOVE}{used_from}"))
            .when(
                "#sessions.#sid.#turn = :turn AND #sessions.#sid.#api = :api AND #sessions.#sid.#expires > :now AND \
                 #sessions.#sid.#ends > :now",
            )
            .name("#sid", token.caller.session.to_string())
            .value(":api", text(api))
            .value(":turn", number(token.generation))
            .value(":next", number(token.generation.saturating_add(1)))
            .value(":now", moment(now))
            .value(":until", moment(now.plus(self.policy.refresh_sliding)));
        if let Some(network) = network {
            change = change.value(":network", text(network.as_str()));
        }
        let moved = self.update("moving a refresh token", change.returning_item());
        // An error of the read must not hide the result of the write: the client would miss its next token.
        let app = async {
            Ok(if api == app_data::API { self.app_data(token.caller.user).await } else { Ok(AppData::default()) })
        };
        let (moved, app) = round_trips::both(moved, app).await?;
        let app = match app {
            Ok(app) => app,
            Err(_) => self.app_data(token.caller.user).await?,
        };
        let with_app = |account: Account| Box::new(Account { app, ..account });
        match moved {
            Updated::Done(account) => Ok(Move::Done(with_app(item::read_account(&account)?))),
            Updated::Refused(account) => Ok(Move::Refused(item::read_living(account.as_ref())?.map(with_app))),
        }
    }

    async fn end_session(&self, caller: Caller) -> Result<()> {
        let change = Change::new(keys::account(caller.user), "REMOVE #sessions.#sid")
            .when("attribute_exists(#sessions.#sid)")
            .name("#sid", caller.session.to_string());
        self.update("ending a session", change).await.map(|_| ())
    }
}

/// Returns the error if the first write of a transaction failed because its proof had been used up before.
pub(super) fn spent_already(proof: &Proof, first_failed: bool) -> Result<()> {
    match proof {
        Proof::Code(_) if first_failed => Err(Error::CodeNotAsked),
        Proof::Verification(_) if first_failed => Err(Error::VerificationUnknown),
        Proof::Code(_)
        | Proof::Verification(_)
        | Proof::Password { .. }
        | Proof::Vouched { .. }
        | Proof::Anonymous { .. }
        | Proof::Nothing { .. } => Ok(()),
    }
}

impl Table {
    /// The writes that use up or settle a proof. The first one fails if the proof was used up before.
    pub(super) fn proof(&self, proof: &Proof, now: Timestamp) -> Result<Vec<TransactWriteItem>> {
        match proof {
            Proof::Nothing { .. } | Proof::Anonymous { .. } => Ok(Vec::new()),
            Proof::Vouched { from } => {
                let address = self.address_counter(*from, now).map(|(key, _)| forgive(key));
                address.into_iter().map(|change| change.in_transaction(&self.name)).collect()
            }
            Proof::Code(spent) => self.spend(spent, now),
            Proof::Verification(digest) => {
                Ok(vec![write::delete_living(&self.name, &keys::verification(digest), now)?])
            }
            Proof::Password { guess, rehashed } => {
                let counters = self.password_counters(guess, now);
                let mut changes: Vec<_> = counters.into_iter().map(|(key, _)| forgive(key)).collect();
                if let (Guesser::LoginIdentifier(claim), Some(hash)) = (&guess.guesser, rehashed) {
                    let rehash = Change::new(keys::claim(claim), "SET #hash = :hash").when("attribute_exists(pk)");
                    changes.push(rehash.value(":hash", text(hash)));
                }
                changes.into_iter().map(|change| change.in_transaction(&self.name)).collect()
            }
        }
    }

    /// The counters of the address for an account created with this proof. They count the account, and separately what
    /// the response shows to a client that has proved nothing.
    fn counted_for_address(&self, proof: &Proof, now: Timestamp) -> (Vec<Counter>, Vec<Counter>) {
        match proof {
            Proof::Code(_) | Proof::Verification(_) | Proof::Password { .. } => (Vec::new(), Vec::new()),
            Proof::Vouched { from } => (self.accounts_of_address(*from, now).into_iter().collect(), Vec::new()),
            Proof::Anonymous { from } => {
                (self.anonymous_accounts_of_address(*from, now).into_iter().collect(), Vec::new())
            }
            Proof::Nothing { from } => {
                (self.accounts_of_address(*from, now).into_iter().collect(), self.checks(*from, None, now))
            }
        }
    }

    /// The counters in which a try at a password counts until it turns out to be right, each with its limit.
    fn password_counters(&self, guess: &PasswordGuess, now: Timestamp) -> Vec<(Key, u32)> {
        let window = self.failure_window(now);
        let own = match &guess.guesser {
            Guesser::LoginIdentifier(claim) => keys::failures_of_claim(claim, window, guess.known.as_ref()),
            Guesser::Caller(caller) => keys::failures_of_user(caller.user, window, guess.known.as_ref()),
        };
        std::iter::once((own, self.policy.failures_per_account)).chain(self.address_counter(guess.from, now)).collect()
    }

    /// The counter of failures from an address, with its limit, unless the limit is off.
    pub(super) fn address_counter(&self, from: Option<IpAddr>, now: Timestamp) -> Option<(Key, u32)> {
        let (from, cap) = from.zip(self.policy.failures_per_ip)?;
        Some((keys::failures_of_address(from, self.failure_window(now)), cap))
    }

    fn failure_window(&self, now: Timestamp) -> i64 {
        now.seconds().div_euclid(self.window_seconds())
    }

    fn window_seconds(&self) -> i64 {
        i64::try_from(self.policy.failure_window.as_secs()).unwrap_or(i64::MAX).max(1)
    }

    /// Counts a try at a password in all its counters and, for a signed-in user, checks the session; all or nothing.
    async fn count_password_guess(&self, guess: &PasswordGuess, now: Timestamp) -> Result<()> {
        let mut writes = self.count_failures(self.password_counters(guess, now), now)?;
        let counters = writes.len();
        let caller = if let Guesser::Caller(caller) = guess.guesser { Some(caller) } else { None };
        if let Some(caller) = caller {
            writes.push(session_is_active(caller, now).into_check(&self.name)?);
        }
        match self.transact("counting a guess at a password", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(reasons) => Err(match caller {
                Some(caller) if failed(&reasons, counters) => not_signed_in(found(&reasons, counters), caller),
                _ => self.too_many_failures(now),
            }),
        }
    }

    /// The writes that count a failure in every counter, on the condition that each is below its limit.
    pub(super) fn count_failures(
        &self,
        counters: impl IntoIterator<Item = (Key, u32)>,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>> {
        let ttl = self.failure_window_end(now) + self.window_seconds();
        let count = |(key, cap): (Key, u32)| {
            Change::new(key, "SET #ttl = :ttl ADD #count :one")
                .when("attribute_not_exists(#count) OR #count < :cap")
                .value(":ttl", number(ttl))
                .value(":one", number(1))
                .value(":cap", number(cap))
                .in_transaction(&self.name)
        };
        counters.into_iter().map(count).collect()
    }

    /// The error for too many failures, which lasts until the window ends.
    pub(super) fn too_many_failures(&self, now: Timestamp) -> Error {
        let left = self.failure_window_end(now) - now.seconds();
        Error::Limited { cap: Cap::SignInFailures, retry_after: u64::try_from(left).unwrap_or(1).max(1) }
    }

    fn failure_window_end(&self, now: Timestamp) -> i64 {
        (self.failure_window(now) + 1) * self.window_seconds()
    }
}

/// Takes back a failure that was counted in advance.
pub(super) fn forgive(key: Key) -> Change {
    Change::new(key, "ADD #count :less").value(":less", number(-1))
}

/// Sets another secret, or removes the password, and sets other attributes.
fn with_secret(change: Change, secret: &Secret, others: &str) -> Change {
    let change = match &secret.hash {
        Some(hash) => change
            .updating(format!("SET #hash = :hash, #version_of_secret = :version{others}"))
            .value(":hash", text(hash)),
        None => change.updating(format!("SET #version_of_secret = :version{others} REMOVE #hash")),
    };
    change.value(":version", number(secret.version))
}

/// Sets another secret, ends all sessions except the remaining one and forgets all networks except its own, on the condition that the secret has not
/// changed since the account was read.
fn replace_secret(account: &Account, secret: &Secret, remaining: &Remaining, now: Timestamp) -> Change {
    let (callers, kept) = match remaining {
        Remaining::None { .. } => (None, None),
        Remaining::Caller(id) => (Some(id), account.sessions.get(id).map(|session| (*id, session))),
        Remaining::Instead { of, session: (id, session) } => (Some(of), Some((*id, session))),
    };
    let network = match remaining {
        Remaining::None { network } => network.as_ref(),
        Remaining::Caller(_) | Remaining::Instead { .. } => kept.and_then(|(_, session)| session.network.as_ref()),
    };
    let networks = network.map(|network| (network.clone(), now)).into_iter().collect();
    let set = ", #sessions = :sessions, #networks = :networks, #updated = :changed";
    let mut change = with_secret(Change::new(keys::account(account.id), ""), secret, set)
        .when("attribute_exists(pk) AND attribute_not_exists(#deleted)")
        .if_secret(account.secret.version)
        .value(":sessions", item::sessions(kept))
        .value(":networks", item::networks(&networks))
        .value(":changed", moment(now));
    if let Some(callers) = callers {
        change = change.and("#sessions.#sid.#expires > :now AND #sessions.#sid.#ends > :now");
        change = change.name("#sid", callers.to_string()).value(":now", moment(now));
    }
    if let (Remaining::Caller(_), Some((_, session))) = (remaining, kept) {
        // On the condition that the session is as it was read, so that no change in between is overwritten.
        change = change.and("#sessions.#sid = :kept").value(":kept", item::session(session));
    }
    change
}

/// The claims of an account that contain a copy of its secret.
fn claims_with_secret(account: &Account) -> Result<Vec<LoginIdentifier>> {
    let phone = account.phone.as_ref().map(|phone| phone.parse().map(LoginIdentifier::Phone)).transpose()?;
    let username = account.username.as_ref();
    let username = username
        .map(|name| domain::login_identifier::Username::stored(name).map(LoginIdentifier::Username))
        .transpose()?;
    Ok(phone.into_iter().chain(username).collect())
}

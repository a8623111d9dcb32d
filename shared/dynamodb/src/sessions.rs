//! Adding a session to an account that may have the maximum number of sessions.

use super::item::{self, Item, moment, number};
use super::keys;
use super::write::Change;
use super::{Table, Transacted, failed, found};
use domain::account::{Account, UserId};
use domain::clock::Timestamp;
use domain::deletion::PurgeStore;
use domain::identity::{Admission, Proof};
use domain::network::with_sign_in;
use domain::policy::Policy;
use domain::session::Session;
use domain::{Error, Fault, Result};
use telemetry::round_trips;

/// Simultaneous sign-ins to one account take turns. So many conflicts in a row do not happen by chance.
const ATTEMPTS: usize = 8;

/// The result of adding a session.
enum Added {
    Done,
    /// The account's condition failed; contains the current account, if it exists.
    Refused(Option<Item>),
}

impl Table {
    /// Uses up the proof and adds the session; see [`domain::identity::IdentityStore::admit`].
    pub(super) async fn add_session(
        &self,
        user: UserId,
        admission: &Admission,
        now: Timestamp,
    ) -> Result<Option<Account>> {
        let room = self.policy.sessions_per_account;
        let add = add_session(user, admission, now)
            .and("attribute_exists(pk) AND attribute_not_exists(#deleted) AND size(#sessions) < :room")
            .value(":room", number(room));
        let add = add_network(add, admission, self.policy.sign_in_networks(), now);
        // Most accounts have room, so the profile is read in parallel with the write and not before it. An error of the
        // read must not hide the result of the write.
        let key = keys::account(user);
        let read = async { Ok(self.get("reading an account", &key).await) };
        let (added, read) = round_trips::both(self.try_add(add, admission, now), read).await?;
        let mut crowded = match (added, read) {
            (Added::Done, Ok(read)) => return with_session(read.as_ref(), admission),
            (Added::Done, Err(_)) => {
                let read = self.get("reading an account", &key).await?;
                return with_session(read.as_ref(), admission);
            }
            (Added::Refused(old), _) => old,
        };
        for _ in 0..ATTEMPTS {
            let Some(old) = crowded else { return Ok(None) };
            if item::is_deleted(&old) && !is_restorable(&old, now) {
                // DynamoDB may delete the note about the grace period up to two days late. The number must not stay
                // blocked for so long.
                self.end_grace(user, now).await?;
                return Ok(None);
            }
            if admission.version.is_some_and(|version| version != item::read_secret(&old).version) {
                return Ok(None);
            }
            let add = self.replace_sessions(user, admission, &old, now)?;
            match self.try_add(add, admission, now).await? {
                Added::Done => return with_session(Some(&restored(&old, user)), admission),
                Added::Refused(old) => crowded = old,
            }
        }
        Err(Fault::new("adding a session", "the account's sessions changed at every attempt").into())
    }

    /// Uses up the proof and changes the account in one transaction.
    async fn try_add(&self, add: Change, admission: &Admission, now: Timestamp) -> Result<Added> {
        let mut writes = self.proof(&admission.proof, now)?;
        let account = writes.len();
        writes.push(add.in_transaction(&self.name)?);
        match self.transact("signing in", writes).await? {
            Transacted::Done => Ok(Added::Done),
            Transacted::Refused(reasons) if failed(&reasons, 0) && matches!(admission.proof, Proof::Code(_)) => {
                Err(Error::CodeNotAsked)
            }
            Transacted::Refused(reasons) => Ok(Added::Refused(found(&reasons, account).cloned())),
        }
    }
}

impl Table {
    /// Adds a session in place of the sessions in `old` that must end, and its network in place of the networks that
    /// must be forgotten. The condition is that the table still contains `old`.
    fn replace_sessions(&self, user: UserId, admission: &Admission, old: &Item, now: Timestamp) -> Result<Change> {
        let account = item::read_account(&restored(old, user))?;
        let mut add = add_session(user, admission, now);
        if !item::is_deleted(old) {
            let add = add.and("attribute_not_exists(#deleted)");
            return Ok(in_place(&self.policy, add, &account, &admission.session.1, &[], now));
        }
        // Signing in undoes a deletion whose grace period is not over.
        add.update.push_str(", #id = :id");
        let add = add.and("#purge_at > :now").name("#id", "id").value(":id", number(user));
        Ok(in_place(&self.policy, add, &account, &admission.session.1, &HIDDEN, now))
    }
}

/// The attributes of an account that was deleted while its grace period is not over.
const HIDDEN: [&str; 3] = ["#deleted", "#purge_at", "#leftover"];

/// Whether an account was deleted, but its grace period is not over.
fn is_restorable(old: &Item, now: Timestamp) -> bool {
    item::get_moment(old, "purge_at").is_some_and(|purge_at| purge_at > now)
}

/// The item as it is without a deletion: while an account is hidden, it has no id.
fn restored(old: &Item, user: UserId) -> Item {
    let mut account = old.clone();
    account.remove("deleted");
    account.insert("id".to_owned(), number(user));
    account
}

/// Adds to a change that stores a new session of `account`: that sessions end until there is room for it, and that its
/// network takes the place of networks that must be forgotten. The update also removes the attributes `removed`. The
/// condition is that the table still contains the sessions and networks of `account`.
pub(super) fn in_place(
    policy: &Policy,
    mut change: Change,
    account: &Account,
    session: &Session,
    removed: &[&str],
    now: Timestamp,
) -> Change {
    let ended = account.sessions_to_end(policy.sessions_per_account.saturating_sub(1), now);
    change = change.and("size(#sessions) = :size").value(":size", number(account.sessions.len()));
    if let Some(network) = &session.network {
        change.update.push_str(", #networks = :networks");
        change = change.and(if account.networks.is_empty() {
            "(attribute_not_exists(#networks) OR #networks = :networks_before)"
        } else {
            "#networks = :networks_before"
        });
        let networks = with_sign_in(policy, &account.networks, network, now);
        change = change.value(":networks", item::networks(&networks));
        change = change.value(":networks_before", item::networks(&account.networks));
    }
    let mut gone: Vec<_> = removed.iter().map(|name| (*name).to_owned()).collect();
    for (index, ended) in ended.into_iter().enumerate() {
        gone.push(format!("#sessions.#end{index}"));
        change = change.and(&format!("attribute_exists(#sessions.#end{index})"));
        change = change.name(&format!("#end{index}"), ended.to_string());
    }
    if gone.is_empty() {
        return change;
    }
    let update = format!("{} REMOVE {}", change.update, gone.join(", "));
    change.updating(update)
}

fn add_session(user: UserId, admission: &Admission, now: Timestamp) -> Change {
    let (id, session) = &admission.session;
    let change = Change::new(keys::account(user), "SET #sessions.#sid = :session, #seen = :now")
        .name("#sid", id.to_string())
        .value(":session", item::session(session))
        .value(":now", moment(now));
    let change = match &admission.linked {
        // Accounts from before the sign-in providers' users were listed have no list, and one such user.
        Some(user) => {
            let update = format!("{}, #linked = if_not_exists(#linked, :linked)", change.update);
            change.updating(update).value(":linked", item::linked(std::slice::from_ref(user)))
        }
        None => change,
    };
    match admission.version {
        Some(version) => change.if_secret(version),
        None => change,
    }
}

/// Stores the session's network, if the account knows it already or has room for another one.
fn add_network(mut add: Change, admission: &Admission, most: usize, now: Timestamp) -> Change {
    let Some(network) = &admission.session.1.network else { return add };
    add.update.push_str(", #networks.#network = :signed_in");
    add.and("(attribute_exists(#networks.#network) OR size(#networks) < :most_networks)")
        .name("#network", network.as_str())
        .value(":signed_in", moment(now))
        .value(":most_networks", number(most))
}

/// The account in an item that may have been read just before the session was added.
fn with_session(item: Option<&Item>, admission: &Admission) -> Result<Option<Account>> {
    let (id, session) = &admission.session;
    let mut account = item::read_living(item)?;
    if let Some(account) = &mut account {
        account.sessions.insert(*id, session.clone());
        if account.linked.is_empty() {
            account.linked.extend(admission.linked.clone());
        }
    }
    Ok(account)
}

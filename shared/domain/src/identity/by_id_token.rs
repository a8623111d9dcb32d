//! Signing in with an identity token of a sign-in provider, and linking the provider's user to an account.
//!
//! Users are matched by the provider's id only, never by an email address: whoever gets an address later would get the
//! account.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Identity, Linking, Move, Proof, SignedIn, Stranger};
use crate::account::Linked;
use crate::app_data::{self, AppData};
use crate::id_token::{IdToken, IdTokenCheck, ProviderUser};
use crate::login_identifier::LoginIdentifier;
use crate::profile::{Avatar, Nickname};
use crate::provider::Provider;
use crate::session::NewSession;
use crate::tokens::RefreshToken;
use crate::tokens::app::AppToken;
use crate::{Error, NotSignedIn, Result};

impl Identity {
    /// Signs in the user whom an identity token describes. The first time, this creates the account.
    pub async fn sign_in_by_id_token(
        &self,
        check: &dyn IdTokenCheck,
        token: &IdToken<'_>,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let user = check.check(token, now).await?;
        let claim = LoginIdentifier::Provider { provider: token.provider, subject: user.subject.clone() };
        let known = self.store.knock(&claim, from, now).await?;
        let admitted = self.admit_vouched(&claim, known, from, stranger(token.provider, user), session, now).await;
        if admitted.is_err() {
            // The token was valid, so a refusal for another reason is no failed sign-in.
            self.store.forgive(from, now).await?;
        }
        admitted
    }

    /// Links the user whom an identity token describes to the caller's account. The session goes on with its next
    /// tokens. A provider's user who has an account is refused with [`Error::Taken`].
    pub async fn link_by_id_token(
        &self,
        caller: AppToken,
        check: &dyn IdTokenCheck,
        token: &IdToken<'_>,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let user = check.check(token, now).await?;
        let account = self.app_account(caller).await?;
        let linked = Linked { provider: token.provider, subject: user.subject.clone(), since: now };
        let mut data = AppData { updated: Some(now), ..account.app.clone() };
        data.identities.insert(token.provider.name().to_owned(), user.claims);
        let change = Linking::Add { linked, data };
        if !self.app_users.change_links(caller.caller, &account, &change, &Proof::Nothing { from: None }, now).await? {
            return Err(Error::Unauthenticated(NotSignedIn::Ended));
        }
        let current = RefreshToken { caller: caller.caller, generation: caller.generation };
        let (account, generation) = match self.store.move_refresh_token(app_data::API, current, None, now).await? {
            Move::Done(account) => (*account, caller.generation + 1),
            // Another request has moved the session on. Its tokens are as good.
            Move::Refused(account) => {
                let account = *account.ok_or(Error::Unauthenticated(NotSignedIn::Ended))?;
                let session = account.sessions.get(&caller.caller.session);
                let generation = session.ok_or(Error::Unauthenticated(NotSignedIn::Ended))?.generation;
                (account, generation)
            }
        };
        Ok(SignedIn { account, caller: caller.caller, generation, new_account: false })
    }
}

/// The data of a new account.
fn stranger(provider: Provider, user: ProviderUser) -> Stranger {
    let shown =
        [("name", &user.name), ("full_name", &user.name), ("picture", &user.picture), ("avatar_url", &user.picture)];
    let user_metadata: Map<String, Value> =
        shown.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))).collect();
    Stranger {
        name: user.name.as_deref().and_then(|name| Nickname::parse(name).ok()),
        avatar: user.picture.as_deref().and_then(|picture| Avatar::parse(picture).ok()),
        app: AppData {
            user_metadata: app_data::merge(&Map::new(), user_metadata).unwrap_or_default(),
            identities: [(provider.name().to_owned(), user.claims)].into(),
            ..AppData::default()
        },
        ..Stranger::default()
    }
}

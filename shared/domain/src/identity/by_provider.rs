//! Signing in through a sign-in provider, which identifies the user.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{ATTEMPTS, Admission, Claimed, Draft, Fill, Identity, Made, Proof, SignedIn};
use crate::account::{Account, Linked};
use crate::app_data::AppData;
use crate::clock::Timestamp;
use crate::login_identifier::{LoginIdentifier, Provider, Subject};
use crate::profile::{Avatar, Nickname};
use crate::provider::ProviderCheck;
use crate::session::{NewSession, SignInMethod};
use crate::{Error, Fault, Result};

/// A provider's confirmation of a user, as the client presents it.
#[derive(Clone, Debug)]
pub struct Vouching {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of the user.
    pub subject: Subject,
    /// The access token that the provider gave the client.
    pub access_token: String,
    /// The client's IP address.
    pub from: Option<IpAddr>,
}

/// The data of a user who may be signing in for the first time.
#[derive(Clone, Debug, Default)]
pub struct Stranger {
    /// The nickname, if the provider has one.
    pub name: Option<Nickname>,
    /// The picture, if the provider has one.
    pub avatar: Option<Avatar>,
    /// The data that the rooms API stores besides the profile.
    pub details: BTreeMap<String, String>,
    /// The data of the Supabase API.
    pub app: AppData,
}

impl Identity {
    /// Signs in the user whom the provider confirms. The first time, this creates the account with the data in
    /// `stranger`.
    ///
    /// A refused token is a failed sign-in from its address. It is counted before the provider is called, so that a
    /// flood of invalid tokens does not reach the provider. The count is taken back when the provider confirms the user
    /// or cannot be reached.
    pub async fn sign_in_by_provider(
        &self,
        provider: &dyn ProviderCheck,
        vouching: Vouching,
        stranger: Stranger,
        session: NewSession,
    ) -> Result<SignedIn> {
        let Vouching { provider: which, subject, access_token, from } = vouching;
        if !provider.knows(which) {
            return Err(Error::ProviderRefused);
        }
        let now = self.clock.now();
        let claim = LoginIdentifier::Provider { provider: which, subject: subject.clone() };
        let known = self.store.knock(&claim, from, now).await?;
        match provider.vouches(which, &access_token, subject.as_str()).await {
            Ok(()) => {
                let admitted = self.admit_vouched(&claim, known, from, stranger, session, now).await;
                if admitted.is_err() {
                    // The token was valid, so a refusal for another reason is no failed sign-in.
                    self.store.forgive(from, now).await?;
                }
                admitted
            }
            Err(Error::ProviderRefused) => Err(Error::ProviderRefused),
            Err(unclear) => {
                self.store.forgive(from, now).await?;
                Err(unclear)
            }
        }
    }

    pub(super) async fn admit_vouched(
        &self,
        claim: &LoginIdentifier,
        known: Option<Claimed>,
        from: Option<IpAddr>,
        stranger: Stranger,
        session: NewSession,
        now: Timestamp,
    ) -> Result<SignedIn> {
        let (session, proof) = (self.begin(session, SignInMethod::Provider, now), Proof::Vouched { from });
        let (mut user, since) = (known.map(|known| known.user), known.and_then(|known| known.since).unwrap_or(now));
        let linked = match claim.clone() {
            LoginIdentifier::Provider { provider, subject } => Some(Linked { provider, subject, since }),
            LoginIdentifier::Phone(_) | LoginIdentifier::Username(_) => None,
        };
        for _ in 0..ATTEMPTS {
            if let Some(known) = user {
                let (session, proof) = (self.session_of(known, &session), proof.clone());
                let admission = Admission { session, proof, version: None, linked: linked.clone() };
                if let Some(signed_in) = self.admit(known, &admission, now).await? {
                    return Ok(signed_in);
                }
            } else {
                let draft = Draft { session: session.clone(), id: None, fill: stranger.clone().into_account() };
                if let Made::Account(signed_in) = self.create(draft, Some(claim), &proof, now).await? {
                    return Ok(*signed_in);
                }
            }
            user = self.store.owner(claim).await?;
        }
        Err(Fault::new("signing in by a provider", "the account changed at every attempt").into())
    }
}

impl Stranger {
    fn into_account(self) -> Fill {
        Arc::new(move |account: &mut Account| {
            account.name = self.name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
            account.avatar = self.avatar.as_ref().map(|avatar| avatar.as_str().to_owned()).unwrap_or_default();
            account.details.clone_from(&self.details);
            account.app = self.app.clone();
        })
    }
}

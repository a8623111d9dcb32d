//! Signing in through somebody who knows the person: a provider that was asked before.

use std::collections::BTreeMap;

use super::{ATTEMPTS, Admission, Draft, Identity, Made, Proof, SignedIn};
use crate::domain::account::Account;
use crate::domain::claim::Claim;
use crate::domain::profile::{Avatar, Nickname};
use crate::domain::session::NewSession;
use crate::domain::{Fault, Result};

impl Identity {
    /// Signs in whoever the provider vouched for, making the account at the first time with what is known of them.
    pub async fn sign_in_by_provider(
        &self,
        claim: &Claim,
        name: Option<Nickname>,
        avatar: Option<Avatar>,
        details: BTreeMap<String, String>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let session = self.begin(session, now);
        for _ in 0..ATTEMPTS {
            if let Some(user) = self.store.owner(claim).await? {
                let session = self.session_of(user, &session);
                let admission = Admission { session, proof: Proof::Elsewhere, version: None };
                if let Some(signed_in) = self.admit(user, &admission, now).await? {
                    return Ok(signed_in);
                }
                continue;
            }
            let (name, avatar, details) = (name.clone(), avatar.clone(), details.clone());
            let fill = move |account: &mut Account| {
                account.name = name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default();
                account.avatar = avatar.as_ref().map(|avatar| avatar.as_str().to_owned()).unwrap_or_default();
                account.details.clone_from(&details);
            };
            let draft = Draft { session: session.clone(), fill: Box::new(fill) };
            if let Made::Account(signed_in) = self.create(draft, claim, &Proof::Elsewhere, now).await? {
                return Ok(*signed_in);
            }
        }
        Err(Fault::new("signing in by a provider", "the account changed at every attempt").into())
    }
}

//! Anonymous accounts, of the Supabase API: an account that only its one session can use.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Draft, Identity, Made, Proof, SignedIn};
use crate::account::Account;
use crate::app_data::{self, AppData};
use crate::session::{NewSession, SignInMethod};
use crate::{Error, Fault, Result};

impl Identity {
    /// Creates an account that has no number, no username and no sign-in provider, with its first session. It counts
    /// against a limit of the address. The user makes it permanent by adding a number or a sign-in provider.
    pub async fn sign_up_anonymously(
        &self,
        user_metadata: Map<String, Value>,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        if !self.policy.anonymous_accounts {
            return Err(Error::SignUpsClosed);
        }
        let now = self.clock.now();
        let user_metadata = app_data::merge(&Map::new(), user_metadata)?;
        let updated = (!user_metadata.is_empty()).then_some(now);
        let data = AppData { user_metadata, updated, ..AppData::default() };
        let session = self.begin(session, SignInMethod::Anonymous, now);
        let fill = move |account: &mut Account| account.app = data.clone();
        let draft = Draft { session, id: None, fill: Arc::new(fill) };
        match self.create(draft, None, &Proof::Anonymous { from }, now).await? {
            Made::Account(signed_in) => Ok(*signed_in),
            Made::ClaimTaken => Err(Fault::new("making an anonymous account", "it has no claim").into()),
        }
    }
}

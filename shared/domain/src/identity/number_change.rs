//! Giving an account another number, or an anonymous account its first.

use std::net::IpAddr;
use std::time::Duration;

use super::{Confirmation, Identity, NumberChange, Proof, SessionAfter, SignedIn, SpentCode};
use crate::account::{Account, Caller};
use crate::app_data::{self, AppData};
use crate::codes::{Code, CodeRequest, CodeSender, Purpose, Waiting};
use crate::phone::Phone;
use crate::session::{NewSession, SignInMethod};
use crate::{Error, Fault, Result, error};
use telemetry::metrics::{self, Metric};

/// A session older than this needs a further proof to change the number of an account that has one, or to delete it, so
/// that a stolen token does not take the account over.
pub const FRESH: Duration = Duration::from_mins(10);

impl Identity {
    /// Sends a code to the number that the caller's account is to have. The account gets it when the code is entered. A
    /// number of another account is refused with [`Error::Taken`], which counts for the address like a look-up. Without a
    /// confirmation, the account must have no number yet, or the session must have just begun, or the same request has
    /// confirmed another change (`confirmed`).
    pub async fn request_number_change(
        &self,
        caller: Caller,
        sender: &CodeSender,
        phone: &Phone,
        (confirmation, confirmed): (&Confirmation, bool),
        from: Option<IpAddr>,
    ) -> Result<()> {
        let now = self.clock.now();
        let account = self.app_users.account_with_app(caller.user).await?.ok_or(Error::NotFound("user"))?;
        account.check_session(caller.session, now)?;
        if account.phone.as_deref() == Some(phone.e164()) {
            return Ok(());
        }
        let fresh = if account.phone.is_some() && !confirmed { FRESH } else { Duration::MAX };
        let proof = self.confirm(&account, caller, confirmation, fresh, from, now).await?;
        // The proof is used up before the code is sent, so it authorises no second change.
        let data = AppData { new_phone: Some((phone.e164().to_owned(), now)), ..account.app.clone() };
        if !self.app_users.set_app_data(caller, &account, &data, &proof, now).await? {
            return Err(Fault::new("requesting another number", "the account was changed at the same time").into());
        }
        let request =
            CodeRequest { phone, purpose: Purpose::NumberChange(caller.user), from, captcha: None, app_hash: None };
        let waiting = Waiting { user: Some(caller.user), session: Some(caller.session), ..Waiting::default() };
        let sent = sender.send_to(request, Purpose::NumberChange(caller.user).recipients(), waiting).await;
        if sent.is_err() {
            let (before, with) = (account.app.clone(), Account { app: data, ..account });
            let none = Proof::Nothing { from: None };
            // If the data was changed again meanwhile, the number stays noted; without its code it does nothing.
            self.app_users.set_app_data(caller, &with, &before, &none, now).await?;
        }
        sent.map(drop)
    }

    /// Gives the account that asked for it the number that the code proves. The session that asked goes on with its
    /// next tokens; if it has ended, `session` begins, as at a sign-in.
    pub async fn change_number(
        &self,
        phone: &Phone,
        code: &Code,
        from: Option<IpAddr>,
        session: NewSession,
    ) -> Result<SignedIn> {
        let now = self.clock.now();
        let guess = self.count_guess(phone, from, now).await;
        let guess = guess.and_then(|guess| {
            let user = guess.waiting.user.ok_or(Error::CodeWrong)?;
            let subject = Purpose::NumberChange(user).subject(phone);
            let right = self.keys.code_matches(&subject, code.as_str(), &guess.digest);
            if right { Ok((user, guess)) } else { Err(Error::CodeWrong) }
        });
        error::count_refusal(Metric::GuessesRefused, &guess);
        let (user, guess) = guess?;
        let asking = guess.waiting.session;
        let account = self.app_users.account_with_app(user).await?.ok_or(Error::CodeNotAsked)?;
        let living = asking.and_then(|id| Some((id, account.sessions.get(&id)?)));
        let living = living.filter(|(_, session)| session.is_active(now) && session.api == app_data::API);
        let after = if let Some((id, session)) = living {
            SessionAfter::Next { id, generation: session.generation }
        } else {
            let (id, session) = self.session_of(user, &self.begin(session, SignInMethod::Code, now));
            SessionAfter::New(id, session)
        };
        let spent = SpentCode { phone: phone.clone(), guess };
        let change = NumberChange { spent, session: after.clone() };
        if !self.app_users.change_number(&account, &change, now).await? {
            return Err(Fault::new("changing a number", "the account was changed at the same time").into());
        }
        metrics::count(Metric::CodesUsed);
        if let SessionAfter::New(_, session) = &after {
            metrics::count_by(Metric::SignIns, &session.api);
        }
        Ok(changed(account, phone, after, now))
    }
}

/// The sign-in after the change.
fn changed(mut account: Account, phone: &Phone, after: SessionAfter, now: crate::clock::Timestamp) -> SignedIn {
    account.phone = Some(phone.e164().to_owned());
    account.phone_proved = Some(now);
    account.updated = Some(now);
    account.app.new_phone = None;
    let (id, generation) = match after {
        SessionAfter::Next { id, generation } => (id, generation + 1),
        SessionAfter::New(id, session) => {
            account.sessions.insert(id, session);
            (id, 0)
        }
    };
    let caller = Caller { user: account.id, session: id };
    SignedIn { account, caller, generation, new_account: false }
}

//! Sending a code: which limits apply, and whether a captcha must be solved first.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;

use super::{
    AppHash, CodeStore, CodeText, NETWORK_GROUPS, NewCode, Purpose, Recipients, SendLimit, Standing, Terms, Waiting,
};
use crate::captcha::{CaptchaId, Captchas};
use crate::clock::Clock;
use crate::identity::IdentityStore;
use crate::identity::known_network;
use crate::phone::Phone;
use crate::policy::Policy;
use crate::random::{self, Random};
use crate::tokens::Keys;
use crate::{Cap, Error, Result, error};
use telemetry::metrics::{self, Metric};

/// When a request for a code needs a solved captcha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaRule {
    /// Never.
    Never,
    /// When the address has used a share of its limit ([`Policy::captcha_threshold_percent`]), except when the number's
    /// account knows the address. So an app that cannot show a captcha still works for its users during a flood of
    /// requests.
    Adaptive,
    /// Always.
    Always,
}

/// The error for a rule that cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("not true, adaptive or false")]
pub struct NotACaptchaRule;

impl FromStr for CaptchaRule {
    type Err = NotACaptchaRule;

    fn from_str(text: &str) -> std::result::Result<Self, NotACaptchaRule> {
        match text {
            "true" => Ok(Self::Always),
            "adaptive" => Ok(Self::Adaptive),
            "false" => Ok(Self::Never),
            _ => Err(NotACaptchaRule),
        }
    }
}

/// A captcha and the text that the user typed for it.
#[derive(Clone, Debug)]
pub struct SolvedCaptcha {
    /// The API for which the captcha was drawn.
    pub api: &'static str,
    /// Its id.
    pub id: CaptchaId,
    /// The text that the user typed.
    pub text: String,
}

impl SolvedCaptcha {
    /// Parses two fields of a request. A client that shows no captcha omits both fields or sends both empty.
    pub fn from_fields(api: &'static str, id: Option<&str>, text: Option<&str>) -> Result<Option<Self>> {
        let filled = |field: Option<&str>| field.map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned);
        let Some((id, text)) = filled(id).zip(filled(text)) else { return Ok(None) };
        // An id that is not allowed cannot have a captcha, so this is the same as an expired one.
        let id = CaptchaId::parse(&id).map_err(|_| Error::CaptchaExpired)?;
        Ok(Some(Self { api, id, text }))
    }
}

/// A request for a code.
#[derive(Clone, Debug)]
pub struct CodeRequest<'a> {
    /// The number to send the code to.
    pub phone: &'a Phone,
    /// The purpose of the code.
    pub purpose: Purpose,
    /// The client's IP address, as the gateway reports it.
    pub from: Option<IpAddr>,
    /// The captcha in the request.
    pub captcha: Option<SolvedCaptcha>,
    /// The Android app that wants to read the text.
    pub app_hash: Option<AppHash>,
}

/// Sends text messages.
#[async_trait]
pub trait SmsSender: Send + Sync {
    /// Sends `body`. Fails with [`Error::TextNotSent`] when the service refused, and with a fault when it is unknown
    /// whether the service accepted the text.
    async fn send(&self, phone: &Phone, body: &str) -> Result<()>;
}

/// Sends codes.
pub struct CodeSender {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random codes.
    pub random: Arc<dyn Random>,
    /// The keys that hash codes.
    pub keys: Arc<Keys>,
    /// The store of codes.
    pub store: Arc<dyn CodeStore>,
    /// The store of accounts, for checking whether an account knows the caller's address.
    pub accounts: Arc<dyn IdentityStore>,
    /// When a captcha is required.
    pub captcha_rule: CaptchaRule,
    /// Checks captchas.
    pub captchas: Arc<Captchas>,
    /// Sends the text messages.
    pub sms: Arc<dyn SmsSender>,
    /// How the text of the message is written.
    pub text: CodeText,
}

impl CodeSender {
    /// Sends a new code and returns it, for deployments that show codes in responses.
    ///
    /// For [`Purpose::SignUp`], a number that has an account is refused. For [`Purpose::Recovery`], a number without an
    /// account gets the same response as if the code had been sent, and the limits apply too, so that nobody can find
    /// out which numbers are registered. While no accounts are created ([`Policy::sign_ups`]), this is so for every
    /// purpose, and [`Purpose::SignUp`] is refused for all numbers alike, with [`Error::SignUpsClosed`].
    ///
    /// The code and all limits are written before the SMS service is called. So if the function crashes in between, the
    /// caller only loses a minute, and no code is ever sent without being counted. If the service refuses the text, the
    /// code is taken back.
    pub async fn send(&self, request: CodeRequest<'_>) -> Result<String> {
        let recipients = match request.purpose {
            Purpose::SignUp if !self.policy.sign_ups => {
                let closed = Err(Error::SignUpsClosed);
                error::count_refusal(Metric::CodesRefused, &closed);
                return closed;
            }
            // The code could do nothing for a number without an account, so its text would be paid for in vain.
            Purpose::SignIn | Purpose::Verification if !self.policy.sign_ups => Recipients::WithAccount,
            purpose => purpose.recipients(),
        };
        self.send_to(request, recipients, Waiting::default()).await
    }

    /// Sends a code like [`Self::send`], but only to these recipients, and with something that waits for it.
    pub async fn send_to(&self, request: CodeRequest<'_>, recipients: Recipients, waiting: Waiting) -> Result<String> {
        let sent = self.keep_and_text(request, recipients, waiting).await;
        // That a number has no account is counted where it is found out.
        if !matches!(sent, Err(Error::NotFound(_))) {
            error::count_refusal(Metric::CodesRefused, &sent);
        }
        sent
    }

    async fn keep_and_text(
        &self,
        request: CodeRequest<'_>,
        recipients: Recipients,
        waiting: Waiting,
    ) -> Result<String> {
        let CodeRequest { phone, purpose, from, captcha, app_hash } = request;
        if !self.policy.serves(phone) {
            return Err(Error::CountryNotServed);
        }
        phone.takes_texts()?;
        let terms = Terms {
            unclaimed: matches!(recipients, Recipients::WithoutAccount | Recipients::WithoutAccountSilently),
            standing: Standing::Stranger,
            // Whoever is signed in to the account that the code is for needs no captcha.
            without_captcha: purpose.user().is_none() && self.check_captcha(captcha).await?,
            counts_in_block: true,
            only_counted: false,
        };
        let now = self.clock.now();
        let code = generate(&*self.random, self.policy.code_digits);
        let kept = NewCode {
            phone: phone.clone(),
            digest: self.keys.code_digest(&purpose.subject(phone), &code),
            purpose,
            waiting,
            from,
            network_group: from.map_or(0, |from| self.keys.network_group(from, NETWORK_GROUPS)),
            sent: now,
            expires: now.plus(self.policy.code_ttl),
        };
        let terms = match recipients {
            Recipients::All | Recipients::WithoutAccount => self.keep(&kept, terms).await?,
            Recipients::WithAccount => {
                let both = telemetry::round_trips::both(self.keep(&kept, terms), self.store.owner(phone));
                let (terms, owner) = both.await?;
                if owner.is_none() {
                    self.store.release(&kept, terms).await?;
                    metrics::count_by(Metric::CodesRefused, metrics::NO_ACCOUNT);
                    // Only clients that ask for existing users may be told.
                    let tells = kept.waiting.needs_account && self.policy.tell_unknown_numbers;
                    return if tells { Err(Error::NotFound("user")) } else { Ok(code) };
                }
                terms
            }
            Recipients::WithoutAccountSilently => match self.keep(&kept, terms).await {
                Err(Error::Taken(_)) => {
                    let counted = Terms { unclaimed: false, only_counted: true, counts_in_block: false, ..terms };
                    self.keep(&kept, counted).await?;
                    metrics::count_by(Metric::CodesRefused, "taken");
                    return Ok(code);
                }
                kept => kept?,
            },
        };
        let text = self.text.write(&code, self.policy.code_ttl, app_hash.as_ref());
        match self.sms.send(phone, &text).await {
            Ok(()) => {
                metrics::count(Metric::CodesSent);
                Ok(code)
            }
            Err(Error::TextNotSent) => {
                self.store.take_back(&kept, terms).await?;
                Err(Error::TextNotSent)
            }
            // The text may have been sent after all, so the code stays counted and valid.
            Err(unknown) => Err(unknown),
        }
    }

    /// Checks the captcha of the request. Returns whether the request continues without a captcha under a rule that may
    /// require one.
    async fn check_captcha(&self, captcha: Option<SolvedCaptcha>) -> Result<bool> {
        match (captcha, self.captcha_rule) {
            (Some(captcha), _) => self.captchas.check(captcha.api, &captcha.id, &captcha.text).await.map(|()| false),
            (None, CaptchaRule::Always) => Err(Error::CaptchaNeeded),
            (None, rule) => Ok(rule == CaptchaRule::Adaptive),
        }
    }

    /// Stores the code if the limits permit, and returns the terms under which it was stored. The limits for strangers
    /// are tried first, since that takes one round trip. The caller's standing is looked up only if it would help.
    async fn keep(&self, code: &NewCode, mut terms: Terms) -> Result<Terms> {
        loop {
            let limits = self.store.keep(code, terms).await?;
            let Some(first) = limits.first() else { return Ok(terms) };
            // The caller has an account and must learn why its number cannot become this one, also when the owner of the
            // number requested a code a moment ago.
            if matches!(code.purpose, Purpose::NumberChange(_)) && limits.contains(&SendLimit::Claimed) {
                self.store.count_check(code).await?;
                return Err(SendLimit::Claimed.refusal(&code.phone));
            }
            let closed_to = |standing| limits.iter().find(|limit| !limit.open_to(standing));
            let tried = terms;
            terms.counts_in_block &= !limits.contains(&SendLimit::BlockShare);
            if closed_to(Standing::Known).is_none() && closed_to(terms.standing).is_some() {
                terms.standing = self.standing(code).await?;
            }
            if let Some(limit) = closed_to(terms.standing).or(Some(first).filter(|_| terms == tried)) {
                if *limit == SendLimit::Claimed {
                    self.store.count_check(code).await?;
                }
                return Err(limit.refusal(&code.phone));
            }
            // Try again under wider terms. The terms never become narrower, so the loop ends.
            terms.without_captcha &= terms.standing != Standing::Known;
        }
    }

    async fn standing(&self, code: &NewCode) -> Result<Standing> {
        let Some(user) = self.store.owner(&code.phone).await? else { return Ok(Standing::Stranger) };
        let caller = (user, code.from);
        let known = known_network(&*self.accounts, &self.keys, &self.policy, caller, code.sent).await?;
        Ok(if known.is_some() { Standing::Known } else { Standing::HasAccount })
    }
}

impl SendLimit {
    /// Whether a caller with this standing may pass where a stranger was refused.
    fn open_to(self, standing: Standing) -> bool {
        match self {
            Self::Claimed | Self::Checks { .. } | Self::Resend { .. } | Self::Address { .. } => false,
            Self::Number { .. } | Self::Block { .. } | Self::AddressWithoutCaptcha => standing == Standing::Known,
            Self::Country { .. } => standing >= Standing::HasAccount,
            Self::BlockShare => true,
        }
    }

    fn refusal(self, phone: &Phone) -> Error {
        let limited = |cap, retry_after| Error::Limited { cap, retry_after };
        match self {
            Self::Claimed => Error::Taken("number"),
            Self::Checks { retry_after } => limited(Cap::ChecksFromAddress, retry_after),
            Self::Resend { retry_after } => Error::CodeTooSoon { retry_after },
            Self::Number { retry_after } => limited(Cap::CodesToNumber, retry_after),
            Self::Address { retry_after } => limited(Cap::CodesFromAddress, retry_after),
            Self::AddressWithoutCaptcha => Error::CaptchaNeeded,
            Self::Country { retry_after } => {
                tracing::error!(event = "country_cap", zone = phone.zone(), "the limit of a country is reached");
                limited(Cap::CodesToCountry, retry_after)
            }
            Self::Block { retry_after } => {
                let zone = phone.zone();
                tracing::error!(event = "conversion_guard", zone, "too few codes of a block of numbers were used");
                limited(Cap::UnusedCodes, retry_after)
            }
            // Never the reason for a refusal: the code is sent without being counted there.
            Self::BlockShare => limited(Cap::UnusedCodes, 1),
        }
    }
}

/// Random decimal digits. All codes are equally likely.
fn generate(random: &dyn Random, digits: u32) -> String {
    let number = random::below(random, 10_u64.saturating_pow(digits));
    format!("{number:0width$}", width = digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;

    #[test]
    fn codes_keep_their_leading_zeros() {
        struct Zero;
        impl Random for Zero {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(0);
            }
        }
        assert_eq!(generate(&Zero, 6), "000000");
        for _ in 0..100 {
            let code = generate(&SystemRandom, 6);
            assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        }
    }
}

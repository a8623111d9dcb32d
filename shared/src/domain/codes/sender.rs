//! Sending a code: which limits it is held to, and whether a captcha has to be solved first.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;

use super::{CodeStore, NETWORK_GROUPS, NewCode, Purpose, SendLimit, Standing, Terms};
use crate::domain::captcha::{CaptchaId, Captchas};
use crate::domain::clock::Clock;
use crate::domain::identity::IdentityStore;
use crate::domain::known::known_network;
use crate::domain::phone::Phone;
use crate::domain::policy::Policy;
use crate::domain::random::{self, Random};
use crate::domain::tokens::Keys;
use crate::domain::{Cap, Error, Result};
use crate::metrics::{self, Metric};

/// When a request for a code needs a solved captcha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaRule {
    /// Never.
    Never,
    /// When the address has used a share of its cap ([`Policy::captcha_threshold_percent`]), unless the number's account
    /// knows the address: so an app that cannot show a captcha still works for its users during a flood.
    Adaptive,
    /// Always.
    Always,
}

/// A rule that cannot be read.
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

/// A captcha and what the client read in it.
#[derive(Clone, Debug)]
pub struct SolvedCaptcha {
    /// The API under which the captcha was drawn.
    pub api: &'static str,
    /// Its id.
    pub id: CaptchaId,
    /// What the client read.
    pub text: String,
}

impl SolvedCaptcha {
    /// From two fields of a request. A client that shows no captcha leaves both out, or sends both empty.
    pub fn from_fields(api: &'static str, id: Option<&str>, text: Option<&str>) -> Result<Option<Self>> {
        let filled = |field: Option<&str>| field.map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned);
        let Some((id, text)) = filled(id).zip(filled(text)) else { return Ok(None) };
        // An id that nobody could have drawn a captcha under has none waiting.
        let id = CaptchaId::parse(&id).map_err(|_| Error::CaptchaExpired)?;
        Ok(Some(Self { api, id, text }))
    }
}

/// A request for a code.
#[derive(Clone, Debug)]
pub struct CodeRequest<'a> {
    /// Where the code goes.
    pub phone: &'a Phone,
    /// What it is good for.
    pub purpose: Purpose,
    /// The client's IP address, as the gateway saw it.
    pub from: Option<IpAddr>,
    /// The captcha that came with the request.
    pub captcha: Option<SolvedCaptcha>,
}

/// Sends text messages.
#[async_trait]
pub trait Texts: Send + Sync {
    /// Sends `body`, or answers [`Error::TextNotSent`] when the service refused, and a fault when nobody knows whether it
    /// did.
    async fn send(&self, phone: &Phone, body: &str) -> Result<()>;
}

/// Sends codes.
pub struct CodeSender {
    /// The limits.
    pub policy: Arc<Policy>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where codes come from.
    pub random: Arc<dyn Random>,
    /// What codes are hashed with.
    pub keys: Arc<Keys>,
    /// Where codes are kept.
    pub store: Arc<dyn CodeStore>,
    /// Where accounts are read that may know the caller's address.
    pub accounts: Arc<dyn IdentityStore>,
    /// When a captcha is asked for.
    pub captcha_rule: CaptchaRule,
    /// What checks captchas.
    pub captchas: Arc<Captchas>,
    /// What carries them.
    pub texts: Arc<dyn Texts>,
    /// The text, in which `{code}` and `{minutes}` are filled in.
    pub text: String,
}

impl CodeSender {
    /// Sends a new code and answers it, for stages that show codes.
    ///
    /// For [`Purpose::SignUp`] a number that has an account is refused. For [`Purpose::Recovery`] a number that has
    /// none is answered as if the code were on its way, limits and all, so that nobody learns who is registered.
    ///
    /// The code and all limits are written before the text-message service is called, so that a crash in between can
    /// only cost the caller a minute, never let a code out uncounted. A refusal of that service takes the code back.
    pub async fn send(&self, request: CodeRequest<'_>) -> Result<String> {
        let sent = self.keep_and_text(request).await;
        metrics::refused(Metric::CodesRefused, &sent);
        sent
    }

    async fn keep_and_text(&self, request: CodeRequest<'_>) -> Result<String> {
        let CodeRequest { phone, purpose, from, captcha } = request;
        if !self.policy.serves(phone) {
            return Err(Error::CountryNotServed);
        }
        phone.takes_texts()?;
        let terms = Terms {
            unclaimed: purpose == Purpose::SignUp,
            standing: Standing::Stranger,
            without_captcha: self.check_captcha(captcha).await?,
            counts_in_block: true,
        };
        let now = self.clock.now();
        let code = generate(&*self.random, self.policy.code_digits);
        let kept = NewCode {
            phone: phone.clone(),
            digest: self.keys.code_digest(&purpose.subject(phone), &code),
            from,
            network_group: from.map_or(0, |from| self.keys.network_group(from, NETWORK_GROUPS)),
            sent: now,
            expires: now.plus(self.policy.code_ttl),
        };
        let terms = if purpose == Purpose::Recovery {
            let (terms, owner) = crate::trips::both(self.keep(&kept, terms), self.store.owner(phone)).await?;
            if owner.is_none() {
                self.store.release(&kept, terms).await?;
                metrics::count_by(Metric::CodesRefused, metrics::NO_ACCOUNT);
                return Ok(code);
            }
            terms
        } else {
            self.keep(&kept, terms).await?
        };
        match self.texts.send(phone, &self.body(&code)).await {
            Ok(()) => {
                metrics::count(Metric::CodesSent);
                Ok(code)
            }
            Err(Error::TextNotSent) => {
                self.store.take_back(&kept, terms).await?;
                Err(Error::TextNotSent)
            }
            // It may be on its way all the same, so it stays counted and stays good.
            Err(unknown) => Err(unknown),
        }
    }

    /// Checks the captcha that came, and says whether the request goes on without one under a rule that may ask for it.
    async fn check_captcha(&self, captcha: Option<SolvedCaptcha>) -> Result<bool> {
        match (captcha, self.captcha_rule) {
            (Some(captcha), _) => self.captchas.check(captcha.api, &captcha.id, &captcha.text).await.map(|()| false),
            (None, CaptchaRule::Always) => Err(Error::CaptchaNeeded),
            (None, rule) => Ok(rule == CaptchaRule::Adaptive),
        }
    }

    /// Keeps the code within the limits, and says under which terms. A stranger's part of the limits is tried first,
    /// since that takes one round trip; what is known of the caller is looked up only where it would help.
    async fn keep(&self, code: &NewCode, mut terms: Terms) -> Result<Terms> {
        loop {
            let limits = self.store.keep(code, terms).await?;
            let Some(first) = limits.first() else { return Ok(terms) };
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
            // Another attempt under wider terms. They only ever widen, so this ends.
            terms.without_captcha &= terms.standing != Standing::Known;
        }
    }

    async fn standing(&self, code: &NewCode) -> Result<Standing> {
        let Some(user) = self.store.owner(&code.phone).await? else { return Ok(Standing::Stranger) };
        let caller = (user, code.from);
        let known = known_network(&*self.accounts, &self.keys, &self.policy, caller, code.sent).await?;
        Ok(if known.is_some() { Standing::Known } else { Standing::HasAccount })
    }

    fn body(&self, code: &str) -> String {
        let minutes = self.policy.code_ttl.as_secs().div_ceil(60);
        self.text.replace("{code}", code).replace("{minutes}", &minutes.to_string())
    }
}

impl SendLimit {
    /// Whether somebody of this standing may pass where a stranger was refused.
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
                tracing::error!(event = "country_cap", zone = phone.zone(), "the cap of a country is reached");
                limited(Cap::CodesToCountry, retry_after)
            }
            Self::Block { retry_after } => {
                let zone = phone.zone();
                tracing::error!(event = "conversion_guard", zone, "too few codes of a block of numbers are used");
                limited(Cap::UnusedCodes, retry_after)
            }
            // Never the reason of a refusal: the code is sent without being counted there.
            Self::BlockShare => limited(Cap::UnusedCodes, 1),
        }
    }
}

/// Decimal digits, each code equally likely.
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

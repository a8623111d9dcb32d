//! Captchas: pictures of a few characters that people read and programs do not.
//!
//! A captcha is kept under an id that the client chose, by a keyed hash of its text, and is spent by the first look at
//! it, right or wrong. Drawing links an image encoder, so it is behind the feature `captcha`.

#[cfg(feature = "captcha")]
mod glyphs;
#[cfg(feature = "captcha")]
mod picture;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

#[cfg(feature = "captcha")]
pub use self::glyphs::ALPHABET;
#[cfg(feature = "captcha")]
pub use self::picture::Picture;
use super::clock::{Clock, Timestamp};
use super::random::Random;
use super::tokens::Keys;
use super::{Error, Result, text};

/// Characters of a captcha.
#[cfg(feature = "captcha")]
const LENGTH: usize = 4;

/// What a client calls a captcha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptchaId(String);

impl CaptchaId {
    /// 1 to 64 letters, digits, dots, underscores and hyphens.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: Error =
            Error::Invalid { field: "captcha id", rule: "has 1 to 64 letters, digits, dots, underscores and hyphens" };
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if (1..=64).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A captcha as the table keeps it.
#[derive(Clone, Debug)]
pub struct KeptCaptcha {
    /// The keyed hash of its text.
    pub digest: Vec<u8>,
    /// When it stops working.
    pub expires: Timestamp,
}

/// Where captchas lie. Each method is one round trip. Ids of one API are not those of another.
#[async_trait]
pub trait CaptchaStore: Send + Sync {
    /// Keeps a captcha in place of an older one of the same id.
    async fn keep(&self, api: &str, id: &CaptchaId, captcha: &KeptCaptcha) -> Result<()>;

    /// Takes a captcha away and answers it: of several that ask at once, one gets it.
    async fn take(&self, api: &str, id: &CaptchaId) -> Result<Option<KeptCaptcha>>;
}

/// Makes captchas and checks what people read in them.
pub struct Captchas {
    /// How long they live.
    pub lifetime: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where texts and shapes come from.
    pub random: Arc<dyn Random>,
    /// What texts are hashed with.
    pub keys: Arc<Keys>,
    /// Where they are kept.
    pub store: Arc<dyn CaptchaStore>,
}

impl Captchas {
    /// Draws a new captcha for the client of an API. Answers its text too, for stages that show codes.
    #[cfg(feature = "captcha")]
    pub async fn draw(&self, api: &str, id: &CaptchaId) -> Result<(Picture, String)> {
        let text = random_text(&*self.random);
        let digest = self.keys.code_digest(&subject(api, id), &text.to_lowercase()).to_vec();
        let expires = self.clock.now().plus(self.lifetime);
        self.store.keep(api, id, &KeptCaptcha { digest, expires }).await?;
        Ok((Picture::of(&text, &*self.random), text))
    }

    /// Spends a captcha and compares what somebody read in it; capitals do not matter,
    /// nor does which script its digits are typed in.
    pub async fn check(&self, api: &str, id: &CaptchaId, typed: &str) -> Result<()> {
        let kept = self.store.take(api, id).await?.filter(|kept| self.clock.now() < kept.expires);
        let kept = kept.ok_or(Error::CaptchaExpired)?;
        let typed = text::typed(typed).to_lowercase();
        if self.keys.code_matches(&subject(api, id), &typed, &kept.digest) { Ok(()) } else { Err(Error::CaptchaWrong) }
    }
}

/// What the keyed hash of a captcha is bound to. No phone number starts like this, so it can be no code's.
fn subject(api: &str, id: &CaptchaId) -> String {
    format!("captcha {api} {}", id.as_str())
}

#[cfg(feature = "captcha")]
fn random_text(random: &dyn Random) -> String {
    let character = || ALPHABET[usize::from(super::random::bytes::<1>(random)[0]) % ALPHABET.len()];
    (0..LENGTH).map(|_| character()).collect()
}

#[cfg(test)]
mod tests;

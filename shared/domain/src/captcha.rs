//! Captchas: pictures of a few characters that people can read and programs cannot.
//!
//! A captcha is stored as a keyed hash of its text, under an id that the client chose. The first try uses it up,
//! whether right or wrong.

mod glyphs;
mod picture;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::glyphs::ALPHABET;
pub use self::picture::Picture;
use super::clock::{Clock, Timestamp};
use super::random::Random;
use super::tokens::Keys;
use super::{Error, Result, text};

/// Number of characters in a captcha.
const LENGTH: usize = 4;

/// The id that a client chose for a captcha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptchaId(String);

impl CaptchaId {
    /// 1 to 64 letters, digits, dots, underscores and hyphens.
    pub fn parse(text: &str) -> Result<Self> {
        const RULE: Error = Error::Invalid {
            field: "captcha id",
            rule: "must have 1 to 64 letters, digits, dots, underscores or hyphens",
        };
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if (1..=64).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A captcha as it is stored in the table.
#[derive(Clone, Debug)]
pub struct KeptCaptcha {
    /// The keyed hash of its text.
    pub digest: Vec<u8>,
    /// When it stops working.
    pub expires: Timestamp,
}

/// The store of captchas. Each method is one round trip. Each API has its own ids.
#[async_trait]
pub trait CaptchaStore: Send + Sync {
    /// Stores a captcha in place of an older one with the same id.
    async fn keep(&self, api: &str, id: &CaptchaId, captcha: &KeptCaptcha) -> Result<()>;

    /// Removes a captcha and returns it. If several requests do this at once, only one of them gets it.
    async fn take(&self, api: &str, id: &CaptchaId) -> Result<Option<KeptCaptcha>>;
}

/// Creates captchas and checks what users typed.
pub struct Captchas {
    /// How long they are valid.
    pub lifetime: Duration,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of random texts and shapes.
    pub random: Arc<dyn Random>,
    /// The keys that hash the texts.
    pub keys: Arc<Keys>,
    /// The store of captchas.
    pub store: Arc<dyn CaptchaStore>,
}

impl Captchas {
    /// Draws a new captcha for a client of an API. Also returns its text, for deployments that show codes.
    pub async fn draw(&self, api: &str, id: &CaptchaId) -> Result<(Picture, String)> {
        let text = random_text(&*self.random);
        let digest = self.keys.code_digest(&subject(api, id), &text.to_lowercase()).to_vec();
        let expires = self.clock.now().plus(self.lifetime);
        self.store.keep(api, id, &KeptCaptcha { digest, expires }).await?;
        Ok((Picture::of(&text, &*self.random), text))
    }

    /// Uses up a captcha and compares its text with the text typed. Upper and lower case are the same, and digits may
    /// be typed in any script.
    pub async fn check(&self, api: &str, id: &CaptchaId, typed: &str) -> Result<()> {
        let kept = self.store.take(api, id).await?.filter(|kept| self.clock.now() < kept.expires);
        let kept = kept.ok_or(Error::CaptchaExpired)?;
        let typed = text::typed(typed).to_lowercase();
        if self.keys.code_matches(&subject(api, id), &typed, &kept.digest) { Ok(()) } else { Err(Error::CaptchaWrong) }
    }
}

/// The subject that the keyed hash of a captcha is bound to. No phone number starts like this, so it is never the
/// subject of a code.
fn subject(api: &str, id: &CaptchaId) -> String {
    format!("captcha {api} {}", id.as_str())
}

fn random_text(random: &dyn Random) -> String {
    let character = || ALPHABET[usize::from(super::random::bytes::<1>(random)[0]) % ALPHABET.len()];
    (0..LENGTH).map(|_| character()).collect()
}

#[cfg(test)]
mod tests;

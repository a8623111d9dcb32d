//! Passwords and how they are stored.

use std::fmt;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::random::{self, Random};
use super::{Error, Fault, Result};

/// KiB of memory, passes and lanes: from OWASP's password storage cheat sheet, the second of the choices that it calls
/// equivalent.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
const SALT_BYTES: usize = 16;
/// Maximum length in bytes of a password that a client sends, so that hashing takes a limited time.
const MAX_TYPED: usize = 1_024;

/// Minimum length in bytes of a new password.
pub const SHORTEST: usize = 6;
/// Maximum length in bytes of a new password.
pub const LONGEST: usize = 64;

/// A password as the user typed it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A new password: 6 to 64 bytes without white space or control characters.
    pub fn new(text: &str) -> Result<Self> {
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if (SHORTEST..=LONGEST).contains(&text.len()) && plain { Ok(Self(text.to_owned())) } else { Err(RULE) }
    }

    /// A password to be checked. A text that could never have been set is treated like any wrong password.
    pub fn typed(text: &str) -> Result<Self> {
        if text.len() <= MAX_TYPED { Ok(Self(text.to_owned())) } else { Err(Error::PasswordWrong) }
    }

    /// The hash to store: argon2id with a random salt, in PHC form.
    pub async fn hash(self, random: &dyn Random) -> Result<String> {
        let salt: [u8; SALT_BYTES] = random::bytes(random);
        aside(move || {
            let hash = hasher()?.hash_password_with_salt(self.0.as_bytes(), &salt);
            Ok(hash.map_err(|error| Fault::new("hashing a password", error))?.to_string())
        })
        .await
    }

    /// Whether this is the password whose hash is `kept`. If `kept` is `None`, the check takes the same time and the
    /// password is wrong.
    pub async fn check(self, kept: Option<&str>) -> Result<Check> {
        let kept = kept.map(str::to_owned);
        aside(move || {
            let hasher = hasher()?;
            let Some(kept) = kept else {
                let nobody = hasher.hash_password_with_salt(self.0.as_bytes(), &[0; SALT_BYTES]);
                nobody.map_err(|error| Fault::new("hashing a password", error))?;
                return Ok(Check::Wrong);
            };
            Ok(match hasher.verify_password(self.0.as_bytes(), kept.as_str()) {
                Ok(()) if kept.starts_with(&prefix()) => Check::Right,
                Ok(()) => Check::RightButOutdated,
                Err(_) => Check::Wrong,
            })
        })
        .await
    }
}

/// A password is never shown.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// The result of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is the password.
    Right,
    /// It is the right password, but its hash uses another cost than the current one.
    RightButOutdated,
    /// It is not the password.
    Wrong,
}

const RULE: Error = Error::Invalid { field: "password", rule: "must have 6 to 64 bytes and no spaces" };

fn hasher() -> Result<Argon2<'static>> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| Fault::new("setting up argon2", error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The beginning of every hash with the current cost.
fn prefix() -> String {
    let (memory, passes, lanes) = COST;
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$")
}

/// Runs work that takes tens of milliseconds of processor time without blocking the other requests of this process.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Fault::new("hashing a password", error))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemRandom;

    #[tokio::test]
    async fn a_password_is_known_again_by_its_hash() {
        let hash = Password::new("P@ssw0rd").unwrap().hash(&SystemRandom).await.unwrap();
        assert!(hash.starts_with(&prefix()), "{hash}");
        let check = async |text: &str| Password::typed(text).unwrap().check(Some(&hash)).await.unwrap();
        assert_eq!(check("P@ssw0rd").await, Check::Right);
        assert_eq!(check("p@ssw0rd").await, Check::Wrong);
        assert_eq!(Password::typed("P@ssw0rd").unwrap().check(None).await.unwrap(), Check::Wrong);
        assert_eq!(Password::typed("x").unwrap().check(Some("no hash")).await.unwrap(), Check::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated() {
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
        let hash = cheap.hash_password_with_salt(b"P@ssw0rd", &[1; SALT_BYTES]).unwrap().to_string();
        let check = Password::typed("P@ssw0rd").unwrap().check(Some(&hash)).await.unwrap();
        assert_eq!(check, Check::RightButOutdated);
    }

    #[test]
    fn the_rule_of_a_new_password() {
        for bad in ["", "12345", "with space", "tab\tbed", &"a".repeat(65)] {
            assert!(Password::new(bad).is_err(), "{bad}");
        }
        for good in ["123456", "密码密码", &"a".repeat(64)] {
            assert!(Password::new(good).is_ok(), "{good}");
        }
    }
}

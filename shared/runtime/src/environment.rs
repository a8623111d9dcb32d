//! A function's settings: read once, in `main`, from its environment.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// The environment variables of a function.
#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<String, String>);

/// A setting that is missing or invalid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set.
    #[error("the environment variable {0} is missing")]
    Missing(&'static str),
    /// The value of the variable is not of the expected kind.
    #[error("the environment variable {name} should be {expected}")]
    Unreadable {
        /// The variable's name.
        name: &'static str,
        /// The expected kind of value.
        expected: &'static str,
    },
}

impl ConfigError {
    /// The error that the variable `name` is not `expected`.
    #[must_use]
    pub const fn unreadable(name: &'static str, expected: &'static str) -> Self {
        Self::Unreadable { name, expected }
    }
}

impl Env {
    /// The environment of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the process's environment")]
    pub fn of_process() -> Self {
        // `vars` panics on a variable that is not UTF-8, and some other program may have set such a variable.
        let readable =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(readable.collect())
    }

    /// The variable's value, if it is set and not empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The variable's value, which must not be empty.
    pub fn text(&self, name: &'static str) -> Result<&str, ConfigError> {
        self.optional(name).ok_or(ConfigError::Missing(name))
    }

    /// The values in the variable, which are separated by commas; none if it is empty or not set.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.optional(name).unwrap_or_default().split(',').map(str::trim);
        values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    /// The variable's value, parsed. The error says that it should be `expected`.
    pub fn parsed<T: FromStr>(&self, name: &'static str, expected: &'static str) -> Result<T, ConfigError> {
        self.text(name)?.parse().map_err(|_| ConfigError::unreadable(name, expected))
    }

    /// A whole number.
    pub fn number<N: FromStr>(&self, name: &'static str) -> Result<N, ConfigError> {
        self.parsed(name, "a whole number")
    }

    /// A limit. 0 means no limit.
    pub fn cap(&self, name: &'static str) -> Result<Option<u32>, ConfigError> {
        Ok(Some(self.number(name)?).filter(|cap| *cap != 0))
    }

    /// A whole number of seconds.
    pub fn seconds(&self, name: &'static str) -> Result<Duration, ConfigError> {
        self.number(name).map(Duration::from_secs)
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        self.parsed(name, "true or false")
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_and_an_unreadable_variable_are_named() {
        let env = Env::from_iter([("A", "x"), ("B", "")]);
        assert_eq!(
            env.number::<u32>("A").unwrap_err().to_string(),
            "the environment variable A should be a whole number"
        );
        assert_eq!(env.text("B").unwrap_err().to_string(), "the environment variable B is missing");
    }

    #[test]
    fn a_list_has_no_empty_values() {
        let env = Env::from_iter([("A", "a, b,,c ,"), ("B", "")]);
        assert_eq!(env.list("A"), ["a", "b", "c"]);
        assert!(env.list("B").is_empty() && env.list("C").is_empty());
    }
}

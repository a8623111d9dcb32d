//! Errors in a template, with their place.

use std::fmt;

/// An error in a template, or in the values it is resolved with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    place: String,
    reason: String,
}

impl Error {
    /// An error at `place`, a dotted path from the top of the file.
    pub(super) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }

    /// The dotted path from the top of the file to the error, such as `Resources.Auth.Properties.Timeout`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// A description of the error for the user who edits the file.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Error {}

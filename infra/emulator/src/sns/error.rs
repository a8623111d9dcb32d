//! SNS errors, in its own words.

/// An error. The messages are the service's own, because some clients read them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnsError {
    /// A parameter is missing or malformed.
    #[error("Invalid parameter: {0}")]
    Parameter(String),
    /// A message attribute is malformed.
    #[error("{0}")]
    Attribute(String),
    /// The topic or application does not exist.
    #[error("{0} does not exist")]
    Missing(&'static str),
    /// The message could not be stored.
    #[error("What was published could not be kept: {0}")]
    Storage(String),
}

impl SnsError {
    /// An error of a parameter.
    pub fn parameter(words: impl Into<String>) -> Self {
        Self::Parameter(words.into())
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Parameter(_) | Self::Attribute(_) => 400,
            Self::Missing(_) => 404,
            Self::Storage(_) => 500,
        }
    }

    /// The error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Parameter(_) => "InvalidParameter",
            Self::Attribute(_) => "ParameterValueInvalid",
            Self::Missing(_) => "NotFound",
            Self::Storage(_) => "InternalError",
        }
    }
}

impl From<std::io::Error> for SnsError {
    fn from(error: std::io::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

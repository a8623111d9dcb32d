//! What can go wrong when the endpoints are started or set up.

use std::path::PathBuf;

use crate::iam::PolicyError;

/// A failure of starting or setting up the endpoints. Failures of calls are
/// answered to the caller in the service's own shape instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, folder or port could not be used.
    #[error("{what}: {source}")]
    Io {
        /// The thing that could not be used.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Another process works on the data folder.
    #[error("the data folder {} is in use by another run", .0.display())]
    InUse(PathBuf),
    /// The embedded database refused.
    #[error("the embedded DynamoDB refused: {0}")]
    Dynamo(#[from] dynoxide::DynoxideError),
    /// The table properties are not those of an `AWS::DynamoDB::Table`.
    #[error("the properties of the table: {0}")]
    TableProperties(String),
    /// The table was created earlier with another schema, which DynamoDB
    /// cannot change in place.
    #[error(
        "table {table} exists with another {property}; delete the data folder {} and start again",
        folder.display()
    )]
    SchemaChanged {
        /// The table's name.
        table: String,
        /// The property that differs, by its CloudFormation name.
        property: &'static str,
        /// The folder to delete.
        folder: PathBuf,
    },
    /// The records of the streams could not be looked after.
    #[error("the records of the streams: {0}")]
    Records(#[from] rusqlite::Error),
    /// A mapping is of a table without a stream.
    #[error("table {0} has no stream")]
    NoStream(String),
    /// A filter pattern that Lambda would refuse.
    #[error("a filter of {function}: {problem}")]
    Filter {
        /// The function that the mapping leads to.
        function: String,
        /// What about the pattern is wrong.
        problem: String,
    },
    /// The bucket's name breaks S3's naming rules.
    #[error("{0:?} is not a valid bucket name")]
    BucketName(String),
    /// A role's statements use something the endpoints do not understand.
    #[error("the role of {principal}: {source}")]
    Policy {
        /// The function whose role it is.
        principal: String,
        /// The statement and what about it is not understood.
        source: PolicyError,
    },
    /// Two principals were given the same access key.
    #[error("the access key {0} is registered already")]
    AccessKeyTaken(String),
}

impl Error {
    /// Wraps an I/O error with the thing it happened to, for `map_err`.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

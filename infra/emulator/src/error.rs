//! Errors of starting and configuring the endpoints.

use std::path::PathBuf;

use crate::iam::PolicyError;

/// An error of starting or configuring the endpoints. Failed calls are answered in the service's own format instead.
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
    /// Another process uses the data folder.
    #[error("the data folder {} is in use by another run", .0.display())]
    InUse(PathBuf),
    /// The embedded database returned an error.
    #[error("the embedded DynamoDB refused: {0}")]
    Dynamo(#[from] dynoxide::DynoxideError),
    /// The table properties are not those of an `AWS::DynamoDB::Table`.
    #[error("the properties of the table: {0}")]
    TableProperties(String),
    /// The table was created earlier with another schema, which DynamoDB cannot change in place.
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
    /// The records of the streams, or the messages of the queues, could not be read or written.
    #[error("the records of the streams and queues: {0}")]
    Records(#[from] rusqlite::Error),
    /// A mapping for a table without a stream.
    #[error("table {0} has no stream")]
    NoStream(String),
    /// A mapping for a queue that does not exist.
    #[error("there is no queue {0}")]
    NoQueue(String),
    /// A filter pattern that Lambda would reject.
    #[error("a filter of {function}: {problem}")]
    Filter {
        /// The mapping's function.
        function: String,
        /// The problem with the pattern.
        problem: String,
    },
    /// The bucket's name breaks S3's naming rules.
    #[error("{0:?} is not a valid bucket name")]
    BucketName(String),
    /// A role's statements contain something that the endpoints do not support.
    #[error("the role of {principal}: {source}")]
    Policy {
        /// The function with this role.
        principal: String,
        /// The statement and the problem with it.
        source: PolicyError,
    },
    /// Two principals have the same access key.
    #[error("the access key {0} is registered already")]
    AccessKeyTaken(String),
}

impl Error {
    /// Adds the affected thing to an I/O error, for `map_err`.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

//! Errors at the start of the local run.

/// An error at the start, with a message for the user at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no `template.yaml`.
    #[error("there is no template.yaml here or in a folder above")]
    NoTemplate,
    /// The template, or a parameter for it, has an error.
    #[error("template.yaml: {0}")]
    Template(#[from] emulator::template::Error),
    /// The AWS endpoints could not be started or configured.
    #[error("{0}")]
    Endpoints(#[from] emulator::Error),
    /// Another program listens on the port.
    #[error("port {0} is taken by another program; choose one with --port, or any free one with --port 0")]
    PortTaken(u16),
    /// A file, folder or port could not be used.
    #[error("{what}: {source}")]
    Io {
        /// The thing that could not be used.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A function could not be built.
    #[error("the function {name} cannot start: {reason}")]
    Function {
        /// The function's binary.
        name: String,
        /// The function's own reason.
        reason: String,
    },
}

impl Error {
    /// Adds the affected thing to an I/O error.
    pub(crate) fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }
}

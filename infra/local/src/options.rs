//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use lexopt::prelude::*;

/// The gateway's default port.
const GATEWAY_PORT: u16 = 3_000;

/// The port of the AWS endpoints if only they run: the usual one of tools for local AWS.
const ENDPOINTS_PORT: u16 = 4_566;

/// The default data folder, beside `template.yaml`.
const DATA: &str = ".local";

/// The output of `--help`.
pub const HELP: &str = "\
Runs the whole backend on this machine.

Usage: cargo run -- [OPTIONS]

Options:
      --host <ADDRESS>        IP address to listen on, 0.0.0.0 for all of this machine's [default: 127.0.0.1].
                              All codes can be read there: only for networks that you trust
      --port <PORT>           Port to listen on, 0 for any free one [default: 3000; 4566 with --aws-only]
      --data <FOLDER>         Where data is kept [default: .local beside template.yaml]
      --memory                Keep no data after the run
      --policy <NAME=VALUE>   Set a parameter of template.yaml; may be repeated
      --aws-only              Start only the AWS endpoints, for `cargo lambda watch` and `sam local start-api`
  -q, --quiet                 Print no line for every request
  -h, --help                  Print this help
  -V, --version               Print the version

The variable RUST_LOG sets what is logged, for example RUST_LOG=debug.
";

/// The options of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 uses any free one.
    pub port: u16,
    /// The data folder; `None` keeps everything in memory. A relative path starts at the folder of `template.yaml`.
    pub data: Option<PathBuf>,
    /// Template parameters that differ from their defaults, by name; if a name appears twice, the last one counts.
    pub parameters: Vec<(String, String)>,
    /// Whether to start only the AWS endpoints.
    pub aws_only: bool,
    /// Whether to print no line for each request.
    pub quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: GATEWAY_PORT,
            data: Some(PathBuf::from(DATA)),
            parameters: Vec::new(),
            aws_only: false,
            quiet: false,
        }
    }
}

/// The command.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Run.
    Run(Options),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// Parses the arguments, without the program's name. The error is a message for the user.
pub fn parse<I>(arguments: I) -> Result<Command, String>
where
    I: IntoIterator,
    I::Item: Into<std::ffi::OsString>,
{
    read(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
}

fn read(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let (mut port, mut folder, mut memory) = (None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("host") => options.host = address(&parser.value()?.string()?)?,
            Long("port") => port = Some(parser.value()?.parse()?),
            Long("data") => folder = Some(absolute(&parser.value()?.into())?),
            Long("memory") => memory = true,
            Long("policy") => {
                let text = parser.value()?.string()?;
                let (name, value) =
                    text.split_once('=').ok_or_else(|| format!("--policy needs NAME=VALUE, not `{text}`"))?;
                options.parameters.push((name.into(), value.into()));
            }
            Long("aws-only") => options.aws_only = true,
            Short('q') | Long("quiet") => options.quiet = true,
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            other => return Err(other.unexpected()),
        }
    }
    if memory && folder.is_some() {
        return Err("--data and --memory exclude each other".into());
    }
    if options.aws_only {
        options.port = ENDPOINTS_PORT;
    }
    options.port = port.unwrap_or(options.port);
    options.data = if memory { None } else { folder.or(options.data) };
    Ok(Command::Run(options))
}

/// An address to listen on.
fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        text => text.parse().map_err(|_| format!("--host needs an IP address such as 0.0.0.0, not `{text}`")),
    }
}

/// The folder as an absolute path, starting at the current folder.
fn absolute(folder: &PathBuf) -> Result<PathBuf, String> {
    std::path::absolute(folder).map_err(|error| format!("--data {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Options {
        match parse(arguments) {
            Ok(Command::Run(options)) => options,
            other => panic!("{arguments:?} gave {other:?}"),
        }
    }

    #[test]
    fn without_arguments_the_defaults_hold() {
        assert_eq!(run(&[]), Options::default());
        assert_eq!(run(&["--aws-only"]).port, 4_566);
    }

    #[test]
    fn every_flag_is_read() {
        let options = run(&["--port=0", "--memory", "--policy", "ResendSeconds=1", "--policy=SmsText=a=b", "-q"]);
        assert_eq!((options.port, options.data, options.quiet), (0, None, true));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [pair("ResendSeconds", "1"), pair("SmsText", "a=b")];
        assert_eq!(options.parameters, expected);
        assert!(run(&[]).host.is_loopback() && run(&["--host", "localhost"]).host.is_loopback());
        assert!(run(&["--host", "0.0.0.0"]).host.is_unspecified());
        let options = run(&["--data", "/tmp/x", "--aws-only", "--port", "9"]);
        assert_eq!((options.port, options.data), (9, Some("/tmp/x".into())));
        assert_eq!(parse(["--help"]), Ok(Command::Help));
        assert_eq!(parse(["-V"]), Ok(Command::Version));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (arguments, words) in [
            (vec!["--prot", "1"], "--prot"),
            (vec!["--port", "many"], "many"),
            (vec!["--port", "65536"], "65536"),
            (vec!["--port"], "--port"),
            (vec!["--host", "my-laptop"], "0.0.0.0"),
            (vec!["--policy", "ResendSeconds"], "NAME=VALUE"),
            (vec!["--memory", "--data", "x"], "exclude"),
            (vec!["start"], "start"),
        ] {
            let error = parse(&arguments).unwrap_err();
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
    }
}

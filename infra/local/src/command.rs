//! The command: parses the arguments, runs until Ctrl-C, and prints what happens.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use telemetry::invocation::METRICS;
use tokio::sync::broadcast::error::RecvError;
use tracing::Metadata;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::options::{self, Command, Options};
use crate::start::{Functions, Running, start};
use crate::{Error, banner, hints};

/// The usual Unix exit code for a wrong command line.
const USAGE: u8 = 2;

/// Runs the command with the process's arguments.
pub async fn main(functions: &dyn Functions) -> ExitCode {
    match options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => say(options::HELP),
        Ok(Command::Version) => say(concat!("handset ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Command::Run(options)) => {
            log(options.quiet);
            if let Err(error) = run(options, functions).await {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(error) => {
            eprintln!("error: {error}\n\nFor more, try --help.");
            return ExitCode::from(USAGE);
        }
    }
    ExitCode::SUCCESS
}

async fn run(options: Options, functions: &dyn Functions) -> Result<(), Error> {
    // This task listens from the start, so Ctrl-C is not lost during startup.
    let mut asked = tokio::spawn(asked_to_stop());
    let aws_only = options.aws_only;
    let running = tokio::select! {
        running = start(options, functions) => running?,
        _ = &mut asked => return Ok(()),
    };
    let printer = show_texts(&running);
    let welcome = if aws_only { banner::endpoints_only(&running)? } else { banner::welcome(&running) };
    say(&welcome);
    // The task ends after a signal, or if it cannot listen; in that case there is no way to stop with a signal.
    if let Ok(Err(source)) = asked.await {
        return Err(Error::io("Ctrl-C", source));
    }
    say("\n  Stopping. Ctrl-C again stops at once.\n");
    printer.abort();
    tokio::select! {
        () = running.stop() => {}
        _ = asked_to_stop() => {}
    }
    Ok(())
}

/// Waits for Ctrl-C, or for the signal from a service manager.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Prints to the terminal. It is not an error if the output is closed, for example when it is piped into `head`.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints every text when it is sent: this terminal is the phone.
fn show_texts(running: &Running) -> tokio::task::JoinHandle<()> {
    let mut texts = running.endpoints().subscribe_texts();
    tokio::spawn(async move {
        loop {
            match texts.recv().await {
                Ok(text) => say(&banner::text(&text.phone, &text.body)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    })
}

fn log(quiet: bool) {
    let default = if quiet { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // A readable line, without the ids of spans and CloudWatch's metrics, which would make it too long.
    let fields = debug_fn(|writer, field, value| match field.name() {
        METRICS => Ok(()),
        "message" => write!(writer, "{value:?}"),
        "outcome" => {
            let outcome = format!("{value:?}");
            write!(writer, " outcome={outcome}")?;
            hints::hint(outcome.trim_matches('"')).map_or(Ok(()), |hint| write!(writer, " {hint}"))
        }
        name => write!(writer, " {name}={value:?}"),
    });
    let lines = fmt::layer().with_ansi(std::io::stdout().is_terminal()).with_target(false).compact().fmt_fields(fields);
    let lines = lines.with_filter(filter_fn(is_event));
    tracing_subscriber::registry().with(filter).with(lines).init();
}

fn is_event(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
}

//! `cargo run`: the whole backend on this machine.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    local::main(&local::Handset::default()).await
}

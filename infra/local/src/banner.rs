//! The text that is printed when the local run has started.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

use crate::start::Running;
use crate::{Error, deployment, inbox};

/// The addresses of everything, and how to run a first session.
pub fn welcome(running: &Running) -> String {
    let url = running.url();
    let mut text = format!("\n  Handset runs on {url}\n\n");
    for (place, what) in [
        (format!("{url}/"), "texts, notifications and API reference"),
        (format!("{url}/_local/sms"), "texts as JSON, newest first"),
        (format!("{url}/_local/notifications"), "notifications and pushes as JSON, newest first"),
        (format!("{url}/_local/openapi.json"), "the API as an OpenAPI document"),
        (format!("{url}/docs"), "the common API, to try requests"),
        (running.endpoints().url().to_owned(), "DynamoDB, S3, SNS, SQS and KMS of this run"),
        (running.fakes().url(), "fakes of WeChat, QQ, Weibo, Apple, Google and RongCloud (docs/dialects.md)"),
    ] {
        let _ = writeln!(text, "  {place:<45} {what}");
    }
    let kept = match running.data() {
        Some(folder) => format!("Data is kept in {}.", folder.display()),
        None => "Data is deleted when this stops.".to_owned(),
    };
    text.push_str(&for_devices(running));
    let _ = write!(text, "\n  {kept} Stop with Ctrl-C.\n{}", first_session(&url));
    text
}

/// How to run `docs/first-session.sh`, which the run serves with its own address in it.
fn first_session(url: &str) -> String {
    format!("\n  A first session, to paste into another terminal:\n\n  curl -sS {url}/_local/first-session.sh | sh\n\n")
}

/// Where other devices reach the run, and what that exposes.
fn for_devices(running: &Running) -> String {
    let Some(urls) = running.urls_for_devices() else { return String::new() };
    if urls.is_empty() {
        return "\n  This machine has no address that other devices reach.\n".to_owned();
    }
    format!(
        "\n  Other devices reach it at {}\n  Downloads above 4 MB and presigned uploads lead them to {}\n  \
         Anyone who reaches these addresses can read all codes, sign in to all accounts and change all data.\n",
        urls.join(" or "),
        running.endpoints().url()
    )
}

/// Formats a text message for the terminal.
pub fn text(phone: &str, body: &str) -> String {
    let code = inbox::code(body).map_or(String::new(), |code| format!("  [{code}]"));
    format!("  SMS to {phone}{code}: {body}\n")
}

/// Explains how functions in other processes reach the endpoints. Their environment variables are written to the data
/// folder, in the formats of the two tools; without a data folder they are printed.
pub fn endpoints_only(running: &Running) -> Result<String, Error> {
    let url = running.url();
    let mut by_logical_id = Map::new();
    for function in &running.stack().functions {
        if let Some(environment) = running.environments().get(&function.binary) {
            by_logical_id.insert(function.logical_id.clone(), serde_json::json!(environment));
        }
    }
    let all = serde_json::to_string_pretty(&Value::Object(by_logical_id)).unwrap_or_default();
    let mut text = format!("\n  DynamoDB, S3, SNS, SQS and KMS run on {url}\n\n");
    let first = running.environments().values().next();
    for name in ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        if let Some(value) = first.and_then(|environment| environment.get(name)) {
            let _ = writeln!(text, "  export {name}={value}");
        }
    }
    let Some(folder) = running.data() else {
        let _ = write!(text, "\n  The functions' environments:\n\n{all}\n\n  Stop with Ctrl-C.\n\n");
        return Ok(text);
    };
    let list = folder.join("environment.json");
    deployment::write_private(&list, &all)?;
    let _ = writeln!(text, "\n  The functions on these endpoints, all on one port (docs/local-testing.md):\n");
    // No two functions have different values for the same name (a test checks the template), so one file serves all.
    let all = running.environments().values().flatten();
    let all = all.map(|(name, value)| (name.clone(), value.clone())).collect();
    let file = write_env_file(folder, "all", &all)?;
    let _ = writeln!(text, "  cargo lambda watch --invoke-address 127.0.0.1 --env-file {}", file.display());
    let _ = writeln!(text, "  sam local start-api --docker-network host --env-vars {}", list.display());
    for (binary, environment) in running.environments() {
        write_env_file(folder, binary, environment)?;
    }
    let _ = write!(text, "\n  Stop with Ctrl-C.\n\n");
    Ok(text)
}

/// Formats a value for `cargo lambda watch`: a value with a space needs quotation marks.
fn quoted(value: &str) -> String {
    match value {
        plain if !plain.contains([' ', '\'', '"', '#']) => plain.to_owned(),
        text if text.contains('\'') => format!("\"{text}\""),
        text => format!("'{text}'"),
    }
}

fn write_env_file(
    folder: &Path,
    binary: &str,
    environment: &std::collections::BTreeMap<String, String>,
) -> Result<std::path::PathBuf, Error> {
    let lines = environment.iter().map(|(name, value)| format!("{name}={}\n", quoted(value)));
    let file = folder.join("environment").join(format!("{binary}.env"));
    deployment::write_private(&file, &lines.collect::<String>())?;
    Ok(file)
}

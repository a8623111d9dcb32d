//! Tests of the program as a process.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handset"));
    command.kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_wrong_command_line_is_explained_and_exits_with_2() {
    for (arguments, words) in [(vec!["--prot", "1"], "--prot"), (vec!["--policy", "x"], "NAME=VALUE")] {
        let output = program().args(&arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("error: ") && error.contains(words), "{error}");
    }
    let output = program().arg("--help").output().await.unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("--policy <NAME=VALUE>"));
}

#[tokio::test]
async fn a_policy_that_does_not_exist_is_named() {
    let arguments = ["--memory", "--port", "0", "--policy", "Nope=1"];
    let output = program().args(arguments).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("Nope"), "{error}");
}

/// The lines that a run prints until it says how to stop it, and the run.
async fn printed(arguments: &[&str]) -> (Vec<String>, tokio::process::Child) {
    let mut child = program().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let (is_last, is_session) = (line.contains("Ctrl-C"), line.contains("first-session.sh"));
        printed.push(line);
        if is_session || (is_last && arguments.contains(&"--aws-only")) {
            break;
        }
    }
    // The later output is read as well, because the command would stop at a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (printed, child)
}

#[cfg(unix)]
#[tokio::test]
async fn the_first_session_that_it_prints_works_as_often_as_it_is_pasted() {
    let (lines, _child) = printed(&["--memory", "--port", "0", "--quiet"]).await;
    let session = lines.last().unwrap();
    assert!(!lines.iter().any(|line| line.contains("Other devices")), "only this machine reaches it: {lines:?}");
    for _ in 0..2 {
        let output = Command::new("sh").args(["-c", session]).output().await.unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{session}: {out}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{out}");
    }
}

#[tokio::test]
async fn a_run_for_other_devices_says_where_they_reach_it_and_what_that_exposes() {
    let (lines, _child) = printed(&["--memory", "--port", "0", "--quiet", "--host", "127.0.0.1"]).await;
    assert!(!lines.iter().any(|line| line.contains("Other devices")), "{lines:?}");
    // An address of this machine that is no loopback, where it has one.
    let (lines, _child) = printed(&["--memory", "--port", "0", "--quiet", "--host", "0.0.0.0"]).await;
    let text = lines.join("\n");
    let devices = lines.iter().find_map(|line| line.trim().strip_prefix("Other devices reach it at http://"));
    if let Some(address) = devices.and_then(|urls| urls.split(' ').next()) {
        assert!(!address.starts_with("127.") && !address.starts_with("0."), "{address}");
        tokio::net::TcpStream::connect(address).await.unwrap();
        assert!(text.contains("can read all codes"), "{text}");
    } else {
        assert!(text.contains("no address that other devices reach"), "{text}");
    }
}

#[tokio::test]
async fn the_endpoints_alone_say_how_to_run_functions_on_them() {
    let folder = std::env::temp_dir().join(format!("handset-banner-{}", std::process::id()));
    let data = folder.to_str().unwrap();
    let (lines, mut child) = printed(&["--aws-only", "--port", "0", "--data", data]).await;
    let text = lines.join("\n");
    assert!(text.contains("DynamoDB, S3, SNS, SQS and KMS run on http://127.0.0.1:"), "{text}");
    assert!(text.contains("cargo lambda watch --invoke-address 127.0.0.1 --env-file "), "{text}");
    child.kill().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn it_says_where_it_runs_and_stops_when_asked() {
    for signal in ["-INT", "-TERM"] {
        let arguments = ["--aws-only", "--memory", "--port", "0"];
        let mut child = program().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut exported = false;
        while let Some(line) = lines.next_line().await.unwrap() {
            exported |= line.contains("export AWS_ENDPOINT_URL=http://127.0.0.1:");
            if line.contains("Ctrl-C") {
                break;
            }
        }
        assert!(exported);
        let id = child.id().unwrap().to_string();
        let kill = Command::new("kill").args([signal, &id]).status().await;
        assert!(kill.unwrap().success());
        let status = child.wait().await.unwrap();
        assert!(status.success(), "{status}");
    }
}

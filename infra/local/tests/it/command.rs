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

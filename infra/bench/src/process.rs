//! A function's process.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::programs::Program;
use crate::runtime_api::RuntimeApi;

/// A process that has asked for its first event. It is stopped when this is dropped.
pub(crate) struct Running {
    api: RuntimeApi,
    child: Child,
    /// The time from the start of the process to its first question.
    pub(crate) started_after: Duration,
}

impl Running {
    /// Starts a program as Lambda does, and waits until it asks for its first event.
    pub(crate) fn start(program: &Program) -> Result<Self> {
        let api = RuntimeApi::start()?;
        let mut command = Command::new(&program.command[0]);
        command.args(&program.command[1..]).env_clear().envs(&program.environment).envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ]);
        let begin = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut running = Self { api, child, started_after: Duration::ZERO };
        running.api.wait_for_next().map_err(|error| format!("{} did not start: {error}", program.name))?;
        running.started_after = begin.elapsed();
        Ok(running)
    }

    /// Processes an event, which must succeed.
    pub(crate) fn invoke(&mut self, event: &str) -> Result<()> {
        let response = self.api.invoke(event)?;
        let status = serde_json::from_str::<serde_json::Value>(&response)?["statusCode"].as_u64();
        if status == Some(200) { Ok(()) } else { Err(format!("refused: {response}").into()) }
    }

    /// The processor time that the process has used, user and system, with all of its threads.
    pub(crate) fn processor(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The program's name may contain spaces; the fields after it are counted from the third (proc_pid_stat(5)).
        let (_, fields) = stat.rsplit_once(')').ok_or("a process without a name")?;
        let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        let (user, system) = (ticks.next().ok_or("no utime")??, ticks.next().ok_or("no stime")??);
        // USER_HZ is 100 on every architecture of Lambda.
        Ok(Duration::from_millis((user + system) * 10))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

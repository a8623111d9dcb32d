//! Measures what a function costs: how long it takes to start, and the processor time of a request.
//!
//! ```sh
//! cargo run -p bench
//! ```
//! It builds the release program of `profiles` and the smallest function with `lambda_http`, installs the AWS SDK for
//! Node below `target/bench`, and starts the local run in memory. Then it starts the programs as Lambda does, with a
//! fake of Lambda's Runtime API, and prints two tables: the time from the start of the process to its first request for
//! an invocation, and the processor time of a nickname change. Both have the goals beside them. The tables and a chart
//! are also written to `target/bench`. Nothing leaves this machine, and it ends by itself: a minute after everything is
//! built. Needs Linux, Node 20 or newer, and npm. Other programs that run meanwhile make the wall-clock times worse; the
//! processor times less so.

mod account;
mod chart;
mod process;
mod programs;
mod runtime_api;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use account::Account;
use local::{Handset, Options};
use process::Running;
use programs::Program;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How often each program is started. The middle one of the times counts.
const STARTS: usize = 21;
/// Requests before and while the processor time is measured.
const WARM_UP: usize = 500;
const REQUESTS: usize = 4_000;

fn main() -> Result<()> {
    let target = target()?;
    programs::build(&target)?;
    let workshop = target.join("bench");
    programs::install(&workshop)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let options = Options { port: 0, data: None, ..Options::default() };
    let stack = runtime.block_on(local::start(options, &Handset::default()))?;
    let account = Account::sign_in(&stack)?;
    let mut environment = stack.environments().get("profiles").ok_or("the template has no function profiles")?.clone();
    // The local run allows every country, a deployment the template's, whose calling codes each start checks.
    environment.insert("ALLOWED_COUNTRIES".to_owned(), "86".to_owned());
    let programs = programs::all(&target, &workshop, &environment, &account);
    let report = measure(&programs, &account.nickname_change())?;
    println!("\n{}", report.text);
    std::fs::write(workshop.join("bench.md"), &report.text)?;
    std::fs::write(workshop.join("bench.svg"), chart::draw(&report.bars))?;
    println!("Written to {}, with a chart.", workshop.join("bench.md").display());
    runtime.block_on(stack.stop());
    Ok(())
}

/// What was measured.
struct Report {
    text: String,
    bars: Vec<chart::Group>,
}

fn measure(programs: &[Program; 3], event: &str) -> Result<Report> {
    let mut starts = [const { Vec::new() }; 3];
    for _ in 0..STARTS {
        // In turns, so that what else the machine does meets all of them.
        for (program, starts) in programs.iter().zip(&mut starts) {
            starts.push(Running::start(program)?.started_after);
        }
    }
    let [ours, hello, node] = starts.map(|mut times| {
        times.sort();
        millis(times[STARTS / 2])
    });
    let [ours_request, _, node_request] = programs
        .each_ref()
        .map(|program| if program.answers_requests { processor_per_request(program, event) } else { Ok(0.0) });
    let (ours_request, node_request) = (ours_request?, node_request?);
    let mut text = String::new();
    writeln!(text, "| start of the process to its first `/next`, ms, middle of {STARTS} | |\n|---|---|")?;
    for (program, time) in programs.iter().zip([ours, hello, node]) {
        writeln!(text, "| {} | {time:.2} |", program.name)?;
    }
    writeln!(text, "| profiles / the smallest function | {:.2} (goal: at most 1.5) |", ours / hello)?;
    writeln!(text, "| Node / profiles | {:.1} (goal: at least 40) |", node / ours)?;
    writeln!(text, "\n| processor of a nickname change, ms, mean of {REQUESTS} | |\n|---|---|")?;
    writeln!(text, "| {} | {ours_request:.3} (goal: at most 0.5) |", programs[0].name)?;
    writeln!(text, "| {} | {node_request:.3} |", programs[2].name)?;
    writeln!(text, "| Node / profiles | {:.1} (goal: at least 6) |", node_request / ours_request)?;
    let name = |index: usize| programs[index].name;
    let bars = vec![
        chart::Group {
            title: "Start to first invocation, ms",
            bars: vec![(name(0), ours), (name(1), hello), (name(2), node)],
        },
        chart::Group {
            title: "Processor per nickname change, ms",
            bars: vec![(name(0), ours_request), (name(2), node_request)],
        },
    ];
    Ok(Report { text, bars })
}

/// The processor time of one request, user and system, in milliseconds.
fn processor_per_request(program: &Program, event: &str) -> Result<f64> {
    let mut running = Running::start(program)?;
    for _ in 0..WARM_UP {
        running.invoke(event)?;
    }
    let before = running.processor()?;
    for _ in 0..REQUESTS {
        running.invoke(event)?;
    }
    let spent = running.processor()?.saturating_sub(before);
    Ok(millis(spent) / f64::from(u32::try_from(REQUESTS)?))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Cargo's target folder, in which this program is.
fn target() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.ancestors().nth(2).map(Path::to_owned).ok_or_else(|| "this program is not in a target folder".into())
}

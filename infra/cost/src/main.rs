//! `cargo run -p handset-cost -- sync=4 people=50000` prints the tables of `docs/cost.md` for other assumptions;
//! `--document` writes the tables for the default assumptions into it.

use std::path::Path;
use std::process::ExitCode;

use handset_cost::load::Load;
use handset_cost::{memory, report};

/// The repository's root.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn run(arguments: impl Iterator<Item = String>) -> Result<String, String> {
    let read =
        |name: &str| std::fs::read_to_string(Path::new(ROOT).join(name)).map_err(|error| format!("{name}: {error}"));
    let memory = memory(&read("template.yaml")?).map_err(|error| error.to_string())?;
    let (mut load, mut people, mut document) = (Load::default(), report::PEOPLE.to_vec(), false);
    for argument in arguments {
        if argument == "--document" {
            document = true;
        } else if let Some(count) = argument.strip_prefix("people=") {
            people = vec![count.parse().map_err(|_| format!("{count} is no number"))?];
        } else {
            load.assume(&argument)?;
        }
    }
    if document {
        let tables = report::tables(&Load::default(), &memory, &report::PEOPLE);
        let renewed = report::renew(&read("docs/cost.md")?, &tables)?;
        std::fs::write(Path::new(ROOT).join("docs/cost.md"), renewed).map_err(|error| error.to_string())?;
        return Ok("docs/cost.md is up to date\n".to_owned());
    }
    let tables = report::tables(&load, &memory, &people);
    Ok(tables.into_iter().fold(String::new(), |text, (name, table)| text + "## " + name + "\n" + &table + "\n"))
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

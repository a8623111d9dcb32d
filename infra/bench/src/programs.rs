//! The programs that are compared, and how they are built.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;
use crate::account::Account;

/// Every package that npm installs, with its version and hash.
const LOCK: &str = include_str!("../npm/package-lock.json");
/// What Node runs, and what npm reads.
const FILES: [(&str, &str); 5] = [
    ("runtime.mjs", include_str!("../node/runtime.mjs")),
    ("nickname.mjs", include_str!("../node/nickname.mjs")),
    (".npmrc", include_str!("../npm/.npmrc")),
    ("package.json", include_str!("../npm/package.json")),
    ("package-lock.json", LOCK),
];

/// A function.
pub(crate) struct Program {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// The command that starts it.
    pub(crate) command: Vec<String>,
    /// Its environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether it can change a nickname.
    pub(crate) answers_requests: bool,
}

/// `profiles`, the smallest function, and the one in Node, in this order.
pub(crate) fn all(
    target: &Path,
    workshop: &Path,
    environment: &BTreeMap<String, String>,
    account: &Account,
) -> [Program; 3] {
    let program = |name: &str| vec![target.join("release").join(name).display().to_string()];
    let mut for_node = environment.clone();
    for_node.extend([
        ("TOKEN_KEY".to_owned(), account.key.clone()),
        ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        // As on Lambda, where the SDK is part of a bundle and connections are kept.
        ("NODE_ENV".to_owned(), "production".to_owned()),
    ]);
    [
        Program {
            name: "profiles",
            command: program("profiles"),
            environment: environment.clone(),
            answers_requests: true,
        },
        Program {
            name: "smallest function with lambda_http",
            command: program("bench-hello"),
            environment: environment.clone(),
            answers_requests: false,
        },
        Program {
            name: "Node with two SDK clients",
            command: vec!["node".to_owned(), workshop.join("runtime.mjs").display().to_string()],
            environment: for_node,
            answers_requests: true,
        },
    ]
}

/// Builds the programs in Rust as they are deployed.
pub(crate) fn build(target: &Path) -> Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked", "-p", "profiles", "-p", "bench-hello"]);
    let status = command.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    if status.success() { Ok(()) } else { Err("the functions could not be built".into()) }
}

/// Installs the SDK for Node below `workshop`, unless it is there.
pub(crate) fn install(workshop: &Path) -> Result<()> {
    std::fs::create_dir_all(workshop)?;
    for (name, content) in FILES {
        std::fs::write(workshop.join(name), content)?;
    }
    let marker = workshop.join("installed.json");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == LOCK) {
        return Ok(());
    }
    let npm = ["ci", "--ignore-scripts"];
    let status = Command::new("npm").args(npm).current_dir(workshop).stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err("npm could not install the SDK".into());
    }
    Ok(std::fs::write(marker, LOCK)?)
}

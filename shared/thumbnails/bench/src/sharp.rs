//! A Node process with sharp, called over a pipe.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use thumbnails::{Fit, Spec};

use crate::Result;

/// Every package that npm installs, with its version and hash.
const LOCK: &str = include_str!("../npm/package-lock.json");
/// The files that npm reads.
const LOCKED: [(&str, &str); 3] = [
    (".npmrc", include_str!("../npm/.npmrc")),
    ("package.json", include_str!("../npm/package.json")),
    ("package-lock.json", LOCK),
];

/// A running Node with sharp.
pub(crate) struct Sharp {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Installs sharp below `directory`, unless it is there.
pub(crate) fn install(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(directory.join("sharp.mjs"), include_str!("sharp.mjs"))?;
    let marker = directory.join("installed.json");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == LOCK) {
        return Ok(());
    }
    for (name, content) in LOCKED {
        std::fs::write(directory.join(name), content)?;
    }
    let status =
        Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(directory).stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err("npm could not install sharp".into());
    }
    Ok(std::fs::write(marker, LOCK)?)
}

impl Sharp {
    /// Starts Node where [`install`] has put sharp.
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let mut child = Command::new("node")
            .arg("sharp.mjs")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take().ok_or("Node has no input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("Node has no output")?);
        Ok(Self { child, questions, answers })
    }

    /// Makes the input `kind` of the photograph `from`, and returns its path.
    pub(crate) fn derive(&mut self, kind: &str, from: &Path, directory: &Path) -> Result<PathBuf> {
        let stem = from.file_stem().ok_or("a photograph has a name")?.to_string_lossy().replace(' ', "-");
        let suffix = kind.split('-').next().unwrap_or(kind).replace("progressive", "jpeg");
        let to = directory.join(format!("{stem}.{kind}.{suffix}"));
        if !to.exists() {
            self.ask(&["derive", kind, &from.to_string_lossy(), &to.to_string_lossy()])?;
        }
        Ok(to)
    }

    /// Reads the input of the next calls.
    pub(crate) fn load(&mut self, file: &Path) -> Result<()> {
        self.ask(&["load", &file.to_string_lossy()]).map(drop)
    }

    /// Makes a thumbnail, and returns the nanoseconds it took.
    pub(crate) fn time(&mut self, spec: Spec, alpha: bool) -> Result<u64> {
        let [width, height, fit, alpha] = words(spec, alpha);
        Ok(self.ask(&["time", &width, &height, &fit, &alpha])?.parse()?)
    }

    /// Makes a thumbnail, and returns the file.
    pub(crate) fn thumbnail(&mut self, spec: Spec, alpha: bool, scratch: &Path) -> Result<Vec<u8>> {
        let [width, height, fit, alpha] = words(spec, alpha);
        self.ask(&["write", &scratch.to_string_lossy(), &width, &height, &fit, &alpha])?;
        Ok(std::fs::read(scratch)?)
    }

    /// Makes a thumbnail, and returns the largest growth of the process in kilobytes.
    pub(crate) fn peak(&mut self, spec: Spec, alpha: bool) -> Result<u64> {
        let [width, height, fit, alpha] = words(spec, alpha);
        Ok(self.ask(&["peak", &width, &height, &fit, &alpha])?.parse()?)
    }

    fn ask(&mut self, words: &[&str]) -> Result<String> {
        writeln!(self.questions, "{}", words.join("\t"))?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim_end().split_once('\t') {
            Some(("ok", answer)) => Ok(answer.to_owned()),
            // A response without text has no tab after trimming.
            None if answer.trim_end() == "ok" => Ok(String::new()),
            _ => Err(format!("sharp: {}: {answer}", words.join(" ")).into()),
        }
    }
}

impl Drop for Sharp {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn words(spec: Spec, alpha: bool) -> [String; 4] {
    let fit = if spec.fit == Fit::Cover { "cover" } else { "contain" };
    let alpha = if alpha { "alpha" } else { "opaque" };
    [spec.width.to_string(), spec.height.to_string(), fit.to_owned(), alpha.to_owned()]
}

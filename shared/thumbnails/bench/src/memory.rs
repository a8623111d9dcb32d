//! Measures the growth of a process while it makes a thumbnail.

use std::path::Path;
use std::process::Command;

use thumbnails::{Limits, Spec};

use crate::Result;

/// The argument that makes this program measure itself.
pub(crate) const ONCE: &str = "--once";

/// Starts this program again to make one thumbnail of `file`, and returns its largest growth in kilobytes.
pub(crate) fn peak(file: &Path, spec: Spec) -> Result<u64> {
    let out = Command::new(std::env::current_exe()?)
        .arg(ONCE)
        .arg(file)
        .args([spec.width.to_string(), spec.height.to_string()])
        .output()?;
    Ok(String::from_utf8(out.stdout)?.trim().parse()?)
}

/// Makes one thumbnail of `file`, and prints the largest growth of the process in kilobytes after the file was loaded.
pub(crate) fn once(file: &Path, spec: Spec) -> Result<()> {
    let bytes = std::fs::read(file)?;
    // Resets the highest mark (proc_pid_clear_refs(5)).
    std::fs::write("/proc/self/clear_refs", "5")?;
    let idle = kilobytes("VmRSS:")?;
    thumbnails::thumbnails(&bytes, &[spec], Limits::default())?;
    println!("{}", kilobytes("VmHWM:")?.saturating_sub(idle));
    Ok(())
}

fn kilobytes(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the kernel does not say")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

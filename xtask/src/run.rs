//! Running other programs: one place that prints what runs, how long it took, and what failed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A program with its arguments, to be run in `folder` below the workspace (`""` is the workspace itself).
pub fn program(name: &str, arguments: &[&str], folder: &str) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// Runs a command to its end, with its output on the screen.
pub fn step(title: &str, command: &mut Command) -> Result<()> {
    eprintln!("==> {title}");
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("{title}: cannot start {command:?}"))?;
    eprintln!("    {title}: {:.1} s", started.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{title} failed ({status}): {command:?}");
    }
    Ok(())
}

/// Runs a command to its end and gives what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed something that is not text"))
}

/// Whether a program of this name can be started.
pub fn exists(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Cargo, in the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), arguments, "")
}

/// All files that git knows or would know, as paths from the workspace, with forward slashes.
pub fn files() -> Result<Vec<String>> {
    let listed = output(&mut program("git", &["ls-files", "--cached", "--others", "--exclude-standard"], ""))?;
    Ok(listed.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect())
}

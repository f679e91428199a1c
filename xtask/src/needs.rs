//! What the machine must have: installed when it can be, named with the remedy when not.

use anyhow::{Result, bail};

use crate::run::{exists, output, program, root, step};

/// The oldest Node.js major that the web app builds with.
const NODE_MAJOR_MIN: u32 = 20;

/// Debian packages that the tests use, by the program each brings.
const PACKAGES: &[(&str, &str)] = &[("chromium", "chromium"), ("mosquitto", "mosquitto"), ("ogrinfo", "gdal-bin")];

/// Node and npm, new enough, and the npm packages of `folder` as its lock file states them.
pub fn npm_packages(folder: &str) -> Result<()> {
    let remedy = format!("install Node.js {NODE_MAJOR_MIN} or newer (with npm) and run the command again");
    let Ok(version) = output(&mut program("node", &["--version"], "")) else { bail!("node is missing: {remedy}") };
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|m| m.parse().ok()).unwrap_or(0);
    if major < NODE_MAJOR_MIN {
        bail!("node is version {}, too old: {remedy}", version.trim());
    }
    let lock = root().join(folder).join("package-lock.json");
    let installed = root().join(folder).join("node_modules/.package-lock.json");
    let age = |path: &std::path::Path| path.metadata().and_then(|m| m.modified()).ok();
    if age(&installed).is_some() && age(&installed) >= age(&lock) {
        return Ok(());
    }
    step(
        &format!("npm packages of {folder}"),
        &mut program("npm", &["ci", "--no-fund", "--no-audit", "--loglevel=error"], folder),
    )
}

/// The programs that tests drive: a browser, an MQTT broker, GDAL. Installs them on Debian when run as root.
pub fn test_programs() -> Result<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(program, _)| !found(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("run: sudo apt-get install {}", missing.join(" "));
    if !exists("apt-get") || output(&mut program("id", &["-u"], ""))?.trim() != "0" {
        bail!("these programs are missing: {}; {by_hand}", missing.join(", "));
    }
    step("package lists", &mut program("apt-get", &["update", "-qq"], ""))?;
    let mut install = program("apt-get", &["install", "-y", "-qq", "--no-install-recommends"], "");
    install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive");
    step(&format!("installing {}", missing.join(", ")), &mut install)
}

/// Whether a program is on the PATH or in the system folders that a user's PATH may lack.
fn found(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .any(|dir| dir.join(name).is_file())
}

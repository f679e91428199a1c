//! The built binary on a freshly loaded Rotterdam, for the end-to-end tests to drive.

use std::{
    fs::File,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::run::{root, step};

const START_S_MAX: u64 = 60;
const STOP_S_MAX: u64 = 20;
const USER: &str = "e2e";

/// A running server with its data in `target/e2e`.
pub struct Server {
    child: Child,
    address: SocketAddr,
    password: String,
    log: PathBuf,
}

impl Server {
    /// Loads Rotterdam into an empty directory, makes an administrator, starts the server and waits until it is ready.
    pub fn start() -> Result<Self> {
        let polder = root().join("target/debug/polder");
        let folder = root().join("target/e2e");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("cannot empty target/e2e")?;
        }
        std::fs::create_dir_all(&folder)?;
        let (data, city) = (folder.join("data"), root().join("cities/rotterdam"));
        step(
            "loading Rotterdam",
            Command::new(&polder).arg("import").arg("--data").arg(&data).arg("--city").arg(&city),
        )?;
        let password = format!("windmill-on-the-dyke-{}-{:x}", std::process::id(), Instant::now().elapsed().as_nanos());
        add_user(&polder, &data, &password)?;
        let address = free_address()?;
        let log = folder.join("server.log");
        let child = Command::new(&polder)
            .args(["serve", "--replay", "60", "--listen", &address.to_string()])
            .arg("--data")
            .arg(&data)
            .arg("--city")
            .arg(&city)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start the server")?;
        let mut server = Self { child, address, password, log };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// What the tests need to know.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("POLDER_URL", format!("http://{}", self.address)),
            ("POLDER_USER", USER.to_owned()),
            ("POLDER_PASSWORD", self.password.clone()),
        ]
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server stopped at once ({status}): {}", self.log_text());
            }
            if started.elapsed() > Duration::from_secs(START_S_MAX) {
                self.child.kill()?;
                bail!("the server was not up after {START_S_MAX} s: {}", self.log_text());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Stops it gracefully, and fails when it does not stop or when its log has a warning or an error.
    pub fn stop(mut self) -> Result<()> {
        step("stopping the server", Command::new("kill").arg(self.child.id().to_string()))?;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if started.elapsed() > Duration::from_secs(STOP_S_MAX) {
                self.child.kill()?;
                bail!("the server did not stop within {STOP_S_MAX} s of being asked");
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        if !status.success() {
            bail!("the server ended with {status}: {}", self.log_text());
        }
        let log = self.log_text();
        let unexpected: Vec<&str> =
            log.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
        if !unexpected.is_empty() {
            bail!("the server's log has warnings or errors:\n{}", unexpected.join("\n"));
        }
        Ok(())
    }

    fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

fn add_user(polder: &PathBuf, data: &PathBuf, password: &str) -> Result<()> {
    let mut child = Command::new(polder)
        .args(["user", "add", USER, "--role", "administrator", "--password-stdin"])
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start polder user add")?;
    child.stdin.take().context("no input to write to")?.write_all(password.as_bytes())?;
    let status = child.wait()?;
    if !status.success() {
        bail!("polder user add failed ({status})");
    }
    Ok(())
}

/// A loopback address with a port that is free now.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

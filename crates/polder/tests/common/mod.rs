//! The built binary, a small city in strings, and an HTTP client of one function.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A city of two stations, with a row that is wrong.
pub const CITY: &str = r#"
[city]
id = "smallville"
name = "Smallville"
country = "NL"
title = { nl = "Klein", en = "Small" }
time_zone = "Europe/Amsterdam"
center = [4.48, 51.92]
bounds = [4.0, 51.0, 5.0, 52.0]
zoom = 12

[[source]]
name = "stations"
title = { nl = "Meetpunten", en = "Stations" }
connector = "csv"
file = "data/stations.csv"
entity_type = "TrafficFlowObserved"
id = "urn:ngsi-ld:TrafficFlowObserved:{station}"
origin = "measured"
public = true
[source.provenance]
publisher = "Smallville"
licence = "CC0-1.0"
attribution = "Smallville"
[source.time]
field = "utc"
[[source.attribute]]
name = "location"
kind = "geo"
longitude = "lon"
latitude = "lat"
[[source.attribute]]
name = "intensity"
field = "flow"
kind = "number"
unit = "VPH"
history = true
"#;

pub const STATIONS: &str = "station,utc,lon,lat,flow\n\
    a,2026-08-21T10:00:00Z,4.48,51.92,600\n\
    b,2026-08-21T10:00:00Z,4.49,51.93,720\n\
    c,2026-08-21T10:00:00Z,4.49,51.93,many\n\
    a,2026-08-21T10:05:00Z,4.48,51.92,660\n";

/// A folder with the city and a place for data.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("city/data")).unwrap();
    std::fs::write(folder.path().join("city/city.toml"), CITY).unwrap();
    std::fs::write(folder.path().join("city/data/stations.csv"), STATIONS).unwrap();
    folder
}

pub fn polder(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polder"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs to the end; gives exit code and everything that was printed.
pub fn run(arguments: &[&str], folder: &Path) -> (i32, String) {
    ended(&polder(arguments, folder).output().unwrap())
}

pub fn ended(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

/// A running server; killed when the test ends.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        let address = free_address();
        let listen = address.to_string();
        let arguments = [&["serve", "--data", "data", "--city", "city", "--listen", &listen], more].concat();
        let child = polder(&arguments, folder).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait().unwrap() {
                let mut said = String::new();
                server.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the server ended with {status}: {said}");
            }
            assert!(started.elapsed() < Duration::from_secs(60), "the server was not up after 60 s");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Sends a request and gives status, head and body.
    pub fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for header in headers {
            head += &format!("{header}\r\n");
        }
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no status: {line}"));
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        let rest = String::from_utf8_lossy(&rest).into_owned();
        let (head, body) = rest.split_once("\r\n\r\n").unwrap_or((&rest, ""));
        (status, head.to_owned(), body.to_owned())
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.request("GET", path, &[], "");
        (status, body)
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        let (status, _, body) = self.request("POST", path, &["Content-Type: application/json"], body);
        (status, body)
    }

    /// Asks it to stop, waits, and gives the exit code and the log.
    pub fn stop(mut self) -> (i32, String) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code().unwrap_or(-1), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

//! Starting and stopping the built binary: what is wrong is named with the remedy, and nothing is half done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Server, folder, free_address, polder, run};

/// Runs, expects exit code 1, and expects each part in what was said.
fn check_refused(arguments: &[&str], parts: &[&str]) {
    let folder = folder();
    let (code, said) = run(arguments, folder.path());
    assert_eq!(code, 1, "{said}");
    for part in parts {
        assert!(said.contains(part), "\"{part}\" is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_city_folder_that_is_not_there_is_named() {
    check_refused(
        &["serve", "--data", "data", "--city", "nowhere"],
        &["nowhere/city.toml", "name a folder with a city.toml"],
    );
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    check_refused(&["serve", "--data", "/proc/polder", "--city", "city"], &["/proc/polder"]);
}

#[test]
fn open_on_an_address_that_others_reach_is_refused() {
    check_refused(
        &["serve", "--data", "data", "--city", "city", "--open", "--listen", "0.0.0.0:0"],
        &["--open lets everybody in", "loopback"],
    );
}

#[test]
fn a_wrong_setting_is_named_with_its_line() {
    let folder = folder();
    std::fs::write(folder.path().join("polder.toml"), "[server]\nbody_bytes_max = \"much\"\n").unwrap();
    let (code, said) = run(&["serve", "--config", "polder.toml"], folder.path());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("polder.toml:2: invalid type"), "{said}");
}

#[test]
fn a_wrong_setting_of_the_city_is_named_with_its_line() {
    let folder = folder();
    let path = folder.path().join("city/city.toml");
    std::fs::write(&path, format!("{}\nwheel = 3\n", common::CITY)).unwrap();
    let (code, said) = run(&["import", "--data", "data", "--city", "city"], folder.path());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("city.toml") && said.contains("wheel"), "{said}");
}

#[test]
fn a_port_that_is_in_use_is_named() {
    let folder = folder();
    let address = free_address();
    let _taken = std::net::TcpListener::bind(address).unwrap();
    let (code, said) =
        run(&["serve", "--data", "data", "--city", "city", "--listen", &address.to_string()], folder.path());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&address.to_string()) && said.contains("--listen"), "{said}");
}

#[test]
fn a_second_server_on_one_directory_is_refused_and_the_first_goes_on() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--open"]);
    let listen = free_address().to_string();
    let (code, said) = run(&["serve", "--data", "data", "--city", "city", "--listen", &listen], folder.path());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("data") && said.contains("in use"), "{said}");
    assert_eq!(server.get("/healthz").0, 200);
}

#[test]
fn a_graceful_stop_loses_no_accepted_write() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--open"]);
    for number in 0..50 {
        let entity = format!(r#"{{"id":"urn:x:{number}","type":"T","n":{{"type":"Property","value":{number}}}}}"#);
        assert_eq!(server.post("/ngsi-ld/v1/entities", &entity).0, 201);
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert_eq!(run(&["check", "--data", "data"], folder.path()).0, 0);
    let server = Server::start(folder.path(), &["--open"]);
    let (status, body) = server.get("/ngsi-ld/v1/entities?type=T&limit=100&format=simplified");
    assert_eq!(status, 200);
    let entities: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(entities.len(), 50);
}

#[test]
fn a_person_is_added_listed_and_can_sign_in_and_a_short_password_is_refused() {
    use std::{io::Write, process::Stdio};
    let folder = folder();
    let add = |password: &str| {
        let mut command = polder(
            &["user", "add", "anna", "--role", "administrator", "--password-stdin", "--data", "data"],
            folder.path(),
        );
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        common::ended(&child.wait_with_output().unwrap())
    };
    let (code, said) = add("short");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("12"), "{said}");
    let password = "een lang en eigen wachtwoord";
    let (code, said) = add(password);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains(password), "{said}");
    let (code, said) = run(&["user", "list", "--data", "data"], folder.path());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("anna") && said.contains("administrator"), "{said}");
    let (code, said) = run(&["user", "token", "anna", "--scope", "entities:write", "--data", "data"], folder.path());
    assert_eq!(code, 0, "{said}");
    let token = said.split_whitespace().find(|word| word.starts_with("polder_")).unwrap().to_owned();
    let server = Server::start(folder.path(), &[]);
    let entity = r#"{"id":"urn:x:1","type":"T"}"#;
    assert_eq!(server.post("/ngsi-ld/v1/entities", entity).0, 401);
    let authorization = format!("Authorization: Bearer {token}");
    let headers = ["Content-Type: application/json", authorization.as_str()];
    assert_eq!(server.request("POST", "/ngsi-ld/v1/entities", &headers, entity).0, 201);
    let (_, log) = server.stop();
    assert!(!log.contains(&token), "the token is in the log: {log}");
}

/// The city with a source whose broker wants a password.
fn with_broker(folder: &std::path::Path, port: u16) {
    let broker = r#"
[[source]]
name = "sensors"
title = { nl = "Sensoren", en = "Sensors" }
connector = "mqtt"
url = "mqtt://127.0.0.1:PORT"
mqtt = { topic = "city/+", client_id = "polder-test", user = "polder", password_env = "SENSORS_SECRET" }
entity_type = "Sensor"
id = "urn:x:{id}"
provenance = { publisher = "X", licence = "X", attribution = "X" }
[[source.attribute]]
name = "level"
field = "level"
kind = "number"
"#;
    std::fs::write(
        folder.join("city/city.toml"),
        format!("{}{}", common::CITY, broker.replace("PORT", &port.to_string())),
    )
    .unwrap();
}

#[test]
fn a_password_that_is_not_in_the_environment_is_named_with_its_source() {
    let folder = folder();
    with_broker(folder.path(), 1);
    let (code, said) = run(&["serve", "--data", "data", "--city", "city"], folder.path());
    assert_eq!(code, 1, "{said}");
    for part in ["sensors", "SENSORS_SECRET", "is not set"] {
        assert!(said.contains(part), "\"{part}\" is not in: {said}");
    }
}

#[test]
fn the_password_of_a_source_comes_from_the_environment_and_reaches_the_broker() {
    use std::io::Read;
    let folder = folder();
    let broker = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    with_broker(folder.path(), broker.local_addr().unwrap().port());
    let listen = free_address().to_string();
    let mut command = polder(&["serve", "--data", "data", "--city", "city", "--listen", &listen], folder.path());
    command.env("SENSORS_SECRET", "stroopwafel-9").stdout(std::process::Stdio::null());
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let server = Server { child, address: listen.parse().unwrap() };
    // An MQTT CONNECT holds name and password as plain text.
    broker.set_nonblocking(true).unwrap();
    let started = std::time::Instant::now();
    let mut line = loop {
        match broker.accept() {
            Ok((line, _)) => break line,
            Err(_) if started.elapsed().as_secs() < 20 => std::thread::sleep(std::time::Duration::from_millis(20)),
            Err(error) => panic!("nobody came: {error}"),
        }
    };
    line.set_nonblocking(false).unwrap();
    line.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut sent = vec![0; 512];
    let count = line.read(&mut sent).unwrap();
    let said = String::from_utf8_lossy(&sent[..count]).into_owned();
    assert!(said.contains("polder") && said.contains("stroopwafel-9"), "{said:?}");
    let (_, log) = server.stop();
    assert!(!log.contains("stroopwafel-9"), "the log tells the password");
}

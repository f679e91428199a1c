//! Nothing secret is ever logged. In a file of its own, because the log belongs to a whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use common::{PASSWORD, server};
use serde_json::json;

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter("trace").with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = server();
    server.add_user("anna", &["administrator"]);
    let (cookie, csrf) = server.sign_in("anna").await;
    server.try_sign_in("anna", "a mistyped password").await;
    let token = server.token("anna", None);
    server.ask("GET /api/v1/users?secret=in-the-query", &[("authorization", &token)], None).await;
    server
        .ask("POST /api/v1/users", &[("cookie", &cookie)], Some(json!({ "name": "x", "password": "hidden-word-1" })))
        .await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/api/v1/users"), "the log tells of requests");
    let bearer = token.trim_start_matches("Bearer ");
    let session = cookie.split('=').nth(1).unwrap();
    for secret in
        [PASSWORD, "a mistyped password", "hidden-word-1", "in-the-query", bearer, session, csrf.as_str(), "$argon2id"]
    {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

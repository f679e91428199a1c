//! The limit that queries are held against: the same HTTP library on the same runtime, answering constant bytes to
//! everything, without a door, a store or a line of Polder.
//!
//! `cargo run --profile demo --package polder-api --example constant -- 127.0.0.1:8090 11000`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use axum::{Router, http::header, response::IntoResponse};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("name the address to listen on")?;
    let size: usize = arguments.next().ok_or("name the number of bytes")?.parse()?;
    let body = axum::body::Bytes::from(vec![b'x'; size]);
    let answer = move || {
        let body = body.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], body).into_response() }
    };
    axum::serve(tokio::net::TcpListener::bind(address).await?, Router::new().fallback(answer)).await?;
    Ok(())
}

//! The port through which notifications leave: outgoing HTTP in the server, a recorder in tests.

use std::{future::Future, pin::Pin};

/// One notification, ready to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where to: `http` or `https`.
    pub uri: String,
    /// What goes beside the content: headers.
    pub headers: Vec<(String, String)>,
    /// The content: JSON.
    pub body: Vec<u8>,
    /// How long an answer may take, milliseconds.
    pub timeout_ms: u64,
}

/// A delivery on its way: done, or why it failed.
pub type DeliveryFuture<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Carries notifications out.
pub trait NotificationSink: Send + Sync + 'static {
    /// Delivers once. `Ok` means that the receiver took it (HTTP: any 2xx); the error says in words why not.
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> DeliveryFuture<'a>;
}

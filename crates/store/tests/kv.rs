//! Both backends pass the one contract of the key-value port.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

extern crate polder_store as store;

use std::sync::Arc;

use store::kv::{Kv, fjall::FjallKv, memory::MemoryKv};
use testing::kv_contract::{durable_kv_contract, kv_contract};

#[test]
fn the_memory_backend_keeps_the_contract() {
    kv_contract(|| Arc::new(MemoryKv::new()));
}

#[test]
fn the_fjall_backend_keeps_the_contract() {
    let root = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    kv_contract(|| {
        count.set(count.get() + 1);
        fjall(&root.path().join(count.get().to_string()))
    });
    durable_kv_contract(|| fjall(&root.path().join("durable")));
}

fn fjall(directory: &std::path::Path) -> Arc<dyn Kv> {
    Arc::new(FjallKv::open(directory, 8 << 20).unwrap())
}

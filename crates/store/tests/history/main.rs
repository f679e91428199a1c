//! History from outside: whatever is written, corrected, deleted, flushed, merged and reopened, reads like a sorted map.

extern crate polder_store as store;

mod damage;
mod fixture;
mod model;
mod reads;

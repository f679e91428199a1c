//! Layer 4: analyses that help people decide. Values go in, values with their uncertainty and their making come out.
//!
//! What must be absent here: input and output, the clock, randomness without a given seed, and persons. Only counts
//! enter; what was measured, bridged or unknown stays distinguishable to the end.
//!
//! - [`crowd`]: how many people are where, how dense it is, what will cross a threshold, and what a measure changes
//! - [`visitors`]: simulated visitors, to rehearse with

pub mod crowd;
pub mod visitors;

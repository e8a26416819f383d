//! The ways out: what receivers are configured to do, and an `Integration` each that renders a notification, makes one
//! attempt at delivering it and classifies the outcome.
//!
//! Decides nothing about when or whether to try again; that is the router's. Remembers nothing between attempts.
//! **Invariants:** everything is rendered before anything is connected, so a broken template sends nothing; no verdict
//! holds a secret or a URL with one.

mod build;
pub mod config;
mod email;
mod pagerduty;
mod payload;
mod post;
mod render;
mod slack;
#[cfg(test)]
mod testing;
mod verdict;
mod webhook;

pub use build::{BuildError, build};

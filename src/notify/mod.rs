//! The ways out: an `Integration` each that renders a notification, makes one attempt and classifies its outcome.
//!
//! Decides nothing about when or whether to try again; that is the router's. Remembers nothing between attempts.
//! **Invariants:** everything is rendered before anything is connected, so a broken template sends nothing; no verdict
//! holds a secret or a URL with one.

mod email;
mod payload;
#[cfg(test)]
mod testing;
mod verdict;

//! Ways out: what receivers are configured to do, and the integrations that do it.
//!
//! Makes one attempt at a time and classifies it; when and whether to try again is the router's to decide.

pub mod config;

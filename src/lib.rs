//! Belfry: an alerting rules engine and notification router.
//!
//! `ARCHITECTURE.md` is the map: data flows one way, `source` → `rules` → `router` → `notify`, and each room below says
//! at its door what it is for and what it may not do. The library exists so that the binary, the tests and the
//! benchmarks drive the very same code.

pub mod api;
pub mod cli;
pub mod config;
pub mod db;
pub mod http;
pub mod metrics;
pub mod model;
pub mod notify;
pub mod router;
pub mod rules;
pub mod source;
pub mod template;
pub mod yaml;

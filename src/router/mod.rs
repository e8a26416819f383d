//! The router: takes alerts in, groups them, decides what to tell to whom, and sees to it that it is told.
//!
//! [`Core`] decides and does nothing; [`Service`] owns it, commits what it decided and then acts on it; everybody else
//! holds a [`Router`]. Knows integrations only as [`crate::model::Integration`].

pub mod config;
mod core;
mod metrics;
mod route;
mod service;

pub use config::{InhibitRule, RouterConfig, TimeInterval};
pub use core::{
    Census, Core, Event, Gate, GroupId, GroupView, InvalidAlert, LabelLimits, Options, Order, OutboxView, Outcome,
    Received, Restored, Step, UnreadableRow, admit,
};
pub use metrics::Metrics;
pub use route::{GroupBy, Route, RouteId, RouteTree};
pub use service::{Accepted, Integrations, Posted, Router, RouterError, Service, Settings};

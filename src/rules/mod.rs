//! Rules: files, schedules, and the state machine that turns samples into alerts.
//!
//! The core (`core/`) is pure: one for each group, it is handed the outcome of an evaluation and gives back what to commit,
//! to announce and to remember. The service owns a task for each group, which sleeps to its slot, asks a source, renders
//! templates, steps the core, commits, and only then announces.
//!
//! **Invariants:** nothing is announced that is not committed (or taken in charge by degraded storage); an outage of a
//! source resolves nothing; a restart changes no state beyond moving what waits by the time that Belfry was down.

mod core;
mod cron;
mod file;
mod identity;
mod metrics;
mod plan;
mod schedule;
mod service;
mod sources;
mod text;
mod view;

pub use self::core::{AlertState, RuleError};
pub use cron::{Cron, CronError};
pub use file::{
    AlertRule, Expression, ExpressionCheck, ExpressionFault, NameScheme, OnError, ParseOptions, Rule, RuleFile,
    RuleGroup, RuleKind, SourceName, Timing,
};
pub use identity::{RuleGroupId, RuleId};
pub use plan::{Settings, check_sources};
pub use schedule::{Schedule, Slots, Turn};
pub use service::{Outside, Service, ServiceError};
pub use sources::Sources;
pub use view::{AlertView, GroupView, Health, RuleState, RuleView};

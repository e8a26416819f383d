//! Configuration: reading and checking belfry.yml and the files that it names.
//!
//! [`BelfryConfig::read`] is pure, text to value and findings; [`load()`] is the thin shell over it that reads files, and
//! reports what is wrong in any of them at once. Nothing here starts anything, and secrets never reach `Debug`.

mod address;
mod belfry;
mod glob;
mod kind;
mod later;
mod limits;
mod load;
mod paths;
mod router_file;
mod rule_files;
mod scalar;
mod sections;
mod sources;
mod storage;
mod telemetry;
#[cfg(test)]
mod tests;

pub use address::ListenAddress;
pub use belfry::{BelfryConfig, RouterPlace, RulePattern};
pub use kind::FileKind;
pub use limits::LimitsConfig;
pub use load::{Loaded, load};
pub use router_file::{Purpose, RouterFile, read_document as read_router_document};
pub use sections::{
    DeliveryConfig, EvaluationConfig, ExternalUrls, GlobalConfig, LogConfig, LogFormat, LogLevel, WebConfig,
    WebhooksConfig,
};

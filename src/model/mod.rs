//! The vocabulary of the house: instants, label sets, matchers, alerts, samples, notifications, and the traits at the
//! seams between rooms (`Clock`, `Announce`, `Sink`, `Integration`).
//!
//! Uses nothing of ours, does no I/O.

mod alert;
mod duration;
mod labels;
mod matcher;
mod notification;
mod regex;
mod sample;
mod text;
mod time;

pub use alert::{Alert, AlertEnd, AlertStatus, Announce, AnnounceError, PostedAlert};
pub use duration::{DurationError, format_duration, parse_duration, parse_go_duration};
pub use labels::{Fingerprint, LabelSet};
pub use matcher::{
    MatchOp, Matcher, MatcherError, MatcherMode, Parsed, is_classic_label_name, is_valid_label_name, matchers_text,
    parse_matcher, parse_matchers,
};
pub use notification::{
    Attempt, DataValue, Failure, FailureReason, GroupKey, Integration, IntegrationId, Notification, NotificationReason,
    NotifiedAlert, Receiver, ReceiverData, Way,
};
pub use regex::{GoRegex, RegexError};
pub use sample::{Sample, Series, Sink, SinkError};
pub use text::{go_exponent, go_quote, truncate_chars};
pub use time::{Clock, SystemClock, TestClock, Timestamp, duration_millis};

use sha2::{Digest, Sha256};

/// Lower-case hex of the SHA-256 of `bytes`.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

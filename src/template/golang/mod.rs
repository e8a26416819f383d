//! Pieces of Go's standard library that template authors see: formatting, times and layouts, durations, JSON, escaping
//! and letter case. Nothing here knows of alerts.

pub(crate) mod case;
pub(crate) mod duration;
pub(crate) mod escape;
pub(crate) mod float;
pub(crate) mod json;
pub(crate) mod layout;
pub(crate) mod number;
pub(crate) mod print;
pub(crate) mod spec;
pub(crate) mod time;

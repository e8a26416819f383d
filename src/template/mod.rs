//! Templates in Go's language: labels and annotations of rules (contract prometheus §c), and what notifications say
//! (contract alertmanager §8).
//!
//! Texts are parsed, and checked for unknown functions, variables and templates, where they are loaded. Rendering
//! computes and may run for as long as its [`Limits`] allow: call it where a thread may block.
//!
//! **Invariant:** no template uses unbounded time, memory or stack, and none sees anything but what it is given.

mod engine;
mod error;
mod golang;
mod notify;
mod rule;

pub use engine::Limits;
pub use error::TemplateError;
pub use notify::{Data, TemplateFile, Templates};
pub use rule::{RuleContext, RuleTemplate};

//! Templates in Go's language: annotations of rules (contract prometheus §c) and notifications (contract alertmanager §8).
//!
//! Pure but for the deadline that each rendering has. Templates are parsed and checked where they are loaded; an unknown
//! function or variable is an error there. Rendering computes: call it where a thread may block.
//! **Invariant:** neither output, nor time, nor recursion of a template is unbounded.
mod data;
mod error;
mod functions;
mod method;
mod number;
mod print;
mod rewrite;
mod rule;
mod run;
mod templates;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use data::Data;
pub use error::TemplateError;
pub use rule::{RuleContext, RuleTemplate};
pub use run::Limits;
pub use templates::{TemplateFile, Templates};

//! Templates of notifications (contract alertmanager §8.1-8.7): what they see, their functions, the built-in texts, and
//! the files that replace them.

mod data;
mod functions;
mod payload;
mod templates;
#[cfg(test)]
mod tests;

pub use data::Data;
pub use templates::{TemplateFile, Templates};

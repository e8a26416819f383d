//! Go templates.
mod engine;
mod error;
mod golang;
pub use engine::Limits;
pub use error::TemplateError;

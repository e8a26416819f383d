//! YAML with positions: a located tree, scalars resolved by the type that is wanted of them (so YAML 1.1's booleans and
//! octal numbers work, and `1.10` stays `1.10` where text is wanted), and the [`Diagnostic`] that every check prints.
//!
//! Readers gather all findings instead of stopping at the first. Writing YAML is `serde_yaml`'s, through [`write()`].

mod diagnostic;
mod parse;
mod read;

pub use diagnostic::{Diagnostic, Findings, Position, Severity, suggest};
pub use parse::{Document, Node, Scalar, Style, Value, parse};
pub use read::{Section, Want, free_form};

/// Writes a value as YAML (effective configuration, generated files).
///
/// # Errors
/// A value that has no YAML form, such as a map with keys that are no scalars.
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, serde_yaml::Error> {
    serde_yaml::to_string(value)
}

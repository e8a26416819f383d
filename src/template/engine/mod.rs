//! Go's `text/template` and `html/template` over `gotmpl`: what that engine lacks is added by rewriting its tree when a
//! template is loaded.
//!
//! - **Methods and types**: every field access becomes a call of `__f`, which knows Go's types ([`value`], [`access`]).
//! - **Positions**: every call carries its [`site`], so that an error prints as Go's does.
//! - **Checks at load**: functions, variables, stray and missing `{{end}}` ([`rewrite`], [`syntax`]).
//! - **Bounds**: time, output, memory and iterations of one rendering ([`run`]).
//!
//! **Invariant:** only rewritten trees are executed, so every function of ours is called with its site first.

mod access;
mod builtins;
mod function;
mod methods;
mod nodes;
mod rewrite;
pub(crate) mod run;
mod set;
mod site;
mod syntax;
pub(crate) mod value;

pub(crate) use function::{Function, Param};
pub use run::Limits;
pub(crate) use set::{Mode, Program, Set};
#[cfg(test)]
mod tests;

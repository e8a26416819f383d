//! Behaviour through the real binary and its real interfaces: a process on loopback ports, real peers where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test from outside has only the machine's clock")]

mod catcher;
mod check;
mod daemon;
mod delivery;
mod kill;
mod peers;
mod surface;
mod tour;

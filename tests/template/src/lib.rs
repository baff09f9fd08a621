//! What must be true of template.yaml, and that it and the rest of the repository agree.
//!
//! Each check is a function that returns what is wrong, one line a finding, and has a test of its own on a
//! template that is broken. The tests in tests/ hold the real files to the checks. Nothing here may read the
//! template through the embedded cloud's reader: a mistake there would hide itself.

pub mod bus;
pub mod commands;
pub mod dashboard;
pub mod names;
pub mod operations;
pub mod permissions;
pub mod project;
pub mod queues;
pub mod rules;
pub mod runbooks;
pub mod streams;
pub mod template;
pub mod timing;

#[cfg(test)]
mod broken;

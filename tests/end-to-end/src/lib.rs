//! The end-to-end suite: what a client may rely on, told as scenarios over HTTP.
//!
//! It knows a base URL and nothing else of the shop, so that it runs against `cargo run`, an emulator and a
//! deployed stack alike. It must reach for no table, queue or function. `tests/embedded.rs` runs it against
//! the embedded cloud; the binary runs it against any URL.

mod accounts;
mod contract;
mod reply;
mod request;
pub mod runner;
pub mod scenarios;
mod shop;
mod steps;
mod tokens;
mod wait;

pub use accounts::PASSWORD;
pub use shop::{Identities, Ignored, IssueToken, Person, Scale, Shop};
pub use tokens::{Administrator, issue_with};

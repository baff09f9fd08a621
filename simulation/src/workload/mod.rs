//! What people do to the shop in a run: customers, guests and administrators, drawn from the seed.
//!
//! [`draw`] decides who does what when; [`client`] sends it as an HTTP client would, tries again where that is
//! safe, and remembers what it was answered; [`Actors`] carries an operation out.

mod actors;
mod administrators;
mod client;
mod draw;
mod exporting;
mod held;
mod importing;
mod large;
mod monitoring;
mod people;
mod plan;
mod reading;
mod redriving;

pub(crate) use actors::Actors;
pub(crate) use client::{Answered, Client, History, ask, order};
pub(crate) use exporting::Exported;
pub(crate) use plan::{Action, Plan};

//! The local gateway: what a CDN and the browser's origin rules are to the deployed shop.
//!
//! It stands on a loopback address before a [`Backend`] (the embedded cloud, or the HTTP API of an
//! emulator), brings paths into the form of the template's routes, gives a request without a token the
//! demo administrator's, and turns away what a page of another origin sends. It must not know a route or a
//! business rule: those are the functions'.

mod backend;
mod body;
mod cors;
mod embedded;
mod error;
mod faults;
mod handler;
mod identity;
mod instance;
mod listen;
mod mailbox;
mod origin_check;
mod path;
mod server;

pub use backend::{Backend, BackendError, InvalidUpstream, Upstream};
pub use body::MAX_BODY_BYTES;
pub use handler::Gateway;
pub use identity::{DEMO_EMAIL, DemoIdentity, IdentityError, TokenSettings};
pub use listen::{BindError, Listeners};
pub use server::serve;

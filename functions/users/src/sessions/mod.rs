//! Sessions: what a log-in starts, the tokens that prove it, and the keys by which others check them.

pub mod create_session;
pub mod delete_session;
mod fields;
pub mod get_jwks;
pub mod refresh_session;
mod session;
mod signer;
pub(crate) mod store;
mod tokens;
